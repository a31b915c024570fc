// Floats that are no plain decimals of one exponent: turned into integers in the way that takes the fewest bytes.
// Format: docs/formats/column.md. Twin: ../column-floats-twin.ts.
import { addIntegers, planIntegers, plannedForm, readIntegers, writeIntegers } from './column-integers'
import { at64 } from './column-range'
import { endBits, NEVER, putBits, startBits } from './column-stream'
import { MANTISSA_MAX, powerOfTen } from './row-bytes'

// Low bits of the tag, beside the forms of integers.
export const PLAIN: i32 = 6
export const XOR: i32 = 7
export const ULP: i32 = 8
// Flags of the tag: times a power of ten below one instead of divided by one above; the floats' bits as integers.
export const MULTIPLY: i32 = 0x20
export const BITS: i32 = 0x40

const DIVIDE_EXPONENT_MAX: i32 = 15
const MULTIPLY_EXPONENT_MAX: i32 = 12
// Beyond that many bits a value it pays to look for another way.
const GOOD_BITS: i32 = 20
const RESIDUAL_MAX: i64 = 0x10_0000_0000_0000
// Stands for an integer that is too large.
const TOO_LARGE: i64 = 0x4000_0000_0000_0000
const WINDOWS: i32 = 8
const WINDOW_ROWS: i32 = 16

// prettier-ignore
const INVERSE_POWERS: StaticArray<f64> = [
  1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15,
]

/** What `planFloats` chose: form and flags, exponent, and the form of the residuals. */
export let plannedTag: i32 = 0
export let plannedExponent: i32 = 0
let plannedFirst: i32 = 0
let plannedResidual: i32 = 0

// @ts-ignore: decorator
@inline
function scaled(integer: i64, exponent: i32, isMultiply: bool): f64 {
  return isMultiply
    ? <f64>integer * unchecked(INVERSE_POWERS[exponent])
    : <f64>integer / powerOfTen(exponent)
}

/** The integer that comes closest; `TOO_LARGE` when it is none that a float holds exactly. */
// @ts-ignore: decorator
@inline
function nearest(value: f64, exponent: i32): i64 {
  const x = Math.floor(value * powerOfTen(exponent) + 0.5)
  return x <= <f64>MANTISSA_MAX && x >= <f64>-MANTISSA_MAX ? <i64>x : TOO_LARGE
}

function isExactAt(f: usize, i: i32, exponent: i32, isMultiply: bool): bool {
  const value = load<f64>(at64(f, i))
  const integer = nearest(value, exponent)
  return integer != TOO_LARGE && scaled(integer, exponent, isMultiply) == value
}

/** The smallest exponent with which all values are exact, -1 without one. */
function exactExponent(f: usize, count: i32, from: i32, to: i32, isMultiply: bool): i32 {
  const stride = max(1, count >> 5)
  for (let exponent = from; exponent <= to; exponent++) {
    let isExact = true
    for (let i = 0; i < count && isExact; i += stride) isExact = isExactAt(f, i, exponent, isMultiply)
    for (let i = 0; i < count && isExact; i++) isExact = isExactAt(f, i, exponent, isMultiply)
    if (isExact) return exponent
  }
  return -1
}

function fillIntegers(f: usize, count: i32, exponent: i32, a: usize): void {
  for (let i = 0; i < count; i++) store<i64>(at64(a, i), nearest(load<f64>(at64(f, i)), exponent))
}

/** Integers and how many steps of the last place the floats are away from them; false when it is not possible. */
function fillResiduals(f: usize, count: i32, exponent: i32, isMultiply: bool, a: usize, b: usize): bool {
  for (let i = 0; i < count; i++) {
    const value = load<f64>(at64(f, i))
    const integer = nearest(value, exponent)
    if (integer == TOO_LARGE) return false
    const residual = reinterpret<i64>(value) - reinterpret<i64>(scaled(integer, exponent, isMultiply))
    if (residual >= RESIDUAL_MAX || residual <= -RESIDUAL_MAX) return false
    store<i64>(at64(a, i), integer)
    store<i64>(at64(b, i), residual)
  }
  return true
}

// Ranges over the windows that `residualCost` looks at.
let low: i64 = 0
let high: i64 = 0
function rangeBits(x: usize, count: i32, ofDeltas: bool): i32 {
  low = i64.MAX_VALUE
  high = i64.MIN_VALUE
  for (let window = 0; window < WINDOWS; window++) {
    const from = window * WINDOW_ROWS
    const to = min(from + WINDOW_ROWS, count)
    for (let i = ofDeltas ? from + 1 : from; i < to; i++) {
      const value = ofDeltas ? load<i64>(at64(x, i)) - load<i64>(at64(x, i - 1)) : load<i64>(at64(x, i))
      low = min(low, value)
      high = max(high, value)
    }
  }
  return low > high ? 0 : 64 - <i32>clz<u64>(<u64>(high - low))
}

