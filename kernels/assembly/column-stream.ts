// Streams of integers in mini-blocks of 64: a base, a width, the values in that many bits, and those that do not fit as
// exceptions. Format: docs/formats/column.md. Twin: ../column-stream-twin.ts. Covered by bench/micro/column.bench.ts.
import { at64, divideAll, findRange, findStep, rangeHigh, rangeLow, subtractFirst } from './column-range'
import { sortValues } from './column-sort'
import { cursor, readVarint, unzigzag, varintBytes, writeVarint, zigzag } from './row-bytes'

const MINI_BLOCK: i32 = 64
// In the head byte of a mini-block: a new base follows; exceptions follow.
const NEW_BASE: i32 = 0x80
const EXCEPTIONS: i32 = 0x40
const WIDTH_BITS: i32 = 0x3f
// A head byte of its own: that many mini-blocks hold nothing but the base.
const FLAT_RUN: i32 = 0x3f
const WIDTH_MAX: i32 = 57
const POSITION_BITS: i32 = 6
const HIGH_WIDTH_MAX: i32 = 50
// More of a mini-block would not be exceptions.
const EXCEPTIONS_MAX: i32 = 16

/** What a sequence takes whose values are too far apart for any width. */
export const NEVER: i32 = 1 << 28

// @ts-ignore: decorator
@inline
function bitsOf(value: u64): i32 {
  return 64 - <i32>clz<u64>(value)
}

// @ts-ignore: decorator
@inline
function bytesOf(bits: i32): i32 {
  return (bits + 7) >> 3
}

// Where a mini-block is sorted: 64 places for i64.
let sortArea: usize = 0
/** Bytes of the area that `useSortArea` is given. */
export const SORT_AREA_BYTES: i32 = 8 * MINI_BLOCK
export function useSortArea(p: usize): void {
  sortArea = p
}

// Of the sequence that was normalised last: x[i] = streamFirst + streamStep * y[i].
let streamFirst: i64 = 0
let streamStep: u64 = 1
// What is still to be divided by before blocks are shaped.
let blockStep: i64 = 1

/** Turns x into y in place; false where it cannot be written. `count` > 0. */
function normalise(x: usize, count: i32): bool {
  streamFirst = load<i64>(x)
  if (!subtractFirst(x, count)) return false
  streamStep = findStep(x, count)
  if (streamStep > 1) divideAll(x, count, streamStep)
  blockStep = 1
  return true
}

/**
 * The bytes that a stream of x will take, `NEVER` when it cannot be written. Overwrites x.
 * @param patched whether exceptions are looked for
 */
export function streamBytes(x: usize, count: i32, patched: bool): i32 {
  if (count == 0) return 0
  if (patched) {
    if (!normalise(x, count)) return NEVER
  } else {
    // Without exceptions only the ends of ranges count: they are divided when they are known.
    streamFirst = load<i64>(x)
    if (!subtractFirst(x, count)) return NEVER
    blockStep = <i64>(streamStep = findStep(x, count))
  }
  return writeBlocks(0, x, count, patched) + varintBytes(zigzag(streamFirst)) + varintBytes(streamStep)
}

/** Writes x, of which `streamBytes` is not `NEVER`. Overwrites it. */
export function writeStream(out: usize, x: usize, count: i32, patched: bool): usize {
  if (count == 0) return out
  normalise(x, count)
  out = writeVarint(out, zigzag(streamFirst))
  out = writeVarint(out, streamStep)
  return out + writeBlocks(out, x, count, patched)
}

/** Writes the mini-blocks, or only counts their bytes when `out` is 0. */
function writeBlocks(out: usize, y: usize, count: i32, patched: bool): i32 {
  let bytes: i32 = 0
  let base: i64 = 0
  let flat = 0
  for (let from = 0; from < count; from += MINI_BLOCK) {
    const to = min(from + MINI_BLOCK, count)
    shapeBlock(y, from, to, base, patched)
    if (shapeWidth == 0 && shapeExceptions == 0 && shapeBase == base) {
      flat++
      continue
    }
    bytes += writeFlat(out == 0 ? 0 : out + bytes, flat)
    flat = 0
    if (out != 0) writeBlock(out + bytes, y, from, to, base)
    bytes += shapeBytes
    base = shapeBase
  }
  return bytes + writeFlat(out == 0 ? 0 : out + bytes, flat)
}

function writeFlat(out: usize, flat: i32): i32 {
  if (flat < 3) {
    if (out != 0) memory.fill(out, 0, flat)
    return flat
  }
  if (out != 0) {
    store<u8>(out, <u8>FLAT_RUN)
    writeVarint(out + 1, flat)
  }
  return 1 + varintBytes(flat)
}

