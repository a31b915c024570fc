import type { ColumnKernels } from './column.ts'
import {
  ByteCursor,
  canRescale,
  decimalBits,
  Kind,
  MANTISSA_MAX,
  rescale,
  STALE_NAN_BITS,
  unzigzag,
  varintBytes,
  zigzag,
} from './row-bytes.ts'

const Form = { EMPTY: 0, CONST: 1, LINEAR: 2, FOR: 3, DELTA: 4, DELTA2: 5, PLAIN: 6 } as const
const HAS_SPECIALS = 0x10
const MINI_BLOCK = 64
const NEW_BASE = 0x80
const WIDTH_MAX = 57

/** The column kernels in plain TypeScript, over the same memory layout: what the tests hold the WebAssembly against. */
export function createColumnTwin(memory: ArrayBufferLike): ColumnKernels {
  return {
    columnPack: (m, e, k, n, out) => columnPack(new ByteCursor(memory), m, e, k, n, out),
    columnUnpack: (...args) => columnUnpack(new ByteCursor(memory), ...args),
  }
}

interface Row {
  readonly kind: number
  /** Mantissa, scaled to the column's exponent; only of kind DECIMAL. */
  readonly mantissa: bigint
  /** The float64's bits. */
  readonly bits: bigint
}

function columnPack(c: ByteCursor, m: number, e: number, k: number, n: number, out: number): number {
  const source = Array.from({ length: n }, (_, i) => {
    const kind = c.view.getUint8(k + i)
    const mantissa = c.i64(m, i)
    const exponent = c.view.getInt8(e + i)
    return { kind, mantissa, exponent, bits: kind === Kind.DECIMAL ? decimalBits(mantissa, exponent) : mantissa }
  })
  c.at = out
  if (source.every((row) => row.kind === Kind.ABSENT)) {
    c.writeByte(Form.EMPTY)
    return 1
  }
  const exponents = source.filter((row) => row.kind === Kind.DECIMAL && row.mantissa !== 0n).map((row) => row.exponent)
  const highest = exponents.reduce((a, b) => Math.max(a, b), -22)
  const exponent = highest === -22 ? 0 : highest
  const rows = source.map((row): Row => {
    if (row.kind !== Kind.DECIMAL) return row
    const by = Math.max(exponent - row.exponent, 0)
    const fits = row.mantissa <= MANTISSA_MAX && row.mantissa >= -MANTISSA_MAX && canRescale(row.mantissa, by)
    return fits ? { ...row, mantissa: rescale(row.mantissa, by) } : { ...row, kind: Kind.RAW }
  })
  const rawCount = rows.filter((row) => row.kind === Kind.RAW).length
  const values = rows.filter((row) => row.kind === Kind.DECIMAL).map((row) => row.mantissa)
  if (rawCount > 0 && rawCount > values.length >> 2) return writePlain(c, out, source)
  writeDecimals(c, rows, values, exponent)
  const bytes = c.at - out
  if (!isExact(c.view, out, bytes, source)) return writePlain(c, out, source)
  return bytes
}

function writeDecimals(c: ByteCursor, rows: readonly Row[], values: readonly bigint[], exponent: number): void {
  const special = rows.length > values.length ? HAS_SPECIALS : 0
  const form = values.length === 0 ? Form.CONST : chooseForm(values)
  c.writeByte(form | special)
  c.writeByte(values.length === 0 ? 0 : exponent)
  if (special !== 0) writeSpecials(c, rows)
  if (values.length === 0) return
  if (form !== Form.FOR) c.writeVarint(zigzag(values[0]!))
  if (form === Form.LINEAR || form === Form.DELTA2) c.writeVarint(zigzag(values[1]! - values[0]!))
  if (form >= Form.FOR) writeStream(c, sequenceOf(values, form))
}

const differences = (values: readonly bigint[]): bigint[] => values.slice(1).map((value, i) => value - values[i]!)

