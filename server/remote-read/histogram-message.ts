import {
  type CounterResetHint,
  deltasOfCounts,
  type NativeHistogram,
  type ProtoWriter,
  writeSpans,
} from '../../model/index.ts'

/** A `prometheus.Histogram` message, the same as in remote write 1.0. */
export function writeHistogramSample(
  writer: ProtoWriter,
  field: number,
  { timestampMs, histogram }: { readonly timestampMs: number; readonly histogram: NativeHistogram },
): void {
  const mark = writer.open(field)
  // Of each pair one field is set, even to zero: it tells the kinds of histogram apart.
  if (histogram.integer) writer.uint64Always(1, histogram.count)
  else writer.doubleAlways(2, histogram.count)
  writer.double(3, histogram.sum)
  writer.sint32(4, histogram.schema)
  writer.double(5, histogram.zeroThreshold)
  if (histogram.integer) writer.uint64Always(6, histogram.zeroCount)
  else writer.doubleAlways(7, histogram.zeroCount)
  writeSpans(writer, 8, histogram.negativeSpans)
  if (histogram.integer) writer.packedSint64(9, deltasOfCounts(histogram.negativeBuckets))
  else writer.packedDouble(10, histogram.negativeBuckets)
  writeSpans(writer, 11, histogram.positiveSpans)
  if (histogram.integer) writer.packedSint64(12, deltasOfCounts(histogram.positiveBuckets))
  else writer.packedDouble(13, histogram.positiveBuckets)
  writer.uint64(14, HINTS[histogram.counterResetHint])
  writer.int64(15, timestampMs)
  writer.packedDouble(16, histogram.customBounds)
  writer.close(mark)
}

/** Numbers of the message's enumeration, which are ours. */
const HINTS: Readonly<Record<CounterResetHint, number>> = [0, 1, 2, 3]
