import { EMPTY_LABELS, type Labels, labelsFromEntries, METRIC_NAME } from '../../model/index.ts'
import type { Call, Expr } from '../parse/ast.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { matrixOf, selectWindows } from './select-range.ts'
import type { StepSeries } from './step-series.ts'

/** 1 at the steps where the vector is empty. */
export function* absent(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const out = ctx.pool.takeConstant(absentLabels(expr.args[0]!), 1)
  for (const series of evaluateVector(expr.args[0]!, ctx)) {
    for (let step = 0; step < out.present.length; step++) if (series.present[step] === 1) out.present[step] = 0
    ctx.pool.release(series)
  }
  if (ctx.pool.charge(out) > 0) yield out
}

/** 1 at the steps whose window has no sample. */
export function* absentOverTime(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const matrix = matrixOf(expr.args[0]!)
  const out = ctx.pool.takeConstant(absentLabels(matrix), 1)
  for (const { windows } of selectWindows(matrix, ctx, expr.name)) {
    const { lo, hi } = windows.bounds
    for (let step = 0; step < lo.length; step++) if (lo[step]! < hi[step]!) out.present[step] = 0
  }
  if (ctx.pool.charge(out) > 0) yield out
}

/** What a plain selector asks to be equal: such labels the missing series would have. */
function absentLabels(expr: Expr): Labels {
  if (expr.kind === 'paren' || expr.kind === 'stepInvariant') return absentLabels(expr.expr)
  const selector = expr.kind === 'matrixSelector' ? expr.selector : expr
  if (selector.kind !== 'vectorSelector') return EMPTY_LABELS
  const values = new Map<string, string>()
  const ambiguous = new Set<string>()
  for (const { type, name, value } of selector.matchers) {
    if (name === METRIC_NAME) continue
    if (type !== '=' || values.has(name)) ambiguous.add(name)
    else values.set(name, value)
  }
  return labelsFromEntries([...values].filter(([name]) => !ambiguous.has(name)))
}
