import type { WindowBounds } from '../../kernels/index.ts'
import { invariant } from '../../lib/index.ts'
import type { Labels, SeriesColumn } from '../../model/index.ts'
import type { ColumnWindows } from '../functions/windows.ts'
import type { Expr, MatrixSelector, Subquery } from '../parse/ast.ts'
import { selectorRange } from '../plan/time-range.ts'
import { contextFor, type EvalContext, evaluateVector } from './context.ts'
import { referenceTimes, selectsOneName } from './select-instant.ts'
import { StepGrid } from './step-grid.ts'

/** One series of a range vector with its windows; valid until the next one is taken. */
export interface WindowedSeries {
  readonly labels: Labels
  readonly dropName: boolean
  readonly windows: ColumnWindows
}

export type MatrixExpr = MatrixSelector | Subquery

export function matrixOf(expr: Expr): MatrixExpr {
  if (expr.kind === 'paren' || expr.kind === 'stepInvariant') return matrixOf(expr.expr)
  invariant(expr.kind === 'matrixSelector' || expr.kind === 'subquery', `${expr.kind} is no range vector`)
  return expr
}

/** The windows of a range selector or subquery, series by series. */
export function selectWindows(expr: MatrixExpr, ctx: EvalContext, functionName: string): Iterable<WindowedSeries> {
  return expr.kind === 'matrixSelector' ? selectorWindows(expr, ctx, functionName) : subqueryWindows(expr, ctx)
}

/** Whether all series have one metric name, as far as the expression tells. */
export const matrixHasOneName = (expr: MatrixExpr): boolean =>
  expr.kind === 'matrixSelector' && selectsOneName(expr.selector)

function* selectorWindows(expr: MatrixSelector, ctx: EvalContext, functionName: string): Generator<WindowedSeries> {
  const { query, grid } = ctx
  const { selector, rangeMs } = expr
  const cutter = new WindowCutter(referenceTimes(selector, ctx), rangeMs, ctx)
  const hints = {
    ...selectorRange(selector, { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }, query.lookbackDeltaMs, rangeMs),
    stepMs: grid.count > 1 ? grid.stepMs : 0,
    functionName,
  }
  for (const column of query.querier.select(selector.matchers, hints)) {
    query.limits.poll()
    yield { labels: column.labels, dropName: false, windows: cutter.cut(withoutStale(column)) }
  }
}

function* subqueryWindows(expr: Subquery, ctx: EvalContext): Generator<WindowedSeries> {
  const endsMs = referenceTimes(expr, ctx)
  if (endsMs.length === 0) return
  const inner = contextFor(ctx.query, subqueryGrid(expr, endsMs))
  const cutter = new WindowCutter(endsMs, expr.rangeMs, ctx)
  for (const series of evaluateVector(expr.expr, inner)) {
    const { labels, dropName } = series
    const count = inner.pool.charge(series)
    const column =
      count === inner.grid.count
        ? { timestampsMs: inner.grid.timesMs, values: series.values, length: count }
        : compactSteps(series.values, series.present, count, inner.grid)
    yield { labels, dropName, windows: cutter.cut(column) }
    inner.pool.release(series)
  }
}

/** Absolute multiples of the subquery's step, the first strictly after the first window's start. */
export function subqueryGrid(expr: Subquery, endsMs: Float64Array): StepGrid {
  const afterMs = endsMs[0]! - expr.rangeMs
  const startMs = (Math.floor(afterMs / expr.stepMs) + 1) * expr.stepMs
  return StepGrid.range(startMs, endsMs[endsMs.length - 1]!, expr.stepMs)
}

interface PlainColumn {
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  readonly length: number
}

/** Cuts columns into windows; bounds are computed once for all columns that share a `timestampsMs` object. */
class WindowCutter {
  readonly #endsMs: Float64Array
  readonly #rangeMs: number
  readonly #ctx: EvalContext
  #bounds: WindowBounds | undefined
  #timestampsMs: Float64Array | undefined
  #length = -1
  #samplesInWindows = 0

  constructor(endsMs: Float64Array, rangeMs: number, ctx: EvalContext) {
    this.#endsMs = endsMs
    this.#rangeMs = rangeMs
    this.#ctx = ctx
  }

  cut(column: PlainColumn): ColumnWindows {
    const { query, grid } = this.#ctx
    if (this.#bounds === undefined || column.timestampsMs !== this.#timestampsMs || column.length !== this.#length) {
      this.#bounds = query.windowKernels.bounds(column.timestampsMs, column.length, this.#endsMs, this.#rangeMs)
      this.#timestampsMs = column.timestampsMs
      this.#length = column.length
      this.#samplesInWindows = sumOfWidths(this.#bounds)
    }
    query.limits.totalQueryableSamples += this.#samplesInWindows
    return {
      timestampsMs: column.timestampsMs,
      values: column.values,
      length: column.length,
      bounds: this.#bounds,
      rangeMs: this.#rangeMs,
      evalTimesMs: grid.timesMs,
      lookbackDeltaMs: query.lookbackDeltaMs,
      kernels: query.windowKernels,
    }
  }
}

function sumOfWidths({ lo, hi }: WindowBounds): number {
  let sum = 0
  for (let step = 0; step < lo.length; step++) sum += hi[step]! - lo[step]!
  return sum
}

/** Range vectors skip staleness markers. A column without any is passed on as it is. */
function withoutStale(column: SeriesColumn): PlainColumn {
  const { stale } = column
  if (stale === undefined) return column
  const timestampsMs = new Float64Array(column.length)
  const values = new Float64Array(column.length)
  let length = 0
  for (let i = 0; i < column.length; i++) {
    if (stale[i] === 1) continue
    timestampsMs[length] = column.timestampsMs[i]!
    values[length++] = column.values[i]!
  }
  return { timestampsMs, values, length }
}

function compactSteps(values: Float64Array, present: Uint8Array, count: number, grid: StepGrid): PlainColumn {
  const timestampsMs = new Float64Array(count)
  const compact = new Float64Array(count)
  let at = 0
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0) continue
    timestampsMs[at] = grid.timeMs(step)
    compact[at++] = values[step]!
  }
  return { timestampsMs, values: compact, length: count }
}
