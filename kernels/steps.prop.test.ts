import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CombineOp, type PlacedSums, type StepColumn } from './steps.ts'
import { addSumTwin, countPresentTwin, selectTwin } from './steps-twin.ts'
import { ownWindowKernels } from './own-window-kernels.ts'
import { RateMode, scalarWindowKernels } from './window.ts'

const STEPS_MAX = 70
const HOSTILE = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE, 5e-324, 1e100]

interface Points {
  readonly values: Float64Array
  readonly present: Uint8Array
}

const value = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -5, max: 1000 }) },
  fc.double(),
  fc.constantFrom(...HOSTILE),
)
const pointsOf = (steps: number): fc.Arbitrary<Points> =>
  fc
    .tuple(
      fc.array(value, { minLength: steps, maxLength: steps }),
      // Most columns are whole: these are what is done in pairs.
      fc.oneof(
        fc.constant(Array.from({ length: steps }, () => 1)),
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: steps, maxLength: steps }),
      ),
    )
    .map(([values, present]) => ({ values: Float64Array.from(values), present: Uint8Array.from(present) }))
const columns = fc
  .integer({ min: 0, max: STEPS_MAX })
  .chain((steps) => fc.tuple(fc.constant(steps), fc.array(pointsOf(steps), { minLength: 1, maxLength: 12 })))

const windows = ownWindowKernels()
// Makes the memory.
windows.sum(
  new Float64Array(20),
  scalarWindowKernels.bounds(new Float64Array(20), 20, new Float64Array(20), 1),
  new Float64Array(20),
)
const kernels = windows.steps

/** The same points in the kernels' memory. */
function placed({ values, present }: Points): StepColumn {
  const steps = values.length
  const { buffer, offset } = kernels.take(9 * steps)!
  const column = {
    values: new Float64Array(buffer, offset, steps),
    present: new Uint8Array(buffer, offset + 8 * steps, steps),
    valuesAt: offset,
    presentAt: offset + 8 * steps,
  }
  column.values.set(values)
  column.present.set(present)
  return column
}

function sumsOf(steps: number, isPlaced: boolean): PlacedSums {
  const bytes = 17 * steps
  const { buffer, offset } = isPlaced ? kernels.take(bytes)! : { buffer: new ArrayBuffer(bytes), offset: 0 }
  new Uint8Array(buffer, offset, bytes).fill(0)
  return {
    sums: new Float64Array(buffer, offset, steps),
    errors: new Float64Array(buffer, offset + 8 * steps, steps),
    seen: new Uint8Array(buffer, offset + 16 * steps, steps),
    at: isPlaced ? offset : -1,
  }
}

const plain = ({ sums, errors, seen }: PlacedSums) => ({
  seen: [...seen],
  sums: [...sums].filter((_, k) => seen[k] === 1),
  errors: [...errors].filter((_, k) => seen[k] === 1),
})

test('columns of steps: WebAssembly counts and sums bit for bit as TypeScript does', () => {
  fc.assert(
    fc.property(columns, ([steps, given]) => {
      kernels.startOver()
      const sums = sumsOf(steps, true)
      const twin = sumsOf(steps, false)
      for (const points of given) {
        const column = placed(points)
        expect(kernels.countPresent(column)).toBe(countPresentTwin(points.present))
        kernels.addSum(sums, column)
        addSumTwin(twin, points.values, points.present)
      }
      expect(plain(sums)).toEqual(plain(twin))
      const last = placed(given.at(-1)!)
      kernels.clear(last)
      expect(kernels.countPresent(last)).toBe(0)
      expect([...last.values]).toEqual([...given.at(-1)!.values])
    }),
    { numRuns: 300 },
  )
})

