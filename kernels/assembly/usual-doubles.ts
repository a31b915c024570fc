// Covered by bench/micro/number-format.bench.ts. Twin: number-format-twin.ts.

import { mulHigh } from './mul-high'
import { POWER_MIN, POWERS } from './powers-of-ten'

const ZERO: u8 = 48
const POINT: u8 = 46
/** `0.000000` */
const ZEROS: u64 = 0x3030303030302e30
const HALF: u32 = 100000000

/**
 * Writes a double from 10^-6 to 2^53 that is not whole, `bits` without its sign, as `writeShortest` does, of whose products it
 * only computes the upper parts. Up to 32 bytes are written. Returns the end, or 0 where those parts do not decide.
 */
export function writeUsual(bits: u64, p: usize): usize {
  const fraction = bits & 0xfffffffffffff
  // The neighbours of powers of two are not equally near.
  if (fraction == 0) return 0
  const q = <i32>(bits >> 52) - 1075
  const k = (q * 1262611) >> 22
  const h = <u64>(q + ((-k * 1741647) >> 19) + 1)
  const power = POWERS + ((<usize>(-k - POWER_MIN)) << 4)
  const high = load<u64>(power)
  const factor = (fraction | 0x10000000000000) << (h + 2)
  const low1 = high * factor
  const low2 = mulHigh(high, factor)
  const up = h + 1
  const step1 = (high << up) | (load<u64>(power, 8) >> (64 - up))
  const step2 = high >> (64 - up)
  const above1 = low1 + step1
  const below1 = low1 - step1
  // What is left out would add at most the factor to each of them, or take one away.
  const clear = u64.MAX_VALUE - 8 - factor
  if (<u32>(low1 - 4 < clear) & <u32>(above1 - 4 < clear) & <u32>(below1 - 4 < clear)) {
    const above2 = low2 + step2 + <u64>(above1 < low1)
    const below2 = low2 - step2 - <u64>(low1 < step1)
    const odd = bits & 1
    return writeSixteenOrMore(low2 >> 2, low2 | 1, (below2 | 1) + odd, (above2 | 1) - odd, k, p)
  }
  return 0
}

// The shortest number of those that are nearer to one double than to any other. Arguments are multiples of 10^exponent: `scaled`
// is the double, rounded down, of 16 or 17 digits; `middle`, `lower` and `upper` are four times the double and the ends of what
// is nearest to it.
// @ts-ignore: decorator
@inline
function writeSixteenOrMore(scaled: u64, middle: u64, lower: u64, upper: u64, exponent: i32, p: usize): usize {
  // Below 2^60 the estimate of the division is off by one at most.
  let high = <u32><i64>(<f64><i64>scaled * 1e-8)
  let low = <i32>(<i64>scaled - <i64>high * HALF)
  if (low < 0) {
    high--
    low += HALF
  }
  // One digit less if one such number is near enough, or the nearer of the two beside the double. Nobody can foretell which it
  // will be: it is picked by masks, as a branch would be mispredicted half of the time.
  const digit = low % 10
  const four = scaled << 2
  const tenAbove = <i32>(four - 4 * digit + 40 <= upper)
  const isTen = <i32>(lower <= four - 4 * digit) ^ tenAbove
  const oneAbove = <i32>(four + 4 <= upper)
  const isOne = <i32>(lower <= four) ^ oneAbove
  const isNearer = <i32>(middle > four + 2 - (scaled & 1))
  low += picked(isTen, 10 * tenAbove - digit, picked(isOne, oneAbove, isNearer))
  if (low >= <i32>HALF) {
    high++
    low -= HALF
  }
  const first = high / HALF
  const rest = sixteenDigits(high - first * HALF, low)
  const lead = <i32>(first > 0)
  const used = lead + 32 - clz(i8x16.bitmask(i8x16.ne(rest, i8x16.splat(ZERO))))
  return writePointed(first, lead, rest, used, exponent + 16 + lead, p)
}

// `used` digits, the first one in front of the rest where `lead` is 1; `point` of them stand before the decimal point.
// @ts-ignore: decorator
@inline
function writePointed(first: u32, lead: i32, rest: v128, used: i32, point: i32, p: usize): usize {
  if (point <= 0) {
    store<u64>(p, ZEROS)
    const at = p + 2 - point
    store<u8>(at, ZERO + <u8>first)
    v128.store(at + lead, rest)
    return at + used
  }
  // Digits from the point on move one place to the right; the byte at the point is written anew.
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  const moved = i8x16.add(places, i8x16.gt_s(places, i8x16.splat(<i8>(point - lead))))
  store<u8>(p, ZERO + <u8>first)
  v128.store(p + lead, i8x16.swizzle(rest, moved))
  store<u8>(p + lead, i8x16.extract_lane_u(rest, 15), 16)
  store<u8>(p + point, POINT)
  return p + used + 1
}

// `a` where `is` is 1, `b` where it is 0.
// @ts-ignore: decorator
@inline
function picked(is: i32, a: i32, b: i32): i32 {
  return b ^ ((a ^ b) & -is)
}

// The digits of two numbers below 100,000,000 as ASCII, zeros in front: split into fours, pairs and digits side by side.
// @ts-ignore: decorator
@inline
function sixteenDigits(high: u32, low: u32): v128 {
  const eights = i32x4(high, low, 0, 0)
  // w / 10,000 for any w of 32 bits.
  const upperFours = i64x2.shr_u(i64x2.extmul_low_i32x4_u(eights, i32x4.splat(0xd1b71759)), 45)
  const wide = i64x2.extend_low_i32x4_u(eights)
  const lowerFours = i32x4.sub(wide, i32x4.dot_i16x8_s(upperFours, i32x4.splat(10000)))
  const fours = v128.or(upperFours, i64x2.shl(lowerFours, 32))
  const upperPairs = i32x4.shr_u(i32x4.dot_i16x8_s(fours, i32x4.splat(10486)), 20)
  const lowerPairs = i32x4.sub(fours, i32x4.dot_i16x8_s(upperPairs, i32x4.splat(100)))
  const pairs = v128.or(upperPairs, i32x4.shl(lowerPairs, 16))
  const tens = i16x8.shr_u(i16x8.mul(pairs, i16x8.splat(103)), 10)
  const ones = i16x8.sub(pairs, i16x8.mul(tens, i16x8.splat(10)))
  return i8x16.add(v128.or(tens, i16x8.shl(ones, 8)), i8x16.splat(ZERO))
}
