import { MalformedBytesError } from '../bytes.ts'

/** Appends numbers and strings as Prometheus' files have them: big-endian, varints of up to 64 bits. */
export class BigEndianWriter {
  #bytes = Buffer.allocUnsafe(1 << 10)
  #length = 0

  /** What was written; valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32BE(value, this.#length)
  }

  /** A whole number up to 2^53. */
  u64(value: number): void {
    this.u32(Math.floor(value / 2 ** 32))
    this.u32(value % 2 ** 32)
  }

  /** A whole number from 0 to 2^53. */
  uvarint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  /** A whole number, |value| ≤ 2^52. */
  varint(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  string(text: string): void {
    const size = Buffer.byteLength(text)
    this.uvarint(size)
    this.#reserve(size)
    this.#length += this.#bytes.write(text, this.#length)
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

// So many bits of seven each are surely a whole number.
const SAFE_BITS = 49n
const SAFE_FACTOR = 2 ** 49

/** Reads what `BigEndianWriter` wrote. @throws {MalformedBytesError} at the end of the bytes */
export class BigEndianReader {
  at: number
  readonly #bytes: Buffer
  readonly #end: number

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    if (from < 0 || to > bytes.length || from > to) throw new MalformedBytesError('the bytes end early')
    this.#bytes = bytes
    this.at = from
    this.#end = to
  }

  get left(): number {
    return this.#end - this.at
  }

  u8(): number {
    this.#need(1)
    return this.#bytes[this.at++]!
  }

  u32(): number {
    this.#need(4)
    this.at += 4
    return this.#bytes.readUInt32BE(this.at - 4)
  }

  u64(): number {
    return checked(this.u32() * 2 ** 32 + this.u32())
  }

  /** Two's complement. */
  i64(): number {
    this.#need(8)
    this.at += 8
    return checked(this.#bytes.readInt32BE(this.at - 8) * 2 ** 32 + this.#bytes.readUInt32BE(this.at - 4))
  }

  f64(): number {
    this.#need(8)
    this.at += 8
    return this.#bytes.readDoubleBE(this.at - 8)
  }

  uvarint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 63; factor *= 128) {
      const byte = this.u8()
      value += (byte & 127) * factor
      if (byte < 128) return checked(value)
    }
    throw new MalformedBytesError('a number has too many bytes')
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor < SAFE_FACTOR; factor *= 128) {
      const byte = this.u8()
      value += (byte & 127) * factor
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    return this.#longVarint(BigInt(value))
  }

  /** @param low what the bytes so far have said */
  #longVarint(low: bigint): number {
    let value = low
    for (let shift = SAFE_BITS; shift <= 63n; shift += 7n) {
      const byte = this.u8()
      value |= BigInt(byte & 127) << shift
      // The ends of 64 bits stand for "everything": as numbers they are only a little off.
      if (byte < 128) return Number((value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n))
    }
    throw new MalformedBytesError('a number has too many bytes')
  }

  string(): string {
    const size = this.uvarint()
    this.#need(size)
    this.at += size
    return this.#bytes.toString('utf8', this.at - size, this.at)
  }

  skip(size: number): void {
    this.#need(size)
    this.at += size
  }

  #need(size: number): void {
    if (this.left < size) throw new MalformedBytesError('the bytes end early')
  }
}

function checked(value: number): number {
  if (!Number.isSafeInteger(value)) throw new MalformedBytesError('a number is too large')
  return value
}
