// Sealed columns: the samples of one series over the rows of a chunk or block. Format: docs/formats/column.md. Twin: ../column-twin.ts.
// Covered by bench/micro/column.bench.ts.
import {
  BITS,
  MULTIPLY,
  PLAIN,
  planFloats,
  plannedExponent,
  plannedTag,
  readFloats,
  ULP,
  writeFloats,
} from './column-floats'
import { planIntegers, plannedForm, readIntegers, writeIntegers } from './column-integers'
import { bitsAt, readSpecials, specialsOrdinary, writeSpecials } from './column-specials'
import { at64 } from './column-range'
import { NEVER, SORT_AREA_BYTES, useSortArea } from './column-stream'
import {
  ABSENT,
  canRescale,
  DECIMAL,
  decimalToF64,
  MANTISSA_MAX,
  RAW,
  rescale,
  STALE,
  writeVarint,
  zigzag,
} from './row-bytes'

const EMPTY: i32 = 0
const CONST: i32 = 1
const HAS_SPECIALS: i32 = 0x10
// Decimals that take more bits a value are tried as floats, too.
const GOOD_BITS: i32 = 16

// Areas of the working memory, 8 bytes a row each but `kinds`, 1.
let values: usize = 0
let residuals: usize = 0
let sequence: usize = 0
let floats: usize = 0
let kinds: usize = 0

/**
 * Packs n rows of one series, given as columns m (i64: mantissa or float64 bits), e (i8), k (u8, `SampleKind`), and checks
 * that unpacking gives back every bit. `out` must have room for 32 + 20 * n bytes; `work` for 640 + 42 * n, 8-byte aligned.
 * `effort` 0 weighs the forms roughly, 1 exactly.
 * @returns bytes written
 */
export function columnPack(m: usize, e: usize, k: usize, n: i32, out: usize, work: usize, effort: i32): i32 {
  const constantBytes = packConstant(m, e, k, n, out)
  if (constantBytes > 0) return constantBytes
  useSortArea(work)
  values = work + SORT_AREA_BYTES
  residuals = at64(values, n)
  sequence = at64(residuals, n)
  floats = at64(sequence, n)
  kinds = at64(floats, n) + 16
  const isThorough = effort > 0
  const isOneScale = haveOneScale(m, e, k, n)
  const present = isOneScale ? n : countPresent(k, n)
  if (present == 0) {
    store<u8>(out, <u8>EMPTY)
    return 1
  }
  let bytes = isOneScale ? packOneScale(m, load<i8>(e), n, out, isThorough) : packDecimals(m, e, k, n, out, isThorough)
  // What is already as short as it gets is not tried in other ways.
  const isLong = bytes == NEVER || (bytes << 3 >= present * GOOD_BITS && bytes > 12)
  // Integers that come back as they were stand for the same floats.
  if (!isLong && isOneScale && areIntegers(out, bytes, m, n)) return bytes
  if (isLong) bytes = packFloats(m, e, k, n, out, bytes, isThorough)
  if (isExact(out, bytes, m, e, k, n)) return bytes
  return writePlain(out, m, e, k, n)
}

/** See ColumnKernels.columnsPack. */
export function columnsPack(
  m: usize,
  e: usize,
  k: usize,
  n: i32,
  count: i32,
  present: usize,
  lengths: usize,
  out: usize,
  work: usize,
): i32 {
  let end = out
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2
    const rows = <usize>i * <usize>n
    const length = load<u32>(present + at) == 0 ? 0 : columnPack(m + (rows << 3), e + rows, k + rows, n, end, work, 0)
    store<u32>(lengths + at, length)
    end += length
  }
  return <i32>(end - out)
}

function countPresent(k: usize, n: i32): i32 {
  let present = 0
  for (let i = 0; i < n; i++) if (load<u8>(k + i) != ABSENT) present++
  return present
}

