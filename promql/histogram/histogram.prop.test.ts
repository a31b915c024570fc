import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CounterResetHint, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'
import { addHistograms, histogramsEqual, scaleHistogram, subtractHistograms, withHint } from './arithmetic.ts'
import { boundedBuckets, upperBoundOf } from './bounds.ts'
import { type Buckets, bucketsOf, filterBuckets, reduceResolution, spansOf } from './buckets.ts'
import { histogramScriptText } from './format.ts'
import { histogramFractionOf, histogramQuantileOf } from './quantile.ts'
import { detectReset } from './resets.ts'
import { HistogramSum } from './sum.ts'
import { trimHistogram } from './trim.ts'

const NONE = new Float64Array(0)

const buckets = fc
  .uniqueArray(fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: 1, max: 100 })), {
    selector: ([index]) => index,
    maxLength: 8,
  })
  .map((entries): Buckets => {
    const sorted = entries.sort((a, b) => a[0] - b[0])
    return {
      indexes: Int32Array.from(sorted, ([index]) => index),
      counts: Float64Array.from(sorted, ([, count]) => count),
    }
  })

function histogram(
  schema: number,
  zeroThreshold: number,
  zeroCount: number,
  positive: Buckets,
  negative: Buckets,
): NativeHistogram {
  const count = zeroCount + [...positive.counts, ...negative.counts].reduce((a, b) => a + b, 0)
  return {
    integer: true,
    counterResetHint: CounterResetHint.UNKNOWN,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum: count * 3,
    positiveSpans: spansOf(positive.indexes),
    positiveBuckets: positive.counts,
    negativeSpans: spansOf(negative.indexes),
    negativeBuckets: negative.counts,
    customBounds: NONE,
  }
}

const exponential = fc
  .tuple(fc.integer({ min: -4, max: 8 }), fc.constantFrom(0, 0.001, 0.3, 2), fc.nat(50), buckets, buckets)
  .map(([schema, threshold, zeroCount, positive, negative]) => {
    // No bucket reaches into the zero bucket.
    const isOutside = (index: number): boolean => upperBoundOf(index - 1, schema, NONE) >= threshold
    return histogram(
      schema,
      threshold,
      zeroCount,
      filterBuckets(positive, isOutside),
      filterBuckets(negative, isOutside),
    )
  })

const bounds = fc
  .uniqueArray(fc.integer({ min: -20, max: 20 }), { maxLength: 6 })
  .map((values) => Float64Array.from(values.sort((a, b) => a - b)))

const custom = fc.tuple(bounds, fc.array(fc.nat(100), { minLength: 7, maxLength: 7 })).map(([customBounds, counts]) => {
  const own = Float64Array.from(counts.slice(0, customBounds.length + 1))
  const indexes = Int32Array.from(own, (_, i) => i)
  const empty = { indexes: new Int32Array(0), counts: NONE }
  return { ...histogram(CUSTOM_BUCKETS_SCHEMA, 0, 0, { indexes, counts: own }, empty), customBounds }
})

const pair = fc.oneof(fc.tuple(exponential, exponential), fc.tuple(custom, custom))
const any = fc.oneof(exponential, custom)
const countIn = (h: NativeHistogram): number => boundedBuckets(h).reduce((sum, { count }) => sum + count, 0)