/** About the bits a value takes as integer and residual, by some windows of rows, copied to `sample`. */
function residualCost(sample: usize, count: i32, exponent: i32, isMultiply: bool, a: usize, b: usize): i32 {
  if (!fillResiduals(sample, count, exponent, isMultiply, a, b)) return 1000
  const integers = min(rangeBits(a, count, false), rangeBits(a, count, true))
  return integers + min(rangeBits(b, count, false), rangeBits(b, count, true))
}

/** The best exponent for integers with residuals, plus 32 for the form that multiplies; -1 when there is none. */
function residualExponent(f: usize, count: i32, a: usize, b: usize, sample: usize): i32 {
  let taken = 0
  for (let window = 0; window < WINDOWS; window++) {
    const from = count <= WINDOWS * WINDOW_ROWS ? taken : window * ((count - WINDOW_ROWS) / (WINDOWS - 1))
    const rows = min(WINDOW_ROWS, count - from)
    memory.copy(at64(sample, taken), at64(f, from), <usize>rows << 3)
    taken += rows
  }
  let best = -1
  let bestCost = 1000
  for (let exponent = 0; exponent <= MULTIPLY_EXPONENT_MAX; exponent++) {
    const cost = residualCost(sample, taken, exponent, false, a, b)
    if (cost >= bestCost) continue
    bestCost = cost
    best = exponent
  }
  if (best > 0 && residualCost(sample, taken, best, true, a, b) < bestCost) return best + 32
  return best
}

/**
 * Chooses how `count` > 0 finite floats at `f` are written; returns the bytes it will take without tag and exponent. `a`,
 * `b` and `sequence` have room for as many integers each.
 */
export function planFloats(f: usize, count: i32, a: usize, b: usize, sequence: usize, isThorough: bool): i32 {
  plannedTag = PLAIN
  plannedExponent = 0
  let best = count << 3
  for (let multiply = 0; multiply < 2; multiply++) {
    const isMultiply = multiply == 1
    const exponentMax = isMultiply ? MULTIPLY_EXPONENT_MAX : DIVIDE_EXPONENT_MAX
    const exponent = exactExponent(f, count, multiply, exponentMax, isMultiply)
    if (exponent < 0) continue
    fillIntegers(f, count, exponent, a)
    const bytes = planIntegers(a, sequence, count, isThorough)
    if (bytes < best) {
      best = bytes
      plannedTag = isMultiply ? plannedForm | MULTIPLY : plannedForm
      plannedExponent = exponent
    }
    if (best << 3 < count * GOOD_BITS) return best
  }
  const choice = residualExponent(f, count, a, b, sequence)
  if (choice >= 0 && fillResiduals(f, count, choice & 31, choice > 31, a, b)) {
    const bytes = planIntegers(a, sequence, count, isThorough)
    const first = plannedForm
    const total = min(NEVER, 2 + bytes + planIntegers(b, sequence, count, isThorough))
    if (total < best) {
      best = total
      plannedTag = choice > 31 ? ULP | MULTIPLY : ULP
      plannedExponent = choice & 31
      plannedFirst = first
      plannedResidual = plannedForm
    }
  }
  const bitsBytes = planIntegers(f, sequence, count, isThorough)
  if (bitsBytes < best) {
    best = bitsBytes
    plannedTag = plannedForm | BITS
    plannedExponent = 0
  }
  const xorBytes = writeXor(0, f, count)
  if (xorBytes < best) {
    best = xorBytes
    plannedTag = XOR
    plannedExponent = 0
  }
  return best
}

/** Writes what `planFloats` planned. */
export function writeFloats(out: usize, f: usize, count: i32, a: usize, b: usize, sequence: usize): usize {
  const form = plannedTag & 15
  if (form == XOR) return out + writeXor(out, f, count)
  if (plannedTag & BITS) return writeIntegers(out, form, f, sequence, count)
  if (form != ULP) {
    fillIntegers(f, count, plannedExponent, a)
    return writeIntegers(out, form, a, sequence, count)
  }
  fillResiduals(f, count, plannedExponent, (plannedTag & MULTIPLY) != 0, a, b)
  store<u8>(out++, <u8>plannedFirst)
  out = writeIntegers(out, plannedFirst, a, sequence, count)
  store<u8>(out++, <u8>plannedResidual)
  return writeIntegers(out, plannedResidual, b, sequence, count)
}

