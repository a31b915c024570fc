import {
  type BucketSpan,
  CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type Labels,
  labelsFromEntries,
  type NativeHistogram,
  type TimeRange,
} from '../../model/index.ts'
import { MalformedBytesError } from '../bytes.ts'
import { BigEndianReader } from './big-endian.ts'

// Format: docs/formats/prometheus-block.md.
const RecordType = {
  SERIES: 1,
  SAMPLES: 2,
  TOMBSTONES: 3,
  HISTOGRAMS: 7,
  FLOAT_HISTOGRAMS: 8,
  CUSTOM_HISTOGRAMS: 9,
  CUSTOM_FLOAT_HISTOGRAMS: 10,
} as const

/** What a Prometheus has told its series in the log by. */
type Reference = number

/** Gets what the records say. Others than these (exemplars, metadata, marks) are passed over. */
export interface WalSink {
  series?(reference: Reference, labels: Labels): void
  deletion?(reference: Reference, range: TimeRange): void
  /** The words of the float64's bits. */
  float?(reference: Reference, timestampMs: number, low: number, high: number): void
  histogram?(reference: Reference, timestampMs: number, histogram: NativeHistogram): void
}

/** @throws {MalformedBytesError} */
export function readWalRecord(record: Buffer, sink: WalSink): void {
  const reader = new BigEndianReader(record, 1)
  const type = record[0]
  if (type === RecordType.SERIES && sink.series) readSeries(reader, sink.series.bind(sink))
  else if (type === RecordType.TOMBSTONES && sink.deletion) readDeletions(reader, sink.deletion.bind(sink))
  else if (type === RecordType.SAMPLES && sink.float) readFloats(reader, sink.float.bind(sink))
  else if (sink.histogram) {
    const isCustom = type === RecordType.CUSTOM_HISTOGRAMS || type === RecordType.CUSTOM_FLOAT_HISTOGRAMS
    if (type === RecordType.HISTOGRAMS || type === RecordType.CUSTOM_HISTOGRAMS) {
      readHistograms(reader, true, isCustom, sink.histogram.bind(sink))
    } else if (type === RecordType.FLOAT_HISTOGRAMS || type === RecordType.CUSTOM_FLOAT_HISTOGRAMS) {
      readHistograms(reader, false, isCustom, sink.histogram.bind(sink))
    }
  }
}

function readSeries(reader: BigEndianReader, onSeries: NonNullable<WalSink['series']>): void {
  while (reader.left > 0) {
    const reference = reader.u64()
    const entries = Array.from({ length: countOf(reader, 2) }, (): [string, string] => [
      reader.string(),
      reader.string(),
    ])
    onSeries(reference, labelsFromEntries(entries))
  }
}

function readDeletions(reader: BigEndianReader, onDeletion: NonNullable<WalSink['deletion']>): void {
  while (reader.left > 0) {
    const reference = reader.u64()
    onDeletion(reference, { minTimeMs: reader.varint(), maxTimeMs: reader.varint() })
  }
}

/** Each sample counts from the first one. */
function readFloats(reader: BigEndianReader, onFloat: NonNullable<WalSink['float']>): void {
  if (reader.left === 0) return
  const reference = reader.u64()
  const timeMs = reader.i64()
  while (reader.left > 0) {
    const own = reference + reader.varint()
    const ownTimeMs = timeMs + reader.varint()
    const high = reader.u32()
    onFloat(own, ownTimeMs, reader.u32(), high)
  }
}

function readHistograms(
  reader: BigEndianReader,
  isInteger: boolean,
  isCustom: boolean,
  onHistogram: NonNullable<WalSink['histogram']>,
): void {
  if (reader.left === 0) return
  const reference = reader.u64()
  const timeMs = reader.i64()
  while (reader.left > 0) {
    const own = reference + reader.varint()
    const ownTimeMs = timeMs + reader.varint()
    onHistogram(own, ownTimeMs, readHistogram(reader, isInteger, isCustom))
  }
}

const RESET_HINTS: readonly CounterResetHint[] = [
  CounterResetHint.UNKNOWN,
  CounterResetHint.RESET,
  CounterResetHint.NOT_RESET,
  CounterResetHint.GAUGE,
]

function readHistogram(reader: BigEndianReader, isInteger: boolean, isCustom: boolean): NativeHistogram {
  const number = (): number => (isInteger ? reader.uvarint() : reader.f64())
  const counterResetHint = RESET_HINTS[reader.u8()] ?? CounterResetHint.UNKNOWN
  const schema = reader.varint()
  const zeroThreshold = reader.f64()
  const zeroCount = number()
  const count = number()
  const sum = reader.f64()
  const positiveSpans = readSpans(reader)
  const negativeSpans = readSpans(reader)
  const positiveBuckets = readBuckets(reader, isInteger)
  const negativeBuckets = readBuckets(reader, isInteger)
  const hasBounds = isCustom && schema === CUSTOM_BUCKETS_SCHEMA
  const customBounds = hasBounds ? Float64Array.from({ length: countOf(reader, 8) }, () => reader.f64()) : []
  return {
    integer: isInteger,
    counterResetHint,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum,
    positiveSpans,
    positiveBuckets,
    negativeSpans,
    negativeBuckets,
    customBounds: Float64Array.from(customBounds),
  }
}

const readSpans = (reader: BigEndianReader): BucketSpan[] =>
  Array.from({ length: countOf(reader, 2) }, () => ({ offset: reader.varint(), length: reader.uvarint() }))

/** Those of integers are told as differences. */
function readBuckets(reader: BigEndianReader, isInteger: boolean): Float64Array {
  let bucket = 0
  return Float64Array.from({ length: countOf(reader, isInteger ? 1 : 8) }, () =>
    isInteger ? (bucket += reader.varint()) : reader.f64(),
  )
}

/** @param itemBytes that each item takes at least */
function countOf(reader: BigEndianReader, itemBytes: number): number {
  const count = reader.uvarint()
  if (count * itemBytes > reader.left) throw new MalformedBytesError('a count exceeds the bytes that are left')
  return count
}
