/** Schema of histograms with custom bucket bounds. Every other schema is exponential, −4 … 8. */
export const CUSTOM_BUCKETS_SCHEMA = -53

/** What is known about a counter reset between this sample and the one before it. GAUGE: the histogram is no counter. */
export const CounterResetHint = { UNKNOWN: 0, RESET: 1, NOT_RESET: 2, GAUGE: 3 } as const
export type CounterResetHint = (typeof CounterResetHint)[keyof typeof CounterResetHint]

/** Consecutive buckets. The first span's `offset` is the index of its first bucket, a later one's the gap to the span before. */
export interface BucketSpan {
  readonly offset: number
  readonly length: number
}

/**
 * One sample of a native histogram. Bucket counts are absolute (neither cumulative nor deltas) and lie in span order. Integer
 * histograms hold whole numbers and say so, so that they can be stored and exported as such. Immutable once handed out.
 */
export interface NativeHistogram {
  readonly integer: boolean
  readonly counterResetHint: CounterResetHint
  readonly schema: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  readonly count: number
  readonly sum: number
  readonly positiveSpans: readonly BucketSpan[]
  readonly positiveBuckets: Float64Array
  readonly negativeSpans: readonly BucketSpan[]
  readonly negativeBuckets: Float64Array
  /** Upper bounds, ascending, the last bucket's +Inf left out; only with `CUSTOM_BUCKETS_SCHEMA`, else empty. */
  readonly customBounds: Float64Array
}
