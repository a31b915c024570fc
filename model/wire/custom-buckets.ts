import type { NativeHistogram } from '../native-histogram.ts'
import type { ClientHistogram } from './client-metrics.ts'

/** Classic, cumulative buckets of a histogram with custom bounds; +Inf comes last. */
export function classicBuckets({
  positiveSpans,
  positiveBuckets,
  customBounds,
  count,
}: NativeHistogram): ClientHistogram['buckets'] {
  const counts = new Float64Array(customBounds.length + 1)
  let bucket = 0
  let taken = 0
  for (const { offset, length } of positiveSpans) {
    bucket += offset
    for (let i = 0; i < length && taken < positiveBuckets.length; i++) counts[bucket++] = positiveBuckets[taken++]!
  }
  let cumulative = 0
  const buckets = Array.from(customBounds, (upperBound, i) => {
    cumulative += counts[i]!
    return { upperBound, cumulativeCount: cumulative, exemplar: undefined }
  })
  return [...buckets, { upperBound: Number.POSITIVE_INFINITY, cumulativeCount: count, exemplar: undefined }]
}
