import { WireFormatError } from './wire-error.ts'

/** Wire types of protobuf, the low three bits of a tag. */
export const ProtoType = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const
export type ProtoType = (typeof ProtoType)[keyof typeof ProtoType]

const TWO_32 = 2 ** 32
/** Below this length strings are put together here: a call of the decoder costs more. */
const SHORT_STRING_BYTES = 20

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads protobuf in place. Every step is checked against the end of the message that is open, so hostile bytes lead to an
 * error and never to a read beyond it. Typical use: `for (let tag = r.tag(); tag !== 0; tag = r.tag()) switch (tag) {…}`.
 */
export class ProtoReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Of the next byte. */
  pos: number
  /** Of the message that is open. */
  end: number
  /** Of the varint read last, its two halves. */
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.pos = start
    this.end = end
  }

  /** The next field's number × 8 + wire type, 0 at the end of the open message. */
  tag(): number {
    if (this.pos >= this.end) return 0
    const tag = this.uint32()
    if (tag < 8) throw new WireFormatError('protobuf: field number 0')
    return tag
  }

  /** Unsigned, as it is exact up to 2^53 and rounded beyond. */
  uint64(): number {
    if (this.pos < this.end && this.bytes[this.pos]! < 0x80) return this.bytes[this.pos++]!
    this.#varint()
    return this.#high * TWO_32 + this.#low
  }

  /** Signed, two's complement. */
  int64(): number {
    if (this.pos < this.end && this.bytes[this.pos]! < 0x80) return this.bytes[this.pos++]!
    this.#varint()
    return (this.#high | 0) * TWO_32 + this.#low
  }

  /** Signed, zigzag. */
  sint64(): number {
    this.#varint()
    const sign = -(this.#low & 1)
    const low = ((this.#low >>> 1) | (this.#high << 31)) ^ sign
    const high = (this.#high >>> 1) ^ sign
    return high * TWO_32 + (low >>> 0)
  }

  uint32(): number {
    if (this.pos < this.end && this.bytes[this.pos]! < 0x80) return this.bytes[this.pos++]!
    this.#varint()
    return this.#low
  }

  int32(): number {
    return this.uint32() | 0
  }

  /** Signed, zigzag. */
  sint32(): number {
    const value = this.uint32()
    return (value >>> 1) ^ -(value & 1)
  }

  double(): number {
    const at = this.pos
    if (at + 8 > this.end) throw endsEarly()
    this.pos = at + 8
    return this.view.getFloat64(at, true)
  }

  /** @throws {WireFormatError} for what is no UTF-8 */
  string(): string {
    const text = this.stringIfUtf8()
    if (text === undefined) throw new WireFormatError('protobuf: a string is not UTF-8')
    return text
  }

  /** The same, `undefined` for what is no UTF-8. */
  stringIfUtf8(): string | undefined {
    const length = this.#length()
    const { bytes } = this
    const start = this.pos
    const end = start + length
    this.pos = end
    if (length <= SHORT_STRING_BYTES) {
      let text = ''
      let at = start
      for (; at < end; at++) {
        const byte = bytes[at]!
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (at === end) return text
    }
    return this.decode(start, end)
  }

  /** `undefined` for what is no UTF-8. */
  decode(start: number, end: number): string | undefined {
    try {
      return decoder.decode(this.bytes.subarray(start, end))
    } catch {
      return undefined
    }
  }

  /** Enters a nested message (or a packed list); `close` with the returned value leaves it. */
  open(): number {
    const length = this.#length()
    const outer = this.end
    this.end = this.pos + length
    return outer
  }

  /** Passes over what is left of the nested message. */
  close(outerEnd: number): void {
    this.pos = this.end
    this.end = outerEnd
  }

  /** Passes over a field's value. */
  skip(tag: number): void {
    switch (tag & 7) {
      case ProtoType.VARINT:
        this.#varint()
        return
      case ProtoType.FIXED64:
        return this.#advance(8)
      case ProtoType.BYTES:
        return this.#advance(this.#length())
      case ProtoType.FIXED32:
        return this.#advance(4)
      default:
        throw new WireFormatError(`protobuf: wire type ${tag & 7} of field ${tag >>> 3}`)
    }
  }

  #advance(count: number): void {
    if (count > this.end - this.pos) throw endsEarly()
    this.pos += count
  }

  #length(): number {
    const length = this.uint64()
    if (length > this.end - this.pos) throw endsEarly()
    return length
  }

  #varint(): void {
    const { bytes, end } = this
    let { pos } = this
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw endsEarly()
      const byte = bytes[pos++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break
        this.pos = pos
        this.#low = low >>> 0
        this.#high = high >>> 0
        return
      }
    }
    throw new WireFormatError('protobuf: a number is longer than 64 bits')
  }
}

const endsEarly = (): WireFormatError => new WireFormatError('protobuf: the message ends early')
