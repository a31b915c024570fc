import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'

/**
 * One record of the state log:
 *
 *     ┌────────────┬─────────────┬────────────┬──────────────────────┐
 *     │ magic 4 B  │ length 4 B  │ CRC32 4 B  │ msgpack, length bytes│   all little endian
 *     └────────────┴─────────────┴────────────┴──────────────────────┘
 *
 * The checksum covers the payload: an array whose first item names the kind of the record. The magic number lets a reader
 * find the next whole record behind a damaged one.
 */
export type StateRecord = readonly [kind: string, ...fields: unknown[]]

const MAGIC = 0x42415253
const HEADER_BYTES = 12
const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
const packr = new Packr({ useRecords: false })

export function encodeFrame(record: StateRecord): Buffer {
  const payload = packr.pack(record)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  frame.writeUInt32LE(MAGIC, 0)
  frame.writeUInt32LE(payload.length, 4)
  frame.writeUInt32LE(crc32(payload), 8)
  payload.copy(frame, HEADER_BYTES)
  return frame
}

export interface DecodedLog {
  readonly records: readonly StateRecord[]
  /** Where the last whole record ends; what follows is the torn tail of an unfinished write. */
  readonly endOffset: number
  /** Stretches of damage that were skipped because whole records follow them. */
  readonly damagedCount: number
}

/** Reads every whole record. Damage never throws. */
export function decodeLog(bytes: Buffer): DecodedLog {
  const records: StateRecord[] = []
  let endOffset = 0
  let damagedCount = 0
  for (let offset = 0; offset < bytes.length; ) {
    const frame = frameAt(bytes, offset)
    if (frame) {
      records.push(frame.record)
      offset = frame.endOffset
      endOffset = offset
      continue
    }
    const next = nextFrameOffset(bytes, offset + 1)
    if (next === undefined) break
    damagedCount++
    offset = next
  }
  return { records, endOffset, damagedCount }
}

function frameAt(bytes: Buffer, offset: number): { record: StateRecord; endOffset: number } | undefined {
  if (offset + HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return undefined
  const length = bytes.readUInt32LE(offset + 4)
  const start = offset + HEADER_BYTES
  if (length > PAYLOAD_BYTES_MAX || start + length > bytes.length) return undefined
  const payload = bytes.subarray(start, start + length)
  if (crc32(payload) !== bytes.readUInt32LE(offset + 8)) return undefined
  const record: unknown = packr.unpack(payload)
  if (!Array.isArray(record) || typeof record[0] !== 'string') return undefined
  return { record: record as unknown as StateRecord, endOffset: start + length }
}

function nextFrameOffset(bytes: Buffer, from: number): number | undefined {
  const magic = Buffer.alloc(4)
  magic.writeUInt32LE(MAGIC)
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (frameAt(bytes, at)) return at
  }
  return undefined
}
