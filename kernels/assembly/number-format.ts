// Covered by bench/micro/number-format.bench.ts. Twin: number-format-twin.ts.
import { mulHigh } from './mul-high'
import { POWER_MIN, POWERS } from './powers-of-ten'
import { writeUsual } from './usual-doubles'

// "00" … "99".
const PAIRS: usize = memory.data<u8>([
  48, 48, 48, 49, 48, 50, 48, 51, 48, 52, 48, 53, 48, 54, 48, 55, 48, 56, 48, 57, 49, 48, 49, 49, 49, 50, 49, 51, 49, 52, 49, 53,
  49, 54, 49, 55, 49, 56, 49, 57, 50, 48, 50, 49, 50, 50, 50, 51, 50, 52, 50, 53, 50, 54, 50, 55, 50, 56, 50, 57, 51, 48, 51, 49,
  51, 50, 51, 51, 51, 52, 51, 53, 51, 54, 51, 55, 51, 56, 51, 57, 52, 48, 52, 49, 52, 50, 52, 51, 52, 52, 52, 53, 52, 54, 52, 55,
  52, 56, 52, 57, 53, 48, 53, 49, 53, 50, 53, 51, 53, 52, 53, 53, 53, 54, 53, 55, 53, 56, 53, 57, 54, 48, 54, 49, 54, 50, 54, 51,
  54, 52, 54, 53, 54, 54, 54, 55, 54, 56, 54, 57, 55, 48, 55, 49, 55, 50, 55, 51, 55, 52, 55, 53, 55, 54, 55, 55, 55, 56, 55, 57,
  56, 48, 56, 49, 56, 50, 56, 51, 56, 52, 56, 53, 56, 54, 56, 55, 56, 56, 56, 57, 57, 48, 57, 49, 57, 50, 57, 51, 57, 52, 57, 53,
  57, 54, 57, 55, 57, 56, 57, 57,
])

// `,[`, a sign, 17 digits, a point and 3 digits, `,"`, and the length.
const PREFIX_BYTES: usize = 32

const ZERO: u8 = 48
const MINUS: u8 = 45
const POINT: u8 = 46

/**
 * Writes `n` points `[seconds,"value"]` with commas between them to `out` and returns the end. Timestamps are whole
 * milliseconds; at most 64 bytes a point are written.
 */
export function formatPoints(timestampsMs: usize, values: usize, n: i32, out: usize): usize {
  let p = out
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 3
    if (i > 0) store<u8>(p++, 44) // ,
    store<u8>(p, 91) // [
    p = writeSeconds(load<f64>(timestampsMs + at), p + 1)
    store<u16>(p, 0x222c) // ,"
    p = formatSample(load<f64>(values + at), p + 2)
    store<u16>(p, 0x5d22) // "]
    p += 2
  }
  return p
}

/**
 * Writes the beginnings `,[seconds,"` of `n` points to `out`, `PREFIX_BYTES` apart, each with its length in the last byte.
 */
export function formatPrefixes(timestampsMs: usize, n: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const at = out + <usize>i * PREFIX_BYTES
    store<u16>(at, 0x5b2c) // ,[
    const p = writeSeconds(load<f64>(timestampsMs + (<usize>i << 3)), at + 2)
    store<u16>(p, 0x222c) // ,"
    store<u8>(at, <u8>(p + 2 - at), PREFIX_BYTES - 1)
  }
}

/** As `formatPoints`, with the beginnings that `formatPrefixes` wrote; a comma comes before the first point, too. */
export function formatPrefixedPoints(prefixes: usize, values: usize, n: i32, out: usize): usize {
  let p = out
  let prefix = prefixes
  for (let i = 0; i < n; i++, prefix += PREFIX_BYTES) {
    v128.store(p, v128.load(prefix))
    v128.store(p, v128.load(prefix, 16), 16)
    p = formatSample(load<f64>(values + (<usize>i << 3)), p + load<u8>(prefix, PREFIX_BYTES - 1))
    store<u16>(p, 0x5d22) // "]
    p += 2
  }
  return p
}

/** Writes a sample's value as the query API prints it to `out` (32 bytes free) and returns the end. */
export function formatSample(value: f64, out: usize): usize {
  const bits = reinterpret<u64>(value)
  let p = out
  if (((bits >> 52) & 0x7ff) == 0x7ff) return writeSpecial(bits, p)
  if (bits >> 63) store<u8>(p++, MINUS)
  const magnitude = abs(value)
  if (magnitude < 9007199254740992.0) {
    // Conversions of signed numbers are single instructions.
    const whole = <i64>magnitude
    if (<f64>whole == magnitude) return writeInteger(<u64>whole, p)
    // Up to 6 decimals and 15 digits: if it reads back it is the shortest, as no two decimals that short share a double.
    if (magnitude < 1e9 && magnitude >= 1e-6) {
      const scaled = nearest(magnitude * 1e6)
      if (scaled / 1e6 == magnitude) return writeMillionths(<u32>whole, <u32>(<i64>scaled - whole * 1000000), p)
    }
    if (magnitude >= 1e-6) {
      const end = writeUsual(bits & 0x7fffffffffffffff, p)
      if (end != 0) return end
    }
  }
  return writeShortest(bits & 0x7fffffffffffffff, magnitude, p)
}

