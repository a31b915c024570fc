import { formatSampleValue, type NativeHistogram } from '../../model/index.ts'
import { type BoundedBucket, boundedBuckets } from '../histogram/bounds.ts'
import type { ByteBuffer } from '../../lib/byte-buffer.ts'

/** `[time,{"count":"4","sum":"10","buckets":[[0,"0.5","1","4"]]}]`; empty buckets are left out, and the list if all are. */
export function writeHistogramPoint(out: ByteBuffer, timestampMs: number, h: NativeHistogram): void {
  out.ascii(`[${timestampText(timestampMs)},{"count":${quoted(h.count)},"sum":${quoted(h.sum)}`)
  const buckets = boundedBuckets(h)
  buckets.forEach((bucket, i) => out.ascii((i === 0 ? ',"buckets":[' : ',') + bucketText(bucket)))
  out.ascii(buckets.length === 0 ? '}]' : ']}]')
}

const quoted = (value: number): string => `"${formatSampleValue(value)}"`

function bucketText(bucket: BoundedBucket): string {
  return `[${borderRule(bucket)},${quoted(bucket.lower)},${quoted(bucket.upper)},${quoted(bucket.count)}]`
}

/** Which borders belong to the bucket: 0 the upper one, 1 the lower one, 2 none, 3 both. */
function borderRule({ lowerInclusive, upperInclusive }: BoundedBucket): number {
  if (lowerInclusive) return upperInclusive ? 3 : 1
  return upperInclusive ? 0 : 2
}

/** Seconds, with all three decimals if there are any. */
function timestampText(timestampMs: number): string {
  const seconds = Math.trunc(timestampMs / 1000)
  const rest = Math.abs(timestampMs % 1000)
  const sign = timestampMs < 0 && seconds === 0 ? '-' : ''
  return rest === 0 ? String(seconds) : `${sign}${seconds}.${String(rest).padStart(3, '0')}`
}
