import { type BucketSpan, CounterResetHint, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'
import { areSameBounds } from './codec.ts'

/**
 * What the store says about a counter reset of a sample: what the writer says where it does, else what a comparison with
 * the histogram before it shows. UNKNOWN without one, across a change of kind, and where buckets cannot be compared.
 */
export function counterResetHintOf(
  histogram: NativeHistogram,
  previous: NativeHistogram | undefined,
): CounterResetHint {
  const { GAUGE, RESET, UNKNOWN, NOT_RESET } = CounterResetHint
  if (histogram.counterResetHint === GAUGE || histogram.counterResetHint === RESET) return histogram.counterResetHint
  if (previous === undefined || previous.counterResetHint === GAUGE) return UNKNOWN
  if (previous.integer !== histogram.integer) return UNKNOWN
  if (histogram.count < previous.count) return RESET
  if (histogram.schema !== previous.schema || histogram.zeroThreshold !== previous.zeroThreshold) return UNKNOWN
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA && !areSameBounds(histogram.customBounds, previous.customBounds)) {
    return RESET
  }
  if (histogram.zeroCount < previous.zeroCount) return RESET
  const hasShrunk =
    hasShrunkBucket(
      previous.positiveSpans,
      previous.positiveBuckets,
      histogram.positiveSpans,
      histogram.positiveBuckets,
    ) ||
    hasShrunkBucket(
      previous.negativeSpans,
      previous.negativeBuckets,
      histogram.negativeSpans,
      histogram.negativeBuckets,
    )
  return hasShrunk ? RESET : NOT_RESET
}

/** Whether a bucket counts less than before; one that is missing counts nothing. */
function hasShrunkBucket(
  spansBefore: readonly BucketSpan[],
  before: Float64Array,
  spansAfter: readonly BucketSpan[],
  after: Float64Array,
): boolean {
  const indexesBefore = bucketIndexes(spansBefore)
  const indexesAfter = bucketIndexes(spansAfter)
  for (let i = 0, j = 0; i < before.length; i++) {
    while (j < after.length && indexesAfter[j]! < indexesBefore[i]!) j++
    const now = j < after.length && indexesAfter[j] === indexesBefore[i] ? after[j]! : 0
    if (now < before[i]!) return true
  }
  return false
}

function bucketIndexes(spans: readonly BucketSpan[]): number[] {
  const indexes: number[] = []
  let next = 0
  for (const { offset, length } of spans) {
    next += offset
    for (let i = 0; i < length; i++) indexes.push(next++)
  }
  return indexes
}
