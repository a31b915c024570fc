import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import { align, sameBounds, toHistogram, toWork, type WorkHistogram } from './align.ts'
import { addBuckets, type Buckets, negativeOf, NO_BUCKETS, positiveOf, sameIndexes } from './buckets.ts'

export interface CombinedHistogram {
  readonly histogram: NativeHistogram
  /** One operand says that its counter was reset, the other that it was not. */
  readonly resetsConflict: boolean
  /** Custom bounds differed, and only those that both had were kept. */
  readonly boundsReconciled: boolean
}

/** @returns `undefined` for an exponential histogram and one with custom buckets */
export function addHistograms(left: NativeHistogram, right: NativeHistogram): CombinedHistogram | undefined {
  return combine(left, right, 1)
}

/** The difference is a gauge. @returns `undefined` as `addHistograms` */
export function subtractHistograms(left: NativeHistogram, right: NativeHistogram): CombinedHistogram | undefined {
  return combine(left, right, -1)
}

function combine(left: NativeHistogram, right: NativeHistogram, sign: 1 | -1): CombinedHistogram | undefined {
  const aligned = align(toWork(left), toWork(right))
  if (aligned === undefined) return undefined
  const { left: a, right: b, boundsReconciled } = aligned
  const hint = joinHints(a.counterResetHint, b.counterResetHint)
  const histogram = toHistogram({
    counterResetHint: sign === -1 ? CounterResetHint.GAUGE : hint.joined,
    schema: a.schema,
    zeroThreshold: a.zeroThreshold,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    positive: addBuckets(a.positive, b.positive, sign),
    negative: addBuckets(a.negative, b.negative, sign),
    customBounds: a.customBounds,
  })
  return { histogram, resetsConflict: hint.conflict, boundsReconciled }
}

/** What is known about a sum: a gauge makes a gauge, and what one of both does not know is not known. */
export function joinHints(
  a: CounterResetHint,
  b: CounterResetHint,
): { readonly joined: CounterResetHint; readonly conflict: boolean } {
  if (a === b) return { joined: a, conflict: false }
  if (a === CounterResetHint.GAUGE || b === CounterResetHint.GAUGE) {
    return { joined: CounterResetHint.GAUGE, conflict: false }
  }
  const known = a !== CounterResetHint.UNKNOWN && b !== CounterResetHint.UNKNOWN
  return { joined: CounterResetHint.UNKNOWN, conflict: known }
}

/** Every count times a factor; a negative one makes a gauge. */
export function scaleHistogram(h: NativeHistogram, factor: number): NativeHistogram {
  return scaled(h, (x) => x * factor, factor < 0)
}

/** Every count divided; nothing is left of buckets that are divided by zero. */
export function divideHistogram(h: NativeHistogram, divisor: number): NativeHistogram {
  if (divisor !== 0) return scaled(h, (x) => x / divisor, divisor < 0)
  const emptied: WorkHistogram = { ...toWork(h), positive: NO_BUCKETS, negative: NO_BUCKETS }
  return toHistogram({
    ...emptied,
    zeroCount: h.zeroCount / divisor,
    count: h.count / divisor,
    sum: h.sum / divisor,
  })
}

function scaled(h: NativeHistogram, scale: (x: number) => number, negative: boolean): NativeHistogram {
  return {
    ...h,
    integer: false,
    counterResetHint: negative ? CounterResetHint.GAUGE : h.counterResetHint,
    zeroCount: scale(h.zeroCount),
    count: scale(h.count),
    sum: scale(h.sum),
    positiveBuckets: h.positiveBuckets.map(scale),
    negativeBuckets: h.negativeBuckets.map(scale),
  }
}

export const withHint = (h: NativeHistogram, counterResetHint: CounterResetHint): NativeHistogram =>
  h.counterResetHint === counterResetHint ? h : { ...h, counterResetHint }

/** Same layout and same counts, NaN equal to NaN; what is known about resets does not matter. */
export function histogramsEqual(a: NativeHistogram, b: NativeHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    Object.is(a.zeroCount, b.zeroCount) &&
    a.zeroThreshold === b.zeroThreshold &&
    sameBounds(a.customBounds, b.customBounds) &&
    sameBuckets(positiveOf(a), positiveOf(b)) &&
    sameBuckets(negativeOf(a), negativeOf(b))
  )
}

const sameBuckets = (a: Buckets, b: Buckets): boolean =>
  sameIndexes(a.indexes, b.indexes) && a.counts.every((count, i) => Object.is(count, b.counts[i]))
