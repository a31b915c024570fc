import type { Labels } from '../../model/index.ts'

const encoder = new TextEncoder()
const SEPARATOR = 0xff

/**
 * Identity of an alert: 64-bit FNV-1a over `name 0xff value 0xff …`, as 16 hexadecimal digits. The same digits as the
 * original's, so that links and scripts which carry them stay valid.
 */
export function fingerprintOf(labels: Labels): string {
  const hash = new Fnv64()
  for (const text of labels) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) {
        for (const byte of encoder.encode(text.slice(i))) hash.add(byte)
        break
      }
      hash.add(code)
    }
    hash.add(SEPARATOR)
  }
  return hash.digits()
}

/** In two halves of 32 bits. */
class Fnv64 {
  #high = 0xcbf29ce4 | 0
  #low = 0x84222325 | 0

  add(byte: number): void {
    const low = this.#low ^ byte
    // Times the prime 2^40 + 0x1b3; the lower half in two parts, so that what it carries over is not lost.
    const lowest = (low & 0xffff) * 0x1b3
    const middle = (low >>> 16) * 0x1b3 + (lowest >>> 16)
    this.#high = (Math.imul(this.#high, 0x1b3) + (middle >>> 16) + (low << 8)) | 0
    this.#low = (middle << 16) | (lowest & 0xffff)
  }

  digits(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#high) + hex(this.#low)
  }
}
