import { invariant } from '../../lib/index.ts'
import type { BinaryExpr, Expr } from '../parse/ast.ts'
import { arithmeticOf, comparisonOf, isTrim } from './binary-operators.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { dropNames } from './drop-names.ts'
import { hasOneName } from './one-name.ts'
import { countPresent, type StepSeries } from './step-series.ts'

/** Operators between a vector and a scalar. Filters keep the vector's value, whichever side it stands on. */
export function vectorWithScalar(expr: BinaryExpr, scalarIsLeft: boolean, ctx: EvalContext): Iterable<StepSeries> {
  const vectorExpr = scalarIsLeft ? expr.right : expr.left
  const scalars = evaluateScalar(scalarIsLeft ? expr.left : expr.right, ctx)
  if (isTrim(expr.op)) return trimmed(vectorExpr, expr, ctx)
  const changed = changeEach(expr, scalarIsLeft, scalars, evaluateVector(vectorExpr, ctx), ctx)
  const derives = arithmeticOf(expr.op) !== undefined || expr.returnBool
  return derives ? dropNames(changed, ctx, hasOneName(vectorExpr)) : changed
}

/** Only histograms have observations to trim. */
function* trimmed(vectorExpr: Expr, expr: BinaryExpr, ctx: EvalContext): Generator<StepSeries> {
  for (const series of evaluateVector(vectorExpr, ctx)) {
    noteFloatTrim(expr, ctx)
    ctx.pool.release(series)
  }
}

/** Says that floats cannot be trimmed. */
export function noteFloatTrim({ op, span }: BinaryExpr, ctx: EvalContext): void {
  const text = `incompatible sample types encountered for binary operator "${op}": float ${op} float`
  ctx.query.annotations.info(text, span)
}

function* changeEach(
  expr: BinaryExpr,
  scalarIsLeft: boolean,
  scalars: Float64Array,
  input: Iterable<StepSeries>,
  ctx: EvalContext,
): Generator<StepSeries> {
  for (const series of input) {
    applyInPlace(expr, scalarIsLeft, scalars, series)
    if (countPresent(series.present) > 0) yield series
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
