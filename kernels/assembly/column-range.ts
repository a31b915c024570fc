// What the integers of a stream have in common: range and greatest common step. Twin: ../column-stream-twin.ts.

// Distance from the first value up to which every difference fits the widest mini-block.
const DISTANCE_MAX: i64 = 0x100_0000_0000_0000

// @ts-ignore: decorator
@inline
export function at64(p: usize, i: i32): usize {
  return p + (<usize>i << 3)
}

/** What `findRange` found last. */
export let rangeLow: i64 = 0
export let rangeHigh: i64 = 0
// Bits that any of the differences has that `subtractFirst` made last.
let rangeBits: i64 = 0

function greatestCommonDivisor(a: u64, b: u64): u64 {
  while (b) {
    const rest = a % b
    a = b
    b = rest
  }
  return a
}

/** Finds the least and the greatest of y[from, to). */
// @ts-ignore: decorator
@inline
export function findRange(y: usize, from: i32, to: i32): void {
  let low = v128.load64_splat(at64(y, from))
  let high = low
  let p = at64(y, from)
  const last = at64(y, to - 1)
  for (; p < last; p += 16) {
    const pair = v128.load(p)
    low = v128.bitselect(pair, low, i64x2.gt_s(low, pair))
    high = v128.bitselect(pair, high, i64x2.gt_s(pair, high))
  }
  if (p == last) {
    const one = v128.load64_splat(p)
    low = v128.bitselect(one, low, i64x2.gt_s(low, one))
    high = v128.bitselect(one, high, i64x2.gt_s(one, high))
  }
  rangeLow = min(i64x2.extract_lane(low, 0), i64x2.extract_lane(low, 1))
  rangeHigh = max(i64x2.extract_lane(high, 0), i64x2.extract_lane(high, 1))
}

/** Takes x[0] off every x, in place; false where what is left is too far apart to be written. `count` > 0. */
export function subtractFirst(x: usize, count: i32): bool {
  const first = load<i64>(x)
  const firsts = i64x2.splat(first)
  let bits = i64x2.splat(0)
  let i = 0
  for (; i + 1 < count; i += 2) {
    const y = i64x2.sub(v128.load(at64(x, i)), firsts)
    v128.store(at64(x, i), y)
    bits = v128.or(bits, y)
  }
  rangeBits = i64x2.extract_lane(bits, 0) | i64x2.extract_lane(bits, 1)
  if (i < count) {
    const y = load<i64>(at64(x, i)) - first
    store<i64>(at64(x, i), y)
    rangeBits |= y
  }
  findRange(x, 0, count)
  return rangeHigh < DISTANCE_MAX && rangeLow > -DISTANCE_MAX
}

/** The greatest common divisor of y, 1 when all of them are 0, after `subtractFirst`. */
export function findStep(y: usize, count: i32): u64 {
  if (rangeBits == 0) return 1
  const twos = ctz<u64>(<u64>rangeBits)
  // Some y is odd without the twos that all have in common: an even divisor of those before it leaves nothing but 1.
  let divisor: u64 = 0
  for (let i = 1; i < count; i++) {
    const value = load<i64>(at64(y, i)) >> <i64>twos
    if (value == 0) continue
    divisor = greatestCommonDivisor(<u64>(value < 0 ? -value : value), divisor)
    if (divisor != 0 && (divisor & (divisor - 1)) == 0) return <u64>1 << twos
  }
  return divisor << twos
}

/** Divides every y by `step`, which it is a multiple of: by shifting, and by the inverse of what is odd modulo 2^64. */
export function divideAll(y: usize, count: i32, step: u64): void {
  const twos = ctz<u64>(step)
  const odd = step >> twos
  // Right in three bits; each round doubles them.
  let inverse = odd
  for (let round = 0; round < 5; round++) inverse *= 2 - odd * inverse
  for (let i = 0; i < count; i++) {
    store<i64>(at64(y, i), (load<i64>(at64(y, i)) >> <i64>twos) * <i64>inverse)
  }
}

