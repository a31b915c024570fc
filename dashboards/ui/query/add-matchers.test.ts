import { expect, test } from 'vitest'
import { addMatchers } from './add-matchers.ts'

const add = (expr: string) => addMatchers(expr, ['job="a"', 'x!~"b"'])

test('every selector gets the matchers, nothing else changes', () => {
  expect(add('up')).toBe('up{job="a",x!~"b"}')
  expect(add('up{}')).toBe('up{job="a",x!~"b"}')
  expect(add('{__name__="up"} > 0')).toBe('{job="a",x!~"b",__name__="up"} > 0')
  expect(add('{"http.duration", y="z", }')).toBe('{job="a",x!~"b","http.duration", y="z", }')
  expect(add('up{y="z" # not job="a"\n}')).toBe('up{job="a",x!~"b",y="z" # not job="a"\n}')
  expect(add('sum by (job) (rate(a{c="}"}[5m] offset 1h)) / on (up) group_left b[1h:5m]')).toBe(
    'sum by (job) (rate(a{job="a",x!~"b",c="}"}[5m] offset 1h)) / on (up) group_left b{job="a",x!~"b"}[1h:5m]',
  )
  expect(add('label_replace(up, "up", "$1", "up", "(.*)")')).toBe(
    'label_replace(up{job="a",x!~"b"}, "up", "$1", "up", "(.*)")',
  )
  expect(add('time() - 3 # up')).toBe('time() - 3 # up')
})

test('what cannot be read, or needs nothing, stays as it is', () => {
  expect(add('sum(rate(up')).toBe('sum(rate(up')
  expect(addMatchers('up', [])).toBe('up')
})
