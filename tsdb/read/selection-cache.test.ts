import { expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { type Selection, SelectionCache } from './selection-cache.ts'

const selectionOf = (length: number): Selection[] => [
  { positions: new Uint32Array(length), overlays: new Uint32Array(length) },
]

test('what was found is found again, by matchers and key, until other selections need the room', () => {
  const cache = new SelectionCache()
  let calls = 0
  const ask = (value: string, key: string, length = 1): readonly Selection[] =>
    cache.of([createMatcher('=', 'job', value)])(key, () => {
      calls++
      return selectionOf(length)
    })
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
