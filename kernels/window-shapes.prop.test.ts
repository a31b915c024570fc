import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StepColumn } from './steps.ts'
import { ownWindowKernels } from './own-window-kernels.ts'
import { RateMode, scalarWindowKernels } from './window.ts'
import { rateGeometry, WindowShape } from './window-twin.ts'

const kernels = ownWindowKernels()

const emptyColumn = (steps: number): StepColumn => ({
  values: new Float64Array(steps),
  present: new Uint8Array(steps),
  valuesAt: -1,
  presentAt: -1,
})

/** Counters of whole windows, scraped at regular times: most of them far from zero, some that begin or begin anew inside. */
const counters = fc.record({
  first: fc.oneof(fc.nat(3000), fc.constantFrom(0, -5, 1e-300, 1e6, 1e12, Number.NaN, Number.POSITIVE_INFINITY)),
  grown: fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat(30) }, fc.constantFrom(0, 0.25, 1e291)), {
    minLength: 30,
    maxLength: 150,
  }),
  resetAt: fc.oneof(fc.constant(-1), fc.nat(200)),
  windowSamples: fc.integer({ min: 1, max: 10 }),
  stepSamples: fc.constantFrom(1, 1, 4),
  offsetMs: fc.constantFrom(0, 7500),
})

test('rates of whole windows, each a sample further than the one before or not, are bit for bit those of TypeScript', () => {
  const seen = new Set<WindowShape>()
  fc.assert(
    fc.property(counters, ({ first, grown, resetAt, windowSamples, stepSamples, offsetMs }) => {
      let value = first
      const values = Float64Array.from(grown, (more, i) => (value = i === resetAt ? more : value + more))
      const timestampsMs = values.map((_, i) => 15_000 * i)
      const rangeMs = 15_000 * windowSamples
      const steps = Math.max(0, Math.floor((values.length - windowSamples) / stepSamples))
      const endsMs = Float64Array.from({ length: steps }, (_, k) => rangeMs + offsetMs + 15_000 * stepSamples * k)
      const bounds = scalarWindowKernels.bounds(timestampsMs, timestampsMs.length, endsMs, rangeMs)
      for (const mode of Object.values(RateMode)) {
        seen.add(rateGeometry(timestampsMs, bounds.lo, bounds.hi, endsMs, rangeMs, mode).shape)
        const [out, want] = [emptyColumn(steps), emptyColumn(steps)]
        kernels.rate(values, timestampsMs, bounds, rangeMs, mode, out)
        scalarWindowKernels.rate(values, timestampsMs, bounds, rangeMs, mode, want)
        expect(out.present).toEqual(want.present)
        const isDefined = (_: number, k: number): boolean => want.present[k] === 1
        expect(out.values.filter(isDefined)).toEqual(want.values.filter(isDefined))
      }
    }),
    { numRuns: 1000 },
  )
  expect(seen).toEqual(new Set(Object.values(WindowShape)))
})

test('quantiles of windows are those of sorted windows, where the kernel takes them', () => {
  const value = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -20, max: 20 }) }, fc.double(), fc.constant(-0))
  const windows = fc.record({
    values: fc.oneof(fc.array(fc.nat(50), { maxLength: 200 }), fc.array(value, { maxLength: 200 })),
    startMs: fc.integer({ min: -300, max: 300 }),
    stepMs: fc.integer({ min: 1, max: 40 }),
    rangeMs: fc.integer({ min: 1, max: 100 }),
    steps: fc.integer({ min: 16, max: 80 }),
  })
  let taken = 0
  fc.assert(
    fc.property(windows, fc.double({ min: 0, max: 1, noNaN: true }), ({ values: list, ...grid }, phi) => {
      const values = Float64Array.from(list)
      const timestampsMs = values.map((_, i) => i)
      const endsMs = Float64Array.from({ length: grid.steps }, (_, k) => grid.startMs + k * grid.stepMs)
      const bounds = scalarWindowKernels.bounds(timestampsMs, values.length, endsMs, grid.rangeMs)
      const out = emptyColumn(grid.steps)
      if (!kernels.quantile(values, bounds, phi, out)) return
      taken++
      endsMs.forEach((_, k) => {
        const sorted = values.slice(bounds.lo[k], bounds.hi[k]).sort()
        expect(out.present[k]).toBe(sorted.length > 0 ? 1 : 0)
        if (sorted.length === 0) return
        const rank = phi * (sorted.length - 1)
        const lower = Math.floor(rank)
        const weight = rank - lower
        const upper = sorted[Math.min(sorted.length - 1, lower + 1)]!
        expect(out.values[k]).toBe(sorted[lower]! * (1 - weight) + upper * weight)
      })
    }),
    { numRuns: 500 },
  )
  expect(taken).toBeGreaterThan(100)
})