// A whole part and a fraction of 1 to 999,999 millionths, without zeros at the end.
// @ts-ignore: decorator
@inline
function writeMillionths(whole: u32, millionths: u32, out: usize): usize {
  const p = writeInteger(whole, out)
  const digits = eightDigits(millionths * 100)
  store<u8>(p, POINT)
  store<u64>(p, digits, 1)
  // The last digit is in the highest byte.
  const zeros = <usize>(clz(digits ^ 0x3030303030303030) >> 3)
  return p + 9 - zeros
}

function writeSpecial(bits: u64, p: usize): usize {
  if (bits & 0xfffffffffffff) {
    store<u8>(p, 78)
    store<u8>(p, 97, 1)
    store<u8>(p, 78, 2)
    return p + 3
  }
  store<u32>(p, bits >> 63 ? 0x666e492d : 0x666e492b) // -Inf, +Inf
  return p + 4
}

// Seconds, and if there are milliseconds a point and exactly three digits.
function writeSeconds(timestampMs: f64, out: usize): usize {
  let p = out
  if (timestampMs < 0) store<u8>(p++, MINUS)
  const total = <u64>abs(timestampMs)
  const seconds = total / 1000
  p = writeInteger(seconds, p)
  const ms = <u32>(total - seconds * 1000)
  if (ms == 0) return p
  const tens = ms / 10
  store<u8>(p, POINT)
  store<u16>(p, load<u16>(PAIRS + ((<usize>tens) << 1)), 1)
  store<u8>(p, ZERO + <u8>(ms - tens * 10), 3)
  return p + 4
}

// The shortest decimal between the neighbours' midpoints, nearest to the value: Schubfach (R. Giulietti, 2020).
function writeShortest(bits: u64, magnitude: f64, p: usize): usize {
  const fraction = bits & 0xfffffffffffff
  const exponent = <i32>(bits >> 52)
  const c: u64 = exponent == 0 ? fraction : fraction | 0x10000000000000
  const q: i32 = exponent == 0 ? -1074 : exponent - 1075
  const atPowerOfTwo = fraction == 0 && exponent > 1
  const odd: u64 = c & 1
  // k = floor(log10(2^q)), or of 3/4 of it where the lower neighbour is nearer; h aligns the products.
  const k = (q * 1262611 - (atPowerOfTwo ? 524031 : 0)) >> 22
  const h = <u64>(q + ((-k * 1741647) >> 19) + 1)
  const power = POWERS + ((<usize>(-k - POWER_MIN)) << 4)
  const high = load<u64>(power)
  const low = load<u64>(power, 8)
  // The product of 192 bits for the value itself; the midpoints' lie a multiple of the power above and below.
  const factor = (c << 2) << h
  const low0 = low * factor
  const carried = mulHigh(low, factor)
  const low1 = high * factor + carried
  const low2 = mulHigh(high, factor) + <u64>(low1 < carried)
  const middle = roundToOdd(low2, low1)
  const up = h + 1
  const plus0 = low << up
  const plus1 = (high << up) | (low >> (64 - up))
  const above0 = low0 + plus0
  const above1 = low1 + plus1
  const above1Carried = above1 + <u64>(above0 < low0)
  const above2 = low2 + (high >> (64 - up)) + (<u64>(above1 < low1) | <u64>(above1Carried < above1))
  const upper = roundToOdd(above2, above1Carried) - odd
  const down = atPowerOfTwo ? h : up
  const minus0 = low << down
  const minus1 = (high << down) | (low >> (64 - down))
  const below1 = low1 - minus1
  const borrow = <u64>(low0 < minus0)
  const below2 = low2 - (high >> (64 - down)) - (<u64>(low1 < minus1) | <u64>(below1 < borrow))
  const lower = roundToOdd(below2, below1 - borrow) + odd
  const s = middle >> 2
  if (s >= 10) {
    const tenth = mulHigh(s, 0xcccccccccccccccd) >> 3
    const below = lower <= 40 * tenth
    const above = 40 * tenth + 40 <= upper
    if (below != above) return writeDecimal(tenth + <u64>above, k + 1, magnitude, p)
  }
  const below = lower <= s << 2
  const above = (s << 2) + 4 <= upper
  if (below != above) return writeDecimal(s + <u64>above, k, magnitude, p)
  const half = (s << 2) + 2
  const isUp = middle > half || (middle == half && (s & 1) != 0)
  return writeDecimal(s + <u64>isUp, k, magnitude, p)
}

// The top 64 bits of a 192-bit product, the lowest of them set when anything below is.
// @ts-ignore: decorator
@inline
function roundToOdd(top: u64, next: u64): u64 {
  return top | <u64>(next > 1)
}

