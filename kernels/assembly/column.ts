// Sealed columns: the samples of one series over the rows of a chunk. Format: docs/formats/column.md. Twin: ../column-twin.ts.
// Covered by bench/micro/column.bench.ts.
import {
  ABSENT,
  canRescale,
  cursor,
  DECIMAL,
  decimalToF64,
  MANTISSA_MAX,
  RAW,
  readVarint,
  rescale,
  STALE,
  STALE_NAN_BITS,
  unzigzag,
  varintBytes,
  writeVarint,
  zigzag,
} from './row-bytes'

// Low bits of the tag byte: how the values are written.
const EMPTY: i32 = 0
const CONST: i32 = 1
const LINEAR: i32 = 2
const FOR: i32 = 3
const DELTA: i32 = 4
const DELTA2: i32 = 5
const PLAIN: i32 = 6
const HAS_SPECIALS: i32 = 0x10

const MINI_BLOCK: i32 = 64
// In the width byte of a mini-block: a new base follows.
const NEW_BASE: i32 = 0x80

// @ts-ignore: decorator
@inline
function at64(p: usize, i: i32): usize {
  return p + (<usize>i << 3)
}

// @ts-ignore: decorator
@inline
function bitsOf(value: u64): i32 {
  return 64 - <i32>clz<u64>(value)
}

function greatestCommonDivisor(a: u64, b: u64): u64 {
  while (b) {
    const rest = a % b
    a = b
    b = rest
  }
  return a
}

// Of the sequence at hand: x[i] = first + step * y[i].
let step: u64 = 1

/** Turns x into y in place (see `step`) and returns the bytes the mini-blocks will take, their stream header included. */
function normalise(x: usize, count: i32): i32 {
  if (count == 0) return 0
  const first = load<i64>(x)
  let divisor: u64 = 0
  for (let i = 0; i < count; i++) {
    const y = load<i64>(at64(x, i)) - first
    store<i64>(at64(x, i), y)
    if (divisor != 1 && y != 0) divisor = greatestCommonDivisor(<u64>(y < 0 ? -y : y), divisor)
  }
  step = divisor == 0 ? 1 : divisor
  if (step > 1) {
    for (let i = 0; i < count; i++) store<i64>(at64(x, i), load<i64>(at64(x, i)) / <i64>step)
  }
  let bytes = varintBytes(zigzag(first)) + varintBytes(step)
  let base: i64 = 0
  for (let from = 0; from < count; from += MINI_BLOCK) {
    const to = min(from + MINI_BLOCK, count)
    bytes += blockShape(x, from, to, base)
    base = shapeBase
  }
  return bytes
}

let shapeBase: i64 = 0
let shapeWidth: i32 = 0

/** Chooses base and width of the mini-block y[from, to); returns its bytes. */
function blockShape(y: usize, from: i32, to: i32, base: i64): i32 {
  let low = load<i64>(at64(y, from))
  let high = low
  for (let i = from + 1; i < to; i++) {
    const value = load<i64>(at64(y, i))
    low = min(low, value)
    high = max(high, value)
  }
  const ownWidth = bitsOf(<u64>(high - low))
  const ownBytes = varintBytes(zigzag(low - base)) + (((to - from) * ownWidth + 7) >> 3)
  if (low >= base) {
    const width = bitsOf(<u64>(high - base))
    const bytes = ((to - from) * width + 7) >> 3
    if (bytes <= ownBytes) {
      shapeBase = base
      shapeWidth = width
      return 1 + bytes
    }
  }
  shapeBase = low
  shapeWidth = ownWidth
  return 1 + ownBytes
}