function sequenceOf(values: readonly bigint[], form: number): readonly bigint[] {
  if (form === Form.FOR) return values
  const deltas = differences(values)
  return form === Form.DELTA ? deltas : differences(deltas)
}

function chooseForm(values: readonly bigint[]): number {
  const deltas = differences(values)
  if (deltas.every((delta) => delta === deltas[0])) return (deltas[0] ?? 0n) === 0n ? Form.CONST : Form.LINEAR
  const firstBytes = varintBytes(zigzag(values[0]!))
  const sizes: [number, number][] = [
    [Form.FOR, streamBytes(values)],
    [Form.DELTA, firstBytes + streamBytes(sequenceOf(values, Form.DELTA))],
    [Form.DELTA2, firstBytes + varintBytes(zigzag(deltas[0]!)) + streamBytes(sequenceOf(values, Form.DELTA2))],
  ]
  return sizes.reduce((best, candidate) => (candidate[1] < best[1] ? candidate : best))[0]
}

interface MiniBlock {
  readonly values: readonly bigint[]
  readonly base: bigint
  readonly baseChange: bigint
  readonly width: number
}

/** Splits off the first value and the greatest common step, and gives every 64 values a base and a width. */
function shapeStream(sequence: readonly bigint[]): { first: bigint; step: bigint; blocks: MiniBlock[] } {
  const first = sequence[0] ?? 0n
  const offsets = sequence.map((value) => value - first)
  const divisor = offsets.reduce((gcd, offset) => greatestCommonDivisor(offset < 0n ? -offset : offset, gcd), 0n)
  const step = divisor === 0n ? 1n : divisor
  const blocks: MiniBlock[] = []
  let base = 0n
  for (let from = 0; from < offsets.length; from += MINI_BLOCK) {
    const values = offsets.slice(from, from + MINI_BLOCK).map((offset) => offset / step)
    const block = shapeBlock(values, base)
    base = block.base
    blocks.push(block)
  }
  return { first, step, blocks }
}

function shapeBlock(values: readonly bigint[], base: bigint): MiniBlock {
  const low = values.reduce((a, b) => (b < a ? b : a))
  const high = values.reduce((a, b) => (b > a ? b : a))
  const ownWidth = bitLength(high - low)
  const ownBytes = varintBytes(zigzag(low - base)) + packedBytes(values.length, ownWidth)
  const width = bitLength(high - base)
  if (low >= base && packedBytes(values.length, width) <= ownBytes) return { values, base, baseChange: 0n, width }
  return { values, base: low, baseChange: low - base, width: ownWidth }
}

const bitLength = (value: bigint): number => (value <= 0n ? 0 : value.toString(2).length)
const packedBytes = (count: number, width: number): number => (count * width + 7) >> 3

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b)
}

function streamBytes(sequence: readonly bigint[]): number {
  if (sequence.length === 0) return 0
  const { first, step, blocks } = shapeStream(sequence)
  let bytes = varintBytes(zigzag(first)) + varintBytes(step)
  for (const block of blocks) {
    bytes += 1 + packedBytes(block.values.length, block.width)
    if (block.baseChange !== 0n) bytes += varintBytes(zigzag(block.baseChange))
  }
  return bytes
}

function writeStream(c: ByteCursor, sequence: readonly bigint[]): void {
  const { first, step, blocks } = shapeStream(sequence)
  c.writeVarint(zigzag(first))
  c.writeVarint(step)
  for (const { values, base, baseChange, width } of blocks) {
    c.writeByte(baseChange === 0n ? width : width | NEW_BASE)
    if (baseChange !== 0n) c.writeVarint(zigzag(baseChange))
    let packed = values.reduce((bits, value, i) => bits | ((value - base) << BigInt(i * width)), 0n)
    for (let left = packedBytes(values.length, width); left > 0; left--) {
      c.writeByte(Number(packed & 255n))
      packed >>= 8n
    }
  }
}

