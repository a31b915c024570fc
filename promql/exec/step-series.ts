import { countPresentTwin, type StepColumn, type StepKernels } from '../../kernels/index.ts'
import {
  EMPTY_LABELS,
  type Labels,
  type NativeHistogram,
  type SeriesColumn,
  type SeriesGroup,
} from '../../model/index.ts'
import { heldSamples } from './step-histograms.ts'
import type { QueryLimits } from './query-limits.ts'

/**
 * One series of an intermediate vector, a value for each step of its grid. Owned by whoever holds it: an operator that takes
 * one from its input may change it in place, hand it on, or give it back to the pool. A present step is a native histogram
 * where `histograms` has one, and a float everywhere else.
 */
export interface StepSeries extends StepColumn {
  /** Not to be looked at where `group` is set. */
  labels: Labels
  /** See `EvalContext.grouping`. */
  group: SeriesGroup | undefined
  /** The metric name is to be taken away at the end of the query (delayed name removal). */
  dropName: boolean
  /** Defined where `present` is 1 and there is no histogram. */
  readonly values: Float64Array
  /** 1 where the series has a value at that step: a NaN is a value like any other. */
  readonly present: Uint8Array
  /** An entry for each step, to be looked at where `present` is 1; absent as long as all values are floats. */
  histograms: (NativeHistogram | undefined)[] | undefined
  /** Samples counted against the query's limit for this series. */
  charged: number
}

const SLAB_SERIES_MAX = 32
/** Columns of fewer steps are not worth a place in the kernels' memory. */
export const PLACED_STEPS_MIN = 16

/** Makes and recycles the series of one grid, and counts the samples they hold. */
export class SeriesPool {
  readonly stepCount: number
  readonly kernels: StepKernels
  readonly #limits: QueryLimits
  readonly #free: StepSeries[] = []
  #slab: ArrayBufferLike = new ArrayBuffer(0)
  /** Where the slab begins in its buffer. */
  #slabAt = 0
  #isPlaced = false
  #slabSeries = 0
  #nextInSlab = 0

  constructor(stepCount: number, limits: QueryLimits, kernels: StepKernels) {
    this.stepCount = stepCount
    this.kernels = kernels
    this.#limits = limits
  }

  /** Nothing present; values undefined. */
  take(labels: Labels): StepSeries {
    const recycled = this.#free.pop()
    if (recycled === undefined) {
      return this.#make(labels)
    }
    recycled.labels = labels
    recycled.group = undefined
    recycled.dropName = false
    // For a single step a call of `fill` would cost more than all the rest.
    if (recycled.present.length === 1) recycled.present[0] = 0
    else this.kernels.clear(recycled)
    recycled.histograms = undefined
    return recycled
  }

  /** Columns are cut from memory for many: each array with memory of its own costs more than filling it. */
  #make(labels: Labels): StepSeries {
    const { stepCount } = this
    if (this.#nextInSlab === this.#slabSeries) {
      this.#slabSeries = Math.min(Math.max(2 * this.#slabSeries, 1), SLAB_SERIES_MAX)
      this.#takeSlab(this.#slabSeries * stepCount * 9)
    }
    const index = this.#nextInSlab++
    const valuesAt = this.#slabAt + 8 * index * stepCount
    const presentAt = this.#slabAt + (8 * this.#slabSeries + index) * stepCount
    const present = new Uint8Array(this.#slab, presentAt, stepCount)
    if (this.#isPlaced) present.fill(0)
    return {
      labels,
      group: undefined,
      dropName: false,
      values: new Float64Array(this.#slab, valuesAt, stepCount),
      present,
      valuesAt: this.#isPlaced ? valuesAt : -1,
      presentAt: this.#isPlaced ? presentAt : -1,
      histograms: undefined,
      charged: 0,
    }
  }

  #takeSlab(bytes: number): void {
    const piece = this.stepCount < PLACED_STEPS_MIN ? undefined : this.kernels.take(bytes)
    this.#isPlaced = piece !== undefined
    this.#slab = piece?.buffer ?? new ArrayBuffer(bytes)
    this.#slabAt = piece?.offset ?? 0
    this.#nextInSlab = 0
  }

  /** For a column of the store; by its group where that was told, but with labels where there may be notes on histograms. */
  takeFor(column: Pick<SeriesColumn, 'labels' | 'group'>, hasHistograms: boolean): StepSeries {
    const { group } = column
    const series = this.take(group === undefined || hasHistograms ? column.labels : EMPTY_LABELS)
    series.group = group
    return series
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
    series.histograms = of.histograms?.slice()
    this.charge(series)
    return series
  }

  /**
   * Counts the samples of a series that has just been filled.
   *
   * @returns how many steps are present; 0 means that the series has nothing to say and should be released
   * @throws {QueryTooManySamplesError}
   */
  charge(series: StepSeries): number {
    const count = this.kernels.countPresent(series)
    const held = series.histograms === undefined ? count : heldSamples(series, series.histograms)
    this.#limits.hold(held - series.charged)
    series.charged = held
    return count
  }

  release(series: StepSeries): void {
    this.#limits.hold(-series.charged)
    series.charged = 0
    if (this.#free.length < 64) this.#free.push(series)
  }
}

export const countPresent = countPresentTwin
