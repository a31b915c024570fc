import type { TimeRange } from '../../model/index.ts'
import type { Samples } from './column-output.ts'
import type { NewestValues } from './piece.ts'
import type { TargetSeries } from './selection.ts'

/** UNKNOWN: the columns must be looked at. */
export const NewestResult = { NONE: 0, FOUND: 1, UNKNOWN: 2 } as const

/** Answers "newest sample only" from the last values, where no other place can hold a newer one. */
export class NewestAnswers implements Samples {
  // The sample found last.
  timestampsMs = new Float64Array(1)
  readonly values = new Float64Array(1)
  readonly length = 1
  stale: Uint8Array | undefined
  readonly #series: TargetSeries
  readonly #range: TimeRange
  readonly #newest: readonly (NewestValues | undefined)[]
  readonly #only: NewestValues | undefined
  readonly #times = new Map<number, Float64Array<ArrayBuffer>>()
  #timeMs = Number.NaN

  constructor(series: TargetSeries, range: TimeRange) {
    this.#series = series
    this.#range = range
    this.#newest = series.sources.map((source) => source.newest(range.maxTimeMs))
    this.#only = this.#newest.length === 1 ? this.#newest[0] : undefined
  }

  find(i: number): number {
    if (this.#only !== undefined) return this.#findIn(this.#only, i)
    const { sources, indexes } = this.#series
    const { minTimeMs, maxTimeMs } = this.#range
    let bestMs = Number.NEGATIVE_INFINITY
    let best: NewestValues | undefined
    let bestIndex = -1
    let othersMs = Number.NEGATIVE_INFINITY
    for (let s = 0; s < sources.length; s++) {
      const index = indexes[s]![i]!
      if (index < 0) continue
      const newest = this.#newest[s]
      if (newest === undefined) {
        othersMs = Math.max(othersMs, sources[s]!.maxTimeMs + (sources[s]!.summary?.reachBackMs ?? 0))
        continue
      }
      const timeMs = newest.timeOf(index, minTimeMs)
      if (Number.isNaN(timeMs) || timeMs > maxTimeMs) return NewestResult.UNKNOWN
      if (timeMs >= bestMs) {
        bestMs = timeMs
        best = newest
        bestIndex = index
      }
    }
    if (othersMs >= bestMs && othersMs >= minTimeMs) return NewestResult.UNKNOWN
    if (best === undefined || bestMs < minTimeMs) return NewestResult.NONE
    this.stale = best.valueOf(bestIndex, this.values) ? STALE_ONE : undefined
    this.#setTime(bestMs)
    return NewestResult.FOUND
  }

  /** As `find`, where there is one source, which holds all series in the order in which they are asked for. */
  #findIn(only: NewestValues, i: number): number {
    const { minTimeMs, maxTimeMs } = this.#range
    const timeMs = only.timeOf(i, minTimeMs)
    if (timeMs < minTimeMs) return NewestResult.NONE
    // NaN, too.
    if (!(timeMs <= maxTimeMs)) return NewestResult.UNKNOWN
    this.stale = only.valueOf(i, this.values) ? STALE_ONE : undefined
    this.#setTime(timeMs)
    return NewestResult.FOUND
  }

  /** One object for all series of that time. */
  #setTime(timeMs: number): void {
    if (timeMs === this.#timeMs) return
    this.#timeMs = timeMs
    this.timestampsMs = this.#timeColumn(timeMs)
  }

  #timeColumn(timeMs: number): Float64Array<ArrayBuffer> {
    let column = this.#times.get(timeMs)
    if (column === undefined) {
      column = Float64Array.of(timeMs)
      this.#times.set(timeMs, column)
    }
    return column
  }
}

const STALE_ONE = Uint8Array.of(1)
