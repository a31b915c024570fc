import { readStream, streamBytes, wrapped, writeStream } from './column-stream-twin.ts'
import { type ByteCursor, unzigzag, varintBytes, zigzag } from './row-bytes.ts'

// Twin of assembly/column-integers.ts. Format: docs/formats/column.md.
export const Form = { EMPTY: 0, CONST: 1, LINEAR: 2, FOR: 3, DELTA: 4, DELTA2: 5, PLAIN: 6, XOR: 7, ULP: 8 } as const

const differences = (values: readonly bigint[]): bigint[] =>
  values.slice(1).map((value, i) => wrapped(value - values[i]!))

function sequenceOf(values: readonly bigint[], form: number): readonly bigint[] {
  if (form === Form.FOR) return values
  const deltas = differences(values)
  return form === Form.DELTA ? deltas : differences(deltas)
}

export interface IntegerPlan {
  readonly form: number
  readonly bytes: number
}

/** The smallest form; bytes are infinite when none fits. */
export function planIntegers(values: readonly bigint[], isThorough: boolean): IntegerPlan {
  const deltas = differences(values)
  const firstBytes = varintBytes(zigzag(values[0]!))
  const secondBytes = varintBytes(zigzag(deltas[0] ?? 0n))
  if (deltas.every((delta) => delta === deltas[0])) {
    const isConstant = (deltas[0] ?? 0n) === 0n
    return isConstant ? { form: Form.CONST, bytes: firstBytes } : { form: Form.LINEAR, bytes: firstBytes + secondBytes }
  }
  const planOf = (form: number, headBytes: number): IntegerPlan => {
    const bytes = streamBytes(sequenceOf(values, form), isThorough)
    return { form, bytes: bytes === undefined ? Number.POSITIVE_INFINITY : headBytes + bytes }
  }
  const plans = [
    planOf(Form.FOR, 0),
    planOf(Form.DELTA, firstBytes),
    planOf(Form.DELTA2, firstBytes + secondBytes),
  ] as const
  return plans.reduce((best, plan) => (plan.bytes < best.bytes ? plan : best))
}

export function writeIntegers(c: ByteCursor, form: number, values: readonly bigint[]): void {
  if (form !== Form.FOR) c.writeVarint(zigzag(values[0]!))
  if (form === Form.LINEAR || form === Form.DELTA2) c.writeVarint(zigzag(wrapped(values[1]! - values[0]!)))
  if (form >= Form.FOR) writeStream(c, sequenceOf(values, form))
}

/** `count` > 0 values; `undefined` when they are malformed. */
export function readIntegers(c: ByteCursor, end: number, form: number, count: number): bigint[] | undefined {
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
  for (const delta of deltas) values.push(wrapped(values.at(-1)! + delta))
  return values
}
