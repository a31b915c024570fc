import type { NativeHistogram } from '../../model/index.ts'
import { toHistogram, toWork } from './align.ts'
import { type BoundedBucket, upperBoundOf, usesCustomBuckets } from './bounds.ts'
import type { Buckets } from './buckets.ts'
import { shareBelow, spreadOf } from './interpolate.ts'

/** What is left of a bucket, and where its observations are taken to be on average. */
interface Kept {
  readonly count: number
  readonly middle: number
}

/**
 * Drops the observations above or below a value, interpolating inside of the bucket that holds it. The sum of what is left is
 * estimated from the buckets; if nothing was dropped it is the histogram's own.
 */
export function trimHistogram(h: NativeHistogram, cutoff: number, drop: 'above' | 'below'): NativeHistogram {
  const work = toWork(h)
  let count = 0
  let sum = 0
  let isTrimmed = false
  const trim = (bucket: BoundedBucket): number => {
    const kept = keep(bucket, h, cutoff, drop)
    if (kept.count !== bucket.count) isTrimmed = true
    count += kept.count
    if (kept.count !== 0) sum += kept.count * kept.middle
    return kept.count
  }
  const trimAll = (buckets: Buckets, sign: 1 | -1): Buckets => {
    const counts = buckets.counts.map((bucketCount, i) => {
      if (bucketCount === 0) return 0
      const near = sign * upperBoundOf(buckets.indexes[i]! - 1, h.schema, h.customBounds)
      const far = sign * upperBoundOf(buckets.indexes[i]!, h.schema, h.customBounds)
      const bounds = { lower: Math.min(near, far), upper: Math.max(near, far) }
      return trim({ ...bounds, lowerInclusive: sign < 0, upperInclusive: sign > 0, count: bucketCount })
    })
    return { indexes: buckets.indexes, counts }
  }
  const negative = trimAll(work.negative, -1)
  const zeroBounds = { lower: -h.zeroThreshold, upper: h.zeroThreshold, lowerInclusive: true, upperInclusive: true }
  const zeroCount = h.zeroCount === 0 ? 0 : trim({ ...zeroBounds, count: h.zeroCount })
  const positive = trimAll(work.positive, 1)
  return isTrimmed ? toHistogram({ ...work, zeroCount, count, sum, positive, negative }) : h
}

function keep(bucket: BoundedBucket, h: NativeHistogram, cutoff: number, drop: 'above' | 'below'): Kept {
  const { count } = bucket
  const spread = spreadOf(bucket, h)
  const middleOf = (lower: number, upper: number): number =>
    spread.linear ? (lower + upper) / 2 : Math.sign(upper) * Math.sqrt(lower * upper)
  const none = { count: 0, middle: 0 }
  const hasNoLower = spread.lower === Number.NEGATIVE_INFINITY
  const hasNoUpper = spread.upper === Number.POSITIVE_INFINITY
  if (drop === 'above') {
    if (cutoff >= spread.upper)
      return { count, middle: hasNoLower ? spread.upper : middleOf(spread.lower, spread.upper) }
    // Of a bucket without an end nobody knows how much lies on this side of the cutoff.
    if (hasNoUpper || !(cutoff > spread.lower)) return none
    if (hasNoLower) return { count, middle: cutoff }
    return { count: count * shareBelow(spread, cutoff), middle: middleOf(spread.lower, cutoff) }
  }
  if (cutoff <= bucket.lower) return { count, middle: hasNoUpper ? spread.lower : middleOf(spread.lower, spread.upper) }
  if (hasNoLower || !(cutoff < spread.upper)) return none
  if (hasNoUpper) return bucket.lower === Number.NEGATIVE_INFINITY ? none : { count, middle: cutoff }
  // The first custom bucket, which reaches below zero only in name.
  if (usesCustomBuckets(h) && cutoff < spread.lower) return none
  if (cutoff <= spread.lower) return { count, middle: middleOf(spread.lower, spread.upper) }
  return { count: count * (1 - shareBelow(spread, cutoff)), middle: middleOf(cutoff, spread.upper) }
}
