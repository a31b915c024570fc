import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'
import type { StepColumn } from './steps.ts'
import { ownWindowKernels } from './own-window-kernels.ts'
import {
  createWindowKernels,
  RateMode,
  scalarWindowKernels,
  WINDOW_WORK_BYTES,
  type WindowBounds,
  type WindowKernels,
} from './window.ts'

const ROWS_MAX = 300
const memory = createKernelMemory({ initialBytes: 1 << 20, maximumBytes: 2 << 20 })
const kernels = createWindowKernels({
  memory,
  kernels: instantiateKernels(memory),
  offset: KERNEL_RESERVED_BYTES,
  bytes: WINDOW_WORK_BYTES,
})
const columnsAt = KERNEL_RESERVED_BYTES + Math.ceil(WINDOW_WORK_BYTES / 8) * 8

interface Case {
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  readonly endsMs: Float64Array
  readonly rangeMs: number
}

const hostile = fc.constantFrom(
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  5e-324,
  1e100,
  -1e100,
  1,
)
const cases = fc
  .record({
    // Regular scrapes give windows of equal width, which the kernels take in pairs.
    gapsMs: fc.oneof(
      fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: ROWS_MAX }),
      fc.integer({ min: 0, max: ROWS_MAX }).map((count) => Array.from({ length: count }, () => 15_000)),
    ),
    values: fc.infiniteStream(
      fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 1000 }) }, fc.double(), hostile),
    ),
    startMs: fc.integer({ min: -1_000_000, max: 2_000_000 }),
    stepMs: fc.oneof(fc.integer({ min: 1, max: 120_000 }), fc.constantFrom(15_000, 60_000)),
    steps: fc.integer({ min: 0, max: 60 }),
    rangeMs: fc.integer({ min: 1, max: 600_000 }),
  })
  .map(({ gapsMs, values, startMs, stepMs, steps, rangeMs }): Case => {
    let atMs = 0
    const timestampsMs = Float64Array.from(gapsMs, (gapMs) => (atMs += gapMs))
    return {
      timestampsMs,
      values: Float64Array.from(gapsMs, () => values.next().value as number),
      endsMs: Float64Array.from({ length: steps }, (_, k) => startMs + k * stepMs),
      rangeMs,
    }
  })

/** The same column inside the kernels' memory. */
function place({ timestampsMs, values, endsMs, rangeMs }: Case): Case {
  const placedTimes = new Float64Array(memory.buffer, columnsAt, timestampsMs.length)
  const placedValues = new Float64Array(memory.buffer, columnsAt + ROWS_MAX * 8, values.length)
  placedTimes.set(timestampsMs)
  placedValues.set(values)
  return { timestampsMs: placedTimes, values: placedValues, endsMs, rangeMs }
}

const emptyColumn = (steps: number): StepColumn => ({
  values: new Float64Array(steps),
  present: new Uint8Array(steps),
  valuesAt: -1,
  presentAt: -1,
})

const REDUCTIONS = ['sum', 'avg', 'min', 'max'] as const

/** All answers of one implementation; only what is defined. NaN payloads are nobody's promise. */
function answers(by: WindowKernels, { timestampsMs, values, endsMs, rangeMs }: Case): Record<string, unknown> {
  const bounds = by.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs)
  const steps = endsMs.length
  const found: Record<string, unknown> = { lo: [...bounds.lo], hi: [...bounds.hi] }
  for (const name of REDUCTIONS) {
    const out = new Float64Array(steps)
    by[name](values, bounds, out)
    found[name] = [...out].filter((_, k) => bounds.lo[k]! < bounds.hi[k]!)
  }
  for (const [name, mode] of Object.entries(RateMode)) {
    const out = new Float64Array(steps)
    const present = new Uint8Array(steps)
    by.rate(values, timestampsMs, bounds, rangeMs, mode, { values: out, present, valuesAt: -1, presentAt: -1 })
    found[name] = [...out].map((value, k) => (present[k] === 1 ? value : undefined))
  }
  return found
}

test('window kernels: WebAssembly and TypeScript give the same bits', () => {
  fc.assert(
    fc.property(cases, (input) => {
      expect(answers(kernels, place(input))).toEqual(answers(scalarWindowKernels, input))
    }),
    { numRuns: 500 },
  )
})

test('window kernels: columns outside of the memory are taken too, between others', () => {
  fc.assert(
    fc.property(cases, cases, (inside, outside) => {
      const placed = place(inside)
      const bounds = kernels.bounds(placed.timestampsMs, placed.timestampsMs.length, placed.endsMs, placed.rangeMs)
      expect(answers(kernels, outside)).toEqual(answers(scalarWindowKernels, outside))
      // The bounds are still good after others have been computed.
      const out = new Float64Array(bounds.lo.length)
      const want = new Float64Array(bounds.lo.length)
      kernels.sum(placed.values, bounds, out)
      scalarWindowKernels.sum(inside.values, bounds, want)
      expect([...out].filter((_, k) => bounds.lo[k]! < bounds.hi[k]!)).toEqual(
        [...want].filter((_, k) => bounds.lo[k]! < bounds.hi[k]!),
      )
    }),
    { numRuns: 50 },
  )
})

