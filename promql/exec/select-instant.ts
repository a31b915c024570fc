import { METRIC_NAME, type SelectHints, type SeriesColumn } from '../../model/index.ts'
import type { VectorSelector } from '../parse/ast.ts'
import { selectorRange } from '../plan/time-range.ts'
import type { EvalContext } from './context.ts'
import type { StepSeries } from './step-series.ts'

/**
 * An instant selector: at each step the newest sample of (t - lookback, t], unless it is a staleness marker.
 *
 * @param timestamps give the samples' times, in seconds, instead of their values
 */
export function* selectInstant(
  selector: VectorSelector,
  ctx: EvalContext,
  options: { timestamps?: boolean; functionName?: string } = {},
): Generator<StepSeries> {
  const { query, pool } = ctx
  const timesMs = referenceTimes(selector, ctx)
  const picker = new SamplePicker(timesMs, query.lookbackDeltaMs)
  for (const column of query.querier.select(selector.matchers, instantHints(selector, ctx, options.functionName))) {
    query.limits.poll()
    const series = pool.take(column.labels)
    if (selector.smoothed) smooth(column, timesMs, query.lookbackDeltaMs, series)
    else gather(column, picker.indexes(column), options.timestamps === true, series)
    const count = pool.charge(series)
    query.limits.totalQueryableSamples += count
    if (count > 0) yield series
    else pool.release(series)
  }
}

function instantHints(selector: VectorSelector, ctx: EvalContext, functionName: string | undefined): SelectHints {
  const { grid, query } = ctx
  const range = selectorRange(selector, { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }, query.lookbackDeltaMs, 0)
  return {
    ...range,
    stepMs: grid.count > 1 ? grid.stepMs : 0,
    ...(functionName === undefined ? {} : { functionName }),
    ...(grid.count === 1 && !selector.smoothed ? { newestOnly: true } : {}),
  }
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
  readonly #indexes: Int32Array
  #timestampsMs: Float64Array | undefined
  #length = -1

  constructor(timesMs: Float64Array, lookbackMs: number) {
    this.#timesMs = timesMs
    this.#lookbackMs = lookbackMs
    this.#indexes = new Int32Array(timesMs.length)
  }

  /** Sample index of each step, -1 where there is none. Valid until the next call. */
  indexes(column: SeriesColumn): Int32Array {
    if (column.timestampsMs === this.#timestampsMs && column.length === this.#length) return this.#indexes
    this.#timestampsMs = column.timestampsMs
    this.#length = column.length
    const { timestampsMs, length } = column
    // A single step (most often the newest) is found from the end.
    let next = this.#timesMs.length === 1 ? upperBound(timestampsMs, length, this.#timesMs[0]!) : 0
    for (let step = 0; step < this.#timesMs.length; step++) {
      const timeMs = this.#timesMs[step]!
      while (next < length && timestampsMs[next]! <= timeMs) next++
      this.#indexes[step] = next > 0 && timestampsMs[next - 1]! > timeMs - this.#lookbackMs ? next - 1 : -1
    }
    return this.#indexes
  }
}

/** Number of timestamps at or before `timeMs`. */
function upperBound(timestampsMs: Float64Array, length: number, timeMs: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timestampsMs[middle]! <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function gather(column: SeriesColumn, indexes: Int32Array, timestamps: boolean, out: StepSeries): void {
  const { stale } = column
  for (let step = 0; step < indexes.length; step++) {
    const index = indexes[step]!
    if (index < 0 || (stale !== undefined && stale[index] === 1)) continue
    out.present[step] = 1
    out.values[step] = timestamps ? column.timestampsMs[index]! / 1000 : column.values[index]!
  }
}

/** Linear interpolation between the samples around each step; without a later one the last value is carried on. */
function smooth(column: SeriesColumn, timesMs: Float64Array, lookbackMs: number, out: StepSeries): void {
  const { timestampsMs, values, stale, length } = column
  for (let step = 0; step < timesMs.length; step++) {
    const timeMs = timesMs[step]!
    const next = upperBound(timestampsMs, length, timeMs)
    const previous = next - 1
    if (previous < 0 || timestampsMs[previous]! <= timeMs - lookbackMs || stale?.[previous] === 1) continue
    out.present[step] = 1
    const from = values[previous]!
    const fromMs = timestampsMs[previous]!
    if (fromMs === timeMs || next >= length || timestampsMs[next]! > timeMs + lookbackMs || stale?.[next] === 1) {
      out.values[step] = from
    } else {
      out.values[step] = from + ((values[next]! - from) * (timeMs - fromMs)) / (timestampsMs[next]! - fromMs)
    }
  }
}

/** Whether all series of a selector have the same metric name, so that dropping it cannot make two of them equal. */
export const selectsOneName = (selector: VectorSelector): boolean =>
  selector.matchers.some((matcher) => matcher.type === '=' && matcher.name === METRIC_NAME)
