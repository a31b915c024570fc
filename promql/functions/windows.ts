import type { WindowBounds, WindowKernels } from '../../kernels/index.ts'
import type { SeriesColumn } from '../../model/index.ts'
import type { StepSeries } from '../exec/step-series.ts'

/** The windows of one column: for each step the samples (end - range, end], staleness markers already taken out. */
export interface ColumnWindows {
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  /** Valid entries of both. */
  readonly length: number
  /** As in `SeriesColumn`: absent for a column of floats. */
  readonly histograms?: SeriesColumn['histograms']
  readonly startTimesMs?: SeriesColumn['startTimesMs']
  readonly counts?: SeriesColumn['counts']
  readonly bounds: WindowBounds
  readonly rangeMs: number
  /** Evaluation time of each step, which is the window's end only without offset and @. */
  readonly evalTimesMs: Float64Array
  readonly lookbackDeltaMs: number
  readonly kernels: WindowKernels
  /** Throws when the query is to stop; to be called now and then during long work. */
  readonly poll: () => void
}

/**
 * Fills one output series from one column. `scalars` are the function's scalar arguments, one value for each step.
 * Sets `out.present` for each step that gets a value.
 */
export type WindowFunction = (windows: ColumnWindows, scalars: readonly Float64Array[], out: StepSeries) => void

// Some milliseconds of work.
const SAMPLES_PER_POLL = 1_000_000

/** Lifts a function of one non-empty window, samples [from, to), to all windows; `undefined` leaves the step empty. */
export function eachWindow(
  minSamples: number,
  evaluate: (
    windows: ColumnWindows,
    from: number,
    to: number,
    step: number,
    scalars: readonly Float64Array[],
  ) => number | undefined,
): WindowFunction {
  return (windows, scalars, out) => {
    const { lo, hi } = windows.bounds
    let sincePoll = 0
    for (let step = 0; step < lo.length; step++) {
      const from = lo[step]!
      const to = hi[step]!
      if (to - from < minSamples) continue
      sincePoll += to - from
      if (sincePoll > SAMPLES_PER_POLL) {
        windows.poll()
        sincePoll = 0
      }
      const value = evaluate(windows, from, to, step, scalars)
      if (value === undefined) continue
      out.values[step] = value
      out.present[step] = 1
    }
  }
}

/** Marks every step whose window has a sample. */
export function markNonEmpty(windows: ColumnWindows, out: StepSeries): void {
  const { lo, hi } = windows.bounds
  for (let step = 0; step < lo.length; step++) out.present[step] = lo[step]! < hi[step]! ? 1 : 0
}