/** Most columns hold one decimal: that is seen at once, and needs no proof. 0 for any other, where nothing is written. */
function packConstant(m: usize, e: usize, k: usize, n: i32, out: usize): i32 {
  if (n == 0) return 0
  const mantissa = load<i64>(m)
  const exponent: i32 = load<i8>(e)
  if (load<i64>(at64(m, n - 1)) != mantissa || !areBytes(k, n, <u8>DECIMAL) || !areBytes(e, n, <u8>exponent)) return 0
  const mantissas = i64x2.splat(mantissa)
  for (let i = 1; i + 1 < n; i += 2) {
    if (!i64x2.all_true(i64x2.eq(v128.load(at64(m, i)), mantissas))) return 0
  }
  if (mantissa > MANTISSA_MAX || mantissa < -MANTISSA_MAX) return 0
  if (mantissa == 0 ? exponent != 0 : exponent <= -22) return 0
  store<u8>(out, <u8>CONST)
  store<i8>(out, <i8>exponent, 1)
  return <i32>(writeVarint(out + 2, zigzag(mantissa)) - out)
}

/** Whether n bytes are all `byte`. */
function areBytes(p: usize, n: i32, byte: u8): bool {
  const bytes = i8x16.splat(byte)
  let i = 0
  for (; i + 16 <= n; i += 16) if (!i8x16.all_true(i8x16.eq(v128.load(p + i), bytes))) return false
  for (; i < n; i++) if (load<u8>(p + i) != byte) return false
  return true
}

/** Whether all rows are decimals of one exponent, exact ones and not all of them 0: the mantissas are the values then. */
function haveOneScale(m: usize, e: usize, k: usize, n: i32): bool {
  if (n == 0 || <i32>load<i8>(e) <= -22 || !areBytes(k, n, <u8>DECIMAL) || !areBytes(e, n, load<u8>(e))) return false
  const high = i64x2.splat(MANTISSA_MAX)
  const low = i64x2.splat(-MANTISSA_MAX)
  const last = v128.load64_splat(at64(m, n - 1))
  let bits = last
  let outside = v128.or(i64x2.gt_s(last, high), i64x2.gt_s(low, last))
  for (let i = 0; i + 1 < n; i += 2) {
    const pair = v128.load(at64(m, i))
    bits = v128.or(bits, pair)
    outside = v128.or(outside, v128.or(i64x2.gt_s(pair, high), i64x2.gt_s(low, pair)))
  }
  return v128.any_true(bits) && !v128.any_true(outside)
}

/** Writes mantissas of one exponent. */
function packOneScale(m: usize, exponent: i32, n: i32, out: usize, isThorough: bool): i32 {
  planIntegers(m, sequence, n, isThorough)
  store<u8>(out, <u8>plannedForm)
  store<i8>(out, <i8>exponent, 1)
  return <i32>(writeIntegers(out + 2, plannedForm, m, sequence, n) - out)
}

/** Whether the integers of a column without specials are those at `x`. */
function areIntegers(out: usize, bytes: i32, x: usize, n: i32): bool {
  const end = out + bytes
  if (readIntegers(out + 2, end, <i32>load<u8>(out), sequence, n) != end) return false
  let differing = i64x2.splat(load<i64>(at64(x, n - 1)) ^ load<i64>(at64(sequence, n - 1)))
  for (let i = 0; i + 1 < n; i += 2) {
    differing = v128.or(differing, v128.xor(v128.load(at64(x, i)), v128.load(at64(sequence, i))))
  }
  return !v128.any_true(differing)
}

