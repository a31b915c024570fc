import { Form, type IntegerPlan, planIntegers, readIntegers, writeIntegers } from './column-integers-twin.ts'
import { BitWriter, bitsAsNumber, wrapped } from './column-stream-twin.ts'
import type { ByteCursor } from './row-bytes.ts'

// Twin of assembly/column-floats.ts. Format: docs/formats/column.md.
export const MULTIPLY = 0x20
export const BITS = 0x40
const DIVIDE_EXPONENT_MAX = 15
const MULTIPLY_EXPONENT_MAX = 12
const GOOD_BITS = 20
const RESIDUAL_MAX = 1n << 52n
const WINDOWS = 8
const WINDOW_ROWS = 16
const COST_MAX = 1000

const POWERS = Array.from({ length: 16 }, (_, i) => Number(`1e${i}`))
const INVERSE_POWERS = Array.from({ length: 16 }, (_, i) => Number(`1e-${i}`))
const float = new Float64Array(1)
const bits = new BigInt64Array(float.buffer)

function bitsOf(value: number): bigint {
  float[0] = value
  return bits[0]!
}

function floatOf(value: bigint): number {
  bits[0] = value
  return float[0]!
}

const scaled = (integer: number, exponent: number, isMultiply: boolean): number =>
  isMultiply ? integer * INVERSE_POWERS[exponent]! : integer / POWERS[exponent]!

/** The integer that comes closest, `undefined` when it is none that a float holds exactly. */
function nearest(value: number, exponent: number): number | undefined {
  const x = Math.floor(value * POWERS[exponent]! + 0.5)
  return Math.abs(x) <= 2 ** 53 ? x : undefined
}

function exactExponent(floats: readonly number[], isMultiply: boolean): number | undefined {
  const to = isMultiply ? MULTIPLY_EXPONENT_MAX : DIVIDE_EXPONENT_MAX
  for (let exponent = isMultiply ? 1 : 0; exponent <= to; exponent++) {
    const isExact = floats.every((value) => {
      const integer = nearest(value, exponent)
      return integer !== undefined && scaled(integer, exponent, isMultiply) === value
    })
    if (isExact) return exponent
  }
  return undefined
}

interface Residuals {
  readonly integers: readonly bigint[]
  readonly residuals: readonly bigint[]
}

function residualsOf(floats: readonly number[], exponent: number, isMultiply: boolean): Residuals | undefined {
  const integers: bigint[] = []
  const residuals: bigint[] = []
  for (const value of floats) {
    const integer = nearest(value, exponent)
    if (integer === undefined) return undefined
    const residual = wrapped(bitsOf(value) - bitsOf(scaled(integer, exponent, isMultiply)))
    if (residual >= RESIDUAL_MAX || residual <= -RESIDUAL_MAX) return undefined
    integers.push(BigInt(integer))
    residuals.push(residual)
  }
  return { integers, residuals }
}

/** Bits of the range of the values, or of their differences within windows. */
function rangeBits(values: readonly bigint[], ofDeltas: boolean): number {
  const taken = ofDeltas
    ? values.flatMap((value, i) => (i % WINDOW_ROWS === 0 ? [] : [value - values[i - 1]!]))
    : values
  if (taken.length === 0) return 0
  const range = taken.reduce((a, b) => (b > a ? b : a)) - taken.reduce((a, b) => (b < a ? b : a))
  return range === 0n ? 0 : range.toString(2).length
}

function residualCost(sample: readonly number[], exponent: number, isMultiply: boolean): number {
  const parts = residualsOf(sample, exponent, isMultiply)
  if (parts === undefined) return COST_MAX
  const cost = (values: readonly bigint[]): number => Math.min(rangeBits(values, false), rangeBits(values, true))
  return cost(parts.integers) + cost(parts.residuals)
}

function residualChoice(floats: readonly number[]): { exponent: number; isMultiply: boolean } | undefined {
  const count = floats.length
  const stride = Math.floor((count - WINDOW_ROWS) / (WINDOWS - 1))
  const windows = Array.from({ length: WINDOWS }, (_, i) => i * (count <= WINDOWS * WINDOW_ROWS ? WINDOW_ROWS : stride))
  const sample = windows.flatMap((from) => floats.slice(from, from + WINDOW_ROWS))
  let best = -1
  let bestCost = COST_MAX
  for (let exponent = 0; exponent <= MULTIPLY_EXPONENT_MAX; exponent++) {
    const cost = residualCost(sample, exponent, false)
    if (cost >= bestCost) continue
    bestCost = cost
    best = exponent
  }
  if (best < 0) return undefined
  return { exponent: best, isMultiply: best > 0 && residualCost(sample, best, true) < bestCost }
}

export interface FloatPlan {
  readonly tag: number
  readonly exponent: number
  readonly bytes: number
  write(c: ByteCursor): void
}

