import type { StepKernels, StepPicks } from '../../kernels/index.ts'
import { type CoarseSamples, type Labels, METRIC_NAME, type SelectHints, type SeriesColumn } from '../../model/index.ts'
import type { VectorSelector } from '../parse/ast.ts'
import { selectorRange } from '../plan/time-range.ts'
import { type EvalContext, orderHint } from './context.ts'
import { withKnownResets } from './known-resets.ts'
import { upperBound } from './sample-search.ts'
import { smoothSeries } from './select-smoothed.ts'
import { putHistogram } from './step-histograms.ts'
import { PLACED_STEPS_MIN, type StepSeries } from './step-series.ts'

export interface SelectOptions {
  /** Give the samples' own times, or when their counters began, in seconds, instead of their values. */
  readonly times?: 'sample' | 'start'
  readonly functionName?: string
  /** Called, to throw, for series that have histograms. */
  readonly refuseHistograms?: (labels: Labels) => void
}

/** An instant selector: at each step the newest sample of (t - lookback, t], unless it is a staleness marker. */
export function* selectInstant(
  selector: VectorSelector,
  ctx: EvalContext,
  options: SelectOptions = {},
): Generator<StepSeries> {
  const { query, pool } = ctx
  const timesMs = referenceTimes(selector, ctx)
  const picker = new SamplePicker(timesMs, query.lookbackDeltaMs, pool.kernels)
  for (const stored of query.querier.select(selector.matchers, instantHints(selector, ctx, options.functionName))) {
    query.limits.poll()
    if (stored.histograms !== undefined) {
      options.refuseHistograms?.(stored.labels)
      if (query.reuse !== undefined) query.reuse.sawHistograms = true
    }
    const column = query.statsSelectors.has(selector) ? withKnownResets(stored) : stored
    const series = pool.takeFor(stored, stored.histograms !== undefined)
    if (selector.smoothed) smoothSeries(column, timesMs, selector, ctx, series)
    else gather(column, picker.picks(column), options.times, pool.kernels, series)
    const count = pool.charge(series)
    ctx.counter?.addSeries(series, series.charged)
    if (count > 0) yield series
    else pool.release(series)
  }
}

export function instantHints(
  selector: VectorSelector,
  ctx: EvalContext,
  functionName: string | undefined,
): SelectHints {
  const { grid, query } = ctx
  const range = selectorRange(selector, { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }, query.lookbackDeltaMs, 0)
  // Without spreads, which take several times as long: for a small query this is a good part of it all.
  return {
    minTimeMs: range.minTimeMs,
    maxTimeMs: range.maxTimeMs,
    stepMs: grid.count > 1 ? grid.stepMs : 0,
    functionName,
    windows: windowsHint(selector, ctx, 0),
    newestOnly: grid.count === 1 && !selector.smoothed && !query.statsSelectors.has(selector),
    grouping: ctx.grouping,
    order: orderHint(ctx, range.minTimeMs),
  }
}

/** Lets the store answer with summaries of the samples; selectors that look beyond their windows need the samples. */
export function windowsHint(selector: VectorSelector, ctx: EvalContext, rangeMs: number): SelectHints['windows'] {
  if (selector.anchored || selector.smoothed) return undefined
  const { grid, query } = ctx
  const timesMs = referenceTimes(selector, ctx)
  if (timesMs.length === 0) return undefined
  const stepMs = query.isInstant && grid.count === 1 ? 0 : grid.stepMs
  return { firstEndMs: timesMs[0]!, lastEndMs: timesMs[timesMs.length - 1]!, stepMs, rangeMs }
}

/** The time that each step looks back from. */
export function referenceTimes(of: Pick<VectorSelector, 'at' | 'offsetMs'>, ctx: EvalContext): Float64Array {
  const { grid } = ctx
  if (of.at === undefined && of.offsetMs === 0) return grid.timesMs
  if (of.at?.kind === 'time') return new Float64Array(grid.count).fill(of.at.timestampMs - of.offsetMs)
  return grid.timesMs.map((timeMs) => timeMs - of.offsetMs)
}