function writeSpecials(c: ByteCursor, rows: readonly { kind: number; bits: bigint }[]): void {
  const runs: { from: number; kind: number; bits: bigint[] }[] = []
  for (const [i, row] of rows.entries()) {
    if (row.kind === Kind.DECIMAL) continue
    if (i > 0 && rows[i - 1]!.kind === row.kind) runs.at(-1)!.bits.push(row.bits)
    else runs.push({ from: i, kind: row.kind, bits: [row.bits] })
  }
  c.writeVarint(BigInt(runs.length))
  let ended = 0
  for (const { from, kind, bits } of runs) {
    c.writeVarint(BigInt(from - ended))
    c.writeVarint(BigInt(bits.length * 4 + kind))
    ended = from + bits.length
    if (kind === Kind.RAW) for (const raw of bits) c.writeBits64(raw)
  }
}

function writePlain(c: ByteCursor, out: number, source: readonly { kind: number; bits: bigint }[]): number {
  const rows = source.map((row) => (row.kind === Kind.RAW ? { ...row, kind: Kind.DECIMAL } : row))
  const special = rows.some((row) => row.kind !== Kind.DECIMAL) ? HAS_SPECIALS : 0
  c.at = out
  c.writeByte(Form.PLAIN | special)
  if (special !== 0) writeSpecials(c, rows)
  for (const row of rows) if (row.kind === Kind.DECIMAL) c.writeBits64(row.bits)
  return c.at - out
}

function isExact(
  view: DataView,
  out: number,
  bytes: number,
  source: readonly { kind: number; bits: bigint }[],
): boolean {
  const n = source.length
  const copy = new ArrayBuffer(bytes + 40 + 9 * n + 16)
  new Uint8Array(copy).set(new Uint8Array(view.buffer, out, bytes))
  const values = bytes + 40 - ((bytes + 40) % 8)
  const kinds = values + 8 * n
  const c = new ByteCursor(copy)
  if (columnUnpack(c, 0, bytes, n, values, 0, kinds, kinds + n, 1) !== bytes) return false
  return source.every((row, i) => {
    const back = c.view.getUint8(kinds + i)
    if (row.kind === Kind.ABSENT || row.kind === Kind.STALE) return back === row.kind
    return (back === Kind.DECIMAL || back === Kind.RAW) && c.i64(values, i) === row.bits
  })
}

interface SpecialRun {
  readonly from: number
  readonly kind: number
  readonly length: number
  readonly bits: readonly bigint[]
}

function columnUnpack(
  c: ByteCursor,
  p: number,
  end: number,
  n: number,
  outM: number,
  outE: number,
  outK: number,
  summary: number,
  asF64: number,
): number {
  if (p >= end) return -1
  c.at = p
  const tag = c.view.getUint8(c.at++)
  const form = tag & 15
  c.setU32(summary, 0, n)
  c.setU32(summary, 1, 0)
  if (form > Form.PLAIN) return -1
  if (form === Form.EMPTY) {
    c.fill(outK, Kind.ABSENT, n)
    c.setU32(summary, 0, 0)
    return 1
  }
  const ordinary = form === Form.PLAIN ? Kind.RAW : Kind.DECIMAL
  const exponent = form === Form.PLAIN ? 0 : c.view.getInt8(c.at++)
  const runs = (tag & HAS_SPECIALS) === 0 ? [] : readSpecials(c, end, n)
  if (runs === undefined) return -1
  const count = n - runs.reduce((sum, run) => sum + run.length, 0)
  const values = count > 0 ? readValues(c, end, form, count) : []
  if (values === undefined || c.at > end) return -1

  const rows: { kind: number; bits: bigint }[] = []
  let next = 0
  const takeOrdinary = (until: number): void => {
    while (rows.length < until) {
      const value = values[next++]!
      const bits = form !== Form.PLAIN && asF64 !== 0 ? decimalBits(value, exponent) : value
      rows.push({ kind: ordinary, bits })
    }
  }
  for (const run of runs) {
    takeOrdinary(run.from)
    for (let i = 0; i < run.length; i++) {
      rows.push({ kind: run.kind, bits: run.bits[i] ?? (run.kind === Kind.STALE ? STALE_NAN_BITS : 0n) })
    }
  }
  takeOrdinary(n)
  for (const [i, row] of rows.entries()) {
    if (row.kind !== Kind.ABSENT) c.setI64(outM, i, row.bits)
    c.view.setUint8(outK + i, row.kind)
    if (asF64 === 0) c.view.setInt8(outE + i, exponent)
  }
  c.setU32(summary, 0, rows.filter((row) => row.kind !== Kind.ABSENT).length)
  c.setU32(summary, 1, rows.filter((row) => row.kind === Kind.STALE).length)
  return c.at - p
}