/** Chooses how finite floats (as bits) are written; bytes without tag and exponent. */
export function planFloats(values: readonly bigint[], isThorough: boolean): FloatPlan {
  const floats = values.map(floatOf)
  let best: FloatPlan = {
    tag: Form.PLAIN,
    exponent: 0,
    bytes: 8 * values.length,
    write: (c) => values.forEach((value) => c.writeBits64(value)),
  }
  const consider = (plan: FloatPlan): void => {
    if (plan.bytes < best.bytes) best = plan
  }
  for (const isMultiply of [false, true]) {
    const exponent = exactExponent(floats, isMultiply)
    if (exponent === undefined) continue
    const integers = floats.map((value) => BigInt(nearest(value, exponent)!))
    const { form, bytes } = planIntegers(integers, isThorough)
    const tag = isMultiply ? form | MULTIPLY : form
    consider({ tag, exponent, bytes, write: (c) => writeIntegers(c, form, integers) })
    if (best.bytes * 8 < values.length * GOOD_BITS) return best
  }
  const choice = residualChoice(floats)
  const parts = choice && residualsOf(floats, choice.exponent, choice.isMultiply)
  if (parts !== undefined) {
    const first = planIntegers(parts.integers, isThorough)
    const second = planIntegers(parts.residuals, isThorough)
    consider({
      tag: choice!.isMultiply ? Form.ULP | MULTIPLY : Form.ULP,
      exponent: choice!.exponent,
      bytes: 2 + first.bytes + second.bytes,
      write: (c) => writeParts(c, parts, first, second),
    })
  }
  const asBits = planIntegers(values, isThorough)
  const { form } = asBits
  consider({ tag: form | BITS, exponent: 0, bytes: asBits.bytes, write: (c) => writeIntegers(c, form, values) })
  consider({ tag: Form.XOR, exponent: 0, bytes: xorBytes(values), write: (c) => writeXor(c, values) })
  return best
}

function writeParts(c: ByteCursor, parts: Residuals, first: IntegerPlan, second: IntegerPlan): void {
  c.writeByte(first.form)
  writeIntegers(c, first.form, parts.integers)
  c.writeByte(second.form)
  writeIntegers(c, second.form, parts.residuals)
}

/** Bits of `count` > 0 floats that are not PLAIN; `undefined` when they are malformed. */
export function readFloats(
  c: ByteCursor,
  end: number,
  tag: number,
  exponent: number,
  count: number,
): bigint[] | undefined {
  const form = tag & 15
  if (form === Form.XOR) return readXor(c, end, count)
  if (exponent < 0 || exponent > DIVIDE_EXPONENT_MAX) return undefined
  if ((tag & BITS) !== 0) return readIntegers(c, end, form, count)
  const isMultiply = (tag & MULTIPLY) !== 0
  const asBits = (value: bigint): bigint => bitsOf(scaled(Number(value), exponent, isMultiply))
  if (form !== Form.ULP) return readIntegers(c, end, form, count)?.map(asBits)
  const integers = readPart(c, end, count)
  const residuals = integers && readPart(c, end, count)
  return residuals && integers.map((integer, i) => wrapped(asBits(integer) + residuals[i]!))
}

function readPart(c: ByteCursor, end: number, count: number): bigint[] | undefined {
  if (c.at >= end) return undefined
  const form = c.view.getUint8(c.at++)
  return form < Form.CONST || form > Form.DELTA2 ? undefined : readIntegers(c, end, form, count)
}

interface XorStep {
  /** What is written: 0 as before, 1 in the window of the one before, 3 with a window of its own. */
  readonly code: number
  readonly x: bigint
  readonly leading: number
  readonly trailing: number
}

function* xorSteps(values: readonly bigint[]): Generator<XorStep> {
  let leading = 65
  let trailing = 0
  for (let i = 1; i < values.length; i++) {
    const x = BigInt.asUintN(64, values[i]! ^ values[i - 1]!)
    if (x === 0n) {
      yield { code: 0, x, leading, trailing }
      continue
    }
    const lead = 64 - x.toString(2).length
    const trail = (x & -x).toString(2).length - 1
    const isWithin = lead >= leading && trail >= trailing && 64 - leading - trailing <= 64 - lead - trail + 12
    if (!isWithin) {
      leading = lead
      trailing = trail
    }
    yield { code: isWithin ? 1 : 3, x, leading, trailing }
  }
}

function xorBytes(values: readonly bigint[]): number {
  let count = 0
  for (const { code, leading, trailing } of xorSteps(values)) {
    count += code === 0 ? 1 : (code === 1 ? 2 : 14) + 64 - leading - trailing
  }
  return 8 + ((count + 7) >> 3)
}

function writeXor(c: ByteCursor, values: readonly bigint[]): void {
  c.writeBits64(values[0]!)
  const writer = new BitWriter(c)
  for (const { code, x, leading, trailing } of xorSteps(values)) {
    writer.put(BigInt(code), code === 0 ? 1 : 2)
    if (code === 0) continue
    const length = 64 - leading - trailing
    if (code === 3) writer.put(BigInt(leading) | (BigInt(length - 1) << 6n), 12)
    writer.put(x >> BigInt(trailing), length)
  }
  writer.end()
}

function readXor(c: ByteCursor, end: number, count: number): bigint[] | undefined {
  if (c.at > end || end - c.at < 8) return undefined
  const values = [c.i64(c.at, 0)]
  c.at += 8
  const limit = 8 * (end - c.at)
  const packed = bitsAsNumber(c, end - c.at)
  const take = (from: number, width: number): number => Number(BigInt.asUintN(width, packed >> BigInt(from)))
  let bit = 0
  let leading = 0
  let trailing = 0
  for (let i = 1; i < count; i++) {
    const before = values[i - 1]!
    if (bit >= limit) return undefined
    if (take(bit, 1) === 0) {
      bit++
      values.push(before)
      continue
    }
    const isNew = take(bit + 1, 1) === 1
    bit += 2
    if (isNew) {
      leading = take(bit, 6)
      trailing = 63 - leading - take(bit + 6, 6)
      if (trailing < 0) return undefined
      bit += 12
    }
    const length = 64 - leading - trailing
    if (bit + length > limit) return undefined
    const x = BigInt.asUintN(length, packed >> BigInt(bit)) << BigInt(trailing)
    values.push(wrapped(before ^ x))
    bit += length
  }
  c.at += (bit + 7) >> 3
  return values
}
