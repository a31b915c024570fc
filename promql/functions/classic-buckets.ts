/** One bucket of a classic histogram: `count` observations at or below `upperBound`. */
export interface Bucket {
  readonly upperBound: number
  count: number
}

/** What had to be corrected before buckets could be used. */
export interface MonotonicityFix {
  readonly fromBound: number
  readonly toBound: number
  readonly maxDiff: number
}

export interface BucketsResult {
  readonly value: number
  readonly fix: MonotonicityFix | undefined
}

// Differences as small as this come from float arithmetic in aggregations, not from broken counters.
const SMALL_DELTA_TOLERANCE = 1e-12
const SMALLEST_NORMAL = 2.2250738585072014e-308

/** φ-quantile of a classic histogram by linear interpolation inside a bucket. Changes `buckets`. */
export function bucketQuantile(q: number, buckets: Bucket[]): BucketsResult {
  if (Number.isNaN(q)) return { value: Number.NaN, fix: undefined }
  if (q < 0) return { value: Number.NEGATIVE_INFINITY, fix: undefined }
  if (q > 1) return { value: Number.POSITIVE_INFINITY, fix: undefined }
  const prepared = prepare(buckets)
  if (prepared === undefined || prepared.buckets.length < 2) return { value: Number.NaN, fix: prepared?.fix }
  const { buckets: sorted, fix } = prepared
  const last = sorted.length - 1
  const observations = sorted[last]!.count
  if (observations === 0) return { value: Number.NaN, fix }
  let rank = q * observations
  let b = 0
  while (b < last && !(sorted[b]!.count >= rank)) b++
  if (b === last) return { value: sorted[last - 1]!.upperBound, fix }
  const upper = sorted[b]!.upperBound
  if (b === 0 && upper <= 0) return { value: upper, fix }
  let lower = 0
  let count = sorted[b]!.count
  if (b > 0) {
    lower = sorted[b - 1]!.upperBound
    count -= sorted[b - 1]!.count
    rank -= sorted[b - 1]!.count
  }
  return { value: lower + (upper - lower) * (rank / count), fix }
}

/** Share of observations between two values. Changes `buckets`. */
export function bucketFraction(lower: number, upper: number, buckets: Bucket[]): BucketsResult {
  const prepared = prepare(buckets)
  if (prepared === undefined) return { value: Number.NaN, fix: undefined }
  const { buckets: sorted, fix } = prepared
  const count = sorted[sorted.length - 1]!.count
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return { value: Number.NaN, fix }
  if (lower >= upper) return { value: 0, fix }
  return { value: (rankOf(upper, sorted) - rankOf(lower, sorted)) / count, fix }
}

/** Observations below `bound`, interpolated inside its bucket. */
function rankOf(bound: number, sorted: readonly Bucket[]): number {
  let rank = 0
  // The first bucket starts at 0 unless it ends below.
  let from = sorted[0]!.upperBound > 0 ? 0 : Number.NEGATIVE_INFINITY
  for (const { upperBound, count } of sorted) {
    if (from >= bound) return rank
    if (upperBound > bound) {
      // In an unbounded bucket observations count as being at its far end.
      if (upperBound === Number.POSITIVE_INFINITY) return rank
      if (from === Number.NEGATIVE_INFINITY) return count
      return rank + ((count - rank) * (bound - from)) / (upperBound - from)
    }
    rank = count
    from = upperBound
  }
  return rank
}

/** Sorted, equal bounds summed, counts made monotonic; `undefined` without a bucket for +Inf. */
function prepare(buckets: Bucket[]): { buckets: Bucket[]; fix: MonotonicityFix | undefined } | undefined {
  const isReady = areAscending(buckets)
  if (!isReady) buckets.sort((a, b) => a.upperBound - b.upperBound)
  if (buckets.length === 0 || buckets[buckets.length - 1]!.upperBound !== Number.POSITIVE_INFINITY) return undefined
  if (isReady) return { buckets, fix: makeMonotonic(buckets) }
  const merged: Bucket[] = []
  for (const bucket of buckets) {
    const last = merged[merged.length - 1]
    if (last !== undefined && last.upperBound === bucket.upperBound) last.count += bucket.count
    else merged.push(bucket)
  }
  return { buckets: merged, fix: makeMonotonic(merged) }
}

/** Sorted, and no two alike. */
function areAscending(buckets: readonly Bucket[]): boolean {
  for (let i = 1; i < buckets.length; i++) if (!(buckets[i - 1]!.upperBound < buckets[i]!.upperBound)) return false
  return true
}

function makeMonotonic(buckets: Bucket[]): MonotonicityFix | undefined {
  let fix: MonotonicityFix | undefined
  let previous = buckets[0]!.count
  for (let i = 1; i < buckets.length; i++) {
    const bucket = buckets[i]!
    if (bucket.count === previous) continue
    if (almostEqual(previous, bucket.count)) {
      bucket.count = previous
    } else if (bucket.count < previous) {
      fix = {
        fromBound: fix?.fromBound ?? bucket.upperBound,
        toBound: bucket.upperBound,
        maxDiff: Math.max(fix?.maxDiff ?? 0, previous - bucket.count),
      }
      bucket.count = previous
    } else {
      previous = bucket.count
    }
  }
  return fix
}

function almostEqual(a: number, b: number): boolean {
  const sum = Math.abs(a) + Math.abs(b)
  const diff = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return diff < SMALL_DELTA_TOLERANCE * SMALLEST_NORMAL
  return diff / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA_TOLERANCE
}
