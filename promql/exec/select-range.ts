import type { WindowBounds, WindowKernels } from '../../kernels/index.ts'
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
  const series = new SelectedSeries(cutter)
  for (const stored of query.querier.select(selector.matchers, hints)) {
    query.limits.poll()
    if (stored.histograms !== undefined && query.reuse !== undefined) query.reuse.sawHistograms = true
    const column = wantsStats ? withKnownResets(stored) : stored
    series.moveTo(stored, withoutStale(column))
    yield series
  }
}

/** One series after the other. Has its labels put together only when they are asked for. */
class SelectedSeries implements WindowedSeries {
  readonly dropName = false
  readonly #cutter: WindowCutter
  #stored: SeriesColumn | undefined
  #column: PlainColumn | undefined

  constructor(cutter: WindowCutter) {
    this.#cutter = cutter
  }

  /** @param column what is left of the stored one */
  moveTo(stored: SeriesColumn, column: PlainColumn): void {
    this.#stored = stored
    this.#column = column
    this.#cutter.cut(column)
  }

  get windows(): ColumnWindows {
    return this.#cutter.windows
  }

  onlyFloats(): ColumnWindows {
    return this.#cutter.onlyFloats(this.#column!)
  }

  get labels(): Labels {
    return this.#stored!.labels
  }

  get group(): SeriesGroup | undefined {
    return this.#stored!.group
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
    cutter.cut(column)
    const { windows } = cutter
    yield { labels, group: undefined, dropName, windows, onlyFloats: () => cutter.onlyFloats(column) }
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

/** The windows of one column after the other. */
class CutWindows implements ColumnWindows {
  timestampsMs: Float64Array = new Float64Array(0)
  values: Float64Array = this.timestampsMs
  length = -1
  histograms: SeriesColumn['histograms']
  startTimesMs: SeriesColumn['startTimesMs']
  counts: SeriesColumn['counts']
  bounds: WindowBounds
  readonly rangeMs: number
  readonly evalTimesMs: Float64Array
  readonly lookbackDeltaMs: number
  readonly kernels: WindowKernels
  readonly poll: () => void

  constructor(bounds: WindowBounds, rangeMs: number, { query, grid }: EvalContext) {
    this.bounds = bounds
    this.rangeMs = rangeMs
    this.evalTimesMs = grid.timesMs
    this.lookbackDeltaMs = query.lookbackDeltaMs
    this.kernels = query.windowKernels
    this.poll = () => query.limits.pollNow()
  }
}

/** Cuts columns into windows; bounds are computed once for all columns that share a `timestampsMs` object. */
class WindowCutter {
  readonly #endsMs: Float64Array
  readonly #rangeMs: number
  readonly #ctx: EvalContext
  readonly #windows: CutWindows
  #samplesInWindows = 0

  constructor(endsMs: Float64Array, rangeMs: number, ctx: EvalContext) {
    this.#endsMs = endsMs
    this.#rangeMs = rangeMs
    this.#ctx = ctx
    const none = new Int32Array(0)
    this.#windows = new CutWindows({ endsMs, lo: none, hi: none }, rangeMs, ctx)
  }

  /** Of the column that was cut last; good until the next one is. */
  get windows(): ColumnWindows {
    return this.#windows
  }

  /** The windows of the column that was cut last, without its histograms. */
  onlyFloats(column: PlainColumn): ColumnWindows {
    const floats = pickSamples(column, (i) => column.histograms?.[i] === undefined)
    const bounds = this.#windows.kernels.bounds(floats.timestampsMs, floats.length, this.#endsMs, this.#rangeMs)
    return { ...this.#windows, ...floats, histograms: undefined, bounds }
  }

  cut({ timestampsMs, values, length, histograms, startTimesMs, counts }: PlainColumn): void {
    const windows = this.#windows
    if (timestampsMs !== windows.timestampsMs || length !== windows.length) {
      // Windows are only good until the next series is taken.
      windows.bounds = windows.kernels.bounds(timestampsMs, length, this.#endsMs, this.#rangeMs, windows.bounds)
      windows.timestampsMs = timestampsMs
      windows.length = length
      this.#samplesInWindows = sumOfWidths(windows.bounds)
    }
    windows.values = values
    windows.histograms = histograms
    windows.startTimesMs = startTimesMs
    windows.counts = counts
    this.#ctx.counter?.addWindows(windows.bounds, this.#samplesInWindows, histograms)
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
