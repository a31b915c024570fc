import { MalformedBytesError } from '../bytes.ts'
import type { BitReader, BitWriter } from './bits.ts'

// Stands for "no window of bits yet".
const NONE = 0xff

/** A run of float64s, each written as its difference in bits to the one before. */
export class XorValue {
  high = 0
  low = 0
  #leading = NONE
  #trailing = 0

  /** The first one, whole. */
  writeFirst(out: BitWriter, high: number, low: number): void {
    this.high = high
    this.low = low
    out.wide(high, low, 64)
  }

  write(out: BitWriter, high: number, low: number): void {
    const h = (this.high ^ high) >>> 0
    const l = (this.low ^ low) >>> 0
    this.high = high
    this.low = low
    if (h === 0 && l === 0) return out.bits(0, 1)
    const leading = Math.min(31, h !== 0 ? Math.clz32(h) : 32 + Math.clz32(l))
    const trailing = l !== 0 ? 31 - Math.clz32(l & -l) : 63 - Math.clz32(h & -h)
    if (this.#leading !== NONE && leading >= this.#leading && trailing >= this.#trailing) out.bits(0b10, 2)
    else {
      this.#leading = leading
      this.#trailing = trailing
      out.bits(0b11, 2)
      out.bits(leading, 5)
      // 64 is written as 0.
      out.bits((64 - leading - trailing) & 63, 6)
    }
    const t = this.#trailing
    const width = 64 - this.#leading - t
    if (t >= 32) out.wide(0, h >>> (t - 32), width)
    else if (t === 0) out.wide(h, l, width)
    else out.wide(h >>> t, ((l >>> t) | (h << (32 - t))) >>> 0, width)
  }

  readFirst(input: BitReader): void {
    this.low = input.wide(64)
    this.high = input.high
  }

  /** @throws {MalformedBytesError} */
  read(input: BitReader): void {
    if (input.bit() === 0) return
    if (input.bit() === 1) {
      this.#leading = input.bits(5)
      const width = input.bits(6) || 64
      if (this.#leading + width > 64) throw new MalformedBytesError('a float has more than 64 bits')
      this.#trailing = 64 - this.#leading - width
    } else if (this.#leading === NONE) throw new MalformedBytesError('a float refers to a width that was never said')
    const t = this.#trailing
    const low = input.wide(64 - this.#leading - t)
    const { high } = input
    if (t >= 32) this.high = (this.high ^ (low << (t - 32))) >>> 0
    else if (t === 0) {
      this.high = (this.high ^ high) >>> 0
      this.low = (this.low ^ low) >>> 0
    } else {
      this.high = (this.high ^ ((high << t) | (low >>> (32 - t)))) >>> 0
      this.low = (this.low ^ (low << t)) >>> 0
    }
  }
}
