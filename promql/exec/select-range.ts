import type { WindowBounds } from '../../kernels/index.ts'
import { invariant } from '../../lib/index.ts'
import {
  CounterResetHint,
  type Labels,
  type NativeHistogram,
  type SeriesColumn,
  type SeriesGroup,
} from '../../model/index.ts'
import type { ColumnWindows } from '../functions/windows.ts'
import { withHint } from '../histogram/arithmetic.ts'
import type { Expr, MatrixSelector, Subquery } from '../parse/ast.ts'
import { selectorRange } from '../plan/time-range.ts'
import { contextFor, type EvalContext, evaluateVector, orderHint } from './context.ts'
import { withKnownResets } from './known-resets.ts'
import { referenceTimes, selectsOneName, windowsHint } from './select-instant.ts'
import { StepGrid } from './step-grid.ts'
import type { StepSeries } from './step-series.ts'

/** One series of a range vector with its windows; valid until the next one is taken. */
export interface WindowedSeries {
  readonly labels: Labels
  /** See `EvalContext.grouping`. */
  readonly group: SeriesGroup | undefined
  readonly dropName: boolean
  readonly windows: ColumnWindows
  /** The same windows without the samples that are histograms. */
  onlyFloats(): ColumnWindows
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
  const steps = { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }
  const range = selectorRange(selector, steps, query.lookbackDeltaMs, rangeMs)
  const hints = {
    minTimeMs: range.minTimeMs,
    maxTimeMs: range.maxTimeMs,
    stepMs: grid.count > 1 ? grid.stepMs : 0,
    functionName,
    // Without a function the samples themselves are the answer.
    windows: functionName === '' ? undefined : windowsHint(selector, ctx, rangeMs),
    newestOnly: false,
    grouping: ctx.grouping,
    order: orderHint(ctx, range.minTimeMs),
  }
  const wantsStats = query.statsSelectors.has(selector)
  for (const stored of query.querier.select(selector.matchers, hints)) {
    query.limits.poll()
    if (stored.histograms !== undefined && query.reuse !== undefined) query.reuse.sawHistograms = true
    const column = wantsStats ? withKnownResets(stored) : stored
    yield new SelectedSeries(stored, withoutStale(column), cutter)
  }
}

/** Has its labels put together only when they are asked for. */
class SelectedSeries implements WindowedSeries {
  readonly dropName = false
  readonly windows: ColumnWindows
  readonly #stored: SeriesColumn
  readonly #column: PlainColumn
  readonly #cutter: WindowCutter

  /** @param column what is left of the stored one */
  constructor(stored: SeriesColumn, column: PlainColumn, cutter: WindowCutter) {
    this.#stored = stored
    this.#column = column
    this.#cutter = cutter
    this.windows = cutter.cut(column)
  }

  onlyFloats(): ColumnWindows {
    return this.#cutter.onlyFloats(this.#column, this.windows)
  }

  get labels(): Labels {
    return this.#stored.labels
  }

  get group(): SeriesGroup | undefined {
    return this.#stored.group
  }
}

function* subqueryWindows(expr: Subquery, ctx: EvalContext): Generator<WindowedSeries> {
  const endsMs = referenceTimes(expr, ctx)
  if (endsMs.length === 0) return
  const skippedMs = ctx.grid.startMs - ctx.wholeStartMs
  const wholeStartMs = firstStepMs(expr, endsMs[0]! - skippedMs)
  const inner = contextFor(ctx.query, subqueryGrid(expr, endsMs), undefined, wholeStartMs)
  const cutter = new WindowCutter(endsMs, expr.rangeMs, ctx)
  for (const series of evaluateVector(expr.expr, inner)) {
    const { labels, dropName } = series
    const count = inner.pool.charge(series)
    const column =
      count === inner.grid.count && series.histograms === undefined
        ? { timestampsMs: inner.grid.timesMs, values: series.values, length: count }
        : compactSteps(series, count, inner.grid)
    const windows = cutter.cut(column)
    yield { labels, group: undefined, dropName, windows, onlyFloats: () => cutter.onlyFloats(column, windows) }
    inner.pool.release(series)
  }
}

/** Absolute multiples of the subquery's step, the first strictly after the first window's start. */
export function subqueryGrid(expr: Subquery, endsMs: Float64Array): StepGrid {
  return StepGrid.range(firstStepMs(expr, endsMs[0]!), endsMs[endsMs.length - 1]!, expr.stepMs)
}

