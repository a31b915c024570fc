import { type ByteCursor, unzigzag, varintBytes, zigzag } from './row-bytes.ts'

// Twin of assembly/column-stream.ts. Format: docs/formats/column.md.
const MINI_BLOCK = 64
const NEW_BASE = 0x80
const EXCEPTIONS = 0x40
const WIDTH_BITS = 0x3f
const FLAT_RUN = 0x3f
const WIDTH_MAX = 57
const POSITION_BITS = 6
const HIGH_WIDTH_MAX = 50
const EXCEPTIONS_MAX = 16
const FLAT_RUN_MIN = 3
const DISTANCE_MAX = 1n << 56n

interface MiniBlock {
  readonly values: readonly bigint[]
  readonly base: bigint
  readonly baseChange: bigint
  readonly width: number
  /** Number of exceptions and the width of what they add. */
  readonly exceptions: number
  readonly highWidth: number
  readonly bytes: number
}

interface ShapedStream {
  readonly first: bigint
  readonly step: bigint
  readonly blocks: readonly MiniBlock[]
}

export const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value)
const bitLength = (value: bigint): number => (value <= 0n ? 0 : value.toString(2).length)
const bytesOf = (bits: number): number => (bits + 7) >> 3

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b)
}

/** Splits off the first value and the greatest common step, and shapes the mini-blocks; `undefined` when it cannot be. */
function shapeStream(sequence: readonly bigint[], patched: boolean): ShapedStream | undefined {
  const first = sequence[0] ?? 0n
  const offsets = sequence.map((value) => wrapped(value - first))
  if (offsets.some((offset) => offset >= DISTANCE_MAX || offset <= -DISTANCE_MAX)) return undefined
  const divisor = offsets.reduce((gcd, offset) => greatestCommonDivisor(offset < 0n ? -offset : offset, gcd), 0n)
  const step = divisor === 0n ? 1n : divisor
  const blocks: MiniBlock[] = []
  let base = 0n
  for (let from = 0; from < offsets.length; from += MINI_BLOCK) {
    const values = offsets.slice(from, from + MINI_BLOCK).map((offset) => offset / step)
    const block = shapeBlock(values, base, patched)
    base = block.base
    blocks.push(block)
  }
  return { first, step, blocks }
}

function shapeBlock(values: readonly bigint[], before: bigint, patched: boolean): MiniBlock {
  const low = values.reduce((a, b) => (b < a ? b : a))
  const high = values.reduce((a, b) => (b > a ? b : a))
  const plain = (base: bigint): MiniBlock => {
    const width = bitLength(high - base)
    const baseChange = base - before
    const bytes = 1 + (baseChange === 0n ? 0 : varintBytes(zigzag(baseChange))) + bytesOf(values.length * width)
    return { values, base, baseChange, width, exceptions: 0, highWidth: 0, bytes }
  }
  let best = plain(low)
  if (low > before) {
    const kept = plain(before)
    if (kept.bytes <= best.bytes) best = kept
  }
  return patched && best.bytes > 5 ? patchBlock(best, before, low, high) : best
}

function patchBlock(plain: MiniBlock, before: bigint, low: bigint, high: bigint): MiniBlock {
  const { values } = plain
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  let best = plain
  for (let width = bitLength(high - low) - 1; width >= 0; width--) {
    const { base, count } = fullestWindow(sorted, 1n << BigInt(width))
    const exceptions = values.length - count
    if (exceptions > EXCEPTIONS_MAX) break
    const highOf = (value: bigint): number => bitLength(zigzag((value - base) >> BigInt(width)))
    const highWidth = Math.max(highOf(low), highOf(high))
    if (highWidth > HIGH_WIDTH_MAX) continue
    const baseChange = base - before
    let bytes = 3 + bytesOf(values.length * width) + bytesOf(exceptions * (POSITION_BITS + highWidth))
    if (baseChange !== 0n) bytes += varintBytes(zigzag(baseChange))
    if (bytes < best.bytes) best = { values, base, baseChange, width, exceptions, highWidth, bytes }
  }
  return best
}

/** The first value from which on the most values lie within reach. */
function fullestWindow(sorted: readonly bigint[], reach: bigint): { base: bigint; count: number } {
  let best = { base: 0n, count: 0 }
  for (const [i, base] of sorted.entries()) {
    const end = sorted.findIndex((value) => value - base >= reach)
    const count = (end < 0 ? sorted.length : end) - i
    if (count > best.count) best = { base, count }
  }
  return best
}

const isFlat = (block: MiniBlock): boolean => block.width === 0 && block.exceptions === 0 && block.baseChange === 0n

/** Bytes the stream takes, `undefined` when its values are too far apart. */
export function streamBytes(sequence: readonly bigint[], patched: boolean): number | undefined {
  if (sequence.length === 0) return 0
  const shaped = shapeStream(sequence, patched)
  if (shaped === undefined) return undefined
  let bytes = varintBytes(zigzag(shaped.first)) + varintBytes(shaped.step)
  let flat = 0
  const flatBytes = (): number => (flat < FLAT_RUN_MIN ? flat : 1 + varintBytes(BigInt(flat)))
  for (const block of shaped.blocks) {
    if (isFlat(block)) {
      flat++
      continue
    }
    bytes += flatBytes() + block.bytes
    flat = 0
  }
  return bytes + flatBytes()
}

