import { compareLabels, labelValue } from '../../model/index.ts'
import { compareNatural } from '../functions/label-functions.ts'
import type { Call } from '../parse/ast.ts'
import { compareNaNLast } from './aggregate-select.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { floatsOf } from './floats-of.ts'
import { evaluateString } from './evaluate-string.ts'
import type { StepSeries } from './step-series.ts'

/** `sort` and `sort_desc`; NaN last both ways. */
export function sortByValue(expr: Call, ctx: EvalContext): Iterable<StepSeries> {
  const descending = expr.name === 'sort_desc'
  return sorted(expr, ctx, floatsOf(expr.args[0]!, ctx), (a, b) =>
    compareNaNLast(a.values[0]!, b.values[0]!, descending),
  )
}

/** `sort_by_label` and `sort_by_label_desc`, in natural order; of equal values the whole label set decides. */
export function sortByLabel(expr: Call, ctx: EvalContext): Iterable<StepSeries> {
  const names = expr.args.slice(1).map(evaluateString)
  const sign = expr.name === 'sort_by_label_desc' ? -1 : 1
  return sorted(expr, ctx, evaluateVector(expr.args[0]!, ctx), (a, b) => {
    for (const name of names) {
      const order = compareNatural(labelValue(a.labels, name), labelValue(b.labels, name))
      if (order !== 0) return sign * order
    }
    return sign * compareLabels(a.labels, b.labels)
  })
}

function sorted(
  expr: Call,
  ctx: EvalContext,
  input: Iterable<StepSeries>,
  compare: (a: StepSeries, b: StepSeries) => number,
): Iterable<StepSeries> {
  if (!ctx.query.isInstant) {
    const text = 'sort is ineffective for range queries since results are always ordered by labels'
    ctx.query.annotations.warn(text, expr.span)
  }
  return ctx.grid.count === 1 ? [...input].sort(compare) : input
}
