import { CombineOp } from '../../kernels/index.ts'
import { invariant } from '../../lib/index.ts'
import { pow } from '../functions/math.ts'
import type { BinaryOp } from '../parse/ast.ts'

export type ElementOperator = (left: number, right: number) => number

const ARITHMETIC: Partial<Record<BinaryOp, ElementOperator>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': pow,
  atan2: Math.atan2,
}

const KERNELS: Partial<Record<BinaryOp, CombineOp>> = {
  '+': CombineOp.ADD,
  '-': CombineOp.SUBTRACT,
  '*': CombineOp.MULTIPLY,
  '/': CombineOp.DIVIDE,
}

const COMPARISONS: Partial<Record<BinaryOp, (left: number, right: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

export const arithmeticOf = (op: BinaryOp): ElementOperator | undefined => ARITHMETIC[op]
/** What the kernels call an arithmetic operator that they have. */
export const kernelOf = (op: BinaryOp): CombineOp | undefined => KERNELS[op]
export const comparisonOf = (op: BinaryOp): ((left: number, right: number) => boolean) | undefined => COMPARISONS[op]

/** Histogram trims, `</` and `>/`: floats have nothing to trim. */
export const isTrim = (op: BinaryOp): boolean => op === '</' || op === '>/'

export const isSetOperator = (op: BinaryOp): op is 'and' | 'or' | 'unless' =>
  op === 'and' || op === 'or' || op === 'unless'

/** Between two scalars, where comparisons give 0 or 1. */
export function scalarBinary(op: BinaryOp, left: number, right: number): number {
  const arithmetic = ARITHMETIC[op]
  if (arithmetic !== undefined) return arithmetic(left, right)
  const comparison = COMPARISONS[op]
  invariant(comparison !== undefined, `operator ${op} between scalars`)
  return comparison(left, right) ? 1 : 0
}
