// Byte helpers shared by the row and column kernels: varints with an explicit cursor, and exact decimals.

export const ABSENT: i32 = 0
export const DECIMAL: i32 = 1
export const RAW: i32 = 2
export const STALE: i32 = 3

export const STALE_NAN_BITS: i64 = 0x7ff0000000000002
/** Largest magnitude of a mantissa: up to here every integer is a float64. */
export const MANTISSA_MAX: i64 = 9007199254740992

// prettier-ignore
const POW10_F64: StaticArray<f64> = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]
// prettier-ignore
const POW10_I64: StaticArray<i64> = [
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
  10000000000000, 100000000000000, 1000000000000000,
]

/** Where the last `readVarint` stopped. */
export let cursor: usize = 0

/** Reads an unsigned LEB128 of at most 10 bytes at p; `cursor` is left behind it. */
export function readVarint(p: usize): u64 {
  let value: u64 = 0
  let shift: u64 = 0
  let byte: u64
  do {
    byte = load<u8>(p++)
    value |= (byte & 127) << shift
    shift += 7
  } while (byte & 128 && shift < 70)
  cursor = p
  return value
}

// @ts-ignore: decorator
@inline
export function writeVarint(p: usize, value: u64): usize {
  while (value >= 128) {
    store<u8>(p++, <u8>(value | 128))
    value >>= 7
  }
  store<u8>(p++, <u8>value)
  return p
}

// @ts-ignore: decorator
@inline
export function varintBytes(value: u64): i32 {
  return (70 - <i32>clz<u64>(value | 1)) / 7
}

// @ts-ignore: decorator
@inline
export function zigzag(value: i64): u64 {
  return <u64>((value << 1) ^ (value >> 63))
}

// @ts-ignore: decorator
@inline
export function unzigzag(value: u64): i64 {
  return <i64>(value >> 1) ^ -(<i64>(value & 1))
}

/** The float64 of `mantissa / 10^exponent`: one correctly rounded operation. |exponent| ≤ 22. */
export function decimalToF64(mantissa: i64, exponent: i32): f64 {
  const m = <f64>mantissa
  if (exponent == 0) return m
  if (exponent > 0) return m / unchecked(POW10_F64[min(exponent, 22)])
  return m * unchecked(POW10_F64[min(-exponent, 22)])
}

/** 10^exponent as a float64, exactly. 0 ≤ exponent ≤ 22. */
// @ts-ignore: decorator
@inline
export function powerOfTen(exponent: i32): f64 {
  return unchecked(POW10_F64[exponent])
}

/** Whether `mantissa * 10^by` (by ≥ 0) stays an exact mantissa. */
export function canRescale(mantissa: i64, by: i32): bool {
  if (mantissa == 0) return true
  if (by > 15) return false
  const limit = MANTISSA_MAX / unchecked(POW10_I64[by])
  return mantissa <= limit && mantissa >= -limit
}

/** `mantissa * 10^by`; only after `canRescale`. */
export function rescale(mantissa: i64, by: i32): i64 {
  return mantissa == 0 ? 0 : mantissa * unchecked(POW10_I64[by])
}
