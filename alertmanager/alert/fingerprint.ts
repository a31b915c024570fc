import type { Labels } from '../../model/index.ts'

const encoder = new TextEncoder()
const SEPARATOR = 0xff

/**
 * Identity of an alert: 64-bit FNV-1a over `name 0xff value 0xff …`, as 16 hexadecimal digits. The same digits as the
 * original's, so that links and scripts which carry them stay valid.
 */
export function fingerprintOf(labels: Labels): string {
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (const text of labels) {
    const bytes = encoder.encode(text)
    for (let i = 0; i <= bytes.length; i++) {
      low = (low ^ (i < bytes.length ? bytes[i]! : SEPARATOR)) >>> 0
      // Times the prime 2^40 + 0x1b3, in two 32-bit halves; every product stays below 2^53.
      const product = low * 0x1b3
      high = (high * 0x1b3 + Math.floor(product / 2 ** 32) + low * 256) % 2 ** 32
      low = product % 2 ** 32
    }
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
