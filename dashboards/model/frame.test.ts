import { expect, test } from 'vitest'
import { columnStats, columnsExtent, frameFromColumns, nearestIndex, stackColumns } from './frame.ts'

const gap = Number.NaN

test('frameFromColumns lays out the times and shows infinite values as gaps', () => {
  const frame = frameFromColumns(
    [
      { metric: { job: 'a' }, values: Float64Array.of(1, gap, Number.POSITIVE_INFINITY, 4.5) },
      { metric: { job: 'b' }, values: Float64Array.of(gap, gap, gap, gap) },
    ],
    { startMs: 10_000, endMs: 40_000, stepMs: 10_000 },
  )
  expect([...frame.x]).toEqual([10_000, 20_000, 30_000, 40_000])
  expect(frame.ys.map((y) => [...y])).toEqual([
    [1, gap, gap, 4.5],
    [gap, gap, gap, gap],
  ])
  expect(frame.labels).toEqual([{ job: 'a' }, { job: 'b' }])
})

test('stackColumns sums upwards; what nobody has stays a gap', () => {
  const stacked = stackColumns([Float64Array.of(1, gap, gap), Float64Array.of(2, 3, gap)])
  expect(stacked.map((y) => [...y])).toEqual([
    [1, 0, gap],
    [3, 3, gap],
  ])
})

test('columnStats', () => {
  expect(columnStats(Float64Array.of(1, 5, gap, 3, gap))).toEqual({ last: 3, min: 1, mean: 3, max: 5 })
  expect(columnStats(Float64Array.of(gap))).toEqual({ last: gap, min: gap, mean: gap, max: gap })
})

test('columnsExtent', () => {
  expect(columnsExtent([Float64Array.of(3, gap), Float64Array.of(-1, 2)])).toEqual([-1, 3])
})

test('nearestIndex', () => {
  const x = Float64Array.of(100, 200, 300)
  expect([0, 149, 151, 290, 9999].map((at) => nearestIndex(x, at))).toEqual([0, 0, 1, 2, 2])
  expect(nearestIndex(new Float64Array(), 5)).toBe(-1)
})