// digits × 10^exponent, where digits > 0 may end in zeros.
function writeDecimal(digits: u64, exponent: i32, magnitude: f64, out: usize): usize {
  let d = digits
  let e = exponent
  if (endsInZero(d)) {
    while (d % 100000000 == 0) {
      d /= 100000000
      e += 8
    }
    if (d % 10000 == 0) {
      d /= 10000
      e += 4
    }
    if (d % 100 == 0) {
      d /= 100
      e += 2
    }
    if (d % 10 == 0) {
      d /= 10
      e += 1
    }
  }
  const n = digitCount(d)
  const point = n + e
  if (magnitude < 1e-6 || magnitude >= 1e21) return writeExponent(d, n, point - 1, out)
  let p = out
  if (point <= 0) {
    store<u16>(p, 0x2e30) // 0.
    p += 2
    for (let i = point; i < 0; i++) store<u8>(p++, ZERO)
    writeDigits(d, p + n)
    return p + n
  }
  writeDigits(d, p + n)
  if (point >= n) {
    p += n
    for (let i = n; i < point; i++) store<u8>(p++, ZERO)
    return p
  }
  // At most 16 digits stand behind the point; a copy of any length would be a call.
  const at = p + point
  v128.store(at, v128.load(at), 1)
  store<u8>(at, POINT)
  return p + n + 1
}

// Divisible by 2 and by 5: the latter by the inverse of 5 modulo 2^64, as a division takes several times as long.
// @ts-ignore: decorator
@inline
function endsInZero(d: u64): bool {
  return (d & 1) == 0 && d * 0xcccccccccccccccd <= 0x3333333333333333
}

function writeExponent(digits: u64, n: i32, exponent: i32, out: usize): usize {
  let p = out + 1 + n
  writeDigits(digits, p)
  store<u8>(out, load<u8>(out, 1))
  if (n == 1) p--
  else store<u8>(out, POINT, 1)
  store<u8>(p, 101) // e
  store<u8>(p, exponent < 0 ? MINUS : 43, 1)
  const e = <u32>abs(exponent)
  if (e < 100) {
    store<u16>(p, load<u16>(PAIRS + ((<usize>e) << 1)), 2)
    return p + 4
  }
  return writeInteger(e, p + 2)
}

function writeInteger(value: u64, p: usize): usize {
  const end = p + digitCount(value)
  writeDigits(value, end)
  return end
}

// Right-aligned before `end`, so that it takes no second pass.
function writeDigits(value: u64, end: usize): void {
  let p = end
  let v = value
  while (v >= 100000000) {
    const rest = hundredMillions(v)
    p -= 8
    store<u64>(p, eightDigits(<u32>(v - rest * 100000000)))
    v = rest
  }
  let w = <u32>v
  while (w >= 100) {
    const next = w / 100
    p -= 2
    store<u16>(p, load<u16>(PAIRS + ((<usize>(w - next * 100)) << 1)))
    w = next
  }
  if (w >= 10) store<u16>(p - 2, load<u16>(PAIRS + ((<usize>w) << 1)))
  else store<u8>(p - 1, ZERO + <u8>w)
}

// v / 100,000,000. Below 2^60 the estimate is off by one at most; a division of 64 bits takes several times as long.
// @ts-ignore: decorator
@inline
function hundredMillions(v: u64): u64 {
  if (v >= 0x1000000000000000) return v / 100000000
  const rest = <u64><i64>(<f64><i64>v * 1e-8)
  const left = <i64>(v - rest * 100000000)
  return left < 0 ? rest - 1 : left >= 100000000 ? rest + 1 : rest
}

// The eight digits of a number below 100,000,000 as ASCII, the first in the lowest byte: halves, pairs and digits are split
// side by side in one word.
// @ts-ignore: decorator
@inline
function eightDigits(w: u32): u64 {
  const high = w / 10000
  const halves = <u64>high | (<u64>(w - high * 10000) << 32)
  const hundreds = ((halves * 10486) >> 20) & 0x0000007f0000007f
  const pairs = hundreds | ((halves - hundreds * 100) << 16)
  const tens = ((pairs * 103) >> 10) & 0x000f000f000f000f
  return (tens | ((pairs - tens * 10) << 8)) | 0x3030303030303030
}

function digitCount(value: u64): i32 {
  if (value < 100000000) {
    const v = <u32>value
    if (v < 10000) return v < 100 ? (v < 10 ? 1 : 2) : v < 1000 ? 3 : 4
    return v < 1000000 ? (v < 100000 ? 5 : 6) : v < 10000000 ? 7 : 8
  }
  if (value < 1000000000000) {
    if (value < 10000000000) return value < 1000000000 ? 9 : 10
    return value < 100000000000 ? 11 : 12
  }
  if (value < 10000000000000000) {
    if (value < 100000000000000) return value < 10000000000000 ? 13 : 14
    return value < 1000000000000000 ? 15 : 16
  }
  if (value < 1000000000000000000) return value < 100000000000000000 ? 17 : 18
  return value < 10000000000000000000 ? 19 : 20
}
