import type { WindowKernels } from '../../kernels/index.ts'
import type { Querier, SelectHints, SeriesGrouping } from '../../model/index.ts'
import type { Aggregation, Expr, VectorSelector } from '../parse/ast.ts'
import type { Annotations } from './annotations.ts'
import type { QueryLimits } from './query-limits.ts'
import type { SampleCounter } from './sample-counter.ts'
import type { SharedParts } from './shared-parts.ts'
import { StepGrid } from './step-grid.ts'
import { SeriesPool, type StepSeries } from './step-series.ts'

/** Evaluates operands of either type. Operators reach it by their context: the dispatcher that it is imports all of them. */
export interface Evaluator {
  vector(expr: Expr, ctx: EvalContext): Iterable<StepSeries>
  scalar(expr: Expr, ctx: EvalContext): Float64Array
}

/** What holds for one whole query. */
export interface QueryContext {
  readonly evaluator: Evaluator
  readonly querier: Querier
  readonly limits: QueryLimits
  readonly annotations: Annotations
  readonly shared: SharedParts
  /** Whose histograms are asked for counts only. */
  readonly statsSelectors: ReadonlySet<VectorSelector>
  readonly lookbackDeltaMs: number
  readonly windowKernels: WindowKernels
  readonly delayedNameRemoval: boolean
  readonly typeAndUnitLabels: boolean
  /** Of the query itself, also inside subqueries; an instant query has both equal and step 0. */
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
  readonly isInstant: boolean
  /** Set where the answer may be put together with others. */
  readonly reuse: ReuseNotes | undefined
}

/** What must be the same, or must not occur, where answers of several evaluations are put together. */
export interface ReuseNotes {
  /** Aggregations whose groups come sorted by their labels. */
  readonly sorted: ReadonlySet<Aggregation>
  /** What each look into the store says about the order of its series, in order of the looks. */
  readonly orders: Float64Array[]
  /** Each time that series must stay distinct without their names: their labels without them, and the names. */
  readonly names: Map<string, string>[]
  /** Whether a native histogram was seen. */
  sawHistograms: boolean
}

/** What holds for one grid: the query's own, that of a subquery, or the single step of an invariant part. */
export interface EvalContext {
  readonly query: QueryContext
  readonly grid: StepGrid
  /** Where the grid would begin if no steps had been taken from an earlier answer. */
  readonly wholeStartMs: number
  readonly pool: SeriesPool
  /** Absent inside of subqueries, whose points are counted instead. */
  readonly counter: SampleCounter | undefined
  /**
   * How the series of the selector right below an aggregation are grouped. Where the store tells the groups, the series come
   * with them and without labels; only set where nothing but the aggregation looks at these.
   */
  readonly grouping: SeriesGrouping | undefined
}

/** The same context for other operands. Written out: a spread takes several times as long, and this is done for each query. */
export function withGrouping(ctx: EvalContext, grouping: SeriesGrouping | undefined): EvalContext {
  const { query, grid, wholeStartMs, pool, counter } = ctx
  return { query, grid, wholeStartMs, pool, counter, grouping }
}

/** @throws {QueryTooManySamplesError} when one series with a value at each step would be too much */
export function contextFor(
  query: QueryContext,
  grid: StepGrid,
  counter: SampleCounter | undefined,
  wholeStartMs = grid.startMs,
): EvalContext {
  query.limits.checkSteps(grid.count)
  return {
    query,
    grid,
    wholeStartMs,
    pool: new SeriesPool(grid.count, query.limits, query.windowKernels.steps),
    counter,
    grouping: undefined,
  }
}

/** For a selector that reads from `minTimeMs` on: the order its series would have over the whole grid. */
export function orderHint({ query, grid, wholeStartMs }: EvalContext, minTimeMs: number): SelectHints['order'] {
  const { reuse } = query
  if (reuse === undefined) return undefined
  const onOrder = (order: Float64Array): void => void reuse.orders.push(order)
  return { minTimeMs: minTimeMs - (grid.startMs - wholeStartMs), onOrder }
}

/**
 * Evaluates an instant vector at all steps of the grid, series by series. Each series is owned by the caller from then on;
 * series without any present step are left out.
 */
export const evaluateVector = (expr: Expr, ctx: EvalContext): Iterable<StepSeries> =>
  ctx.query.evaluator.vector(expr, ctx)

/** Evaluates a scalar at all steps. The array may be shared: do not write. */
export const evaluateScalar = (expr: Expr, ctx: EvalContext): Float64Array => ctx.query.evaluator.scalar(expr, ctx)
