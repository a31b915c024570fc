import { expect, test } from 'vitest'
import { columnStats, columnsExtent, frameFromMatrix, nearestIndex, stackColumns } from './frame.ts'

const NaN = Number.NaN

test('frameFromMatrix puts values on the grid and leaves gaps', () => {
  const frame = frameFromMatrix(
    [
      {
        metric: { job: 'a' },
        values: [
          [10, '1'],
          [30, '+Inf'],
          [40, '4.5'],
          [999, '7'],
        ],
      },
      { metric: { job: 'b' } },
    ],
    { startMs: 10_000, endMs: 40_000, stepMs: 10_000 },
  )
  expect([...frame.x]).toEqual([10_000, 20_000, 30_000, 40_000])
  expect(frame.ys.map((y) => [...y])).toEqual([
    [1, NaN, NaN, 4.5],
    [NaN, NaN, NaN, NaN],
  ])
  expect(frame.labels).toEqual([{ job: 'a' }, { job: 'b' }])
})

test('stackColumns sums upwards; what nobody has stays a gap', () => {
  const stacked = stackColumns([Float64Array.of(1, NaN, NaN), Float64Array.of(2, 3, NaN)])
  expect(stacked.map((y) => [...y])).toEqual([
    [1, 0, NaN],
    [3, 3, NaN],
  ])
})

test('columnStats', () => {
  expect(columnStats(Float64Array.of(1, 5, NaN, 3, NaN))).toEqual({ last: 3, min: 1, mean: 3, max: 5 })
  expect(columnStats(Float64Array.of(NaN))).toEqual({ last: NaN, min: NaN, mean: NaN, max: NaN })
})

test('columnsExtent', () => {
  expect(columnsExtent([Float64Array.of(3, NaN), Float64Array.of(-1, 2)])).toEqual([-1, 3])
})

test('nearestIndex', () => {
  const x = Float64Array.of(100, 200, 300)
  expect([0, 149, 151, 290, 9999].map((at) => nearestIndex(x, at))).toEqual([0, 0, 1, 2, 2])
  expect(nearestIndex(new Float64Array(), 5)).toBe(-1)
})
