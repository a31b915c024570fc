import { expect, test } from 'vitest'
import { ADHOC_MATCHERS, adhocMatchers, decodeFilter, encodeFilter, matcherText } from './adhoc.ts'

test('filters survive an address', () => {
  for (const filter of [
    { key: 'job', operator: '=', values: ['a|b,c#d'] },
    { key: 'path', operator: '=|', values: ['/', '/x|y'] },
    { key: 'empty', operator: '!=', values: [''] },
  ])
    expect(decodeFilter(encodeFilter(filter))).toEqual(filter)
  expect(decodeFilter('job|=|node')).toEqual({ key: 'job', operator: '=', values: ['node'] })
  expect(decodeFilter('')).toBeUndefined()
  expect(decodeFilter('job|>|3')).toBeUndefined()
})

test('filters become matchers', () => {
  expect(matcherText({ key: 'job', operator: '=~', values: ['a.*'] })).toBe('job=~"a.*"')
  expect(matcherText({ key: 'k8s.pod', operator: '=', values: ['a"b'] })).toBe('"k8s.pod"="a\\"b"')
  expect(matcherText({ key: 'route', operator: '=|', values: ['/a.b', '/c'] })).toBe('route=~"/a\\\\.b|/c"')
  expect(matcherText({ key: 'route', operator: '!=|', values: ['x'] })).toBe('route!~"x"')
})

test('a variable without filters asks for nothing', () => {
  const scopeOf = (values: readonly string[]) =>
    new Map([[ADHOC_MATCHERS, { values, texts: values, isList: true, isRaw: true }]])
  expect(adhocMatchers(new Map())).toEqual([])
  expect(adhocMatchers(scopeOf(['']))).toEqual([])
  expect(adhocMatchers(scopeOf(['job="x"']))).toEqual(['job="x"'])
})
