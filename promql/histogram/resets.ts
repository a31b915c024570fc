import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import { align, toWork, type WorkHistogram, widenZeroBucket } from './align.ts'
import { usesCustomBuckets } from './bounds.ts'
import { type Buckets, reduceResolution } from './buckets.ts'

/** Whether the counter was reset between `before` and `h`: as the sample says, or as the counts tell. */
export function detectReset(h: NativeHistogram, before: NativeHistogram): boolean {
  if (h.counterResetHint === CounterResetHint.RESET) return true
  if (h.counterResetHint === CounterResetHint.NOT_RESET) return false
  if (h.count < before.count || usesCustomBuckets(h) !== usesCustomBuckets(before)) return true
  if (usesCustomBuckets(h)) {
    const aligned = align(toWork(h), toWork(before))!
    return anyFell(aligned.left.positive, aligned.right.positive)
  }
  return exponentialReset(toWork(h), toWork(before))
}

function exponentialReset(h: WorkHistogram, before: WorkHistogram): boolean {
  // Only a new histogram can be finer, or have a smaller zero bucket.
  if (h.schema > before.schema || h.zeroThreshold < before.zeroThreshold) return true
  let earlier = before
  if (h.zeroThreshold > before.zeroThreshold) {
    earlier = widenZeroBucket(before, h.zeroThreshold)
    if (earlier.zeroThreshold !== h.zeroThreshold) return true
  }
  return (
    h.zeroCount < earlier.zeroCount ||
    anyFell(h.positive, reduceResolution(earlier.positive, earlier.schema, h.schema)) ||
    anyFell(h.negative, reduceResolution(earlier.negative, earlier.schema, h.schema))
  )
}

/** Whether a bucket had more before than it has now. */
function anyFell(now: Buckets, before: Buckets): boolean {
  let at = 0
  for (let i = 0; i < before.indexes.length; i++) {
    const index = before.indexes[i]!
    while (at < now.indexes.length && now.indexes[at]! < index) at++
    const count = now.indexes[at] === index ? now.counts[at]! : 0
    if (count < before.counts[i]!) return true
  }
  return false
}
