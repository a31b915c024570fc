import { crc32 } from 'node:zlib'
import { NewerFormatError } from '../errors.ts'
import { repairBit } from './bit-repair.ts'
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

// What is beyond is damage.
const VERSIONS_END = 256

/** Bytes that belong to no valid record. */
interface DamagedRange {
  readonly offset: number
  readonly length: number
}

interface SegmentReading {
  readonly recordCount: number
  /** Records, or headers, in which one bit was turned back. */
  readonly repairedCount: number
  /** Damage with valid records behind it, or a bad header. */
  readonly damage: readonly DamagedRange[]
  /** Where the last valid record ends; what follows is a torn tail. */
  readonly validBytes: number
}

/**
 * Hands every valid record of a segment to `onRecord`, in order, with the place where it begins; behind damage it finds the
 * next valid one. Where a single bit has turned it is turned back, in `bytes`.
 *
 * @param file for the error
 * @throws {NewerFormatError}
 */
export function readSegment(
  bytes: Uint8Array,
  onRecord: (record: WalRecord, at: number) => void,
  file?: string,
): SegmentReading {
  const reader = new SegmentReader(bytes, onRecord, file)
  reader.readOn(bytes.length)
  return reader.reading
}

/** As `readSegment`, piece by piece. */
export class SegmentReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #onRecord: (record: WalRecord, at: number) => void
  readonly #damage: DamagedRange[] = []
  readonly #salt: number
  /** The salt is right: a record that is not may have one wrong bit. */
  readonly #isProven: boolean
  #recordCount = 0
  #repairedCount = 0
  #at: number
  #validEnd: number

  /** @throws {NewerFormatError} */
  constructor(bytes: Uint8Array, onRecord: (record: WalRecord, at: number) => void, file = 'a log segment') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#bytes = bytes
    this.#view = view
    this.#onRecord = onRecord
    if (isNewer(view)) throw new NewerFormatError(`${file} was written by a newer version of Belltower`)
    const isReadable = hasHeader(view)
    // Without its salt no record can be told from noise.
    if (!isReadable && bytes.length > SEGMENT_HEADER_BYTES) this.#damage.push({ offset: 0, length: bytes.length })
    const salt = isReadable ? repairSalt(bytes, view) : { isProven: false, repairedCount: 0 }
    this.#isProven = salt.isProven
    this.#repairedCount = salt.repairedCount
    this.#salt = isReadable ? view.getUint32(12, true) : 0
    this.#at = isReadable ? SEGMENT_HEADER_BYTES : bytes.length
    this.#validEnd = isReadable ? SEGMENT_HEADER_BYTES : 0
  }

  /** Goes through about so many further bytes. @returns whether it has come to the end */
  readOn(bytesMax: number): boolean {
    const bytes = this.#bytes
    const view = this.#view
    const salt = this.#salt
    const until = Math.min(this.#at + bytesMax, bytes.length - RECORD_HEADER_BYTES)
    let at = this.#at
    let validEnd = this.#validEnd
    while (at <= until) {
      let length = recordLength(bytes, view, at, salt)
      if (length === 0 && at === validEnd && this.#isProven) {
        length = repairBit(bytes, at, salt)
        if (length > 0) this.#repairedCount++
      }
      if (length === 0) {
        at++
        continue
      }
      if (at > validEnd) this.#damage.push({ offset: validEnd, length: at - validEnd })
      this.#onRecord(recordAt(bytes, view, at), at)
      this.#recordCount++
      at += length
      validEnd = at
    }
    this.#at = at
    this.#validEnd = validEnd
    return at + RECORD_HEADER_BYTES > bytes.length
  }

  /** So far. */
  get reading(): SegmentReading {
    return {
      recordCount: this.#recordCount,
      repairedCount: this.#repairedCount,
      damage: this.#damage,
      validBytes: this.#validEnd,
    }
  }
}

/** A record that `readSegment` has found valid. @param view of the same bytes */
export function recordAt(bytes: Uint8Array, view: DataView, at: number): WalRecord {
  const payloadAt = at + RECORD_HEADER_BYTES
  return {
    type: view.getUint8(at + 5),
    sequence: view.getUint16(at + 6, true),
    group: view.getUint32(at + 12, true),
    aux: view.getUint32(at + 16, true),
    payload: bytes.subarray(payloadAt, payloadAt + view.getUint32(at + 8, true)),
  }
}

/** A bit may be wrong: what is no segment differs in more. */
function hasHeader(view: DataView): boolean {
  if (view.byteLength < SEGMENT_HEADER_BYTES) return false
  const magic = (view.getUint32(0, true) ^ SEGMENT_MAGIC) >>> 0
  const version = (view.getUint32(4, true) ^ SEGMENT_VERSION) >>> 0
  return magic === 0 ? hasOneBit(version) : version === 0 && hasOneBit(magic)
}

/** Versions that one wrong bit makes of ours are never given. */
function isNewer(view: DataView): boolean {
  if (view.byteLength < SEGMENT_HEADER_BYTES || view.getUint32(0, true) !== SEGMENT_MAGIC) return false
  const version = view.getUint32(4, true)
  return version > SEGMENT_VERSION && version < VERSIONS_END && !hasOneBit(version ^ SEGMENT_VERSION)
}

const hasOneBit = (word: number): boolean => (word & (word - 1)) === 0

/**
 * Makes sure of the salt: a wrong bit in it looks like a wrong bit at the start of each record. Turned back when with it
 * the first record is valid and another one, too.
 */
function repairSalt(bytes: Uint8Array, view: DataView): { isProven: boolean; repairedCount: number } {
  const salt = view.getUint32(12, true)
  if (findRecord(bytes, view, SEGMENT_HEADER_BYTES, salt) > 0) return { isProven: true, repairedCount: 0 }
  for (let bit = 0; bit < 32; bit++) {
    const other = (salt ^ (1 << bit)) >>> 0
    const length =
      bytes.length < SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES
        ? 0
        : recordLength(bytes, view, SEGMENT_HEADER_BYTES, other)
    if (length === 0 || findRecord(bytes, view, SEGMENT_HEADER_BYTES + length, other) === 0) continue
    view.setUint32(12, other, true)
    return { isProven: true, repairedCount: 1 }
  }
  return { isProven: false, repairedCount: 0 }
}

/** Where the next valid record is, or 0. */
function findRecord(bytes: Uint8Array, view: DataView, from: number, salt: number): number {
  for (let at = from; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    if (recordLength(bytes, view, at, salt) > 0) return at
  }
  return 0
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
