// Rows of a column that hold no ordinary value, as runs. Format: docs/formats/column.md. Twin: ../column-twin.ts.
import { at64 } from './column-range'
import {
  ABSENT,
  cursor,
  DECIMAL,
  decimalToF64,
  RAW,
  readVarint,
  STALE,
  STALE_NAN_BITS,
  writeVarint,
} from './row-bytes'

// In place of a kind that is never special: a run of equal raw values.
const REPEATED: i32 = DECIMAL

/** The float64's bits of a row. */
export function bitsAt(m: usize, e: usize, k: usize, i: i32): i64 {
  const mantissa = load<i64>(at64(m, i))
  return load<u8>(k + i) == DECIMAL ? reinterpret<i64>(decimalToF64(mantissa, load<i8>(e + i))) : mantissa
}

/** Writes the rows whose kind in `kinds` is not DECIMAL; with `out` 0 only the bytes are counted. */
export function writeSpecials(out: usize, m: usize, e: usize, k: usize, kinds: usize, n: i32): i32 {
  const runs = writeRuns(0, m, e, k, kinds, n)
  const counted = runCount
  const header = varintLength(counted)
  if (out != 0) {
    writeVarint(out, counted)
    writeRuns(out + header, m, e, k, kinds, n)
  }
  return header + runs
}

let runCount: i32 = 0

function writeRuns(out: usize, m: usize, e: usize, k: usize, kinds: usize, n: i32): i32 {
  let bytes = 0
  let ended = 0
  runCount = 0
  for (let i = 0; i < n; ) {
    const kind: i32 = load<u8>(kinds + i)
    if (kind == DECIMAL) {
      i++
      continue
    }
    const from = i
    let code = kind
    if (kind == RAW) {
      i = endOfEqual(m, e, k, kinds, from, n)
      if (i - from > 1) code = REPEATED
      else while (i < n && <i32>load<u8>(kinds + i) == RAW && endOfEqual(m, e, k, kinds, i, n) == i + 1) i++
    } else while (i < n && <i32>load<u8>(kinds + i) == kind) i++
    runCount++
    const word = (<u64>(i - from) << 2) | code
    if (out != 0) writeVarint(writeVarint(out + bytes, from - ended), word)
    bytes += varintLength(from - ended) + varintLength(word)
    ended = i
    const values = code == RAW ? i - from : code == REPEATED ? 1 : 0
    for (let row = 0; row < values; row++) {
      if (out != 0) store<i64>(out + bytes, bitsAt(m, e, k, from + row))
      bytes += 8
    }
  }
  return bytes
}

/** End of the raw rows from `from` on that are the same in every bit. */
function endOfEqual(m: usize, e: usize, k: usize, kinds: usize, from: i32, n: i32): i32 {
  const bits = bitsAt(m, e, k, from)
  let i = from + 1
  while (i < n && <i32>load<u8>(kinds + i) == RAW && bitsAt(m, e, k, i) == bits) i++
  return i
}

function varintLength(value: u64): i32 {
  return (70 - <i32>clz<u64>(value | 1)) / 7
}

/** Rows that hold an ordinary value, after `readSpecials`. */
export let specialsOrdinary: i32 = 0

/**
 * First pass: kinds and counts. Second pass (`writeBits`): also the bits of raw values and markers. Returns where the runs
 * end, 0 when they are malformed.
 */
export function readSpecials(
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
    const code = <i32>(word & 3)
    const length = word >> 2
    if (gap > <u64>n || length > <u64>n) return 0
    row += gap
    if (row + length > <u64>n) return 0
    const first = <i32>row
    memory.fill(outK + first, code == REPEATED ? <u8>RAW : <u8>code, <usize>length)
    if (code == ABSENT) absent += length
    else if (code == STALE) {
      stale += length
      if (writeBits) fillBits(outM, first, <i32>length, STALE_NAN_BITS)
    } else {
      const bytes: usize = code == REPEATED ? 8 : <usize>length << 3
      if (p > end || bytes > end - p) return 0
      if (writeBits) {
        if (code == REPEATED) fillBits(outM, first, <i32>length, load<i64>(p))
        else memory.copy(at64(outM, first), p, bytes)
      }
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

function fillBits(outM: usize, from: i32, length: i32, bits: i64): void {
  for (let i = 0; i < length; i++) store<i64>(at64(outM, from + i), bits)
}
