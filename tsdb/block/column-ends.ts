import { ByteWriter } from '../bytes.ts'

// Format: docs/formats/block.md, "Columns that end alike".
const REFERENCE_TAG = 0x0f
const HAS_SPECIALS = 0x10
const FORM_BITS = 0x0f
const FOR = 3
const DELTA2 = 5
const KIND_RAW = 2
const KIND_REPEATED = 1
// A reference takes three bytes and more.
const END_BYTES_MIN = 8

/**
 * Where a packed column may be cut so that another one has the same end: behind what is its own, the exponent, the rows
 * without ordinary values and the first value; and again behind the step. Longest end first.
 */
export function cutsOf(column: Uint8Array): number[] {
  const tag = column[0]!
  const form = tag & FORM_BITS
  if (form < FOR || form > DELTA2 || column.length < END_BYTES_MIN) return []
  const cursor = new Cursor(column, 2)
  if ((tag & HAS_SPECIALS) !== 0) cursor.skipSpecials()
  cursor.varint()
  const first = cursor.at
  // Of differences the stream begins with one more number.
  if (form !== FOR) cursor.varint()
  if (form === DELTA2) cursor.varint()
  cursor.varint()
  return [first, cursor.at].filter((cut) => column.length - cut >= END_BYTES_MIN)
}

/** A column as its own beginning and the end of another, `distance` columns before. */
export function encodeReference(column: Uint8Array, cut: number, distance: number): Uint8Array {
  const writer = new ByteWriter(16 + cut)
  writer.u8(REFERENCE_TAG)
  writer.varint(distance)
  writer.varint(column.length - cut)
  writer.append(column.subarray(0, cut))
  return writer.bytes()
}

export interface ColumnReference {
  /** How many columns before this one the other lies. */
  readonly distance: number
  /** Bytes of its end. */
  readonly endBytes: number
  /** The column's own bytes. */
  readonly own: Uint8Array
}

/** `undefined` when the bytes hold a whole column. */
export function decodeReference(bytes: Uint8Array): ColumnReference | undefined {
  if (bytes.length < 3 || bytes[0] !== REFERENCE_TAG) return undefined
  const cursor = new Cursor(bytes, 1)
  const distance = cursor.varint()
  const endBytes = cursor.varint()
  return { distance, endBytes, own: bytes.subarray(cursor.at) }
}

/** Reads on where it is; beyond the end there are zeros. */
class Cursor {
  at: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.at++] ?? 0
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  skipSpecials(): void {
    for (let runs = this.varint(); runs > 0 && this.at < this.#bytes.length; runs--) {
      this.varint()
      const word = this.varint()
      const kind = word % 4
      if (kind === KIND_REPEATED) this.at += 8
      else if (kind === KIND_RAW) this.at += 8 * Math.floor(word / 4)
    }
  }
}
