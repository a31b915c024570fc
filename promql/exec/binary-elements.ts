import { invariant } from '../../lib/index.ts'
import type { NativeHistogram } from '../../model/index.ts'
import {
  addHistograms,
  type CombinedHistogram,
  divideHistogram,
  histogramsEqual,
  scaleHistogram,
  subtractHistograms,
} from '../histogram/arithmetic.ts'
import { trimHistogram } from '../histogram/trim.ts'
import type { BinaryExpr } from '../parse/ast.ts'
import { histogramNotes } from './annotations.ts'
import { arithmeticOf, comparisonOf, isTrim } from './binary-operators.ts'
import type { EvalContext } from './context.ts'
import { putFloat, putHistogram } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

export type Element = number | NativeHistogram

/**
 * One pair of values of which either may be a histogram: a value, or whether a comparison holds. Where the types do not go
 * with the operator there is no result, and a note of it.
 */
export function elementBinary(
  expr: BinaryExpr,
  left: Element,
  right: Element,
  ctx: EvalContext,
): Element | boolean | undefined {
  if (typeof left === 'number') {
    return typeof right === 'number' ? floats(expr, left, right, ctx) : floatWithHistogram(expr, left, right, ctx)
  }
  return typeof right === 'number' ? histogramWithFloat(expr, left, right, ctx) : histograms(expr, left, right, ctx)
}

export function putElement(series: StepSeries, step: number, element: Element): void {
  if (typeof element === 'number') putFloat(series, step, element)
  else putHistogram(series, step, element)
}

function floats(expr: BinaryExpr, left: number, right: number, ctx: EvalContext): number | boolean | undefined {
  if (isTrim(expr.op)) return noteTypes(expr, 'float', 'float', ctx)
  const arithmetic = arithmeticOf(expr.op)
  if (arithmetic !== undefined) return arithmetic(left, right)
  const comparison = comparisonOf(expr.op)
  invariant(comparison !== undefined, `operator ${expr.op} between values`)
  return comparison(left, right)
}

function floatWithHistogram(
  expr: BinaryExpr,
  left: number,
  right: NativeHistogram,
  ctx: EvalContext,
): NativeHistogram | undefined {
  return expr.op === '*' ? scaleHistogram(right, left) : noteTypes(expr, 'float', 'histogram', ctx)
}

function histogramWithFloat(
  expr: BinaryExpr,
  left: NativeHistogram,
  right: number,
  ctx: EvalContext,
): NativeHistogram | undefined {
  switch (expr.op) {
    case '*':
      return scaleHistogram(left, right)
    case '/':
      return divideHistogram(left, right)
    case '</':
      return trimHistogram(left, right, 'above')
    case '>/':
      return trimHistogram(left, right, 'below')
    default:
      return noteTypes(expr, 'histogram', 'float', ctx)
  }
}

function histograms(
  expr: BinaryExpr,
  left: NativeHistogram,
  right: NativeHistogram,
  ctx: EvalContext,
): NativeHistogram | boolean | undefined {
  switch (expr.op) {
    case '+':
      return noted(addHistograms(left, right), 'addition', expr, ctx)
    case '-':
      return noted(subtractHistograms(left, right), 'subtraction', expr, ctx)
    case '==':
      return histogramsEqual(left, right)
    case '!=':
      return !histogramsEqual(left, right)
    default:
      return noteTypes(expr, 'histogram', 'histogram', ctx)
  }
}

function noted(
  combined: CombinedHistogram | undefined,
  during: 'addition' | 'subtraction',
  expr: BinaryExpr,
  ctx: EvalContext,
): NativeHistogram | undefined {
  const { annotations } = ctx.query
  if (combined === undefined) {
    annotations.warn(`incompatible bucket layout encountered for binary operator ${expr.op}`, expr.span)
    return undefined
  }
  const notes = histogramNotes(annotations, '', expr.span)
  if (combined.resetsConflict) notes.resetsConflict(during)
  if (combined.boundsReconciled) notes.boundsReconciled(during)
  return combined.histogram
}

/** Says that an operator cannot be used between two types. */
function noteTypes(
  { op, span }: BinaryExpr,
  left: 'float' | 'histogram',
  right: 'float' | 'histogram',
  ctx: EvalContext,
): undefined {
  const text = `incompatible sample types encountered for binary operator "${op}": ${left} ${op} ${right}`
  ctx.query.annotations.info(text, span)
  return undefined
}
