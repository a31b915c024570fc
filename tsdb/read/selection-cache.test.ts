import { expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { type Place, type Selection, SelectionCache } from './selection-cache.ts'

const selectionOf = (length: number): Selection[] => [
  { positions: new Uint32Array(length), overlays: new Uint32Array(length) },
]

test('what was found is found again, by matchers and key, until other selections need the room', () => {
  const cache = new SelectionCache()
  let calls = 0
  let layout = 0
  /** Each time in another layout, so that only the selections may be known. */
  const ask = (value: string, key: string, length = 1): Selection =>
    cache.places([createMatcher('=', 'job', value)], layout++, (select) => {
      const [selection] = select(key, () => {
        calls++
        return selectionOf(length)
      })
      return [{ group: 0, selection: selection! }]
    })[0]!.selection
  const first = ask('a', '1:')
  expect(ask('a', '1:')).toBe(first)
  expect(calls).toBe(1)
  expect(ask('a', '2:')).not.toBe(first)
  expect(ask('b', '1:')).not.toBe(first)
  expect(calls).toBe(3)
  // More than half of the room each: only the last one stays.
  ask('c', '1:', 300_000)
  ask('d', '1:', 300_000)
  expect(calls).toBe(5)
  ask('d', '1:', 300_000)
  expect(calls).toBe(5)
  ask('c', '1:', 300_000)
  expect(calls).toBe(6)
  // What is larger than the room is answered, and not kept.
  ask('e', '1:', 600_000)
  ask('e', '1:', 600_000)
  expect(calls).toBe(8)
})

test('places are known as long as the layout is the same', () => {
  const cache = new SelectionCache()
  const matchers = [createMatcher('=', 'job', 'a')]
  let calls = 0
  const ask = (layout: number): readonly Place[] =>
    cache.places(matchers, layout, () => {
      calls++
      return [{ group: calls, selection: selectionOf(1)[0]! }]
    })
  const groups = [
    { templateId: 1, labelSet: 2 },
    { templateId: 3, labelSet: 4 },
  ]
  const first = ask(cache.layoutOf(groups))
  expect(ask(cache.layoutOf(groups.map((group) => ({ ...group }))))).toBe(first)
  for (const changed of [groups.slice(1), [...groups, groups[0]!], [groups[1]!, groups[0]!], []]) {
    const before = calls
    ask(cache.layoutOf(changed))
    expect(calls).toBe(before + 1)
  }
})
