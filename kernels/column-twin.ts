import type { ColumnKernels } from './column.ts'
import { BITS, MULTIPLY, planFloats, readFloats } from './column-floats-twin.ts'
import { Form, planIntegers, readIntegers, writeIntegers } from './column-integers-twin.ts'
import { readSpecials, type SourceRow, type SpecialRun, writeSpecials } from './column-specials-twin.ts'
import { ByteCursor, canRescale, decimalBits, Kind, MANTISSA_MAX, rescale, STALE_NAN_BITS } from './row-bytes.ts'

const HAS_SPECIALS = 0x10
const GOOD_BITS = 16
const SHORT_BYTES = 12
const EXPONENT_BITS = 0x7ff0_0000_0000_0000n
const NEGATIVE_ZERO = -(2n ** 63n)

/** The column kernels in plain TypeScript, over the same memory layout: what the tests hold the WebAssembly against. */
export function createColumnTwin(memory: ArrayBufferLike): ColumnKernels {
  const pack = (m: number, e: number, k: number, n: number, out: number, isThorough: boolean): number =>
    columnPack(new ByteCursor(memory), readSource(new ByteCursor(memory), m, e, k, n), out, isThorough)
  return {
    columnPack: (m, e, k, n, out, _work, effort) => pack(m, e, k, n, out, effort === 1),
    columnsPack(m, e, k, n, count, present, lengths, out) {
      const { view } = new ByteCursor(memory)
      let end = out
      for (let i = 0; i < count; i++) {
        const isEmpty = view.getUint32(present + 4 * i, true) === 0
        const length = isEmpty ? 0 : pack(m + 8 * n * i, e + n * i, k + n * i, n, end, false)
        view.setUint32(lengths + 4 * i, length, true)
        end += length
      }
      return end - out
    },
    columnUnpack: (...args) => columnUnpack(new ByteCursor(memory), ...args),
  }
}

interface DecimalRow extends SourceRow {
  /** Mantissa and exponent; only of kind DECIMAL. */
  readonly mantissa: bigint
  readonly exponent: number
}

function readSource(c: ByteCursor, m: number, e: number, k: number, n: number): DecimalRow[] {
  return Array.from({ length: n }, (_, i) => {
    const kind = c.view.getUint8(k + i)
    const mantissa = c.i64(m, i)
    const exponent = c.view.getInt8(e + i)
    return { kind, mantissa, exponent, bits: kind === Kind.DECIMAL ? decimalBits(mantissa, exponent) : mantissa }
  })
}

function columnPack(c: ByteCursor, source: readonly DecimalRow[], out: number, isThorough: boolean): number {
  c.at = out
  const present = source.filter((row) => row.kind !== Kind.ABSENT).length
  if (present === 0) {
    c.writeByte(Form.EMPTY)
    return 1
  }
  let bytes = packDecimals(c, source, out, isThorough)
  if (bytes === undefined || (bytes * 8 >= present * GOOD_BITS && bytes > SHORT_BYTES)) {
    bytes = packFloats(c, source, out, bytes, isThorough)
  }
  return isExact(c.view, out, bytes, source) ? bytes : writePlain(c, source, out)
}

function packDecimals(
  c: ByteCursor,
  source: readonly DecimalRow[],
  out: number,
  isThorough: boolean,
): number | undefined {
  const exponents = source.filter((row) => row.kind === Kind.DECIMAL && row.mantissa !== 0n).map((row) => row.exponent)
  const highest = exponents.reduce((a, b) => Math.max(a, b), -22)
  const exponent = highest === -22 ? 0 : highest
  const rows = source.map((row): DecimalRow => {
    if (row.kind !== Kind.DECIMAL) return row
    const by = Math.max(exponent - row.exponent, 0)
    const fits = row.mantissa <= MANTISSA_MAX && row.mantissa >= -MANTISSA_MAX && canRescale(row.mantissa, by)
    return fits ? { ...row, mantissa: rescale(row.mantissa, by) } : { ...row, kind: Kind.RAW }
  })
  const rawCount = rows.filter((row) => row.kind === Kind.RAW).length
  const values = rows.filter((row) => row.kind === Kind.DECIMAL).map((row) => row.mantissa)
  if (rawCount > 0 && rawCount > values.length >> 2) return undefined
  c.at = out
  if (values.length === 0) writeHeader(c, Form.CONST, 0, rows)
  else {
    const { form } = planIntegers(values, isThorough)
    writeHeader(c, form, exponent, rows)
    writeIntegers(c, form, values)
  }
  return c.at - out
}

