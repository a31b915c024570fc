import type { NativeHistogram } from '../../model/index.ts'
import { boundedBuckets, usesCustomBuckets } from './bounds.ts'
import { shareBelow, spreadOf, valueAt } from './interpolate.ts'

/** What NaN among the observations did to a quantile; they are in no bucket and count as the largest. */
export type NaNEffect = 'none' | 'isNaN' | 'skewed'

/** φ-quantile, interpolated on a logarithmic scale, or a linear one in the zero bucket and in custom buckets. */
export function histogramQuantileOf(
  q: number,
  h: NativeHistogram,
): { readonly value: number; readonly nan: NaNEffect } {
  const plain = (value: number): { value: number; nan: NaNEffect } => ({ value, nan: 'none' })
  if (q < 0) return plain(Number.NEGATIVE_INFINITY)
  if (q > 1) return plain(Number.POSITIVE_INFINITY)
  if (h.count === 0 || Number.isNaN(q)) return plain(Number.NaN)
  const hasNaN = Number.isNaN(h.sum)
  // From the nearer end, which loses less by rounding; NaN observations are at the upper end.
  const upwards = hasNaN || q < 0.5
  const buckets = boundedBuckets(h)
  if (!upwards) buckets.reverse()
  const rank = (upwards ? q : 1 - q) * h.count
  let count = 0
  let last = buckets[0]
  for (const bucket of buckets) {
    last = bucket
    count += bucket.count
    if (count >= rank) break
  }
  if (hasNaN && count < rank) return { value: Number.NaN, nan: 'isNaN' }
  const nan = hasNaN ? 'skewed' : 'none'
  if (last === undefined) return { value: 0, nan }
  const spread = spreadOf(last, h)
  if (usesCustomBuckets(h)) {
    if (spread.lower === Number.NEGATIVE_INFINITY) return { value: spread.upper, nan }
    if (spread.upper === Number.POSITIVE_INFINITY) return { value: spread.lower, nan }
  }
  // Buckets may add up to more than the count, by rounding, or to less.
  const reached = Math.min(count, h.count)
  if (reached < rank) return { value: upwards ? last.upper : last.lower, nan }
  const inside = upwards ? rank - (reached - last.count) : reached - rank
  return { value: valueAt(spread, inside / last.count), nan }
}

/** Share of the observations between two values; NaN ones are in no share, but count in the whole. */
export function histogramFractionOf(lower: number, upper: number, h: NativeHistogram): number {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
  if (lower >= upper) return 0
  const rankOf = (value: number): number => Math.min(rankBelow(value, h), h.count)
  return (rankOf(upper) - rankOf(lower)) / h.count
}

function rankBelow(value: number, h: NativeHistogram): number {
  let rank = 0
  for (const bucket of boundedBuckets(h)) {
    const spread = spreadOf(bucket, h)
    if (spread.lower >= value) return rank
    if (spread.upper > value) {
      // In a bucket without an end all observations lie on its far side.
      if (spread.upper === Number.POSITIVE_INFINITY) return rank
      if (spread.lower === Number.NEGATIVE_INFINITY) return rank + bucket.count
      return rank + bucket.count * shareBelow(spread, value)
    }
    rank += bucket.count
  }
  // All that are in buckets. These add up to the count but for rounding, or for NaN observations, which are in none.
  return Number.isNaN(h.sum) ? rank : h.count
}

/** Variance as if the observations of a bucket were all in its middle: geometric, or arithmetic for custom buckets. */
export function histogramVariance(h: NativeHistogram): number {
  const mean = h.sum / h.count
  let sum = 0
  let lost = 0
  for (const { lower, upper, count } of boundedBuckets(h)) {
    let middle = 0
    if (usesCustomBuckets(h)) middle = (lower + upper) / 2
    else if (lower > 0 || upper < 0) middle = Math.sign(upper) * Math.sqrt(upper * lower)
    const x = count * (middle - mean) ** 2
    const t = sum + x
    if (Number.isFinite(t)) lost += Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum
    sum = t
  }
  return (sum + lost) / h.count
}
