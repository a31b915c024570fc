import { crc32 } from 'node:zlib'
import {
  RECORD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC,
  SEGMENT_HEADER_BYTES,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
} from './format.ts'

export interface WalRecord {
  readonly type: number
  /** Of rows: their number since the key row, so that a missing one is noticed. */
  readonly sequence: number
  readonly group: number
  readonly aux: number
  /** A view of the file's bytes. */
  readonly payload: Uint8Array
}

/** Bytes that belong to no valid record. */
interface DamagedRange {
  readonly offset: number
  readonly length: number
}

interface SegmentReading {
  readonly recordCount: number
  /** Damage with valid records behind it, or a bad header. */
  readonly damage: readonly DamagedRange[]
  /** Where the last valid record ends; what follows is a torn tail. */
  readonly validBytes: number
}

/** Hands every valid record of a segment to `onRecord`, in order; behind damage it finds the next valid one. */
export function readSegment(bytes: Uint8Array, onRecord: (record: WalRecord) => void): SegmentReading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const damage: DamagedRange[] = []
  if (!hasHeader(view)) {
    // Without its salt no record can be told from noise.
    if (bytes.length > SEGMENT_HEADER_BYTES) damage.push({ offset: 0, length: bytes.length })
    return { recordCount: 0, damage, validBytes: 0 }
  }
  const salt = view.getUint32(12, true)
  let recordCount = 0
  let at = SEGMENT_HEADER_BYTES
  let validEnd = at
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    const length = recordLength(bytes, view, at, salt)
    if (length === 0) {
      at++
      continue
    }
    if (at > validEnd) damage.push({ offset: validEnd, length: at - validEnd })
    onRecord({
      type: view.getUint8(at + 5),
      sequence: view.getUint16(at + 6, true),
      group: view.getUint32(at + 12, true),
      aux: view.getUint32(at + 16, true),
      payload: bytes.subarray(at + RECORD_HEADER_BYTES, at + length),
    })
    recordCount++
    at += length
    validEnd = at
  }
  return { recordCount, damage, validBytes: validEnd }
}

function hasHeader(view: DataView): boolean {
  return (
    view.byteLength >= SEGMENT_HEADER_BYTES &&
    view.getUint32(0, true) === SEGMENT_MAGIC &&
    view.getUint32(4, true) === SEGMENT_VERSION
  )
}

/** Length of the valid record at `at`, header included, or 0. */
function recordLength(bytes: Uint8Array, view: DataView, at: number, salt: number): number {
  if (bytes[at + 4] !== RECORD_MAGIC) return 0
  const payloadBytes = view.getUint32(at + 8, true)
  const end = at + RECORD_HEADER_BYTES + payloadBytes
  if (payloadBytes > RECORD_BYTES_MAX || end > bytes.length) return 0
  if (crc32(bytes.subarray(at + 4, end), salt) !== view.getUint32(at, true)) return 0
  return RECORD_HEADER_BYTES + payloadBytes
}
