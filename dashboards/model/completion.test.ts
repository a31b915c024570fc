import { expect, test } from 'vitest'
import { completionAt, rankCandidates } from './completion.ts'

const at = (marked: string) => {
  const caret = marked.indexOf('|')
  const found = completionAt(marked.replace('|', ''), caret)
  return found && [found.kind, found.prefix, found.metric, found.label].join(',')
}

test.each([
  ['|', 'metric,,,'],
  ['rate(http_re|', 'metric,http_re,,'],
  ['up{|', 'label,,up,'],
  ['sum(rate(a:b{job="x", ins|', 'label,ins,a:b,'],
  ['up{job="pro|', 'value,pro,up,job'],
  ['up{job=~"a|b', 'value,a,up,job'],
  ['sum by (jo|', 'label,jo,,'],
  ['up{job="x"} + no|', 'metric,no,,'],
  ['a{b="}"} * |', 'metric,,,'],
])('%s', (marked, want) => expect(at(marked)).toBe(want))

test.each(['rate(up[5m|', 'up > 1|', 'label_replace(up, "a|'])('nothing at %s', (marked) =>
  expect(at(marked)).toBeUndefined(),
)

test('beginnings come first, what is already complete is not offered', () => {
  expect(rankCandidates(['node_load1', 'load', 'up', 'reload', 'loadavg'], 'load', 3)).toEqual([
    'loadavg',
    'node_load1',
    'reload',
  ])
})
