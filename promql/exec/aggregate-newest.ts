import { scalarStepKernels } from '../../kernels/index.ts'
import type { NewestByGroup, SeriesGroup } from '../../model/index.ts'
import type { Aggregation, Expr, VectorSelector } from '../parse/ast.ts'
import { createAccumulator } from './accumulators.ts'
import type { EvalContext } from './context.ts'
import { instantHints } from './select-instant.ts'
import type { StepSeries } from './step-series.ts'

/**
 * An aggregation of a selector at one time, straight from the newest values of the store: the same as taking series by series,
 * in the same order. `undefined` where it is anything else, or where the store cannot do that.
 *
 * @param below with the grouping that the store is to do
 */
export function aggregateNewest(expr: Aggregation, below: EvalContext): Iterable<StepSeries> | undefined {
  const { query, grid, grouping } = below
  const selector = selectorOf(expr.expr)
  if (selector === undefined || grouping === undefined || grid.count !== 1 || query.reuse !== undefined)
    return undefined
  const hints = instantHints(selector, below, undefined)
  if (hints.newestOnly !== true) return undefined
  const found = query.querier.newestByGroup?.(selector.matchers, hints)
  return found && accumulated(expr, found, below)
}

function selectorOf(expr: Expr): VectorSelector | undefined {
  if (expr.kind === 'paren') return selectorOf(expr.expr)
  return expr.kind === 'vectorSelector' ? expr : undefined
}

/** At once: what was found is there only until the store is asked for more. */
function accumulated(expr: Aggregation, found: NewestByGroup, ctx: EvalContext): Iterable<StepSeries> {
  const { groups, values, groupIndexes, length } = found
  const { limits } = ctx.query
  if (length === 0) return []
  // As if they were taken one after the other: all groups, and one series.
  limits.hold(groups.length + 1)
  limits.poll()
  ctx.counter?.addAtOneStep(length)
  // Each group takes the place of a step.
  const accumulator = createAccumulator(expr.op, groups.length, scalarStepKernels)
  for (let i = 0; i < length; i++) accumulator.addAt(groupIndexes[i]!, values[i]!)
  const results = { values: new Float64Array(groups.length), present: new Uint8Array(groups.length) }
  accumulator.finish(results)
  limits.hold(-groups.length - 1)
  return resultsOf(groups, results, ctx)
}

function* resultsOf(
  groups: readonly SeriesGroup[],
  { values, present }: Pick<StepSeries, 'values' | 'present'>,
  ctx: EvalContext,
): Generator<StepSeries> {
  for (const [i, { labels }] of groups.entries()) {
    if (present[i] === 0) continue
    const out = ctx.pool.take(labels)
    out.values[0] = values[i]!
    out.present[0] = 1
    ctx.pool.charge(out)
    yield out
  }
}
