import { ProtoType } from './proto-reader.ts'

const TWO_32 = 2 ** 32
const encoder = new TextEncoder()

/**
 * Writes protobuf into a growing buffer. As proto3 does, zero numbers and empty strings are left out, unless the method says
 * otherwise.
 */
export class ProtoWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  /** A copy of what has been written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** For the next message; the buffer is kept. */
  reset(): void {
    this.#length = 0
  }

  uint64(field: number, value: number): void {
    if (value !== 0) this.uint64Always(field, value)
  }

  /** Zero too. */
  uint64Always(field: number, value: number): void {
    this.#tag(field, ProtoType.VARINT)
    this.#varint(value)
  }

  int64(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, ProtoType.VARINT)
    this.#signed(value)
  }

  sint32(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, ProtoType.VARINT)
    this.#varint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  double(field: number, value: number): void {
    if (Object.is(value, 0)) return
    this.doubleAlways(field, value)
  }

  /** Zero too. */
  doubleAlways(field: number, value: number): void {
    this.#tag(field, ProtoType.FIXED64)
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Any eight bytes of a float64, a NaN's too. */
  doubleBits(field: number, low: number, high: number): void {
    this.#tag(field, ProtoType.FIXED64)
    this.#reserve(8)
    this.#view.setUint32(this.#length, low, true)
    this.#view.setUint32(this.#length + 4, high, true)
    this.#length += 8
  }

  string(field: number, value: string): void {
    if (value !== '') this.stringAlways(field, value)
  }

  /** The empty string too. */
  stringAlways(field: number, value: string): void {
    this.#tag(field, ProtoType.BYTES)
    // Three bytes for a unit of UTF-16 are enough.
    this.#reserve(value.length * 3 + 5)
    const sizeBytes = value.length < 0x80 ? 1 : varintBytes(value.length)
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.#length + sizeBytes))
    this.#putLength(this.#length, sizeBytes, written)
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, ProtoType.BYTES)
    this.#varint(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Fields that have been written already. */
  raw(fields: Uint8Array): void {
    this.#reserve(fields.length)
    this.#bytes.set(fields, this.#length)
    this.#length += fields.length
  }

  /** A number without a tag, as it stands in front of a delimited message. */
  rawVarint(value: number): void {
    this.#varint(value)
  }

  packedSint64(field: number, values: ArrayLike<number>): void {
    if (values.length === 0) return
    const mark = this.open(field)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      // Zigzag: what is negative takes the odd numbers.
      this.#varint(value < 0 ? -2 * value - 1 : 2 * value)
    }
    this.close(mark)
  }

  packedUint32(field: number, values: ArrayLike<number>): void {
    if (values.length === 0) return
    const mark = this.open(field)
    for (let i = 0; i < values.length; i++) this.#varint(values[i]!)
    this.close(mark)
  }

  packedDouble(field: number, values: ArrayLike<number>): void {
    if (values.length === 0) return
    this.#tag(field, ProtoType.BYTES)
    this.#varint(values.length * 8)
    this.#reserve(values.length * 8)
    for (let i = 0; i < values.length; i++) this.#view.setFloat64(this.#length + i * 8, values[i]!, true)
    this.#length += values.length * 8
  }

  /** Begins a nested message; `close` with the returned mark ends it. */
  open(field: number): number {
    this.#tag(field, ProtoType.BYTES)
    return this.openDelimited()
  }

  /** As `open`, but without a tag: a message with its length in front. */
  openDelimited(): number {
    this.#reserve(1)
    return this.#length++
  }

  close(mark: number): void {
    const size = this.#length - mark - 1
    this.#length = mark
    this.#putLength(mark, 1, size)
  }

  /** Content of `size` bytes lies at `at + reserved`; puts its length in front, moving it where that takes more room. */
  #putLength(at: number, reserved: number, size: number): void {
    const needed = varintBytes(size)
    if (needed !== reserved) {
      this.#length = at + reserved + size
      this.#reserve(needed)
      this.#bytes.copyWithin(at + needed, at + reserved, at + reserved + size)
    }
    // Not by #varint: room is there, and growing would keep only what lies before `at`.
    let to = at
    for (let rest = size; ; rest = Math.floor(rest / 128)) {
      this.#bytes[to++] = rest >= 0x80 ? (rest % 128) | 0x80 : rest
      if (rest < 0x80) break
    }
    this.#length = to + size
  }

  #tag(field: number, type: ProtoType): void {
    this.#varint(field * 8 + type)
  }

  #signed(value: number): void {
    if (value >= 0) return this.#varint(value)
    // Two's complement in 64 bits always takes ten bytes.
    let low = value >>> 0
    let high = Math.floor(value / TWO_32) >>> 0
    this.#reserve(10)
    for (let i = 0; i < 9; i++) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.#bytes[this.#length++] = low & 1
  }

  #varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

function varintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) count++
  return count
}
