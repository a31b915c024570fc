import type { BucketSpan, NativeHistogram } from '../../model/index.ts'

/** Buckets of one sign by ascending index. Shared, never changed in place, unless whoever made them says otherwise. */
export interface Buckets {
  readonly indexes: Int32Array
  readonly counts: Float64Array
}

export const NO_BUCKETS: Buckets = { indexes: new Int32Array(0), counts: new Float64Array(0) }

const NO_SPANS: readonly BucketSpan[] = []

// Histograms of one series mostly share their spans, so an index list is made once for many samples.
const indexLists = new WeakMap<readonly BucketSpan[], Int32Array>()
// And back, so that a result of the same buckets has the same spans.
const spanLists = new WeakMap<Int32Array, readonly BucketSpan[]>()

export function bucketsOf(spans: readonly BucketSpan[], counts: Float64Array): Buckets {
  return counts.length === 0 ? NO_BUCKETS : { indexes: indexesOf(spans), counts }
}

export const positiveOf = (h: NativeHistogram): Buckets => bucketsOf(h.positiveSpans, h.positiveBuckets)
export const negativeOf = (h: NativeHistogram): Buckets => bucketsOf(h.negativeSpans, h.negativeBuckets)

function indexesOf(spans: readonly BucketSpan[]): Int32Array {
  const known = indexLists.get(spans)
  if (known !== undefined) return known
  let count = 0
  for (const span of spans) count += span.length
  const indexes = new Int32Array(count)
  let at = 0
  let index = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i++) indexes[at++] = index++
  }
  remember(spans, indexes)
  return indexes
}

/** Spans of a list of ascending indexes. */
export function spansOf(indexes: Int32Array): readonly BucketSpan[] {
  if (indexes.length === 0) return NO_SPANS
  const known = spanLists.get(indexes)
  if (known !== undefined) return known
  const spans: { offset: number; length: number }[] = []
  let next = 0
  for (const index of indexes) {
    const last = spans[spans.length - 1]
    if (last !== undefined && index === next) last.length++
    else spans.push({ offset: index - next, length: 1 })
    next = index + 1
  }
  remember(spans, indexes)
  return spans
}

function remember(spans: readonly BucketSpan[], indexes: Int32Array): void {
  indexLists.set(spans, indexes)
  spanLists.set(indexes, spans)
}

/** Whether both have the same buckets, whatever the counts. */
export function sameIndexes(a: Int32Array, b: Int32Array): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** All buckets of either, ascending. */
export function unionOfIndexes(a: Int32Array, b: Int32Array): Int32Array {
  if (a.length === 0 || sameIndexes(a, b)) return b
  if (b.length === 0) return a
  const union = new Int32Array(a.length + b.length)
  let at = 0
  for (let i = 0, k = 0; i < a.length || k < b.length; ) {
    const fromA = i < a.length ? a[i]! : Number.POSITIVE_INFINITY
    const fromB = k < b.length ? b[k]! : Number.POSITIVE_INFINITY
    union[at++] = Math.min(fromA, fromB)
    if (fromA <= fromB) i++
    if (fromB <= fromA) k++
  }
  return union.subarray(0, at)
}

/** Counts at `indexes`, which hold at least those of `buckets`; 0 where it has none. Never the given array. */
export function spreadTo(indexes: Int32Array, { indexes: own, counts }: Buckets): Float64Array {
  if (own === indexes) return counts.slice()
  const spread = new Float64Array(indexes.length)
  for (let i = 0, k = 0; k < own.length; i++) if (indexes[i] === own[k]) spread[i] = counts[k++]!
  return spread
}

/** a + sign · b. */
export function addBuckets(a: Buckets, b: Buckets, sign: 1 | -1): Buckets {
  const indexes = unionOfIndexes(a.indexes, b.indexes)
  const counts = spreadTo(indexes, a)
  for (let i = 0, k = 0; k < b.indexes.length; i++) if (indexes[i] === b.indexes[k]) counts[i]! += sign * b.counts[k++]!
  return { indexes, counts }
}

/** Puts each bucket into the bucket `target` names, which must not fall as indexes rise. */
export function regroup({ indexes, counts }: Buckets, target: (index: number) => number): Buckets {
  const groupedIndexes = new Int32Array(indexes.length)
  const groupedCounts = new Float64Array(indexes.length)
  let used = 0
  for (let i = 0; i < indexes.length; i++) {
    const index = target(indexes[i]!)
    if (used === 0 || groupedIndexes[used - 1] !== index) groupedIndexes[used++] = index
    groupedCounts[used - 1]! += counts[i]!
  }
  return { indexes: groupedIndexes.subarray(0, used), counts: groupedCounts.subarray(0, used) }
}

/** Joins neighbours down to a coarser exponential schema. */
export function reduceResolution(buckets: Buckets, fromSchema: number, toSchema: number): Buckets {
  const shift = fromSchema - toSchema
  // Bucket i ends at 2^(i · 2^-schema); it lies in the coarser bucket that ends at or above.
  return shift <= 0 ? buckets : regroup(buckets, (index) => ((index - 1) >> shift) + 1)
}

/** Without the buckets that `keep` refuses. */
export function filterBuckets({ indexes, counts }: Buckets, keep: (index: number, count: number) => boolean): Buckets {
  let first = 0
  while (first < indexes.length && keep(indexes[first]!, counts[first]!)) first++
  if (first === indexes.length) return { indexes, counts }
  const keptIndexes: number[] = Array.from(indexes.subarray(0, first))
  const keptCounts: number[] = Array.from(counts.subarray(0, first))
  // `keep` may count what it refuses, so it is asked once.
  for (let i = first + 1; i < indexes.length; i++) {
    if (!keep(indexes[i]!, counts[i]!)) continue
    keptIndexes.push(indexes[i]!)
    keptCounts.push(counts[i]!)
  }
  return { indexes: Int32Array.from(keptIndexes), counts: Float64Array.from(keptCounts) }
}

export const withoutEmpty = (buckets: Buckets): Buckets => filterBuckets(buckets, (_index, count) => count !== 0)