/** Finds the sample of each step, once for all columns that share a `timestampsMs` object. */
class SamplePicker {
  readonly #timesMs: Float64Array
  readonly #lookbackMs: number
  readonly #picks: StepPicks
  #timestampsMs: Float64Array | undefined
  #length = -1
  #coarse: CoarseSamples | undefined

  constructor(timesMs: Float64Array, lookbackMs: number, kernels: StepKernels) {
    this.#timesMs = timesMs
    this.#lookbackMs = lookbackMs
    const steps = timesMs.length
    const piece = steps < PLACED_STEPS_MIN ? undefined : kernels.take(4 * steps)
    const { buffer, offset } = piece ?? { buffer: new ArrayBuffer(4 * steps), offset: 0 }
    this.#picks = { indexes: new Int32Array(buffer, offset, steps), at: piece === undefined ? -1 : offset }
  }

  /** What each step sees. Valid until the next call. */
  picks(column: SeriesColumn): StepPicks {
    const isSame = column.timestampsMs === this.#timestampsMs && column.length === this.#length
    if (isSame && column.coarse === this.#coarse) return this.#picks
    this.#coarse = column.coarse
    this.#timestampsMs = column.timestampsMs
    this.#length = column.length
    const { timestampsMs, length } = column
    const { indexes } = this.#picks
    // A single step (most often the newest) is found from the end.
    let next = this.#timesMs.length === 1 ? upperBound(timestampsMs, length, this.#timesMs[0]!) : 0
    for (let step = 0; step < this.#timesMs.length; step++) {
      const timeMs = this.#timesMs[step]!
      while (next < length && timestampsMs[next]! <= timeMs) next++
      indexes[step] = next > 0 && this.#isNear(timestampsMs[next - 1]!, timeMs) ? next - 1 : -1
    }
    return this.#picks
  }

  #isNear(sampleMs: number, timeMs: number): boolean {
    const coarse = this.#coarse
    const furtherMs = coarse !== undefined && sampleMs <= coarse.untilMs ? coarse.resolutionMs : 0
    return sampleMs > timeMs - this.#lookbackMs - furtherMs
  }
}

function gather(
  column: SeriesColumn,
  picks: StepPicks,
  times: 'sample' | 'start' | undefined,
  kernels: StepKernels,
  out: StepSeries,
): void {
  const { stale, values, histograms } = column
  const { indexes } = picks
  const isPlain = stale === undefined && histograms === undefined && times === undefined
  if (isPlain && kernels.gather(values, picks, out)) return
  for (let step = 0; step < indexes.length; step++) {
    const index = indexes[step]!
    if (index < 0 || (stale !== undefined && stale[index] === 1)) continue
    out.present[step] = 1
    out.values[step] = values[index]!
  }
  if (times !== undefined) gatherTimes(column, indexes, times, out)
  else if (histograms !== undefined) gatherHistograms(histograms, indexes, out)
}

function gatherTimes(column: SeriesColumn, indexes: Int32Array, times: 'sample' | 'start', out: StepSeries): void {
  const timesMs = times === 'sample' ? column.timestampsMs : column.startTimesMs
  for (let step = 0; step < indexes.length; step++) {
    if (out.present[step] === 1) out.values[step] = (timesMs?.[indexes[step]!] ?? 0) / 1000
  }
}

function gatherHistograms(
  histograms: NonNullable<SeriesColumn['histograms']>,
  indexes: Int32Array,
  out: StepSeries,
): void {
  for (let step = 0; step < indexes.length; step++) {
    if (out.present[step] === 0) continue
    const histogram = histograms[indexes[step]!]
    if (histogram !== undefined) putHistogram(out, step, histogram)
  }
}

/** Whether all series of a selector have the same metric name, so that dropping it cannot make two of them equal. */
export const selectsOneName = (selector: VectorSelector): boolean =>
  selector.matchers.some((matcher) => matcher.type === '=' && matcher.name === METRIC_NAME)
