import { MalformedBytesError } from '../bytes.ts'

/** Appends bits, the most significant first, to bytes that grow. */
export class BitWriter {
  #bytes = new Uint8Array(256)
  #length = 0
  /** Bits that are free in the last byte. */
  #free = 0

  /** The lowest `count` (0–32) bits of `value`. */
  bits(value: number, count: number): void {
    if (this.#length + 5 > this.#bytes.length) this.#grow()
    for (let left = count; left > 0; ) {
      if (this.#free === 0) {
        this.#bytes[this.#length++] = 0
        this.#free = 8
      }
      const take = Math.min(this.#free, left)
      const piece = (value >>> (left - take)) & (2 ** take - 1)
      // In bounds: room for five bytes was made.
      this.#bytes[this.#length - 1]! |= piece << (this.#free - take)
      this.#free -= take
      left -= take
    }
  }

  /** The lowest `count` (0–64) bits of a 64-bit word. */
  wide(high: number, low: number, count: number): void {
    if (count > 32) this.bits(high, count - 32)
    this.bits(low, Math.min(count, 32))
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2)
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

/** Reads what `BitWriter` wrote. @throws {MalformedBytesError} at the end of the bytes */
export class BitReader {
  /** Upper half of the word that `wide` read last. */
  high = 0
  readonly #bytes: Uint8Array
  #at: number
  /** Bits of the byte at `#at` that were not read yet. */
  #left = 8

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes
    this.#at = offset
  }

  bit(): number {
    return this.bits(1)
  }

  /** @param count 0–32 */
  bits(count: number): number {
    let value = 0
    for (let left = count; left > 0; ) {
      if (this.#at >= this.#bytes.length) throw new MalformedBytesError('a chunk ends early')
      const take = Math.min(this.#left, left)
      const piece = (this.#bytes[this.#at]! >>> (this.#left - take)) & (2 ** take - 1)
      value = value * 2 ** take + piece
      this.#left -= take
      left -= take
      if (this.#left === 0) {
        this.#at++
        this.#left = 8
      }
    }
    return value
  }

  /** @param count 0–64 @returns the lower half; the upper is in `high` */
  wide(count: number): number {
    this.high = count > 32 ? this.bits(count - 32) : 0
    return this.bits(Math.min(count, 32))
  }
}