function readSpecials(c: ByteCursor, end: number, n: number): SpecialRun[] | undefined {
  const count = c.readVarint()
  const runs: SpecialRun[] = []
  let row = 0n
  for (let i = 0n; i < count; i++) {
    if (c.at >= end) return undefined
    const gap = c.readVarint()
    const word = c.readVarint()
    const kind = Number(word & 3n)
    const length = word >> 2n
    if (kind === Kind.DECIMAL || gap > BigInt(n) || length > BigInt(n)) return undefined
    row += gap
    if (row + length > BigInt(n)) return undefined
    const bits: bigint[] = []
    if (kind === Kind.RAW) {
      if (c.at > end || Number(length) * 8 > end - c.at) return undefined
      for (let j = 0n; j < length; j++, c.at += 8) bits.push(c.i64(c.at, 0))
    }
    runs.push({ from: Number(row), kind, length: Number(length), bits })
    row += length
  }
  return runs
}

function readValues(c: ByteCursor, end: number, form: number, count: number): bigint[] | undefined {
  if (form === Form.PLAIN) {
    if (c.at > end || count * 8 > end - c.at) return undefined
    const values = Array.from({ length: count }, (_, i) => c.i64(c.at, i))
    c.at += 8 * count
    return values
  }
  if (form === Form.FOR) return readStream(c, end, count)
  const first = unzigzag(c.readVarint())
  if (form === Form.CONST) return Array<bigint>(count).fill(first)
  if (form === Form.DELTA) {
    const deltas = readStream(c, end, count - 1)
    return deltas && accumulate(first, deltas)
  }
  const delta = unzigzag(c.readVarint())
  if (count === 1) return [first]
  if (form === Form.LINEAR) return accumulate(first, Array<bigint>(count - 1).fill(delta))
  const seconds = readStream(c, end, count - 2)
  return seconds && accumulate(first, accumulate(delta, seconds))
}

function accumulate(first: bigint, deltas: readonly bigint[]): bigint[] {
  const values = [first]
  for (const delta of deltas) values.push(BigInt.asIntN(64, values.at(-1)! + delta))
  return values
}

function readStream(c: ByteCursor, end: number, count: number): bigint[] | undefined {
  const first = unzigzag(c.readVarint())
  const step = BigInt.asIntN(64, c.readVarint())
  const values: bigint[] = []
  let base = 0n
  for (let from = 0; from < count; from += MINI_BLOCK) {
    if (c.at >= end) return undefined
    const size = Math.min(MINI_BLOCK, count - from)
    const head = c.view.getUint8(c.at++)
    const width = head & 127
    if (width > WIDTH_MAX) return undefined
    if ((head & NEW_BASE) !== 0) base += unzigzag(c.readVarint())
    const bytes = packedBytes(size, width)
    if (c.at > end || bytes > end - c.at) return undefined
    let packed = 0n
    for (let i = bytes - 1; i >= 0; i--) packed = (packed << 8n) | BigInt(c.view.getUint8(c.at + i))
    const mask = (1n << BigInt(width)) - 1n
    for (let i = 0; i < size; i++) {
      const value = (packed >> BigInt(i * width)) & mask
      values.push(BigInt.asIntN(64, first + (base + value) * step))
    }
    c.at += bytes
  }
  return values
}