export function writeStream(c: ByteCursor, sequence: readonly bigint[]): void {
  if (sequence.length === 0) return
  const { first, step, blocks } = shapeStream(sequence, true)!
  c.writeVarint(zigzag(first))
  c.writeVarint(step)
  let flat = 0
  const writeFlat = (): void => {
    if (flat >= FLAT_RUN_MIN) {
      c.writeByte(FLAT_RUN)
      c.writeVarint(BigInt(flat))
    } else for (let i = 0; i < flat; i++) c.writeByte(0)
    flat = 0
  }
  for (const block of blocks) {
    if (isFlat(block)) flat++
    else {
      writeFlat()
      writeBlock(c, block)
    }
  }
  writeFlat()
}

function writeBlock(c: ByteCursor, { values, base, baseChange, width, exceptions, highWidth }: MiniBlock): void {
  c.writeByte(width | (baseChange === 0n ? 0 : NEW_BASE) | (exceptions === 0 ? 0 : EXCEPTIONS))
  if (baseChange !== 0n) c.writeVarint(zigzag(baseChange))
  const bits = BigInt(width)
  const low = new BitWriter(c)
  for (const value of values) low.put(BigInt.asUintN(width, value - base), width)
  low.end()
  if (exceptions === 0) return
  c.writeByte(exceptions)
  c.writeByte(highWidth)
  const high = new BitWriter(c)
  for (const [position, value] of values.entries()) {
    const above = (value - base) >> bits
    if (above !== 0n) high.put(BigInt(position) | (zigzag(above) << BigInt(POSITION_BITS)), POSITION_BITS + highWidth)
  }
  high.end()
}

/** Puts bits after one another, lowest first. */
export class BitWriter {
  readonly #cursor: ByteCursor
  #pending = 0n
  #filled = 0

  constructor(cursor: ByteCursor) {
    this.#cursor = cursor
  }

  put(value: bigint, width: number): void {
    this.#pending |= value << BigInt(this.#filled)
    this.#filled += width
    for (; this.#filled >= 8; this.#filled -= 8) {
      this.#cursor.writeByte(Number(this.#pending & 255n))
      this.#pending >>= 8n
    }
  }

  /** Fills up the last byte. */
  end(): void {
    if (this.#filled > 0) this.#cursor.writeByte(Number(this.#pending))
  }
}

/** `count` values of a stream; `undefined` when it runs beyond `end`. */
export function readStream(c: ByteCursor, end: number, count: number): bigint[] | undefined {
  if (count === 0) return []
  const first = unzigzag(c.readVarint())
  const step = wrapped(c.readVarint())
  const values: bigint[] = []
  let base = 0n
  let flat = 0n
  for (let from = 0; from < count; from += MINI_BLOCK) {
    const size = Math.min(MINI_BLOCK, count - from)
    let block: bigint[] | undefined
    if (flat === 0n) {
      if (c.at >= end) return undefined
      const head = c.view.getUint8(c.at++)
      if (head === FLAT_RUN) {
        flat = c.readVarint()
        if (flat === 0n) return undefined
      } else {
        if ((head & WIDTH_BITS) > WIDTH_MAX) return undefined
        if ((head & NEW_BASE) !== 0) base += unzigzag(c.readVarint())
        block = readBlock(c, end, head, size)
        if (block === undefined) return undefined
      }
    }
    if (block === undefined) {
      flat--
      block = Array<bigint>(size).fill(0n)
    }
    for (const value of block) values.push(wrapped(first + (base + value) * step))
  }
  return values
}

function readBlock(c: ByteCursor, end: number, head: number, size: number): bigint[] | undefined {
  const width = head & WIDTH_BITS
  const values = readBits(c, end, size, width)
  if (values === undefined || (head & EXCEPTIONS) === 0) return values
  if (end - c.at < 2) return undefined
  const count = c.view.getUint8(c.at)
  const highWidth = c.view.getUint8(c.at + 1)
  c.at += 2
  if (highWidth > HIGH_WIDTH_MAX || count > size) return undefined
  const exceptions = readBits(c, end, count, POSITION_BITS + highWidth)
  if (exceptions === undefined) return undefined
  for (const packed of exceptions) {
    const position = Number(packed & BigInt(MINI_BLOCK - 1))
    if (position >= size) return undefined
    values[position]! += unzigzag(packed >> BigInt(POSITION_BITS)) << BigInt(width)
  }
  return values
}

/** Numbers of equal width. */
function readBits(c: ByteCursor, end: number, count: number, width: number): bigint[] | undefined {
  const bytes = bytesOf(count * width)
  if (c.at > end || bytes > end - c.at) return undefined
  const packed = bitsAsNumber(c, bytes)
  c.at += bytes
  return Array.from({ length: count }, (_, i) => BigInt.asUintN(width, packed >> BigInt(i * width)))
}

/** The bytes from the cursor on as one number, the lowest first. */
export function bitsAsNumber(c: ByteCursor, bytes: number): bigint {
  let packed = 0n
  for (let i = bytes - 1; i >= 0; i--) packed = (packed << 8n) | BigInt(c.view.getUint8(c.at + i))
  return packed
}