/** Reads `count` > 0 floats that are not PLAIN to `out`; returns where they ended, 0 when they are malformed. */
export function readFloats(p: usize, end: usize, tag: i32, exponent: i32, out: usize, count: i32): usize {
  const form = tag & 15
  const isMultiply = (tag & MULTIPLY) != 0
  if (form == XOR) return readXor(p, end, out, count)
  if (exponent < 0 || exponent > DIVIDE_EXPONENT_MAX) return 0
  if (tag & BITS) return readIntegers(p, end, form, out, count)
  if (form != ULP) {
    p = readIntegers(p, end, form, out, count)
    scaleAll(out, count, exponent, isMultiply)
    return p
  }
  if (p >= end) return 0
  let inner: i32 = load<u8>(p++)
  if (inner < 1 || inner > 5) return 0
  p = readIntegers(p, end, inner, out, count)
  if (p == 0 || p >= end) return 0
  scaleAll(out, count, exponent, isMultiply)
  inner = load<u8>(p++)
  if (inner < 1 || inner > 5) return 0
  return addIntegers(p, end, inner, out, count)
}

function scaleAll(x: usize, count: i32, exponent: i32, isMultiply: bool): void {
  for (let i = 0; i < count; i++) store<f64>(at64(x, i), scaled(load<i64>(at64(x, i)), exponent, isMultiply))
}

/** Each float's bits against those before it; with `out` 0 only the bytes are counted. */
function writeXor(out: usize, f: usize, count: i32): i32 {
  let before = load<i64>(f)
  let bits = 0
  let leading = 65
  let trailing = 0
  if (out != 0) {
    store<i64>(out, before)
    startBits(out + 8)
  }
  for (let i = 1; i < count; i++) {
    const current = load<i64>(at64(f, i))
    const x = <u64>(current ^ before)
    before = current
    if (x == 0) {
      bits++
      if (out != 0) putBits(0, 1)
      continue
    }
    const lead = <i32>clz<u64>(x)
    const trail = <i32>ctz<u64>(x)
    const length = 64 - lead - trail
    // The window of the one before is kept as long as it wastes less than a new one costs.
    if (lead >= leading && trail >= trailing && 64 - leading - trailing <= length + 12) {
      bits += 2 + 64 - leading - trailing
      if (out != 0) {
        putBits(1, 2)
        putBits(x >> <u64>trailing, 64 - leading - trailing)
      }
      continue
    }
    leading = lead
    trailing = trail
    bits += 14 + length
    if (out == 0) continue
    putBits(3 | (<u64>lead << 2) | (<u64>(length - 1) << 8), 14)
    putBits(x >> <u64>trail, length)
  }
  if (out != 0) endBits()
  return 8 + ((bits + 7) >> 3)
}

function readXor(p: usize, end: usize, out: usize, count: i32): usize {
  if (p > end || end - p < 8) return 0
  let value = load<u64>(p)
  p += 8
  const limit = (end - p) << 3
  store<u64>(out, value)
  let bit: usize = 0
  let leading = 0
  let trailing = 0
  for (let i = 1; i < count; i++) {
    if (bit >= limit) return 0
    const word = load<u64>(p + (bit >> 3)) >> <u64>(bit & 7)
    if (!(word & 1)) {
      bit++
      store<u64>(at64(out, i), value)
      continue
    }
    bit += 2
    if (word & 2) {
      leading = <i32>((word >> 2) & 63)
      trailing = 63 - leading - <i32>((word >> 8) & 63)
      if (trailing < 0) return 0
      bit += 12
    }
    const length = 64 - leading - trailing
    if (bit + <usize>length > limit) return 0
    value ^= bitsFrom(p, bit, length) << <u64>trailing
    bit += <usize>length
    store<u64>(at64(out, i), value)
  }
  return p + ((bit + 7) >> 3)
}

/** 1 to 64 bits. */
function bitsFrom(p: usize, bit: usize, length: i32): u64 {
  const shift = <u64>(bit & 7)
  let word = load<u64>(p + (bit >> 3)) >> shift
  if (<i32>shift + length > 64) word |= <u64>load<u8>(p + (bit >> 3) + 8) << (64 - shift)
  return length == 64 ? word : word & ((<u64>1 << <u64>length) - 1)
}