/** Writes the rows as decimals of one exponent; those that are none go beside them. `NEVER` when that are too many. */
function packDecimals(m: usize, e: usize, k: usize, n: i32, out: usize, isThorough: bool): i32 {
  let exponent = -22
  for (let i = 0; i < n; i++) {
    if (load<u8>(k + i) != DECIMAL || load<i64>(at64(m, i)) == 0) continue
    exponent = max(exponent, <i32>load<i8>(e + i))
  }
  if (exponent == -22) exponent = 0
  let raws = 0
  let count = 0
  for (let i = 0; i < n; i++) {
    let kind: i32 = load<u8>(k + i)
    if (kind == DECIMAL) {
      const mantissa = load<i64>(at64(m, i))
      const by = max(exponent - <i32>load<i8>(e + i), 0)
      const isInteger = mantissa <= MANTISSA_MAX && mantissa >= -MANTISSA_MAX
      if (isInteger && (by == 0 || canRescale(mantissa, by))) {
        store<i64>(at64(values, count++), by == 0 ? mantissa : rescale(mantissa, by))
      } else kind = RAW
    }
    if (kind == RAW) raws++
    store<u8>(kinds + i, <u8>kind)
  }
  if (raws > 0 && raws > count >> 2) return NEVER
  if (count == 0) return writeHeader(out, CONST, 0, m, e, k, n, n)
  planIntegers(values, sequence, count, isThorough)
  const form = plannedForm
  const at = out + writeHeader(out, form, exponent, m, e, k, n, n - count)
  return <i32>(writeIntegers(at, form, values, sequence, count) - out)
}

/** Writes the rows as floats if that takes less than `bytesMax`. Returns the bytes of what is at `out` then. */
function packFloats(m: usize, e: usize, k: usize, n: i32, out: usize, bytesMax: i32, isThorough: bool): i32 {
  let count = 0
  for (let i = 0; i < n; i++) {
    let kind: i32 = load<u8>(k + i)
    if (kind == DECIMAL || kind == RAW) {
      const bits = bitsAt(m, e, k, i)
      const isOrdinary = (bits & 0x7ff0000000000000) != 0x7ff0000000000000 && bits != i64.MIN_VALUE
      if (isOrdinary) store<i64>(at64(floats, count++), bits)
      kind = isOrdinary ? DECIMAL : RAW
    }
    store<u8>(kinds + i, <u8>kind)
  }
  const specialBytes = count < n ? writeSpecials(0, m, e, k, kinds, n) : 0
  if (count == 0) return 2 + specialBytes < bytesMax ? writeHeader(out, CONST, 0, m, e, k, n, n) : bytesMax
  const bytes = 2 + specialBytes + planFloats(floats, count, values, residuals, sequence, isThorough)
  if (bytes >= bytesMax) return bytesMax
  const at = out + writeHeader(out, plannedTag, plannedExponent, m, e, k, n, n - count)
  if (plannedTag != PLAIN) return <i32>(writeFloats(at, floats, count, values, residuals, sequence) - out)
  memory.copy(at, floats, <usize>count << 3)
  return <i32>(at - out) + (count << 3)
}

/** Tag, exponent and the rows that `kinds` says are special. */
function writeHeader(
  out: usize,
  tag: i32,
  exponent: i32,
  m: usize,
  e: usize,
  k: usize,
  n: i32,
  specials: i32,
): i32 {
  store<u8>(out, <u8>(specials > 0 ? tag | HAS_SPECIALS : tag))
  let bytes = 1
  if (tag != PLAIN) store<i8>(out + bytes++, <i8>exponent)
  return specials > 0 ? bytes + writeSpecials(out + bytes, m, e, k, kinds, n) : bytes
}

/** The last resort: eight bytes each. */
function writePlain(out: usize, m: usize, e: usize, k: usize, n: i32): i32 {
  let specials = 0
  for (let i = 0; i < n; i++) {
    const kind: i32 = load<u8>(k + i)
    const isValue = kind == DECIMAL || kind == RAW
    store<u8>(kinds + i, isValue ? <u8>DECIMAL : <u8>kind)
    if (!isValue) specials++
  }
  let at = out + writeHeader(out, PLAIN, 0, m, e, k, n, specials)
  for (let i = 0; i < n; i++) {
    if (load<u8>(kinds + i) != DECIMAL) continue
    store<i64>(at, bitsAt(m, e, k, i))
    at += 8
  }
  return <i32>(at - out)
}

