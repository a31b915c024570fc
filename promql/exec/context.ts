import type { WindowKernels } from '../../kernels/index.ts'
import type { Querier, SeriesGrouping } from '../../model/index.ts'
import type { Expr, VectorSelector } from '../parse/ast.ts'
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
}

/** What holds for one grid: the query's own, that of a subquery, or the single step of an invariant part. */
export interface EvalContext {
  readonly query: QueryContext
  readonly grid: StepGrid
  readonly pool: SeriesPool
  /** Absent inside of subqueries, whose points are counted instead. */
  readonly counter: SampleCounter | undefined
  /**
   * How the series of the selector right below an aggregation are grouped. Where the store tells the groups, the series come
   * with them and without labels; only set where nothing but the aggregation looks at these.
   */
  readonly grouping?: SeriesGrouping | undefined
}

/** @throws {QueryTooManySamplesError} when one series with a value at each step would be too much */
export function contextFor(query: QueryContext, grid: StepGrid, counter: SampleCounter | undefined): EvalContext {
  query.limits.checkSteps(grid.count)
  return { query, grid, pool: new SeriesPool(grid.count, query.limits), counter }
}

/**
 * Evaluates an instant vector at all steps of the grid, series by series. Each series is owned by the caller from then on;
 * series without any present step are left out.
 */
export const evaluateVector = (expr: Expr, ctx: EvalContext): Iterable<StepSeries> =>
  ctx.query.evaluator.vector(expr, ctx)

/** Evaluates a scalar at all steps. The array may be shared: do not write. */
export const evaluateScalar = (expr: Expr, ctx: EvalContext): Float64Array => ctx.query.evaluator.scalar(expr, ctx)
