import { CUSTOM_BUCKETS_SCHEMA, type CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import { upperBoundOf, usesCustomBuckets } from './bounds.ts'
import {
  type Buckets,
  filterBuckets,
  negativeOf,
  positiveOf,
  reduceResolution,
  regroup,
  spansOf,
  withoutEmpty,
} from './buckets.ts'

/** A histogram with its buckets by index: the form in which histograms are computed with. */
export interface WorkHistogram {
  readonly counterResetHint: CounterResetHint
  readonly schema: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  readonly count: number
  readonly sum: number
  readonly positive: Buckets
  readonly negative: Buckets
  readonly customBounds: Float64Array
}

export function toWork(h: NativeHistogram): WorkHistogram {
  const { counterResetHint, schema, zeroThreshold, zeroCount, count, sum, customBounds } = h
  const head = { counterResetHint, schema, zeroThreshold, zeroCount, count, sum, customBounds }
  return { ...head, positive: positiveOf(h), negative: negativeOf(h) }
}

/** A histogram of floats; empty buckets are left out. */
export function toHistogram(work: WorkHistogram): NativeHistogram {
  const { positive, negative, ...head } = work
  const keptPositive = withoutEmpty(positive)
  const keptNegative = withoutEmpty(negative)
  return {
    integer: false,
    ...head,
    positiveSpans: spansOf(keptPositive.indexes),
    positiveBuckets: keptPositive.counts,
    negativeSpans: spansOf(keptNegative.indexes),
    negativeBuckets: keptNegative.counts,
  }
}

/** Two histograms brought to one bucket layout. */
export interface Aligned {
  readonly left: WorkHistogram
  readonly right: WorkHistogram
  /** Custom bounds differed, and only those that both had were kept. */
  readonly boundsReconciled: boolean
}

/** @returns `undefined` for an exponential histogram and one with custom buckets: they have nothing in common */
export function align(left: WorkHistogram, right: WorkHistogram): Aligned | undefined {
  const custom = usesCustomBuckets(left)
  if (custom !== usesCustomBuckets(right)) return undefined
  if (custom) return alignCustom(left, right)
  const [a, b] = alignZeroBuckets(left, right)
  const schema = Math.min(a.schema, b.schema)
  return { left: atSchema(a, schema), right: atSchema(b, schema), boundsReconciled: false }
}

/** @param schema of the same kind, not finer than the histogram's own */
export function atSchema(work: WorkHistogram, schema: number): WorkHistogram {
  if (work.schema === schema || work.schema === CUSTOM_BUCKETS_SCHEMA) return work
  return {
    ...work,
    schema,
    positive: reduceResolution(work.positive, work.schema, schema),
    negative: reduceResolution(work.negative, work.schema, schema),
  }
}

function alignCustom(left: WorkHistogram, right: WorkHistogram): Aligned {
  if (sameBounds(left.customBounds, right.customBounds)) return { left, right, boundsReconciled: false }
  const ofRight = new Set(right.customBounds)
  const common = left.customBounds.filter((bound) => ofRight.has(bound))
  return { left: atBounds(left, common), right: atBounds(right, common), boundsReconciled: true }
}

export function sameBounds(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]))
}

/** @param bounds some of the histogram's own */
export function atBounds(work: WorkHistogram, bounds: Float64Array): WorkHistogram {
  const target = (index: number): number => {
    const upper = upperBoundOf(index, work.schema, work.customBounds)
    let at = 0
    while (at < bounds.length && bounds[at]! < upper) at++
    return at
  }
  return { ...work, customBounds: bounds, positive: regroup(work.positive, target) }
}

function alignZeroBuckets(left: WorkHistogram, right: WorkHistogram): [WorkHistogram, WorkHistogram] {
  let a = left
  let b = right
  // Widening may have to go beyond the other's threshold, so that the other must follow.
  while (a.zeroThreshold !== b.zeroThreshold) {
    if (a.zeroThreshold < b.zeroThreshold) a = widenZeroBucket(a, b.zeroThreshold)
    else b = widenZeroBucket(b, a.zeroThreshold)
  }
  return [a, b]
}

/** Lets the zero bucket take in all buckets up to a threshold, or up to the end of the bucket with counts that it lies in. */
export function widenZeroBucket(work: WorkHistogram, threshold: number): WorkHistogram {
  const { schema, customBounds, positive, negative } = work
  const upperOf = (index: number): number => upperBoundOf(index, schema, customBounds)
  let zeroThreshold = threshold
  for (let before = Number.NaN; before !== zeroThreshold; ) {
    before = zeroThreshold
    for (const { indexes, counts } of [positive, negative]) {
      for (let i = 0; i < indexes.length; i++) {
        const upper = upperOf(indexes[i]!)
        if (counts[i] !== 0 && upper > zeroThreshold && upperOf(indexes[i]! - 1) < zeroThreshold) zeroThreshold = upper
      }
    }
  }
  return absorbIntoZeroBucket(work, zeroThreshold)
}

/** Moves every bucket that starts below a threshold into the zero bucket. */
export function absorbIntoZeroBucket(work: WorkHistogram, zeroThreshold: number): WorkHistogram {
  let zeroCount = work.zeroCount
  const outside = (index: number, count: number): boolean => {
    if (upperBoundOf(index - 1, work.schema, work.customBounds) >= zeroThreshold) return true
    zeroCount += count
    return false
  }
  const positive = filterBuckets(work.positive, outside)
  const negative = filterBuckets(work.negative, outside)
  return { ...work, positive, negative, zeroThreshold, zeroCount }
}