describe('native histograms', () => {
  test('spans tell the indexes they were made of', () => {
    fc.assert(
      fc.property(buckets, ({ indexes, counts }) => {
        const spans = spansOf(indexes).map((span) => ({ ...span }))
        expect([...bucketsOf(spans, counts).indexes]).toEqual([...indexes])
      }),
    )
  })

  test('a sum holds every observation, whatever the layouts', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const { histogram: sum } = addHistograms(a, b)!
        expect(sum.count).toBe(a.count + b.count)
        expect(countIn(sum)).toBe(a.count + b.count)
        expect(histogramsEqual(sum, addHistograms(b, a)!.histogram)).toBe(true)
      }),
    )
  })

  test('what is added and taken away again leaves nothing behind but a coarser layout', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const sum = addHistograms(a, b)!.histogram
        const rest = subtractHistograms(subtractHistograms(sum, b)!.histogram, a)!.histogram
        expect(rest.counterResetHint).toBe(CounterResetHint.GAUGE)
        expect([rest.count, rest.zeroCount, countIn(rest)]).toEqual([0, 0, 0])
      }),
    )
  })

  test('sums of many are those of pairs, and a mean is a share of them', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(exponential, { minLength: 1, maxLength: 5 }),
          fc.array(custom, { minLength: 1, maxLength: 5 }),
        ),
        (all) => {
          const [first, ...rest] = all as [NativeHistogram, ...NativeHistogram[]]
          const sum = new HistogramSum(first, false)
          const mean = new HistogramSum(first, true)
          let paired = addHistograms(first, scaleHistogram(first, 0))!.histogram
          for (const h of rest) {
            sum.add(h)
            mean.add(h)
            paired = addHistograms(paired, h)!.histogram
          }
          expect(histogramScriptText(sum.result()!)).toBe(histogramScriptText(paired))
          expect(mean.result()!.count).toBeCloseTo(paired.count / all.length, 9)
          expect(countIn(mean.result()!)).toBeCloseTo(paired.count / all.length, 9)
        },
      ),
    )
  })

  test('a counter that only grows shows no reset; one that shrinks does', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const grown = addHistograms(a, b)!.histogram
        expect(detectReset(grown, a)).toBe(false)
        if (b.count > 0) expect(detectReset(a, grown)).toBe(true)
        expect(detectReset(withHint(grown, CounterResetHint.RESET), a)).toBe(true)
      }),
    )
  })

  test('quantile and fraction are each other’s inverse where buckets have two ends', () => {
    fc.assert(
      fc.property(exponential, fc.double({ min: 0, max: 1, noNaN: true }), (h, q) => {
        fc.pre(h.count > 0)
        const { value } = histogramQuantileOf(q, h)
        // A quantile on a border belongs to a whole range of ranks.
        const below = histogramFractionOf(Number.NEGATIVE_INFINITY, value - Math.abs(value) * 1e-9 - 1e-12, h)
        const upTo = histogramFractionOf(Number.NEGATIVE_INFINITY, value + Math.abs(value) * 1e-9 + 1e-12, h)
        expect(below).toBeLessThanOrEqual(q + 1e-6)
        expect(upTo).toBeGreaterThanOrEqual(q - 1e-6)
      }),
    )
  })

  test('what is cut off above and what is cut off below are the whole', () => {
    fc.assert(
      fc.property(exponential, fc.double({ min: -50, max: 50, noNaN: true }), (h, cutoff) => {
        // What lies at zero, and nowhere around it, is on both sides of zero.
        fc.pre(cutoff !== 0)
        const parts = [trimHistogram(h, cutoff, 'above'), trimHistogram(h, cutoff, 'below')]
        expect(parts[0]!.count + parts[1]!.count).toBeCloseTo(h.count, 6)
        for (const part of parts) expect(countIn(part)).toBeCloseTo(part.count, 9)
        if (h.count > 0) {
          const below = histogramFractionOf(Number.NEGATIVE_INFINITY, cutoff, h) * h.count
          expect(parts[0]!.count).toBeCloseTo(below, 6)
        }
      }),
    )
  })

  test('a coarser schema has borders of the finer one, and each bucket within one of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 8 }), fc.integer({ min: -60, max: 60 }), (schema, index) => {
        const [coarse] = reduceResolution(
          { indexes: Int32Array.of(index), counts: Float64Array.of(1) },
          schema,
          schema - 1,
        ).indexes
        expect(upperBoundOf(coarse!, schema - 1, NONE)).toBeGreaterThanOrEqual(
          upperBoundOf(index, schema, NONE) * (1 - 1e-12),
        )
        expect(upperBoundOf(coarse! - 1, schema - 1, NONE)).toBeLessThanOrEqual(
          upperBoundOf(index - 1, schema, NONE) * (1 + 1e-12),
        )
      }),
    )
  })

  test('nothing changes its operands', () => {
    fc.assert(
      fc.property(pair, any, ([a, b], c) => {
        const before = [a, b, c].map(histogramScriptText)
        addHistograms(a, b)
        subtractHistograms(a, b)
        const sum = new HistogramSum(a, true)
        sum.add(b)
        sum.add(c)
        sum.result()
        detectReset(a, b)
        trimHistogram(c, 1, 'above')
        expect([a, b, c].map(histogramScriptText)).toEqual(before)
      }),
    )
  })
})
