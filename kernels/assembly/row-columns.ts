// Rows of a segment as columns of the positions that are wanted. Format of a row: docs/formats/row-record.md.
// Twin: ../row-twin.ts. Covered by bench/micro/row.bench.ts.
import { ABSENT, cursor, DECIMAL, decimalToF64, RAW, readVarint, STALE, STALE_NAN_BITS, unzigzag } from './row-bytes'
import { KEY, nextPosition, openSet, SET_DENSE, setAt, setEnd, setKind, SPARSE } from './row-set'

// Columns of `rowsToColumns`: what it fills, set once per call.
let columnRows: i32 = 0
let columnM: usize = 0
let columnE: usize = 0
let columnK: usize = 0
let columnAsF64: bool = false

// Its state, a column each: see `work` there.
let stateM: usize = 0
let stateFrom: usize = 0
let stateCount: usize = 0
let stateE: usize = 0
let stateK: usize = 0
let stateStale: usize = 0

/** Passes over a value that starts with an escape. */
// @ts-ignore: decorator
@inline
function skipEscape(p: usize): usize {
  const kind: i32 = load<u8>(p, 1)
  if (kind == RAW) return p + 10
  if (kind != DECIMAL) return p + 2
  readVarint(p + 3)
  return cursor
}

/**
 * Passes over `count` values nobody wants, 16 bytes at a time: a value ends with its first byte below 128, and a byte of zero
 * can only be an escape. Returns more than `end` where they do not fit before it.
 */
function skipValues(p: usize, count: i32, end: usize): usize {
  while (count > 0 && p < end) {
    const bytes = v128.load(p)
    let ends: u32 = ~i8x16.bitmask(bytes) & 0xffff
    const zeros: u32 = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0)))
    const escapeAt = zeros ? ctz<u32>(zeros) : 16
    if (zeros) ends &= (1 << escapeAt) - 1
    const found = <i32>popcnt<u32>(ends)
    if (found >= count) {
      for (; count > 1; count--) ends &= ends - 1
      return p + ctz<u32>(ends) + 1
    }
    count -= found
    p += escapeAt
    if (zeros) {
      p = skipEscape(p)
      count--
    }
  }
  return count > 0 ? end + 1 : p
}

/** Reads the value of a wanted position at a row, after the rows before it have got the value before. */
function takeValue(p: usize, slot: i32, row: i32, isSparse: bool): usize {
  let value: u64 = load<u8>(p)
  if (value < 128) p++
  else {
    value = readVarint(p)
    p = cursor
  }
  const at = stateM + (<usize>slot << 3)
  const countAt = stateCount + (<usize>slot << 2)
  const old: i32 = load<u8>(stateK + slot)
  if (!isSparse) {
    const fromAt = stateFrom + (<usize>slot << 2)
    const from = load<i32>(fromAt)
    if (old != ABSENT) store<i32>(countAt, load<i32>(countAt) + row - from)
    if (old == STALE && from < row) store<u8>(stateStale + slot, 1)
    fillRows(slot, from, row, load<i64>(at), load<i8>(stateE + slot), old)
    store<i32>(fromAt, row)
  }
  let kind = DECIMAL
  if (value) {
    store<i64>(at, (old == RAW ? 0 : load<i64>(at)) + unzigzag(value - 1))
  } else {
    kind = load<u8>(p++)
    if (kind == DECIMAL) {
      store<i8>(stateE + slot, load<i8>(p))
      store<i64>(at, unzigzag(readVarint(p + 1)))
      p = cursor
    } else if (kind == RAW) {
      store<i64>(at, load<i64>(p))
      store<i8>(stateE + slot, 0)
      p += 8
    } else {
      if (kind == ABSENT || old == RAW) {
        store<i64>(at, 0)
        store<i8>(stateE + slot, 0)
      }
      if (kind == STALE) store<u8>(stateStale + slot, 1)
    }
  }
  store<u8>(stateK + slot, <u8>kind)
  if (isSparse) {
    fillRows(slot, row, row + 1, load<i64>(at), load<i8>(stateE + slot), kind)
    if (kind != ABSENT) store<i32>(countAt, load<i32>(countAt) + 1)
  }
  return p
}

const SHORT_RUN: i32 = 16

/** Fills rows [from, to) of a column with one value; returns nothing for an absent one (the kinds are zero already). */
function fillRows(slot: i32, from: i32, to: i32, mantissa: i64, exponent: i32, kind: i32): void {
  if (kind == ABSENT || from >= to) return
  const first = <usize>slot * <usize>columnRows + <usize>from
  const count = to - from
  let bits = mantissa
  if (columnAsF64) {
    if (kind == DECIMAL) bits = reinterpret<i64>(decimalToF64(mantissa, exponent))
    else if (kind == STALE) bits = STALE_NAN_BITS
  } else fillBytes(columnE + first, <u8>exponent, count)
  const at = columnM + (first << 3)
  for (let i = 0; i < count; i++) store<i64>(at + (<usize>i << 3), bits)
  fillBytes(columnK + first, <u8>kind, count)
}

/** Most runs are short: filling memory is a call out of the module. */
// @ts-ignore: decorator
@inline
function fillBytes(p: usize, byte: u8, count: i32): void {
  if (count > SHORT_RUN) {
    memory.fill(p, byte, count)
    return
  }
  for (let i = 0; i < count; i++) store<u8>(p + i, byte)
}