function packFloats(
  c: ByteCursor,
  source: readonly DecimalRow[],
  out: number,
  bytesMax: number | undefined,
  isThorough: boolean,
): number {
  const isFinite = ({ bits }: SourceRow): boolean => (bits & EXPONENT_BITS) !== EXPONENT_BITS && bits !== NEGATIVE_ZERO
  const rows = source.map((row): SourceRow => {
    if (row.kind !== Kind.DECIMAL && row.kind !== Kind.RAW) return row
    return { kind: isFinite(row) ? Kind.DECIMAL : Kind.RAW, bits: row.bits }
  })
  const values = rows.filter((row) => row.kind === Kind.DECIMAL).map((row) => row.bits)
  const none = { tag: Form.CONST, exponent: 0, bytes: 0, write: () => undefined }
  const plan = values.length === 0 ? none : planFloats(values, isThorough)
  const special = new ByteCursor(new ArrayBuffer(32 + 20 * source.length))
  if (values.length < rows.length) writeSpecials(special, rows)
  if (bytesMax !== undefined && 2 + special.at + plan.bytes >= bytesMax) return bytesMax
  c.at = out
  writeHeader(c, plan.tag, plan.exponent, rows)
  plan.write(c)
  return c.at - out
}

function writeHeader(c: ByteCursor, tag: number, exponent: number, rows: readonly SourceRow[]): void {
  const hasSpecials = rows.some((row) => row.kind !== Kind.DECIMAL)
  c.writeByte(hasSpecials ? tag | HAS_SPECIALS : tag)
  if (tag !== Form.PLAIN) c.writeByte(exponent)
  if (hasSpecials) writeSpecials(c, rows)
}

function writePlain(c: ByteCursor, source: readonly SourceRow[], out: number): number {
  const rows = source.map((row) => (row.kind === Kind.RAW ? { ...row, kind: Kind.DECIMAL } : row))
  c.at = out
  writeHeader(c, Form.PLAIN, 0, rows)
  for (const row of rows) if (row.kind === Kind.DECIMAL) c.writeBits64(row.bits)
  return c.at - out
}

function isExact(view: DataView, out: number, bytes: number, source: readonly SourceRow[]): boolean {
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
  if (form > Form.ULP) return -1
  if (form === Form.EMPTY) {
    c.fill(outK, Kind.ABSENT, n)
    c.setU32(summary, 0, 0)
    return 1
  }
  const isDecimal = form < Form.PLAIN && (tag & (MULTIPLY | BITS)) === 0
  const exponent = form === Form.PLAIN ? 0 : c.view.getInt8(c.at++)
  const runs = (tag & HAS_SPECIALS) === 0 ? [] : readSpecials(c, end, n)
  if (runs === undefined) return -1
  const count = n - runs.reduce((sum, run) => sum + run.length, 0)
  if (count > 0 && c.at > end) return -1
  const values = count > 0 ? readValues(c, end, tag, exponent, count) : []
  if (values === undefined || c.at > end) return -1
  const dense = isDecimal && asF64 !== 0 ? values.map((value) => decimalBits(value, exponent)) : values
  const ordinary = isDecimal || asF64 !== 0 ? Kind.DECIMAL : Kind.RAW
  const rows = spread(dense, runs, ordinary, n)
  for (const [i, row] of rows.entries()) {
    if (row.kind !== Kind.ABSENT) c.setI64(outM, i, row.bits)
    c.view.setUint8(outK + i, row.kind)
    if (asF64 === 0) c.view.setInt8(outE + i, isDecimal ? exponent : 0)
  }
  c.setU32(summary, 0, rows.filter((row) => row.kind !== Kind.ABSENT).length)
  c.setU32(summary, 1, rows.filter((row) => row.kind === Kind.STALE).length)
  return c.at - p
}

function readValues(c: ByteCursor, end: number, tag: number, exponent: number, count: number): bigint[] | undefined {
  const form = tag & 15
  if (form === Form.PLAIN) {
    if (count * 8 > end - c.at) return undefined
    const values = Array.from({ length: count }, (_, i) => c.i64(c.at, i))
    c.at += 8 * count
    return values
  }
  const isInteger = form < Form.PLAIN && (tag & (MULTIPLY | BITS)) === 0
  return isInteger ? readIntegers(c, end, form, count) : readFloats(c, end, tag, exponent, count)
}

/** Puts the special rows between the ordinary ones. */
function spread(values: readonly bigint[], runs: readonly SpecialRun[], ordinary: number, n: number): SourceRow[] {
  const rows: SourceRow[] = []
  let next = 0
  const takeOrdinary = (until: number): void => {
    while (rows.length < until) rows.push({ kind: ordinary, bits: values[next++]! })
  }
  for (const run of runs) {
    takeOrdinary(run.from)
    for (let i = 0; i < run.length; i++) {
      rows.push({ kind: run.kind, bits: run.bits[i] ?? (run.kind === Kind.STALE ? STALE_NAN_BITS : 0n) })
    }
  }
  takeOrdinary(n)
  return rows
}
