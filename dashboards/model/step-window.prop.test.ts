import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dependsOnRange, missingSteps, moveWindow, stepCount, type StepGrid, type StepWindow } from './step-window.ts'

const STEP = 10

/** What a server would answer: each series has values between two instants of its own. */
function answer(lives: readonly (readonly [from: number, to: number])[], grid: StepGrid): StepWindow {
  const series = lives
    .map(([from, to], i) => ({
      metric: { series: String(i) },
      values: Float64Array.from({ length: stepCount(grid) }, (_, at) => {
        const atMs = grid.startMs + at * grid.stepMs
        return atMs >= from && atMs <= to ? atMs * 100 + i : Number.NaN
      }),
    }))
    .filter(({ values }) => values.some((value) => !Number.isNaN(value)))
  return { grid, series }
}

const sorted = ({ series }: StepWindow) =>
  [...series].sort((a, b) => Number(a.metric.series) - Number(b.metric.series)).map((one) => [one.metric, one.values])

const grid = (startStep: number, count: number): StepGrid => ({
  startMs: startStep * STEP,
  endMs: (startStep + count - 1) * STEP,
  stepMs: STEP,
})

test('a window moved step by step holds what asking anew would answer', () => {
  const life = fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 900 }))
  let movedCount = 0
  fc.assert(
    fc.property(
      fc.array(life, { maxLength: 6 }),
      fc.integer({ min: 2, max: 30 }),
      fc.array(fc.nat({ max: 12 }), { minLength: 3, maxLength: 8, size: 'max' }),
      fc.nat({ max: 60 }),
      (lives, count, moves, lateMs) => {
        let start = 0
        let window = answer(lives, grid(start, count))
        for (const move of moves) {
          start += move
          const wanted = grid(start, count)
          const missing = missingSteps(window.grid, wanted, lateMs)
          if (missing === undefined) window = answer(lives, wanted)
          else {
            movedCount++
            expect(missing.startMs).toBeLessThanOrEqual(window.grid.endMs)
            window = moveWindow(window, answer(lives, missing), wanted)
          }
          expect(sorted(window)).toEqual(sorted(answer(lives, wanted)))
        }
      },
    ),
  )
  expect(movedCount).toBeGreaterThan(50)
})

test('all steps are asked for where the window is another one', () => {
  const known = grid(100, 100)
  expect(missingSteps(known, grid(102, 100), 30)).toEqual({ startMs: 1960, endMs: 2010, stepMs: STEP })
  expect(missingSteps(known, grid(99, 100), 30)).toBeUndefined()
  expect(missingSteps(known, { ...grid(102, 100), stepMs: 20 }, 30)).toBeUndefined()
  expect(missingSteps(known, { ...grid(102, 100), startMs: 1025 }, 30)).toBeUndefined()
  expect(missingSteps(known, grid(180, 100), 30)).toBeUndefined()
})

test('expressions that look at the ends of the range are never asked in parts', () => {
  expect(dependsOnRange('rate(x[5m] @ end())')).toBe(true)
  expect(dependsOnRange('x @start ()')).toBe(true)
  // What it shows now will be written later.
  expect(dependsOnRange('x offset -10m')).toBe(true)
  expect(dependsOnRange('x offset 10m')).toBe(false)
  expect(dependsOnRange('rate(start[5m])')).toBe(false)
})
