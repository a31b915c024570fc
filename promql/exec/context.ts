import type { WindowKernels } from '../../kernels/index.ts'
import type { Querier } from '../../model/storage.ts'
import type { Annotations } from './annotations.ts'
import type { QueryLimits } from './query-limits.ts'
import { SeriesPool } from './step-series.ts'
import { StepGrid } from './step-grid.ts'

/** What holds for one whole query. */
export interface QueryContext {
  readonly querier: Querier
  readonly limits: QueryLimits
  readonly annotations: Annotations
  readonly lookbackDeltaMs: number
  readonly windowKernels: WindowKernels
  readonly delayedNameRemoval: boolean
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
}

export function contextFor(query: QueryContext, grid: StepGrid): EvalContext {
  return { query, grid, pool: new SeriesPool(grid.count, query.limits) }
}
