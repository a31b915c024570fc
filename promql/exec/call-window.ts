import { invariant } from '../../lib/index.ts'
import { type Labels, labelValue, METRIC_NAME, quoteGo } from '../../model/index.ts'
import { exprType } from '../check/check.ts'
import { KEEPS_NAME, windowFunctionOf } from '../functions/window-functions.ts'
import type { Call } from '../parse/ast.ts'
import { warnAboutQuantile } from './aggregate.ts'
import { type EvalContext, evaluateScalar } from './context.ts'
import { dropNames } from './drop-names.ts'
import { type MatrixExpr, matrixHasOneName, matrixOf, selectWindows } from './select-range.ts'
import type { StepSeries } from './step-series.ts'

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/

/** Calls a function of a range vector: one pass over the windows of each series. */
export function callWindowFunction(expr: Call, ctx: EvalContext): Iterable<StepSeries> {
  const matrixArg = expr.args.find((arg) => exprType(arg) === 'matrix')
  invariant(matrixArg !== undefined, `${expr.name} without a range vector`)
  const matrix = matrixOf(matrixArg)
  const evaluated = evaluateWindows(expr, matrix, ctx)
  return KEEPS_NAME.has(expr.name) ? evaluated : dropNames(evaluated, ctx, matrixHasOneName(matrix))
}

function* evaluateWindows(expr: Call, matrix: MatrixExpr, ctx: EvalContext): Generator<StepSeries> {
  const { pool, query } = ctx
  const evaluate = windowFunctionOf(expr.name, matrix.kind === 'matrixSelector' ? matrix.selector : undefined)
  invariant(evaluate !== undefined, `${expr.name} does not go with the selector's modifier`)
  const scalars = expr.args.filter((arg) => exprType(arg) === 'scalar').map((arg) => evaluateScalar(arg, ctx))
  if (expr.name === 'quantile_over_time') warnAboutQuantile(scalars[0]!, expr.args[0]!.span, ctx)
  const wantsCounter = expr.name === 'rate' || expr.name === 'increase'
  for (const { labels, dropName, windows } of selectWindows(matrix, ctx, expr.name)) {
    const out = pool.take(labels)
    out.dropName = dropName
    evaluate(windows, scalars, out)
    if (pool.charge(out) === 0) {
      pool.release(out)
      continue
    }
    if (wantsCounter) noteCounterName(labels, matrix, query)
    yield out
  }
}

function noteCounterName(labels: Labels, matrix: MatrixExpr, { annotations }: EvalContext['query']): void {
  const name = labelValue(labels, METRIC_NAME)
  if (name === '' || COUNTER_NAME.test(name)) return
  const text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket:'
  annotations.info(`${text} ${quoteGo(name)}`, matrix.span)
}
