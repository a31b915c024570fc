import type { Exemplar } from '../exemplar.ts'
import type { MetricType } from '../metadata.ts'
import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../native-histogram.ts'
import type { ClientHistogram, ClientMetric, ClientMetricFamily, ClientSummary } from './client-metrics.ts'
import { classicBuckets } from './custom-buckets.ts'
import { deltasOfCounts, writeSpans } from './native-buckets.ts'
import { writeLabelPairs } from './label-pairs.ts'
import { ProtoWriter } from './proto-writer.ts'

/** Numbers of the protobuf enumeration; it knows neither info nor stateset. */
const TYPE_NUMBERS: Readonly<Record<MetricType, number>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  unknown: 3,
  info: 3,
  stateset: 3,
  histogram: 4,
  gaugehistogram: 5,
}
const NO_BYTES = new Uint8Array()

/**
 * A page in protobuf: `io.prometheus.client.MetricFamily` messages, each with its length in front. The format has no place for
 * custom bucket bounds, so histograms that have them are written with classic buckets.
 */
export function encodeMetricFamilies(families: Iterable<ClientMetricFamily>): Uint8Array {
  const writer = new ProtoWriter(16_384)
  for (const family of families) {
    const mark = writer.openDelimited()
    writeFamily(writer, family)
    writer.close(mark)
  }
  return writer.finish()
}

/**
 * What `encodeMetricFamilies` writes for one family, in pieces: an empty one after each slice of metrics that has been encoded,
 * so that whoever reads may let others run, then all of the message. Its length stands in front, so nothing can be given before.
 */
export function* encodeMetricFamilyInSlices(
  family: Omit<ClientMetricFamily, 'metrics'>,
  slices: Iterable<readonly ClientMetric[]>,
): Generator<Uint8Array> {
  const writer = new ProtoWriter(16_384)
  const encoded: Uint8Array[] = []
  let length = 0
  const keep = (): void => {
    encoded.push(writer.finish())
    length += writer.length
    writer.reset()
  }
  writeHeader(writer, family)
  for (const metrics of slices) {
    writeMetrics(writer, metrics, family.type)
    keep()
    yield NO_BYTES
  }
  writer.string(5, family.unit)
  keep()
  writer.rawVarint(length)
  yield writer.finish()
  yield* encoded
}

function writeFamily(writer: ProtoWriter, family: ClientMetricFamily): void {
  writeHeader(writer, family)
  writeMetrics(writer, family.metrics, family.type)
  writer.string(5, family.unit)
}

function writeHeader(writer: ProtoWriter, { name, help, type }: Omit<ClientMetricFamily, 'metrics'>): void {
  writer.string(1, name)
  writer.string(2, help)
  writer.uint64(3, TYPE_NUMBERS[type])
}

function writeMetrics(writer: ProtoWriter, metrics: readonly ClientMetric[], type: MetricType): void {
  for (const metric of metrics) {
    const mark = writer.open(4)
    writeMetric(writer, metric, type)
    writer.close(mark)
  }
}

function writeMetric(writer: ProtoWriter, metric: ClientMetric, type: MetricType): void {
  writeLabelPairs(writer, metric.labels)
  if (metric.histogram !== undefined) writeHistogram(writer, metric.histogram, metric.createdMs)
  else if (metric.summary !== undefined) writeSummary(writer, metric.summary, metric.createdMs)
  else if (metric.value !== undefined) writeValue(writer, metric, metric.value, type)
  writer.int64(6, metric.timestampMs ?? 0)
}

function writeValue(writer: ProtoWriter, metric: ClientMetric, value: number, type: MetricType): void {
  const mark = writer.open(type === 'counter' ? 3 : type === 'gauge' ? 2 : 5)
  writer.doubleAlways(1, value)
  if (type === 'counter') {
    if (metric.exemplar !== undefined) writeExemplar(writer, 2, metric.exemplar)
    writeTimestamp(writer, 3, metric.createdMs)
  }
  writer.close(mark)
}

function writeSummary(writer: ProtoWriter, summary: ClientSummary, createdMs: number | undefined): void {
  const mark = writer.open(4)
  writer.uint64(1, summary.count)
  writer.doubleAlways(2, summary.sum)
  for (const { quantile, value } of summary.quantiles) {
    const inner = writer.open(3)
    writer.double(1, quantile)
    writer.doubleAlways(2, value)
    writer.close(inner)
  }
  writeTimestamp(writer, 4, createdMs)
  writer.close(mark)
}

function writeHistogram(writer: ProtoWriter, histogram: ClientHistogram, createdMs: number | undefined): void {
  const { native } = histogram
  const isCustom = native?.schema === CUSTOM_BUCKETS_SCHEMA
  const buckets = isCustom && histogram.buckets.length === 0 ? classicBuckets(native) : histogram.buckets
  const mark = writer.open(7)
  writeCount(writer, { integer: 1, float: 4 }, histogram.count, native)
  writer.doubleAlways(2, histogram.sum)
  for (const bucket of buckets) writeBucket(writer, bucket)
  if (native !== undefined && !isCustom) writeNative(writer, native)
  writeTimestamp(writer, 15, createdMs)
  for (const exemplar of histogram.exemplars) writeExemplar(writer, 16, exemplar)
  writer.close(mark)
}

function writeCount(
  writer: ProtoWriter,
  fields: { integer: number; float: number },
  count: number,
  native: NativeHistogram | undefined,
): void {
  if (native === undefined ? isWhole(count) : native.integer) writer.uint64(fields.integer, count)
  else writer.double(fields.float, count)
}

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 64

function writeBucket(writer: ProtoWriter, bucket: ClientHistogram['buckets'][number]): void {
  const mark = writer.open(3)
  writeCount(writer, { integer: 1, float: 4 }, bucket.cumulativeCount, undefined)
  writer.double(2, bucket.upperBound)
  if (bucket.exemplar !== undefined) writeExemplar(writer, 3, bucket.exemplar)
  writer.close(mark)
}

function writeNative(writer: ProtoWriter, native: NativeHistogram): void {
  writer.sint32(5, native.schema)
  writer.double(6, native.zeroThreshold)
  writeCount(writer, { integer: 7, float: 8 }, native.zeroCount, native)
  writeSpans(writer, 9, native.negativeSpans)
  if (native.integer) writer.packedSint64(10, deltasOfCounts(native.negativeBuckets))
  else writer.packedDouble(11, native.negativeBuckets)
  // A span that holds nothing tells this histogram from a classic one while it is empty.
  const isBare = native.positiveSpans.length === 0 && native.negativeSpans.length === 0
  writeSpans(writer, 12, isBare ? [{ offset: 0, length: 0 }] : native.positiveSpans)
  if (native.integer) writer.packedSint64(13, deltasOfCounts(native.positiveBuckets))
  else writer.packedDouble(14, native.positiveBuckets)
}

function writeExemplar(writer: ProtoWriter, field: number, { labels, value, timestampMs }: Exemplar): void {
  const mark = writer.open(field)
  writeLabelPairs(writer, labels)
  writer.doubleAlways(2, value)
  writeTimestamp(writer, 3, timestampMs)
  writer.close(mark)
}

function writeTimestamp(writer: ProtoWriter, field: number, timeMs: number | undefined): void {
  if (timeMs === undefined) return
  const seconds = Math.floor(timeMs / 1000)
  const mark = writer.open(field)
  writer.int64(1, seconds)
  writer.int64(2, (timeMs - seconds * 1000) * 1e6)
  writer.close(mark)
}
