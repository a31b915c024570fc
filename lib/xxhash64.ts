const MASK = (1n << 64n) - 1n
const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n

const rotateLeft = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK

const round = (held: bigint, lane: bigint): bigint => (rotateLeft((held + lane * PRIME_2) & MASK, 31n) * PRIME_1) & MASK

const mergeRound = (hash: bigint, held: bigint): bigint => ((hash ^ round(0n, held)) * PRIME_1 + PRIME_4) & MASK

/** xxHash64 with seed 0. BigInt is slow, and good enough for once per series. */
export function xxHash64(data: Buffer): bigint {
  let at = 0
  let hash: bigint
  if (data.length >= 32) {
    const lanes = [(PRIME_1 + PRIME_2) & MASK, PRIME_2, 0n, -PRIME_1 & MASK]
    for (; at + 32 <= data.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, data.readBigUInt64LE(at + 8 * i))
    }
    hash =
      (rotateLeft(lanes[0]!, 1n) +
        rotateLeft(lanes[1]!, 7n) +
        rotateLeft(lanes[2]!, 12n) +
        rotateLeft(lanes[3]!, 18n)) &
      MASK
    for (const lane of lanes) hash = mergeRound(hash, lane)
  } else {
    hash = PRIME_5
  }
  hash = (hash + BigInt(data.length)) & MASK
  for (; at + 8 <= data.length; at += 8) {
    hash = (rotateLeft(hash ^ round(0n, data.readBigUInt64LE(at)), 27n) * PRIME_1 + PRIME_4) & MASK
  }
  if (at + 4 <= data.length) {
    hash = (rotateLeft(hash ^ ((BigInt(data.readUInt32LE(at)) * PRIME_1) & MASK), 23n) * PRIME_2 + PRIME_3) & MASK
    at += 4
  }
  for (; at < data.length; at++)
    hash = (rotateLeft(hash ^ ((BigInt(data[at]!) * PRIME_5) & MASK), 11n) * PRIME_1) & MASK
  hash = ((hash ^ (hash >> 33n)) * PRIME_2) & MASK
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK
  return hash ^ (hash >> 32n)
}
