import type { Labels } from '../../model/index.ts'
import { xxHash64 } from '../../lib/index.ts'

/**
 * Where a label set falls on the scale 0–1: xxHash64 over the labels as Prometheus lays them out in memory (each string
 * behind its length: one byte, or 255 and three bytes, low first). The same on every machine, so that `limit_ratio` agrees.
 */
export function hashRatio(labels: Labels): number {
  const parts: Buffer[] = []
  for (const text of labels) {
    const bytes = Buffer.from(text)
    const n = bytes.length
    parts.push(Buffer.from(n < 255 ? [n] : [255, n & 255, (n >> 8) & 255, (n >> 16) & 255]), bytes)
  }
  return Number(xxHash64(Buffer.concat(parts))) / 2 ** 64
}
