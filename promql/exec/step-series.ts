import type { Labels } from '../../model/index.ts'
import type { QueryLimits } from './query-limits.ts'

/**
 * One series of an intermediate vector, a value for each step of its grid. Owned by whoever holds it: an operator that takes
 * one from its input may change it in place, hand it on, or give it back to the pool. Native histograms will be further
 * columns beside `values`; `present` will then tell which column a step is in.
 */
export interface StepSeries {
  labels: Labels
  /** The metric name is to be taken away at the end of the query (delayed name removal). */
  dropName: boolean
  /** Defined where `present` is 1. */
  readonly values: Float64Array
  /** 1 where the series has a value at that step: a NaN is a value like any other. */
  readonly present: Uint8Array
  /** Samples counted against the query's limit for this series. */
  charged: number
}

/** Makes and recycles the series of one grid, and counts the samples they hold. */
export class SeriesPool {
  readonly stepCount: number
  readonly #limits: QueryLimits
  readonly #free: StepSeries[] = []

  constructor(stepCount: number, limits: QueryLimits) {
    this.stepCount = stepCount
    this.#limits = limits
  }

  /** Nothing present; values undefined. */
  take(labels: Labels): StepSeries {
    const recycled = this.#free.pop()
    if (recycled === undefined) {
      return {
        labels,
        dropName: false,
        values: new Float64Array(this.stepCount),
        present: new Uint8Array(this.stepCount),
        charged: 0,
      }
    }
    recycled.labels = labels
    recycled.dropName = false
    recycled.present.fill(0)
    return recycled
  }

  /** Present everywhere with the same value. */
  takeConstant(labels: Labels, value: number): StepSeries {
    const series = this.take(labels)
    series.values.fill(value)
    series.present.fill(1)
    this.charge(series)
    return series
  }

  copy(of: StepSeries): StepSeries {
    const series = this.take(of.labels)
    series.dropName = of.dropName
    series.values.set(of.values)
    series.present.set(of.present)
    this.charge(series)
    return series
  }

  /**
   * Counts the samples of a series that has just been filled.
   *
   * @returns how many there are; 0 means that the series has nothing to say and should be released
   * @throws {QueryTooManySamplesError}
   */
  charge(series: StepSeries): number {
    const count = countPresent(series.present)
    this.#limits.hold(count - series.charged)
    series.charged = count
    return count
  }

  release(series: StepSeries): void {
    this.#limits.hold(-series.charged)
    series.charged = 0
    if (this.#free.length < 64) this.#free.push(series)
  }
}

export function countPresent(present: Uint8Array): number {
  let count = 0
  for (let i = 0; i < present.length; i++) count += present[i]!
  return count
}