test('window kernels: with a memory of their own they give the same bits, for columns anywhere', () => {
  const own = ownWindowKernels()
  fc.assert(
    fc.property(cases, cases, (first, second) => {
      for (const input of [first, second]) expect(answers(own, input)).toEqual(answers(scalarWindowKernels, input))
    }),
    { numRuns: 200 },
  )
  // Longer than what the kernels have room for.
  const values = new Float64Array(70_000).fill(0.1)
  const timestampsMs = values.map((_, i) => i)
  const endsMs = Float64Array.from({ length: 20 }, (_, k) => k * 3600)
  const long = { timestampsMs, values, endsMs, rangeMs: 1000 }
  expect(answers(own, long)).toEqual(answers(scalarWindowKernels, long))
})

test('window kernels: bounds in the memory of former ones are as good as new ones', () => {
  const own = ownWindowKernels()
  fc.assert(
    fc.property(cases, fc.array(cases, { minLength: 1, maxLength: 5 }), (grid, columns) => {
      const { endsMs, rangeMs } = grid
      let bounds: WindowBounds | undefined
      for (const { timestampsMs, values } of columns) {
        bounds = own.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs, bounds)
        const fresh = scalarWindowKernels.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs)
        expect(bounds).toEqual(fresh)
        const [out, want] = [emptyColumn(endsMs.length), emptyColumn(endsMs.length)]
        own.rate(values, timestampsMs, bounds, rangeMs, RateMode.RATE, out)
        scalarWindowKernels.rate(values, timestampsMs, fresh, rangeMs, RateMode.RATE, want)
        expect(out.present).toEqual(want.present)
        const isDefined = (_: number, k: number): boolean => want.present[k] === 1
        expect(out.values.filter(isDefined)).toEqual(want.values.filter(isDefined))
      }
    }),
    { numRuns: 200 },
  )
})

test('window kernels: bounds are those of left-open windows, by definition', () => {
  fc.assert(
    fc.property(cases, ({ timestampsMs, endsMs, rangeMs }) => {
      const { lo, hi } = scalarWindowKernels.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs)
      endsMs.forEach((endMs, k) => {
        const inside = [...timestampsMs].filter((timeMs) => timeMs > endMs - rangeMs && timeMs <= endMs)
        expect([...timestampsMs.subarray(lo[k], hi[k])]).toEqual(inside)
      })
    }),
    { numRuns: 100 },
  )
})

test('window kernels: extremes are those of a plain scan, NaN only where all are', () => {
  fc.assert(
    fc.property(cases, ({ timestampsMs, values, endsMs, rangeMs }) => {
      const bounds = scalarWindowKernels.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs)
      for (const [name, pick] of [['min', Math.min] as const, ['max', Math.max] as const]) {
        const out = new Float64Array(endsMs.length)
        scalarWindowKernels[name](values, bounds, out)
        endsMs.forEach((_, k) => {
          const window = [...values.subarray(bounds.lo[k], bounds.hi[k])]
          if (window.length === 0) return
          const numbers = window.filter((value) => !Number.isNaN(value))
          // Adding 0 makes a positive zero of both.
          expect(out[k]! + 0).toBe(numbers.length === 0 ? Number.NaN : pick(...numbers) + 0)
        })
      }
    }),
    { numRuns: 200 },
  )
})

test('window kernels: compensated sums do not lose what plain ones lose', () => {
  const values = Float64Array.from([1e100, 1, -1e100])
  const bounds = scalarWindowKernels.bounds(Float64Array.from([1, 2, 3]), 3, Float64Array.from([3]), 10)
  const out = new Float64Array(1)
  scalarWindowKernels.sum(values, bounds, out)
  expect(out[0]).toBe(1)
  scalarWindowKernels.avg(Float64Array.from([Number.MAX_VALUE, Number.MAX_VALUE, 0]), bounds, out)
  expect(out[0]).toBeCloseTo((Number.MAX_VALUE / 3) * 2, -300)
})

test('window kernels: increase makes up for counter resets', () => {
  const timestampsMs = Float64Array.from([10_000, 20_000, 30_000, 40_000])
  const values = Float64Array.from([5, 9, 2, 4])
  const bounds = scalarWindowKernels.bounds(timestampsMs, 4, Float64Array.from([40_000]), 40_000)
  const out = new Float64Array(1)
  const present = new Uint8Array(1)
  const column = { values: out, present, valuesAt: -1, presentAt: -1 }
  scalarWindowKernels.rate(values, timestampsMs, bounds, 40_000, RateMode.INCREASE, column)
  // 4 - 5 + 9 over 30 s, extended by the full 10 s at the start.
  expect([...out, ...present]).toEqual([8 * (40 / 30), 1])
})
