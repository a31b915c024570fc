import type { Labels } from '../../model/index.ts'

const MASK = (1n << 64n) - 1n
const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n
const SEPARATOR = Buffer.from([0xff])

/** What the original's notification log knows an alert by: xxHash64 of `name 0xff value 0xff …`, as 16 hexadecimal digits. */
export function alertHashOf(labels: Labels): string {
  const bytes = Buffer.concat(labels.flatMap((text) => [Buffer.from(text, 'utf8'), SEPARATOR]))
  return xxHash64(bytes).toString(16).padStart(16, '0')
}

const rotated = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK
const times = (x: bigint, factor: bigint): bigint => (x * factor) & MASK
const mixed = (lane: bigint, input: bigint): bigint => times(rotated((lane + times(input, P2)) & MASK, 31n), P1)

/** With seed 0. BigInt is slow, and good enough for a move that happens once. */
function xxHash64(bytes: Buffer): bigint {
  let at = 0
  let hash = P5
  if (bytes.length >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK]
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = mixed(lanes[i]!, bytes.readBigUInt64LE(at + 8 * i))
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, i) => (sum + rotated(lanes[i]!, bits)) & MASK, 0n)
    for (const lane of lanes) hash = (times(hash ^ mixed(0n, lane), P1) + P4) & MASK
  }
  hash = (hash + BigInt(bytes.length)) & MASK
  for (; at + 8 <= bytes.length; at += 8)
    hash = (times(rotated(hash ^ mixed(0n, bytes.readBigUInt64LE(at)), 27n), P1) + P4) & MASK
  if (at + 4 <= bytes.length) {
    hash = (times(rotated(hash ^ times(BigInt(bytes.readUInt32LE(at)), P1), 23n), P2) + P3) & MASK
    at += 4
  }
  for (; at < bytes.length; at++) hash = times(rotated(hash ^ times(BigInt(bytes[at]!), P5), 11n), P1)
  hash = times(hash ^ (hash >> 33n), P2)
  hash = times(hash ^ (hash >> 29n), P3)
  return hash ^ (hash >> 32n)
}