/** Sets a bit for each position that has a column. */
function markWanted(slots: usize, positionCount: u32, wanted: usize): void {
  for (let first: u32 = 0; first < positionCount; first += 64) {
    const count = min<u32>(64, positionCount - first)
    let bits: u64 = 0
    for (let i: u32 = 0; i < count; i++) {
      const isWanted = load<i32>(slots + (<usize>(first + i) << 2)) >= 0
      bits |= <u64>isWanted << <u64>i
    }
    store<u64>(wanted + (first >> 3), bits)
  }
}

/** The values of a row with a bitmap; returns the end, 0 where the row is malformed. */
function takeDenseRow(
  p: usize,
  end: usize,
  row: i32,
  isSparse: bool,
  positionCount: u32,
  slots: usize,
  wanted: usize,
): usize {
  const bitmap = setAt
  const bytes = <u32>(setEnd - setAt)
  let unread = 0
  for (let first: u32 = 0; first < bytes; first += 8) {
    let bits = load<u64>(bitmap + first)
    if (bytes - first < 8) bits &= ((<u64>1) << <u64>((bytes - first) << 3)) - 1
    if (bits == 0) continue
    if ((first << 3) + 63 - <u32>clz<u64>(bits) >= positionCount) return 0
    let hits = bits & load<u64>(wanted + first)
    while (hits) {
      const bit = ctz<u64>(hits)
      hits &= hits - 1
      unread += <i32>popcnt<u64>(bits & (((<u64>1) << bit) - 1))
      bits = bits & ~(((<u64>2) << bit) - 1)
      if (unread) p = skipValues(p, unread, end)
      unread = 0
      if (p >= end) return 0
      p = takeValue(p, load<i32>(slots + (<usize>((first << 3) + <u32>bit) << 2)), row, isSparse)
    }
    unread += <i32>popcnt<u64>(bits)
  }
  if (unread == 0) return p
  if (p >= end) return 0
  return skipValues(p, unread, end)
}

/**
 * Turns rows of one segment into columns of the wanted positions. `slots`: i32 per position, the column it goes to or -1, and
 * behind them room for a bit per position, whole u64 words at an address divisible by 8. `work`: 19 bytes a column:
 * i64 mantissa · u32 first unfilled row · u32 number of present rows · i8 exponent · u8 kind · u8 any stale, as columns.
 * `previousMs`: NaN where the first row is the segment's key row; otherwise the time of the row before, after whose decoding
 * `work` was left as it is. Numbers of rows and stale flags always mean the rows of this call.
 * `outTs`: f64 a row. `outM` (i64), `outE` (i8), `outK` (u8, zeroed here): column after column of `rowCount` entries each.
 * With `asF64`, outM receives float64 bits and outE is not used.
 * @returns bytes read, or -1 when a row is malformed
 */
export function rowsToColumns(
  p: usize,
  end: usize,
  rowCount: i32,
  positionCount: u32,
  slots: usize,
  columnCount: i32,
  work: usize,
  previousMs: f64,
  outTs: usize,
  outM: usize,
  outE: usize,
  outK: usize,
  asF64: i32,
): i32 {
  const start = p
  const wanted = (slots + (<usize>positionCount << 2) + 7) & ~7
  markWanted(slots, positionCount, wanted)
  stateM = work
  stateFrom = stateM + (<usize>columnCount << 3)
  stateCount = stateFrom + (<usize>columnCount << 2)
  stateE = stateCount + (<usize>columnCount << 2)
  stateK = stateE + <usize>columnCount
  stateStale = stateK + <usize>columnCount
  const isFresh = previousMs != previousMs
  if (isFresh) memory.fill(work, 0, <usize>columnCount * 19)
  else {
    memory.fill(stateFrom, 0, <usize>columnCount << 3)
    memory.fill(stateStale, 0, <usize>columnCount)
  }
  memory.fill(outK, 0, <usize>columnCount * <usize>rowCount)
  columnRows = rowCount
  columnM = outM
  columnE = outE
  columnK = outK
  columnAsF64 = asF64 != 0
  let timestamp: i64 = isFresh ? 0 : <i64>previousMs
  let isSparse = false
  for (let row = 0; row < rowCount; row++) {
    if (p >= end) return -1
    const flags: i32 = load<u8>(p)
    isSparse = (flags & SPARSE) != 0
    const time = readVarint(p + 1)
    timestamp = flags & KEY ? unzigzag(time) : timestamp + <i64>time
    store<f64>(outTs + (<usize>row << 3), <f64>timestamp)
    p = openSet(cursor, end, flags & 3)
    if (p == 0) return -1
    if (setKind == SET_DENSE) {
      p = takeDenseRow(p, end, row, isSparse, positionCount, slots, wanted)
      if (p == 0) return -1
    } else {
      for (;;) {
        const position = nextPosition()
        if (position < 0) break
        if (<u32>position >= positionCount || p >= end) return -1
        const slot = load<i32>(slots + (<usize>position << 2))
        p = slot < 0 ? skipValues(p, 1, end) : takeValue(p, slot, row, isSparse)
      }
    }
    if (p > end) return -1
  }
  if (!isSparse) {
    for (let slot = 0; slot < columnCount; slot++) {
      const from = load<i32>(stateFrom + (<usize>slot << 2))
      const kind: i32 = load<u8>(stateK + slot)
      const countAt = stateCount + (<usize>slot << 2)
      if (kind != ABSENT) store<i32>(countAt, load<i32>(countAt) + rowCount - from)
      if (kind == STALE && from < rowCount) store<u8>(stateStale + slot, 1)
      fillRows(slot, from, rowCount, load<i64>(stateM + (<usize>slot << 3)), load<i8>(stateE + slot), kind)
    }
  }
  return <i32>(p - start)
}
