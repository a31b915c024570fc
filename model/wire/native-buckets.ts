/** What messages with native histograms have in common: spans, and counts that are written as steps from one to the next. */
import type { BucketSpan } from '../native-histogram.ts'
import { type ProtoReader, ProtoType } from './proto-reader.ts'
import type { ProtoWriter } from './proto-writer.ts'

const OFFSET = 8
const LENGTH = 16

/** One `BucketSpan` message. */
export function readSpan(reader: ProtoReader): BucketSpan {
  const outer = reader.open()
  let offset = 0
  let length = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === OFFSET) offset = reader.sint32()
    else if (tag === LENGTH) length = reader.uint32()
    else reader.skip(tag)
  }
  reader.close(outer)
  return { offset, length }
}

/** Values of a repeated `sint64`, packed or one by one as `tag` says, added to `into`. */
export function readSint64s(reader: ProtoReader, tag: number, into: number[]): void {
  if ((tag & 7) !== ProtoType.BYTES) return void into.push(reader.sint64())
  const outer = reader.open()
  while (reader.pos < reader.end) into.push(reader.sint64())
  reader.close(outer)
}

/** As `readSint64s`, for a repeated `double`. */
export function readDoubles(reader: ProtoReader, tag: number, into: number[]): void {
  if ((tag & 7) !== ProtoType.BYTES) return void into.push(reader.double())
  const outer = reader.open()
  while (reader.pos < reader.end) into.push(reader.double())
  reader.close(outer)
}

/** As `readSint64s`, for a repeated `uint32`. */
export function readUint32s(reader: ProtoReader, tag: number, into: number[]): void {
  if ((tag & 7) !== ProtoType.BYTES) return void into.push(reader.uint32())
  const outer = reader.open()
  while (reader.pos < reader.end) into.push(reader.uint32())
  reader.close(outer)
}

/** Counts from the steps between them. */
export function countsOfDeltas(deltas: readonly number[]): Float64Array {
  let count = 0
  return Float64Array.from(deltas, (delta) => (count += delta))
}

export const deltasOfCounts = (counts: Float64Array): Float64Array =>
  counts.map((count, i) => count - (i === 0 ? 0 : counts[i - 1]!))

/** Spans that hold nothing only say that the histogram is a native one. */
export const spansOf = (spans: readonly BucketSpan[]): readonly BucketSpan[] =>
  spans.every((span) => span.length === 0) ? [] : spans

export function writeSpans(writer: ProtoWriter, field: number, spans: readonly BucketSpan[]): void {
  for (const { offset, length } of spans) {
    const mark = writer.open(field)
    writer.sint32(1, offset)
    writer.uint64(2, length)
    writer.close(mark)
  }
}