/** Writes the mini-blocks of the normalised y. */
function writeStream(out: usize, y: usize, count: i32, first: i64): usize {
  out = writeVarint(out, zigzag(first))
  out = writeVarint(out, step)
  let base: i64 = 0
  for (let from = 0; from < count; from += MINI_BLOCK) {
    const to = min(from + MINI_BLOCK, count)
    blockShape(y, from, to, base)
    const width = shapeWidth
    if (shapeBase != base) {
      store<u8>(out++, <u8>(width | NEW_BASE))
      out = writeVarint(out, zigzag(shapeBase - base))
      base = shapeBase
    } else store<u8>(out++, <u8>width)
    if (width == 0) continue
    const bytes = <usize>(((to - from) * width + 7) >> 3)
    let pending: u64 = 0
    let filled = 0
    const end = out + bytes
    for (let i = from; i < to; i++) {
      const value = <u64>(load<i64>(at64(y, i)) - base)
      pending |= value << <u64>filled
      filled += width
      if (filled >= 64) {
        store<u64>(out, pending)
        out += 8
        filled -= 64
        pending = filled == 0 ? 0 : value >> <u64>(width - filled)
      }
    }
    while (out < end) {
      store<u8>(out++, <u8>pending)
      pending >>= 8
    }
  }
  return out
}

/** Reads `count` values of a stream into x; returns where it ended, or 0 when it runs beyond `end`. */
function readStream(p: usize, end: usize, x: usize, count: i32): usize {
  const first = unzigzag(readVarint(p))
  const factor = <i64>readVarint(cursor)
  p = cursor
  let base: i64 = 0
  for (let from = 0; from < count; from += MINI_BLOCK) {
    if (p >= end) return 0
    const to = min(from + MINI_BLOCK, count)
    const head: i32 = load<u8>(p++)
    const width = head & 127
    if (width > 57) return 0
    if (head & NEW_BASE) {
      base += unzigzag(readVarint(p))
      p = cursor
    }
    const bytes = <usize>(((to - from) * width + 7) >> 3)
    if (p > end || bytes > end - p) return 0
    const mask: u64 = (<u64>1 << <u64>width) - 1
    const offset = first + base * factor
    if (width == 0) {
      for (let i = from; i < to; i++) store<i64>(at64(x, i), offset)
    } else {
      let bit: usize = 0
      if (factor == 1) {
        for (let i = from; i < to; i++) {
          const packed = (load<u64>(p + (bit >> 3)) >> <u64>(bit & 7)) & mask
          store<i64>(at64(x, i), offset + <i64>packed)
          bit += width
        }
      } else {
        for (let i = from; i < to; i++) {
          const packed = (load<u64>(p + (bit >> 3)) >> <u64>(bit & 7)) & mask
          store<i64>(at64(x, i), offset + <i64>packed * factor)
          bit += width
        }
      }
    }
    p += bytes
  }
  return p
}

function bitsAt(m: usize, e: usize, k: usize, i: i32): i64 {
  const mantissa = load<i64>(at64(m, i))
  return load<u8>(k + i) == DECIMAL ? reinterpret<i64>(decimalToF64(mantissa, load<i8>(e + i))) : mantissa
}

/** Writes the runs of rows that hold no ordinary value. Rows whose kind in `kinds` is DECIMAL are ordinary. */
function writeSpecials(out: usize, m: usize, e: usize, k: usize, kinds: usize, n: i32): usize {
  let runs = 0
  for (let i = 0; i < n; i++) {
    const kind = load<u8>(kinds + i)
    if (kind != DECIMAL && (i == 0 || load<u8>(kinds + i - 1) != kind)) runs++
  }
  out = writeVarint(out, runs)
  let ended = 0
  let i = 0
  while (i < n) {
    const kind: i32 = load<u8>(kinds + i)
    if (kind == DECIMAL) {
      i++
      continue
    }
    const from = i
    while (i < n && <i32>load<u8>(kinds + i) == kind) i++
    out = writeVarint(out, from - ended)
    out = writeVarint(out, (<u64>(i - from) << 2) | kind)
    ended = i
    if (kind == RAW) {
      for (let row = from; row < i; row++) {
        store<i64>(out, bitsAt(m, e, k, row))
        out += 8
      }
    }
  }
  return out
}

