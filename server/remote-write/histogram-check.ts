import { type BucketSpan, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'

const SCHEMA_MIN = -4
const SCHEMA_MAX = 8

/** Why a histogram cannot be, `undefined` for a sound one. */
export function histogramFault(histogram: NativeHistogram): string | undefined {
  const { schema, positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    const fault = customFault(histogram)
    if (fault !== undefined) return fault
  } else {
    if (schema < SCHEMA_MIN || schema > SCHEMA_MAX) return `invalid schema ${schema}`
    if (histogram.customBounds.length > 0) return 'histogram with exponential schema must not have custom bounds'
    if (histogram.zeroThreshold < 0) return 'the zero threshold is negative'
  }
  return (
    sideFault('positive', positiveSpans, positiveBuckets) ??
    sideFault('negative', negativeSpans, negativeBuckets) ??
    countFault(histogram)
  )
}

function customFault({ customBounds, positiveSpans, negativeSpans, zeroCount, zeroThreshold }: NativeHistogram) {
  if (zeroCount !== 0 || zeroThreshold !== 0) return 'histogram with custom buckets must have no zero bucket'
  if (negativeSpans.length > 0) return 'histogram with custom buckets must not have negative buckets'
  for (let i = 0; i < customBounds.length; i++) {
    if (Number.isNaN(customBounds[i]) || customBounds[i] === Number.POSITIVE_INFINITY) {
      return 'histogram custom bounds must be finite'
    }
    if (i > 0 && customBounds[i]! <= customBounds[i - 1]!) return 'histogram custom bounds must ascend'
  }
  const last = positiveSpans.reduce((sum, span) => sum + span.offset + span.length, 0)
  if ((positiveSpans[0]?.offset ?? 0) < 0 || last > customBounds.length + 1) {
    return `histogram has buckets beyond its ${customBounds.length} custom bounds`
  }
  return undefined
}

function sideFault(side: string, spans: readonly BucketSpan[], buckets: Float64Array): string | undefined {
  let length = 0
  for (const [i, span] of spans.entries()) {
    if (i > 0 && span.offset < 0) return `${side} side: span number ${i + 1} with offset ${span.offset}`
    length += span.length
  }
  if (length !== buckets.length) {
    return `${side} side: spans need ${length} buckets, have ${buckets.length} buckets`
  }
  const negative = buckets.findIndex((count) => count < 0)
  return negative < 0
    ? undefined
    : `${side} side: bucket number ${negative + 1} has observation count ${buckets[negative]}`
}

function countFault({ integer, count, sum, zeroCount, positiveBuckets, negativeBuckets }: NativeHistogram) {
  if (zeroCount < 0 || count < 0) return 'a count is negative'
  // Floats that were added up in another order need not agree to the last bit.
  if (!integer) return undefined
  const total = zeroCount + sumOf(positiveBuckets) + sumOf(negativeBuckets)
  const fits = Number.isNaN(sum) ? total <= count : total === count
  return fits ? undefined : `${total} observations found in buckets, but the Count field is ${count}`
}

const sumOf = (buckets: Float64Array): number => buckets.reduce((sum, count) => sum + count, 0)
