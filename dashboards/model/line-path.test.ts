import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linePath, pathLengthMax } from './line-path.ts'

const draw = (x: number[], y: number[], scaleX = 1) => {
  const out = new Float64Array(pathLengthMax(x.length))
  const length = linePath(
    Float64Array.from(x),
    Float64Array.from(y),
    { scale: scaleX, offset: 0 },
    { scale: 1, offset: 0 },
    out,
  )
  const points: (readonly [number, number])[] = []
  for (let i = 0; i < length; i += 2) points.push([out[i]!, out[i + 1]!])
  return points
}

test('points in columns of their own stay as they are', () => {
  expect(draw([0, 10, 20], [1, 2, 3])).toEqual([
    [0, 1],
    [10, 2],
    [20, 3],
  ])
})

test('a gap lifts the pen once, and never at the start', () => {
  expect(draw([0, 10, 20, 30, 40], [Number.NaN, 2, Number.NaN, Number.NaN, 3])).toEqual([
    [10, 2],
    [Number.NaN, Number.NaN],
    [40, 3],
  ])
})

test('a crowded column keeps first, lowest, highest and last', () => {
  expect(draw([0, 0.1, 0.2, 0.3, 0.4, 5], [5, 9, 1, 4, 6, 2])).toEqual([
    [0, 5],
    [0.4, 1],
    [0.4, 9],
    [0.4, 6],
    [5, 2],
  ])
})

test('two points of a column stay two points', () => {
  expect(draw([0, 0.4, 5], [5, 9, 2])).toEqual([
    [0, 5],
    [0.4, 9],
    [5, 2],
  ])
})

test('at any width the extremes of the data are drawn and the buffer is large enough', () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
    fc.constant(Number.NaN),
  )
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0.001, max: 3, noNaN: true }),
      (y, scale) => {
        const points = draw(
          y.map((_, i) => i),
          y,
          scale,
        )
        const finite = y.filter((v) => !Number.isNaN(v))
        const drawn = points.map(([, py]) => py).filter((v) => !Number.isNaN(v))
        // Adding zero makes -0 and 0 one: they are the same place on the screen.
        expect(Math.max(...drawn) + 0).toBe(Math.max(...finite) + 0)
        expect(Math.min(...drawn) + 0).toBe(Math.min(...finite) + 0)
        expect(points.length * 2).toBeLessThanOrEqual(pathLengthMax(y.length))
      },
    ),
  )
})
