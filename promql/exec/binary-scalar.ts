import { invariant } from '../../lib/index.ts'
import type { BinaryExpr } from '../parse/ast.ts'
import { elementBinary, putElement } from './binary-elements.ts'
import { arithmeticOf, comparisonOf, isTrim } from './binary-operators.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { dropNames } from './drop-names.ts'
import { hasOneName } from './one-name.ts'
import { histogramAt } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** Operators between a vector and a scalar. Filters keep the vector's value, whichever side it stands on. */
export function vectorWithScalar(expr: BinaryExpr, scalarIsLeft: boolean, ctx: EvalContext): Iterable<StepSeries> {
  const vectorExpr = scalarIsLeft ? expr.right : expr.left
  const scalars = evaluateScalar(scalarIsLeft ? expr.left : expr.right, ctx)
  const changed = changeEach(expr, scalarIsLeft, scalars, evaluateVector(vectorExpr, ctx), ctx)
  const derives = arithmeticOf(expr.op) !== undefined || expr.returnBool
  return derives ? dropNames(changed, ctx, hasOneName(vectorExpr)) : changed
}

function* changeEach(
  expr: BinaryExpr,
  scalarIsLeft: boolean,
  scalars: Float64Array,
  input: Iterable<StepSeries>,
  ctx: EvalContext,
): Generator<StepSeries> {
  for (const series of input) {
    if (series.histograms !== undefined || isTrim(expr.op)) applyEach(expr, scalarIsLeft, scalars, series, ctx)
    else applyInPlace(expr, scalarIsLeft, scalars, series)
    if (ctx.pool.kernels.countPresent(series) > 0) yield series
    else ctx.pool.release(series)
  }
}

function applyInPlace(expr: BinaryExpr, scalarIsLeft: boolean, scalars: Float64Array, series: StepSeries): void {
  const { values, present } = series
  const arithmetic = arithmeticOf(expr.op)
  if (arithmetic !== undefined) {
    if (scalarIsLeft) for (let i = 0; i < values.length; i++) values[i] = arithmetic(scalars[i]!, values[i]!)
    else for (let i = 0; i < values.length; i++) values[i] = arithmetic(values[i]!, scalars[i]!)
    return
  }
  const comparison = comparisonOf(expr.op)
  invariant(comparison !== undefined, `operator ${expr.op} between a vector and a scalar`)
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) continue
    const holds = scalarIsLeft ? comparison(scalars[i]!, values[i]!) : comparison(values[i]!, scalars[i]!)
    if (expr.returnBool) values[i] = holds ? 1 : 0
    else if (!holds) present[i] = 0
  }
}

/** Step by step, for series that have histograms, and for trims, which need one. */
function applyEach(
  expr: BinaryExpr,
  scalarIsLeft: boolean,
  scalars: Float64Array,
  series: StepSeries,
  ctx: EvalContext,
): void {
  for (let step = 0; step < series.present.length; step++) {
    if (series.present[step] === 0) continue
    const scalar = scalars[step]!
    const element = histogramAt(series, step) ?? series.values[step]!
    const result = scalarIsLeft ? elementBinary(expr, scalar, element, ctx) : elementBinary(expr, element, scalar, ctx)
    series.present[step] = 0
    if (result === undefined) continue
    // A filter keeps the vector's own value.
    const kept =
      typeof result === 'boolean' ? (expr.returnBool ? Number(result) : result ? element : undefined) : result
    if (kept !== undefined) putElement(series, step, kept)
  }
}