function writePlain(out: usize, m: usize, e: usize, k: usize, n: i32, kinds: usize): i32 {
  const start = out
  let special = false
  for (let i = 0; i < n; i++) {
    const kind: i32 = load<u8>(k + i)
    const isValue = kind == DECIMAL || kind == RAW
    store<u8>(kinds + i, isValue ? <u8>DECIMAL : <u8>kind)
    special = special || !isValue
  }
  store<u8>(out++, <u8>(special ? PLAIN | HAS_SPECIALS : PLAIN))
  if (special) out = writeSpecials(out, m, e, k, kinds, n)
  for (let i = 0; i < n; i++) {
    if (load<u8>(kinds + i) != DECIMAL) continue
    store<i64>(out, bitsAt(m, e, k, i))
    out += 8
  }
  return <i32>(out - start)
}

/** Whether the packed bytes give back every bit of the source. */
function isExact(out: usize, bytes: i32, m: usize, e: usize, k: usize, n: i32, work: usize): bool {
  const values = work
  const kinds = values + (<usize>n << 3)
  if (columnUnpack(out, out + bytes, n, values, 0, kinds, kinds + n, 1) != bytes) return false
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
 * Packs n rows of one series, given as columns m (i64: mantissa or float64 bits), e (i8), k (u8, `SampleKind`), and checks
 * that unpacking gives back every bit. `out` must have room for 32 + 20 * n bytes; `work` for 64 + 26 * n, 8-byte aligned.
 * @returns bytes written
 */
export function columnPack(m: usize, e: usize, k: usize, n: i32, out: usize, work: usize): i32 {
  const start = out
  const values = work
  const sequence = at64(values, n)
  const kinds = at64(sequence, n)
  let present = 0
  let exponent = -22
  let decimals = 0
  for (let i = 0; i < n; i++) {
    const kind: i32 = load<u8>(k + i)
    if (kind != ABSENT) present++
    if (kind != DECIMAL) continue
    decimals++
    if (load<i64>(at64(m, i)) != 0) exponent = max(exponent, <i32>load<i8>(e + i))
  }
  if (present == 0) {
    store<u8>(out, <u8>EMPTY)
    return 1
  }
  if (exponent == -22) exponent = 0
  let raws = 0
  let specials = 0
  let count = 0
  for (let i = 0; i < n; i++) {
    let kind: i32 = load<u8>(k + i)
    if (kind == DECIMAL) {
      const mantissa = load<i64>(at64(m, i))
      const by = exponent - <i32>load<i8>(e + i)
      if (mantissa <= MANTISSA_MAX && mantissa >= -MANTISSA_MAX && canRescale(mantissa, max(by, 0))) {
        store<i64>(at64(values, count++), rescale(mantissa, max(by, 0)))
      } else kind = RAW
    }
    if (kind == RAW) raws++
    if (kind != DECIMAL) specials++
    store<u8>(kinds + i, <u8>kind)
  }
  if (raws > decimals - raws >> 2 && raws > 0) return writePlain(out, m, e, k, n, kinds)

  let hasSpecials = specials > 0 ? HAS_SPECIALS : 0
  if (count == 0) {
    // Staleness markers and gaps only.
    store<u8>(out++, <u8>(CONST | HAS_SPECIALS))
    store<i8>(out++, 0)
    return <i32>(writeSpecials(out, m, e, k, kinds, n) - start)
  }
  const first = load<i64>(values)
  const firstDelta = count > 1 ? load<i64>(at64(values, 1)) - first : 0
  let isLinear = true
  for (let i = 2; i < count && isLinear; i++) {
    isLinear = load<i64>(at64(values, i)) - load<i64>(at64(values, i - 1)) == firstDelta
  }
  let form = isLinear ? (firstDelta == 0 ? CONST : LINEAR) : FOR
  if (form == FOR) form = smallestForm(values, sequence, count)
  store<u8>(out++, <u8>(form | hasSpecials))
  store<i8>(out++, <i8>exponent)
  if (hasSpecials) out = writeSpecials(out, m, e, k, kinds, n)
  if (form != FOR) out = writeVarint(out, zigzag(first))
  if (form == LINEAR || form == DELTA2) out = writeVarint(out, zigzag(firstDelta))
  if (form >= FOR) {
    const length = fillSequence(values, sequence, count, form)
    const firstOfSequence = load<i64>(sequence)
    normalise(sequence, length)
    out = writeStream(out, sequence, length, firstOfSequence)
  }
  const bytes = <i32>(out - start)
  if (!isExact(start, bytes, m, e, k, n, work)) return writePlain(start, m, e, k, n, kinds)
  return bytes
}

/** Writes the differences the form needs to `sequence`; returns how many. */
function fillSequence(values: usize, sequence: usize, count: i32, form: i32): i32 {
  if (form == FOR) {
    memory.copy(sequence, values, <usize>count << 3)
    return count
  }
  for (let i = 1; i < count; i++) {
    store<i64>(at64(sequence, i - 1), load<i64>(at64(values, i)) - load<i64>(at64(values, i - 1)))
  }
  if (form == DELTA) return count - 1
  for (let i = 0; i + 2 < count; i++) {
    store<i64>(at64(sequence, i), load<i64>(at64(sequence, i + 1)) - load<i64>(at64(sequence, i)))
  }
  return count - 2
}

function smallestForm(values: usize, sequence: usize, count: i32): i32 {
  const firstBytes = varintBytes(zigzag(load<i64>(values)))
  const secondBytes = varintBytes(zigzag(load<i64>(at64(values, 1)) - load<i64>(values)))
  let best = FOR
  let bestBytes = normalise(sequence, fillSequence(values, sequence, count, FOR))
  const deltaBytes = firstBytes + normalise(sequence, fillSequence(values, sequence, count, DELTA))
  if (deltaBytes < bestBytes) {
    best = DELTA
    bestBytes = deltaBytes
  }
  const delta2Bytes =
    firstBytes + secondBytes + normalise(sequence, fillSequence(values, sequence, count, DELTA2))
  if (delta2Bytes < bestBytes) best = DELTA2
  return best
}

/**
 * Unpacks a column of n rows. `outM` (i64 a row) receives mantissas, or float64 bits where the kind is RAW; with `asF64` it
 * receives float64 bits throughout and `outE` (i8 a row) is not used. `outK`: `SampleKind` a row (with `asF64`, ordinary
 * values are DECIMAL or RAW alike). `summary`: two u32, the number of rows that hold a sample (markers included) and of markers.
 * Reads up to 8 bytes beyond `end`.
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
  if (form > PLAIN) return -1
  if (form == EMPTY) {
    memory.fill(outK, <u8>ABSENT, n)
    store<u32>(summary, 0)
    return 1
  }
  let exponent: i32 = 0
  if (form != PLAIN) exponent = load<i8>(p++)
  memory.fill(outK, form == PLAIN ? <u8>RAW : <u8>DECIMAL, n)
  let count = n
  const specialsAt = p
  if (tag & HAS_SPECIALS) {
    p = readSpecials(p, end, n, outM, outK, summary, false)
    if (p == 0) return -1
    count = specialsOrdinary
  }
  if (count > 0) {
    p = readValues(p, end, form, outM, count)
    if (p == 0) return -1
  }
  if (p > end) return -1
  // Scaling runs over the dense values, before they are spread over the rows.
  if (form != PLAIN) {
    if (asF64) {
      for (let i = 0; i < count; i++) {
        store<f64>(at64(outM, i), decimalToF64(load<i64>(at64(outM, i)), exponent))
      }
    } else memory.fill(outE, <u8>exponent, n)
  } else if (!asF64) memory.fill(outE, 0, n)
  if (count < n) {
    spreadValues(outM, outK, n, count, form == PLAIN ? RAW : DECIMAL)
    readSpecials(specialsAt, end, n, outM, outK, summary, true)
  }
  return <i32>(p - start)
}

function readValues(p: usize, end: usize, form: i32, out: usize, count: i32): usize {
  if (form == PLAIN) {
    const bytes = <usize>count << 3
    if (p > end || bytes > end - p) return 0
    memory.copy(out, p, bytes)
    return p + bytes
  }
  if (form == FOR) return readStream(p, end, out, count)
  let value = unzigzag(readVarint(p))
  p = cursor
  if (form == CONST) {
    for (let i = 0; i < count; i++) store<i64>(at64(out, i), value)
    return p
  }
  if (form == DELTA) {
    store<i64>(out, value)
    p = readStream(p, end, out + 8, count - 1)
    for (let i = 1; i < count; i++) {
      value += load<i64>(at64(out, i))
      store<i64>(at64(out, i), value)
    }
    return p
  }
  let delta = unzigzag(readVarint(p))
  p = cursor
  store<i64>(out, value)
  if (count < 2) return p
  value += delta
  store<i64>(out + 8, value)
  if (form == LINEAR) {
    for (let i = 2; i < count; i++) {
      value += delta
      store<i64>(at64(out, i), value)
    }
    return p
  }
  p = readStream(p, end, out + 16, count - 2)
  for (let i = 2; i < count; i++) {
    delta += load<i64>(at64(out, i))
    value += delta
    store<i64>(at64(out, i), value)
  }
  return p
}

// Rows that hold an ordinary value, after `readSpecials`.
let specialsOrdinary: i32 = 0

/** First pass: kinds and counts. Second pass (`writeBits`): also the bits of raw values and markers. */
function readSpecials(
  p: usize,
  end: usize,
  n: i32,
  outM: usize,
  outK: usize,
  summary: usize,
  writeBits: bool,
): usize {
  const runs = readVarint(p)
  p = cursor
  let row: u64 = 0
  let absent: u64 = 0
  let stale: u64 = 0
  let special: u64 = 0
  for (let run: u64 = 0; run < runs; run++) {
    if (p >= end) return 0
    const gap = readVarint(p)
    const word = readVarint(cursor)
    p = cursor
    const kind = <i32>(word & 3)
    const length = word >> 2
    if (kind == DECIMAL || gap > <u64>n || length > <u64>n) return 0
    row += gap
    if (row + length > <u64>n) return 0
    const first = <usize>row
    memory.fill(outK + first, <u8>kind, <usize>length)
    if (kind == ABSENT) absent += length
    else if (kind == STALE) {
      stale += length
      if (writeBits) {
        for (let i: usize = 0; i < <usize>length; i++) store<i64>(outM + ((first + i) << 3), STALE_NAN_BITS)
      }
    } else {
      const bytes = <usize>length << 3
      if (p > end || bytes > end - p) return 0
      if (writeBits) memory.copy(outM + (first << 3), p, bytes)
      p += bytes
    }
    special += length
    row += length
  }
  specialsOrdinary = n - <i32>special
  store<u32>(summary, n - <u32>absent)
  store<u32>(summary + 4, <u32>stale)
  return p
}

/** Moves the `count` dense values to the rows of the given ordinary kind, from the back, in place. */
function spreadValues(outM: usize, outK: usize, n: i32, count: i32, kind: i32): void {
  let from = count - 1
  for (let row = n - 1; from >= 0 && from < row; row--) {
    // In a PLAIN column raw specials do not occur, in others ordinary values are DECIMAL: the kind tells.
    if (<i32>load<u8>(outK + row) == kind) store<i64>(at64(outM, row), load<i64>(at64(outM, from--)))
  }
}
