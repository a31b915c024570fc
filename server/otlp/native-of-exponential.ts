import { type BucketSpan, CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import type { ExponentialBuckets, ExponentialPoint } from './messages.ts'

const SCHEMA_MIN = -4
const SCHEMA_MAX = 8
const DEFAULT_ZERO_THRESHOLD = 1e-128

/** @returns `undefined` for buckets wider than any that are kept */
export function nativeOfExponential(point: ExponentialPoint): NativeHistogram | undefined {
  const { scale, count, zeroCount, zeroThreshold, sum } = point
  if (scale < SCHEMA_MIN) return undefined
  const schema = Math.min(scale, SCHEMA_MAX)
  const halvings = scale - schema
  const positive = sideOf(point.positive, halvings)
  const negative = sideOf(point.negative, halvings)
  return {
    integer: true,
    counterResetHint: CounterResetHint.UNKNOWN,
    schema,
    zeroThreshold: zeroThreshold || DEFAULT_ZERO_THRESHOLD,
    zeroCount,
    count,
    sum: sum ?? 0,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
    customBounds: new Float64Array(0),
  }
}

/** Buckets are merged `halvings` times; indexes are by upper bound here, by lower bound there. Empty ones make gaps. */
function sideOf(
  { offset, counts }: ExponentialBuckets,
  halvings: number,
): { spans: BucketSpan[]; buckets: Float64Array } {
  const byIndex = new Map<number, number>()
  for (const [i, count] of counts.entries()) {
    if (count === 0) continue
    const index = Math.floor((offset + i) / 2 ** halvings) + 1
    byIndex.set(index, (byIndex.get(index) ?? 0) + count)
  }
  const spans: { offset: number; length: number }[] = []
  let next = 0
  for (const index of byIndex.keys()) {
    const last = spans.at(-1)
    if (last !== undefined && index === next) last.length++
    else spans.push({ offset: last === undefined ? index : index - next, length: 1 })
    next = index + 1
  }
  return { spans, buckets: Float64Array.from(byIndex.values()) }
}