// Of the mini-block at hand.
let shapeBase: i64 = 0
let shapeWidth: i32 = 0
let shapeExceptions: i32 = 0
let shapeHighWidth: i32 = 0
let shapeBytes: i32 = 0

/** Chooses how the mini-block y[from, to) is written. */
function shapeBlock(y: usize, from: i32, to: i32, base: i64, patched: bool): void {
  const size = to - from
  findRange(y, from, to)
  const low = rangeLow / blockStep
  const high = rangeHigh / blockStep
  shapeExceptions = 0
  shapeBase = low
  shapeWidth = bitsOf(<u64>(high - low))
  shapeBytes = 1 + varintBytes(zigzag(low - base)) + bytesOf(size * shapeWidth)
  if (low == base) shapeBytes--
  else if (low > base) {
    const width = bitsOf(<u64>(high - base))
    const bytes = 1 + bytesOf(size * width)
    if (bytes <= shapeBytes) {
      shapeBase = base
      shapeWidth = width
      shapeBytes = bytes
    }
  }
  if (patched && shapeBytes > 5) patchBlock(y, from, size, base, low, high)
}

/** Looks for a narrower width that leaves some of the values from `low` to `high` over. */
function patchBlock(y: usize, from: i32, size: i32, base: i64, low: i64, high: i64): void {
  const bits = bitsOf(<u64>(high - low))
  const sorted = sortArea
  if (!sortValues(y, from, size, low, bits, size - EXCEPTIONS_MAX, sorted)) return
  // More exceptions than that are none: the fullest window holds more values than are left beside them.
  const few = max(0, size - EXCEPTIONS_MAX - 1)
  for (let width = bits - 1; width >= 0; width--) {
    const reach = <i64>1 << width
    let most = few
    let start: i64 = 0
    for (let i = 0; i + most < size; i++) {
      const bottom = load<i64>(at64(sorted, i))
      if (load<i64>(at64(sorted, i + most)) - bottom >= reach) continue
      start = bottom
      while (i + most < size && load<i64>(at64(sorted, i + most)) - bottom < reach) most++
    }
    if (most == few) return
    const exceptions = size - most
    const below = bitsOf(zigzag((low - start) >> width))
    const above = bitsOf(zigzag((high - start) >> width))
    const highWidth = max(below, above)
    if (highWidth > HIGH_WIDTH_MAX) continue
    let bytes = 3 + bytesOf(size * width) + bytesOf(exceptions * (POSITION_BITS + highWidth))
    if (start != base) bytes += varintBytes(zigzag(start - base))
    if (bytes >= shapeBytes) continue
    shapeBase = start
    shapeWidth = width
    shapeExceptions = exceptions
    shapeHighWidth = highWidth
    shapeBytes = bytes
  }
}

function writeBlock(out: usize, y: usize, from: i32, to: i32, base: i64): void {
  const width = shapeWidth
  let head = width
  if (shapeBase != base) head |= NEW_BASE
  if (shapeExceptions > 0) head |= EXCEPTIONS
  store<u8>(out++, <u8>head)
  if (shapeBase != base) out = writeVarint(out, zigzag(shapeBase - base))
  startBits(out)
  const mask: u64 = (<u64>1 << <u64>width) - 1
  for (let i = from; i < to; i++) putBits(<u64>(load<i64>(at64(y, i)) - shapeBase) & mask, width)
  out = endBits()
  if (shapeExceptions == 0) return
  store<u8>(out++, <u8>shapeExceptions)
  store<u8>(out++, <u8>shapeHighWidth)
  startBits(out)
  for (let i = from; i < to; i++) {
    const above = (load<i64>(at64(y, i)) - shapeBase) >> width
    if (above == 0) continue
    putBits(<u64>(i - from) | (zigzag(above) << POSITION_BITS), POSITION_BITS + shapeHighWidth)
  }
  endBits()
}

// A writer of bits, lowest first.
let bitsEnd: usize = 0
let pending: u64 = 0
let filled: i32 = 0

export function startBits(out: usize): void {
  bitsEnd = out
  pending = 0
  filled = 0
}

/** @param value without bits beyond `width` */
// @ts-ignore: decorator
@inline
export function putBits(value: u64, width: i32): void {
  pending |= value << <u64>filled
  filled += width
  if (filled >= 64) {
    store<u64>(bitsEnd, pending)
    bitsEnd += 8
    filled -= 64
    pending = filled == 0 ? 0 : value >> <u64>(width - filled)
  }
}

/** Returns where the bits end. */
export function endBits(): usize {
  while (filled > 0) {
    store<u8>(bitsEnd++, <u8>pending)
    pending >>= 8
    filled -= 8
  }
  return bitsEnd
}

