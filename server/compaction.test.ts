import { expect, test } from 'vitest'
import { compactionFlag } from './compaction.ts'

const MB = 1 << 20

test('objects are moved together only while a good part of the heap is holes', () => {
  const flag = (totalMb: number, usedMb: number): string =>
    compactionFlag({ total_heap_size: totalMb * MB, used_heap_size: usedMb * MB })
  // While a million series are new; while little is there; after a burst; when that is dealt with.
  expect(flag(45, 30)).toBe('--no-compact')
  expect(flag(24, 8)).toBe('--no-compact')
  expect(flag(300, 40)).toBe('--compact')
  expect(flag(45, 20)).toBe('--compact')
  expect(flag(58, 40)).toBe('--no-compact')
})
