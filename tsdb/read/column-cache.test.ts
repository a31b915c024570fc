import { expect, test } from 'vitest'
import { ColumnCache } from './column-cache.ts'

test('blocks that are looked at together have places as far as all of them fit, the same ones each time', () => {
  // Twice that many samples fit, at 9 bytes each.
  const cache = new ColumnCache(2 * 9 * 1000)
  expect(cache.isWorth(1000)).toBe(true)
  expect(cache.isWorth(1001)).toBe(false)
  for (let query = 0; query < 2; query++) {
    cache.startBlocks()
    expect([400, 400, 400, 200, 1].map((samples) => cache.isBlockWorth(samples))).toEqual([
      true,
      true,
      false,
      true,
      false,
    ])
  }
})
