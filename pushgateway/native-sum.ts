import type { BucketSpan, NativeHistogram } from '../model/index.ts'

/** Bucket by bucket; `undefined` where the two do not have the same buckets. */
export function addNativeHistograms(a: NativeHistogram, b: NativeHistogram): NativeHistogram | undefined {
  const isAlike =
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.customBounds.length === b.customBounds.length &&
    a.customBounds.every((bound, i) => bound === b.customBounds[i])
  if (!isAlike) return undefined
  const positive = addSide([a.positiveSpans, a.positiveBuckets], [b.positiveSpans, b.positiveBuckets])
  const negative = addSide([a.negativeSpans, a.negativeBuckets], [b.negativeSpans, b.negativeBuckets])
  return {
    ...b,
    integer: a.integer && b.integer,
    zeroCount: a.zeroCount + b.zeroCount,
    count: a.count + b.count,
    sum: a.sum + b.sum,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  }
}

type Side = readonly [spans: readonly BucketSpan[], buckets: Float64Array]

function addSide(a: Side, b: Side): { spans: BucketSpan[]; buckets: Float64Array } {
  const counts = new Map<number, number>()
  for (const [spans, buckets] of [a, b]) {
    let index = 0
    let at = 0
    for (const { offset, length } of spans) {
      index += offset
      for (let i = 0; i < length; i++, index++, at++) counts.set(index, (counts.get(index) ?? 0) + (buckets[at] ?? 0))
    }
  }
  const indexes = [...counts.keys()].sort((x, y) => x - y)
  const spans: { offset: number; length: number }[] = []
  let next = 0
  for (const [i, index] of indexes.entries()) {
    if (i > 0 && index === next) spans.at(-1)!.length++
    else spans.push({ offset: i === 0 ? index : index - next, length: 1 })
    next = index + 1
  }
  return { spans, buckets: Float64Array.from(indexes, (index) => counts.get(index)!) }
}
