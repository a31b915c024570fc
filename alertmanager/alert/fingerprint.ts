import type { Labels } from '../../model/index.ts'

const encoder = new TextEncoder()
const SEPARATOR = 0xff

/**
 * Identity of an alert: 64-bit FNV-1a over `name 0xff value 0xff …`, as 16 hexadecimal digits. The same digits as the
 * original's, so that links and scripts which carry them stay valid.
 */
export function fingerprintOf(labels: Labels): string {
  const hash = new Fnv64()
  for (const text of labels) hash.addText(encoder.encode(text))
  return hash.digits()
}

/** The first 32 of its 64 bits, signed. */
export const highHalfOf = (fingerprint: string): number => Number.parseInt(fingerprint.slice(0, 8), 16) | 0

const digits = Buffer.alloc(8)

/** In two halves of 32 bits, since numbers have no 64. */
export class Fnv64 {
  #high = 0xcbf29ce4 | 0
  #low = 0x84222325 | 0

  get highHalf(): number {
    return this.#high
  }

  /** The bytes of a text, and what keeps it apart from the next. */
  addText(bytes: Uint8Array, from = 0, to = bytes.length): void {
    let high = this.#high
    let low = this.#low
    for (let i = from; i <= to; i++) {
      low ^= i < to ? bytes[i]! : SEPARATOR
      // Times the prime 2^40 + 0x1b3; the lower half in two parts, so that what it carries over is not lost.
      const lowest = (low & 0xffff) * 0x1b3
      const middle = (low >>> 16) * 0x1b3 + (lowest >>> 16)
      high = (Math.imul(high, 0x1b3) + (middle >>> 16) + (low << 8)) | 0
      low = (middle << 16) | (lowest & 0xffff)
    }
    this.#high = high
    this.#low = low
  }

  digits(): string {
    digits.writeInt32BE(this.#high, 0)
    digits.writeInt32BE(this.#low, 4)
    return digits.toString('hex')
  }
}