test('columns of steps: the samples that steps see are gathered, and pairs of columns combined, as TypeScript would', () => {
  const operators = [(a, b) => a + b, (a, b) => a - b, (a, b) => a * b, (a, b) => a / b] satisfies ((
    a: number,
    b: number,
  ) => number)[]
  const index = fc.integer({ min: -1, max: 99 })
  const picked = fc.oneof(
    fc.array(index, { maxLength: STEPS_MAX }),
    // Most often in a row.
    fc
      .tuple(index, fc.nat(30))
      .map(([first, count]) => Array.from({ length: count }, (_, k) => Math.min(99, first + k))),
  )
  fc.assert(
    fc.property(fc.array(value, { minLength: 100, maxLength: 100 }), picked, (samples, list) => {
      kernels.startOver()
      const steps = list.length
      const { values } = placed({ values: Float64Array.from(samples), present: new Uint8Array(100) })
      const { buffer, offset } = kernels.take(4 * steps)!
      const indexes = new Int32Array(buffer, offset, steps)
      indexes.set(list)
      const out = placed({ values: new Float64Array(steps), present: new Uint8Array(steps) })
      expect(kernels.gather(values, { indexes, at: offset }, out)).toBe(true)
      expect([...out.present]).toEqual(list.map((i) => (i < 0 ? 0 : 1)))
      expect([...out.values]).toEqual(list.map((i) => (i < 0 ? 0 : values[i]!)))
    }),
    { numRuns: 200 },
  )
  fc.assert(
    fc.property(
      columns.filter(([, given]) => given.length > 1),
      fc.constantFrom(...Object.values(CombineOp)),
      ([steps, given], op) => {
        kernels.startOver()
        const [left, right] = [placed(given[0]!), placed(given[1]!)]
        const out = placed({ values: new Float64Array(steps), present: new Uint8Array(steps) })
        expect(kernels.combine(op, left, right, out)).toBe(true)
        for (let step = 0; step < steps; step++) {
          expect(out.present[step]).toBe(left.present[step]! & right.present[step]!)
          expect(out.values[step]).toBe(operators[op]!(left.values[step]!, right.values[step]!))
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('columns of steps: quantiles lie between the values of neighbouring ranks', () => {
  fc.assert(
    fc.property(columns, fc.double({ min: 0, max: 1, noNaN: true }), ([steps, given], phi) => {
      kernels.startOver()
      const bounds = kernels.quantileBounds(given.map(placed), phi)!
      for (let step = 0; step < steps; step++) {
        const values = given.filter(({ present }) => present[step] === 1).map((points) => points.values[step]!)
        if (values.some(Number.isNaN)) {
          expect(bounds.counts[step]).toBe(-1)
          continue
        }
        expect(bounds.counts[step]).toBe(values.length)
        if (values.length === 0) continue
        const rank = Math.floor(phi * (values.length - 1))
        const sorted = Float64Array.from(values).sort()
        // Adding 0 makes a positive zero of both.
        expect(bounds.lower[step]! + 0).toBe(sorted[rank]! + 0)
        expect(bounds.upper[step]! + 0).toBe(sorted[Math.min(rank + 1, values.length - 1)]! + 0)
        const own = Float64Array.from(values)
        expect(bounds.lower[step]).toBe(selectTwin(own, rank))
      }
    }),
    { numRuns: 300 },
  )
})

test('columns of steps: rates are written in place, and elsewhere, bit for bit as TypeScript does', () => {
  const samples = fc.array(
    fc.record({ gapMs: fc.constantFrom(15_000, 15_000, 15_000, 60_000), value: fc.oneof(value, fc.nat(50)) }),
    { minLength: 0, maxLength: 200 },
  )
  const isCounter = fc.boolean()
  const grid = fc.record({
    steps: fc.integer({ min: 16, max: STEPS_MAX }),
    stepMs: fc.constantFrom(5000, 15_000, 120_000),
    rangeMs: fc.constantFrom(30_000, 300_000),
  })
  fc.assert(
    fc.property(samples, isCounter, grid, (given, sums, { steps, stepMs, rangeMs }) => {
      kernels.startOver()
      let atMs = 0
      let sum = 0
      const timestampsMs = Float64Array.from(given, ({ gapMs }) => (atMs += gapMs))
      // A counter that begins at zero, or anything.
      const values = Float64Array.from(given, (one) => (sums ? (sum += Math.abs(one.value) % 1000) : one.value))
      const endsMs = Float64Array.from({ length: steps }, (_, k) => k * stepMs + 7)
      const bounds = scalarWindowKernels.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs)
      for (const mode of Object.values(RateMode)) {
        const points = { values: new Float64Array(steps), present: new Uint8Array(steps) }
        const twin = { ...points, valuesAt: -1, presentAt: -1 }
        scalarWindowKernels.rate(values, timestampsMs, bounds, rangeMs, mode, twin)
        const inPlace = placed({ values: new Float64Array(steps), present: new Uint8Array(steps) })
        windows.rate(values, timestampsMs, bounds, rangeMs, mode, inPlace)
        const elsewhere = {
          values: new Float64Array(steps),
          present: new Uint8Array(steps),
          valuesAt: -1,
          presentAt: -1,
        }
        windows.rate(values, timestampsMs, bounds, rangeMs, mode, elsewhere)
        for (const column of [inPlace, elsewhere]) {
          expect([...column.present]).toEqual([...twin.present])
          const seen = (_: number, k: number): boolean => twin.present[k] === 1
          expect([...column.values].filter(seen)).toEqual([...twin.values].filter(seen))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('columns of steps: what is used up is refused, and there again after starting over', () => {
  kernels.startOver()
  expect(kernels.take(1 << 30)).toBeUndefined()
  const first = kernels.take(100)!
  expect(kernels.take(100)!.offset).toBeGreaterThanOrEqual(first.offset + 100)
  kernels.startOver()
  expect(kernels.take(100)!.offset).toBe(first.offset)
})