const firstStepMs = ({ rangeMs, stepMs }: Subquery, endMs: number): number =>
  (Math.floor((endMs - rangeMs) / stepMs) + 1) * stepMs

/** A column without staleness markers. */
type PlainColumn = Pick<SeriesColumn, 'timestampsMs' | 'values' | 'length' | 'histograms' | 'startTimesMs' | 'counts'>

/** Cuts columns into windows; bounds are computed once for all columns that share a `timestampsMs` object. */
class WindowCutter {
  readonly #endsMs: Float64Array
  readonly #rangeMs: number
  readonly #ctx: EvalContext
  #bounds: WindowBounds | undefined
  #timestampsMs: Float64Array | undefined
  #length = -1
  #samplesInWindows = 0
  readonly #poll = (): void => this.#ctx.query.limits.pollNow()

  constructor(endsMs: Float64Array, rangeMs: number, ctx: EvalContext) {
    this.#endsMs = endsMs
    this.#rangeMs = rangeMs
    this.#ctx = ctx
  }

  /** The windows of a column that was cut, without its histograms. */
  onlyFloats(column: PlainColumn, windows: ColumnWindows): ColumnWindows {
    const floats = pickSamples(column, (i) => column.histograms?.[i] === undefined)
    const bounds = windows.kernels.bounds(floats.timestampsMs, floats.length, this.#endsMs, this.#rangeMs)
    return { ...windows, ...floats, histograms: undefined, bounds }
  }

  cut(column: PlainColumn): ColumnWindows {
    const { query, grid } = this.#ctx
    if (this.#bounds === undefined || column.timestampsMs !== this.#timestampsMs || column.length !== this.#length) {
      const { timestampsMs, length } = column
      // Windows are only good until the next series is taken.
      this.#bounds = query.windowKernels.bounds(timestampsMs, length, this.#endsMs, this.#rangeMs, this.#bounds)
      this.#timestampsMs = column.timestampsMs
      this.#length = column.length
      this.#samplesInWindows = sumOfWidths(this.#bounds)
    }
    const { histograms } = column
    this.#ctx.counter?.addWindows(this.#bounds, this.#samplesInWindows, histograms)
    return {
      timestampsMs: column.timestampsMs,
      values: column.values,
      length: column.length,
      histograms,
      startTimesMs: column.startTimesMs,
      counts: column.counts,
      bounds: this.#bounds,
      rangeMs: this.#rangeMs,
      evalTimesMs: grid.timesMs,
      lookbackDeltaMs: query.lookbackDeltaMs,
      kernels: query.windowKernels,
      poll: this.#poll,
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
  return stale === undefined ? column : pickSamples(column, (i) => stale[i] !== 1)
}

/** The samples that `keep` picks, in new arrays. */
export function pickSamples(column: PlainColumn, keep: (index: number) => boolean): PlainColumn {
  const kept: number[] = []
  for (let i = 0; i < column.length; i++) if (keep(i)) kept.push(i)
  const { histograms, startTimesMs, counts } = column
  return {
    timestampsMs: Float64Array.from(kept, (i) => column.timestampsMs[i]!),
    values: Float64Array.from(kept, (i) => column.values[i]!),
    length: kept.length,
    histograms: histograms && kept.map((i) => histograms[i]),
    startTimesMs: startTimesMs && Float64Array.from(kept, (i) => startTimesMs[i]!),
    counts: counts && Float64Array.from(kept, (i) => counts[i]!),
  }
}

function compactSteps({ values, present, histograms }: StepSeries, count: number, grid: StepGrid): PlainColumn {
  const timestampsMs = new Float64Array(count)
  const compact = new Float64Array(count)
  const compactHistograms = histograms && ([] as (NativeHistogram | undefined)[])
  let at = 0
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0) continue
    timestampsMs[at] = grid.timeMs(step)
    if (compactHistograms !== undefined) compactHistograms[at] = forgetResets(histograms![step])
    compact[at++] = values[step]!
  }
  return { timestampsMs, values: compact, length: count, histograms: compactHistograms }
}

/** Between the steps of a subquery there may have been samples that nobody looked at. */
function forgetResets(histogram: NativeHistogram | undefined): NativeHistogram | undefined {
  if (histogram === undefined || histogram.counterResetHint === CounterResetHint.GAUGE) return histogram
  return withHint(histogram, CounterResetHint.UNKNOWN)
}
