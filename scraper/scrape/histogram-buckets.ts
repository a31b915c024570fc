import { type BucketSpan, CounterResetHint, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'
import { ScrapeLimitError } from './series-labels.ts'

const SCHEMA_MIN = -4
const SCHEMA_MAX = 8
const NO_SPANS: readonly BucketSpan[] = []
const NO_NUMBERS = new Float64Array(0)

/** Classic buckets of one histogram: cumulative, in any order, +Inf may be missing. */
export interface ClassicHistogram {
  readonly buckets: readonly { readonly upperBound: number; readonly cumulativeCount: number }[]
  readonly count: number | undefined
  readonly sum: number
}

/**
 * A classic histogram as a native one with custom bounds.
 *
 * @returns `undefined` where its counts make no sense (they fall, or exceed the count)
 */
export function customHistogram({ buckets, count, sum }: ClassicHistogram): NativeHistogram | undefined {
  const sorted = [...buckets].sort((a, b) => a.upperBound - b.upperBound)
  const infinite = sorted.find(({ upperBound }) => upperBound === Number.POSITIVE_INFINITY)
  const finite = sorted.filter(({ upperBound }) => upperBound < Number.POSITIVE_INFINITY)
  const total = infinite?.cumulativeCount ?? count ?? finite.at(-1)?.cumulativeCount
  if (total === undefined || (count !== undefined && infinite && count < infinite.cumulativeCount)) return undefined
  const counts: number[] = []
  let before = 0
  for (const { cumulativeCount } of [...finite, { cumulativeCount: total }]) {
    if (!(cumulativeCount >= before)) return undefined
    counts.push(cumulativeCount - before)
    before = cumulativeCount
  }
  const { spans, values } = compact(counts.map((value, index) => ({ index, value })))
  return {
    integer: sorted.every(({ cumulativeCount }) => Number.isInteger(cumulativeCount)) && Number.isInteger(total),
    counterResetHint: CounterResetHint.UNKNOWN,
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count: total,
    sum,
    positiveSpans: spans,
    positiveBuckets: values,
    negativeSpans: NO_SPANS,
    negativeBuckets: NO_NUMBERS,
    customBounds: Float64Array.from(finite, ({ upperBound }) => upperBound),
  }
}

/** The finest schema whose buckets grow at least by this factor. */
export function schemaOfFactor(factor: number): number {
  if (factor <= 1) return SCHEMA_MAX
  const schema = Math.floor(-Math.log2(Math.log2(factor)))
  return Math.max(SCHEMA_MIN, Math.min(SCHEMA_MAX, schema)) + 0 // No -0.
}

/**
 * Lowers the resolution until a histogram respects the limits.
 *
 * @param bucketLimit 0 = none
 * @throws {ScrapeLimitError} when the coarsest one still has too many buckets
 */
export function limitHistogram(histogram: NativeHistogram, bucketLimit: number, schemaMax: number): NativeHistogram {
  const isExponential = histogram.schema !== CUSTOM_BUCKETS_SCHEMA
  let limited = isExponential && histogram.schema > schemaMax ? reduceTo(histogram, schemaMax) : histogram
  while (bucketLimit > 0 && bucketCount(limited) > bucketLimit) {
    if (!isExponential || limited.schema <= SCHEMA_MIN) throw new ScrapeLimitError('histogram bucket limit exceeded')
    limited = reduceTo(limited, limited.schema - 1)
  }
  return limited
}

const bucketCount = ({ positiveBuckets, negativeBuckets }: NativeHistogram): number =>
  positiveBuckets.length + negativeBuckets.length

function reduceTo(histogram: NativeHistogram, schema: number): NativeHistogram {
  const shift = histogram.schema - schema
  const positive = merge(histogram.positiveSpans, histogram.positiveBuckets, shift)
  const negative = merge(histogram.negativeSpans, histogram.negativeBuckets, shift)
  return {
    ...histogram,
    schema,
    positiveSpans: positive.spans,
    positiveBuckets: positive.values,
    negativeSpans: negative.spans,
    negativeBuckets: negative.values,
  }
}

/** Each step down joins two neighbours: the bucket that ends at 2^(i·2^-s) goes into the one that ends at or above it. */
function merge(spans: readonly BucketSpan[], counts: Float64Array, shift: number) {
  const merged: { index: number; value: number }[] = []
  let index = 0
  let at = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i++, index++, at++) {
      const target = Math.ceil(index / 2 ** shift) + 0 // No -0.
      const last = merged.at(-1)
      if (last?.index === target) last.value += counts[at]!
      else merged.push({ index: target, value: counts[at]! })
    }
  }
  return compact(merged)
}

/** Spans over the buckets that hold something; indexes ascend. */
function compact(buckets: readonly { readonly index: number; readonly value: number }[]) {
  const spans: { offset: number; length: number }[] = []
  const values: number[] = []
  let end = 0
  for (const { index, value } of buckets) {
    if (value === 0) continue
    const last = spans.at(-1)
    if (last && index === end) last.length++
    else spans.push({ offset: index - end, length: 1 })
    end = index + 1
    values.push(value)
  }
  return { spans, values: Float64Array.from(values) }
}
