// Decimal numbers of scrape pages as mantissa and exponent of a row entry. Twin: parseDecimal of kernels/lockstep-twin.ts.

const MANTISSA_MAX: u64 = 9007199254740992
const EXPONENT_MAX: i32 = 22

/** Results of the last `parseDecimal` that returned true. */
export let mantissa: i64 = 0
export let exponent: i32 = 0

/** Reads a plain decimal into `mantissa` and `exponent` when both fit a row entry exactly; -0 does not. */
export function parseDecimal(start: usize, end: usize): bool {
  let p = start
  let c: u32 = load<u8>(p)
  const negative = c == 45
  if (negative || c == 43) p++
  let m: u64 = 0
  let digits: i32 = 0
  let fraction: i32 = 0
  let pointSeen: i32 = 0
  let any = false
  for (; p < end; p++) {
    c = load<u8>(p)
    const digit = c - 48
    if (digit < 10) {
      m = m * 10 + <u64>digit
      digits += <i32>(m != 0)
      fraction += pointSeen
      any = true
    } else if (c == 46 && !pointSeen) pointSeen = 1
    else break
  }
  // 18 digits cannot overflow 64 bits; longer ones are checked no further.
  if (!any || digits > 18) return false
  let e: i32 = fraction
  if (p < end) {
    if ((c | 32) != 101) return false
    p++
    if (p == end) return false
    c = load<u8>(p)
    const down = c == 45
    if (down || c == 43) p++
    if (p == end || end - p > 3) return false
    let x: i32 = 0
    for (; p < end; p++) {
      const digit = <u32>load<u8>(p) - 48
      if (digit > 9) return false
      x = x * 10 + <i32>digit
    }
    e += down ? x : -x
  }
  if (m > MANTISSA_MAX) return false
  if (m == 0) {
    if (negative) return false
    e = 0
  }
  // Whole numbers keep exponent 0 however they are printed, so that counters stay comparable from row to row.
  while (e < 0 && m * 10 <= MANTISSA_MAX) {
    m *= 10
    e++
  }
  if (e > EXPONENT_MAX || e < -EXPONENT_MAX) return false
  mantissa = negative ? -(<i64>m) : <i64>m
  exponent = e
  return true
}
