import type { BinaryExpr } from '../parse/ast.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { LabelMerger } from './drop-names.ts'
import { createMatchGrouping, type Grouping } from './label-grouping.ts'
import { countPresent, type StepSeries } from './step-series.ts'

/** For each match group the steps at which any series of it is present. */
type PresenceByGroup = Map<string, Uint8Array>

/** `and`, `or`, `unless`: many-to-many, on labels without the metric name, step by step. */
export function setOperation(expr: BinaryExpr, ctx: EvalContext): Iterable<StepSeries> {
  const { labels = [], on = false } = expr.matching ?? {}
  const grouping = createMatchGrouping(labels, on)
  if (expr.op === 'or') return union(expr, grouping, ctx)
  return filterByPresence(expr, grouping, expr.op === 'and', ctx)
}

/** Keeps the left side's steps where the right side has (`and`) or lacks (`unless`) the match group. */
function* filterByPresence(
  expr: BinaryExpr,
  grouping: Grouping,
  keepPresent: boolean,
  ctx: EvalContext,
): Generator<StepSeries> {
  const right: PresenceByGroup = new Map()
  for (const series of evaluateVector(expr.right, ctx)) {
    notePresence(right, grouping.keyOf(series.labels), series)
    ctx.pool.release(series)
  }
  for (const series of evaluateVector(expr.left, ctx)) {
    const steps = right.get(grouping.keyOf(series.labels))
    if (steps === undefined) {
      if (keepPresent) series.present.fill(0)
    } else {
      const wanted = keepPresent ? 1 : 0
      for (let i = 0; i < steps.length; i++) if (steps[i] !== wanted) series.present[i] = 0
    }
    if (countPresent(series.present) > 0) yield series
    else ctx.pool.release(series)
  }
}

/** All of the left side, and of the right side the steps whose match group the left side lacks. */
function* union(expr: BinaryExpr, grouping: Grouping, ctx: EvalContext): Generator<StepSeries> {
  const left: PresenceByGroup = new Map()
  // The same series may come from both sides at different steps.
  const merger = new LabelMerger(ctx)
  for (const series of evaluateVector(expr.left, ctx)) {
    notePresence(left, grouping.keyOf(series.labels), series)
    merger.add(series)
  }
  for (const series of evaluateVector(expr.right, ctx)) {
    const steps = left.get(grouping.keyOf(series.labels))
    if (steps !== undefined) for (let i = 0; i < steps.length; i++) if (steps[i] === 1) series.present[i] = 0
    if (countPresent(series.present) > 0) merger.add(series)
    else ctx.pool.release(series)
  }
  yield* merger.series()
}

function notePresence(groups: PresenceByGroup, key: string, series: StepSeries): void {
  const known = groups.get(key)
  if (known === undefined) groups.set(key, series.present.slice())
  else for (let i = 0; i < known.length; i++) known[i]! |= series.present[i]!
}
