import { crc32 } from 'node:zlib'
import { lz4Pack, lz4Unpack } from '../../lib/lz4.ts'
import type { Labels } from '../../model/index.ts'
import { ByteReader, ByteWriter, readLabels, writeLabels } from '../bytes.ts'

// Format: docs/formats/wal.md.
export const SEGMENT_MAGIC = 0x4c57_5442 // "BTWL"
export const SEGMENT_VERSION = 1
export const SEGMENT_HEADER_BYTES = 16

export const RECORD_MAGIC = 0xb7
export const RECORD_HEADER_BYTES = 20
export const RECORD_BYTES_MAX = 1 << 28

/** 5 is left for tombstones. */
export const RecordType = {
  GROUP: 1,
  SERIES: 2,
  ROW: 3,
  CLOSE: 4,
  HISTOGRAMS: 6,
  EXEMPLARS: 7,
  HISTOGRAM_PAGE: 8,
  BATCH: 9,
} as const

/** `aux` of a BATCH record. */
export const BatchMark = { END: 0, BEGIN: 1 } as const

/** Bytes of the header of a segment file. The salt starts every checksum, so that no label value can pose as a record. */
export function segmentHeader(segment: number, salt: number): Uint8Array {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
  header.writeUInt32LE(SEGMENT_MAGIC, 0)
  header.writeUInt32LE(SEGMENT_VERSION, 4)
  header.writeUInt32LE(segment, 8)
  header.writeUInt32LE(salt, 12)
  return header
}

/** Writes the header in front of a payload of `payloadBytes` that stands at `at + RECORD_HEADER_BYTES`. */
export function sealRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  record: { type: number; sequence: number; group: number; aux: number; payloadBytes: number; salt: number },
): void {
  view.setUint8(at + 4, RECORD_MAGIC)
  view.setUint8(at + 5, record.type)
  view.setUint16(at + 6, record.sequence & 0xffff, true)
  view.setUint32(at + 8, record.payloadBytes, true)
  view.setUint32(at + 12, record.group, true)
  view.setUint32(at + 16, record.aux, true)
  const end = at + RECORD_HEADER_BYTES + record.payloadBytes
  view.setUint32(at, crc32(bytes.subarray(at + 4, end), record.salt), true)
}

interface GroupRecord {
  readonly isSparse: boolean
  readonly isLate: boolean
  readonly stream: string
  readonly labels: Labels
}

export function encodeGroup(group: GroupRecord): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(groupFlags(group))
  writer.string(group.stream)
  writeLabels(writer, group.labels)
  return writer.bytes()
}

export function decodeGroup(payload: Uint8Array): GroupRecord {
  const reader = new ByteReader(payload)
  return { ...groupKind(reader.u8()), stream: reader.string(), labels: readLabels(reader) }
}

/** As the log and the checkpoint hold them: 1 sparse, 2 late. */
export const groupFlags = ({ isSparse, isLate }: { isSparse: boolean; isLate: boolean }): number =>
  (isSparse ? 1 : 0) | (isLate ? 2 : 0)

export const groupKind = (flags: number): { isSparse: boolean; isLate: boolean } => ({
  isSparse: (flags & 1) !== 0,
  isLate: (flags & 2) !== 0,
})

const PACKED_BYTES_MIN = 512

/** Label sets of new positions; packed when that pays. */
export function encodeSeries(series: readonly Labels[]): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(0)
  writer.varint(series.length)
  for (const labels of series) writeLabels(writer, labels)
  const plain = writer.bytes()
  if (plain.length < PACKED_BYTES_MIN) return plain
  const packed = new ByteWriter(plain.length)
  packed.u8(1)
  packed.append(lz4Pack(plain.subarray(1)))
  return packed.bytes()
}

export function decodeSeries(payload: Uint8Array): Labels[] {
  const isPacked = payload[0] === 1
  const reader = new ByteReader(isPacked ? lz4Unpack(payload.subarray(1)) : payload.subarray(1))
  return Array.from({ length: reader.count() }, () => readLabels(reader))
}

/** Time of a row record: of a key row the time itself, else the milliseconds since the row before. */
export function rowTime(payload: Uint8Array, isKey: boolean): number {
  let low = 0
  let factor = 1
  for (let at = 1; at < payload.length && at < 11; at++) {
    const byte = payload[at]!
    low += (byte & 127) * factor
    if (byte < 128) break
    factor *= 128
  }
  if (!isKey) return low
  return low % 2 === 0 ? low / 2 : -(low + 1) / 2
}
