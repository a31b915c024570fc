import type { NativeHistogram } from '../../model/index.ts'
import { type BoundedBucket, usesCustomBuckets } from './bounds.ts'

/** Where the observations of a bucket are taken to lie, by its kind and that of the buckets around it. */
export interface Spread {
  readonly lower: number
  readonly upper: number
  /** Evenly, rather than evenly on a logarithmic scale. */
  readonly linear: boolean
}

/**
 * The zero bucket has one side only if all other buckets are on that side, and the first of the custom buckets starts at zero
 * if it ends above.
 */
export function spreadOf(bucket: BoundedBucket, histogram: NativeHistogram): Spread {
  let { lower, upper } = bucket
  if (usesCustomBuckets(histogram)) {
    if (lower === Number.NEGATIVE_INFINITY && upper > 0) lower = 0
    return { lower, upper, linear: true }
  }
  const isZeroBucket = lower <= 0 && upper >= 0
  if (isZeroBucket) {
    const hasPositive = histogram.positiveBuckets.length > 0
    const hasNegative = histogram.negativeBuckets.length > 0
    if (hasPositive && !hasNegative) lower = 0
    if (hasNegative && !hasPositive) upper = 0
  }
  return { lower, upper, linear: isZeroBucket }
}

/** The value below which a share (0 … 1) of the bucket lies. */
export function valueAt({ lower, upper, linear }: Spread, share: number): number {
  if (linear) return lower + (upper - lower) * share
  const logLower = Math.log2(Math.abs(lower))
  const logUpper = Math.log2(Math.abs(upper))
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * share)
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - share)))
}

/** The share (0 … 1) of the bucket below a value that lies in it. */
export function shareBelow({ lower, upper, linear }: Spread, value: number): number {
  if (linear) return (value - lower) / (upper - lower)
  const logLower = Math.log2(Math.abs(lower))
  const logUpper = Math.log2(Math.abs(upper))
  const logValue = Math.log2(Math.abs(value))
  if (lower > 0) return (logValue - logLower) / (logUpper - logLower)
  return 1 - (logValue - logUpper) / (logLower - logUpper)
}