// How read values go to x: stored, or added to what is there as they are, summed up, or summed up twice.
const STORE: i32 = -1
// One mini-block, on its way to being added.
const buffer = memory.data(8 * MINI_BLOCK, 8)

/** Reads `count` values of a stream into x; returns where it ended, or 0 when it runs beyond `end`. */
export function readStream(p: usize, end: usize, x: usize, count: i32): usize {
  return readBlocks(p, end, x, count, STORE)
}

let sum: i64 = 0
let sumOfSums: i64 = 0

/** As `readStream`, but adds to x the values, or their sums from `first` on, or the sums of sums. */
export function addStream(p: usize, end: usize, x: usize, count: i32, order: i32, first: i64, delta: i64): usize {
  sumOfSums = first
  sum = order == 1 ? first : delta
  return readBlocks(p, end, x, count, order)
}

function readBlocks(p: usize, end: usize, x: usize, count: i32, order: i32): usize {
  if (count == 0) return p
  const first = unzigzag(readVarint(p))
  const factor = <i64>readVarint(cursor)
  p = cursor
  let base: i64 = 0
  let flat: u64 = 0
  for (let from = 0; from < count; from += MINI_BLOCK) {
    const size = min(MINI_BLOCK, count - from)
    const into = order == STORE ? at64(x, from) : buffer
    if (flat > 0) {
      flat--
      fill(into, size, first + base * factor)
    } else {
      if (p >= end) return 0
      const head: i32 = load<u8>(p++)
      if (head == FLAT_RUN) {
        flat = readVarint(p)
        p = cursor
        if (flat-- == 0) return 0
        fill(into, size, first + base * factor)
      } else {
        const width = head & WIDTH_BITS
        if (width > WIDTH_MAX) return 0
        if (head & NEW_BASE) {
          base += unzigzag(readVarint(p))
          p = cursor
        }
        const bytes = <usize>bytesOf(size * width)
        if (p > end || bytes > end - p) return 0
        if (width == 0) fill(into, size, first + base * factor)
        else unpackBits(p, into, size, width, first + base * factor, factor)
        p += bytes
        if (head & EXCEPTIONS) {
          p = readExceptions(p, end, into, size, width, factor)
          if (p == 0) return 0
        }
      }
    }
    if (order != STORE) addBlock(at64(x, from), size, order)
  }
  return p
}

function addBlock(x: usize, size: i32, order: i32): void {
  for (let i = 0; i < size; i++) {
    let value = load<i64>(at64(buffer, i))
    if (order > 0) value = sum += value
    if (order > 1) value = sumOfSums += value
    store<i64>(at64(x, i), load<i64>(at64(x, i)) + value)
  }
}

function fill(x: usize, count: i32, value: i64): void {
  for (let i = 0; i < count; i++) store<i64>(at64(x, i), value)
}

function unpackBits(p: usize, x: usize, count: i32, width: i32, offset: i64, factor: i64): void {
  const mask: u64 = (<u64>1 << <u64>width) - 1
  let bit: usize = 0
  if (factor == 1) {
    for (let i = 0; i < count; i++) {
      const packed = (load<u64>(p + (bit >> 3)) >> <u64>(bit & 7)) & mask
      store<i64>(at64(x, i), offset + <i64>packed)
      bit += width
    }
    return
  }
  for (let i = 0; i < count; i++) {
    const packed = (load<u64>(p + (bit >> 3)) >> <u64>(bit & 7)) & mask
    store<i64>(at64(x, i), offset + <i64>packed * factor)
    bit += width
  }
}

function readExceptions(p: usize, end: usize, x: usize, size: i32, width: i32, factor: i64): usize {
  if (end - p < 2) return 0
  const count: i32 = load<u8>(p)
  const highWidth: i32 = load<u8>(p + 1)
  p += 2
  if (highWidth > HIGH_WIDTH_MAX || count > size) return 0
  const bytes = <usize>bytesOf(count * (POSITION_BITS + highWidth))
  if (bytes > end - p) return 0
  const mask: u64 = (<u64>1 << <u64>(POSITION_BITS + highWidth)) - 1
  let bit: usize = 0
  for (let i = 0; i < count; i++) {
    const packed = (load<u64>(p + (bit >> 3)) >> <u64>(bit & 7)) & mask
    const position = <i32>(packed & (MINI_BLOCK - 1))
    if (position >= size) return 0
    const above = unzigzag(packed >> POSITION_BITS) << width
    store<i64>(at64(x, position), load<i64>(at64(x, position)) + above * factor)
    bit += POSITION_BITS + highWidth
  }
  return p + bytes
}