/** Whether the packed bytes give back every bit of the source. */
function isExact(out: usize, bytes: i32, m: usize, e: usize, k: usize, n: i32): bool {
  if (columnUnpack(out, out + bytes, n, values, 0, kinds, kinds - 8, 1) != bytes) return false
  for (let i = 0; i < n; i++) {
    const kind: i32 = load<u8>(k + i)
    const back: i32 = load<u8>(kinds + i)
    if (kind == ABSENT || kind == STALE) {
      if (back != kind) return false
    } else if (back != DECIMAL && back != RAW) return false
    else if (load<i64>(at64(values, i)) != bitsAt(m, e, k, i)) return false
  }
  return true
}

/**
 * Unpacks a column of n rows. `outM` (i64 a row) receives mantissas, or float64 bits where the kind is RAW; with `asF64` it
 * receives float64 bits throughout and `outE` (i8 a row) is not used. `outK`: `SampleKind` a row (with `asF64`, ordinary
 * values are DECIMAL or RAW alike). `summary`: two u32, the number of rows that hold a sample (markers included) and of markers.
 * Reads up to 32 bytes beyond `end`.
 * @returns bytes read, or -1 when the column is malformed
 */
export function columnUnpack(
  p: usize,
  end: usize,
  n: i32,
  outM: usize,
  outE: usize,
  outK: usize,
  summary: usize,
  asF64: i32,
): i32 {
  const start = p
  if (p >= end) return -1
  const tag: i32 = load<u8>(p++)
  const form = tag & 15
  store<u32>(summary, n)
  store<u32>(summary + 4, 0)
  if (form > ULP) return -1
  if (form == EMPTY) {
    memory.fill(outK, <u8>ABSENT, n)
    store<u32>(summary, 0)
    return 1
  }
  let exponent: i32 = 0
  if (form != PLAIN) exponent = load<i8>(p++)
  memory.fill(outK, <u8>DECIMAL, n)
  let count = n
  const specialsAt = p
  if (tag & HAS_SPECIALS) {
    p = readSpecials(p, end, n, outM, outK, summary, false)
    if (p == 0) return -1
    count = specialsOrdinary
  }
  const isDecimal = form < PLAIN && !(tag & (MULTIPLY | BITS))
  if (count > 0) {
    if (p > end) return -1
    if (isDecimal) p = readIntegers(p, end, form, outM, count)
    else if (form == PLAIN) p = readPlain(p, end, outM, count)
    else p = readFloats(p, end, tag, exponent, outM, count)
    if (p == 0) return -1
  }
  if (p > end) return -1
  // Scaling runs over the dense values, before they are spread over the rows.
  if (isDecimal && asF64) scale(outM, count, exponent)
  if (!asF64) memory.fill(outE, isDecimal ? <u8>exponent : 0, n)
  if (count < n) {
    spreadValues(outM, outK, n, count)
    if (!isDecimal && !asF64) markRaw(outK, n)
    readSpecials(specialsAt, end, n, outM, outK, summary, true)
  } else if (!isDecimal && !asF64) markRaw(outK, n)
  return <i32>(p - start)
}

function scale(x: usize, count: i32, exponent: i32): void {
  for (let i = 0; i < count; i++) store<f64>(at64(x, i), decimalToF64(load<i64>(at64(x, i)), exponent))
}

function readPlain(p: usize, end: usize, out: usize, count: i32): usize {
  const bytes = <usize>count << 3
  if (p > end || bytes > end - p) return 0
  memory.copy(out, p, bytes)
  return p + bytes
}

function markRaw(outK: usize, n: i32): void {
  for (let i = 0; i < n; i++) if (<i32>load<u8>(outK + i) == DECIMAL) store<u8>(outK + i, <u8>RAW)
}

/** Moves the `count` dense values to the ordinary rows, which are marked DECIMAL, from the back, in place. */
function spreadValues(outM: usize, outK: usize, n: i32, count: i32): void {
  let from = count - 1
  for (let row = n - 1; from >= 0 && from < row; row--) {
    if (<i32>load<u8>(outK + row) == DECIMAL) store<i64>(at64(outM, row), load<i64>(at64(outM, from--)))
  }
}
