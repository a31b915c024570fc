import type { WindowBounds } from '../../kernels/index.ts'
import type { NativeHistogram } from '../../model/index.ts'
import { sampleSizeOf } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/**
 * Counts the samples that selectors give, once for each step that sees them, as Prometheus does: of a subquery the points of
 * its windows, not what they were made of.
 */
export class SampleCounter {
  total = 0
  /** One entry for each step of the query; absent unless asked for. */
  readonly perStep: Float64Array | undefined

  constructor(stepCount: number, wantsSteps: boolean) {
    this.perStep = wantsSteps ? new Float64Array(stepCount) : undefined
  }

  /** @param held samples that the series counts as */
  addSeries({ present, histograms }: StepSeries, held: number): void {
    this.total += held
    const { perStep } = this
    if (perStep === undefined) return
    for (let step = 0; step < present.length; step++) {
      if (present[step] === 1) perStep[step]! += sizeOf(histograms?.[step])
    }
  }

  /** Of many series at one step. */
  addAtOneStep(count: number): void {
    this.total += count
    if (this.perStep !== undefined) this.perStep[0]! += count
  }

  /** @param inWindows samples in all windows, histograms counted once */
  addWindows(
    { lo, hi }: WindowBounds,
    inWindows: number,
    histograms: readonly (NativeHistogram | undefined)[] | undefined,
  ): void {
    const { perStep } = this
    if (histograms === undefined) {
      this.total += inWindows
      if (perStep !== undefined) for (let step = 0; step < lo.length; step++) perStep[step]! += hi[step]! - lo[step]!
      return
    }
    for (let step = 0; step < lo.length; step++) {
      let count = 0
      for (let i = lo[step]!; i < hi[step]!; i++) count += sizeOf(histograms[i])
      this.total += count
      if (perStep !== undefined) perStep[step]! += count
    }
  }

  /** Counts what was evaluated once for all steps at each of them. */
  addAtEachStep(once: SampleCounter, stepCount: number): void {
    this.total += once.total * stepCount
    if (this.perStep !== undefined) for (let step = 0; step < stepCount; step++) this.perStep[step]! += once.total
  }

  /** The state now, to be given to `between`. */
  mark(): SampleMark {
    return { total: this.total, perStep: this.perStep?.slice() }
  }

  /** What was counted between two marks, to be counted again wherever the same part of a query stands once more. */
  static between(before: SampleMark, after: SampleMark): SampleMark {
    return {
      total: after.total - before.total,
      perStep: after.perStep?.map((count, step) => count - before.perStep![step]!),
    }
  }

  addAgain({ total, perStep }: SampleMark): void {
    this.total += total
    perStep?.forEach((count, step) => {
      this.perStep![step]! += count
    })
  }
}

/** Counts at one moment, or between two. */
export interface SampleMark {
  readonly total: number
  readonly perStep: Float64Array | undefined
}

const sizeOf = (histogram: NativeHistogram | undefined): number =>
  histogram === undefined ? 1 : sampleSizeOf(histogram)
