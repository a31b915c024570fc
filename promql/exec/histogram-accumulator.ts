import { labelValue, METRIC_NAME } from '../../model/index.ts'
import { HistogramSum } from '../histogram/sum.ts'
import type { Aggregation } from '../parse/ast.ts'
import { histogramNotes } from './annotations.ts'
import type { EvalContext } from './context.ts'
import { dropHistograms, putHistogram } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** Sums, or means, of the histograms of one group at all steps. */
export class HistogramAccumulator {
  readonly #expr: Aggregation
  readonly #ctx: EvalContext
  readonly #sums: (HistogramSum | undefined)[]

  constructor(expr: Aggregation, ctx: EvalContext) {
    this.#expr = expr
    this.#ctx = ctx
    this.#sums = Array.from({ length: ctx.grid.count }, () => undefined)
  }

  /** Takes the histograms of a series; its floats are left alone. */
  add({ labels, present, histograms }: StepSeries): void {
    for (let step = 0; step < present.length; step++) {
      const histogram = present[step] === 1 ? histograms![step] : undefined
      if (histogram === undefined) continue
      const sum = this.#sums[step]
      if (sum === undefined) {
        this.#sums[step] = new HistogramSum(histogram, this.#expr.op === 'avg')
        continue
      }
      const wasIncompatible = sum.incompatible
      sum.add(histogram)
      if (sum.incompatible && !wasIncompatible) this.#notes(labelValue(labels, METRIC_NAME)).mixedSchemas()
    }
  }

  /** Adds to what the floats gave; a step with both gives nothing. */
  finish(out: StepSeries): void {
    const notes = this.#notes('')
    for (let step = 0; step < this.#sums.length; step++) {
      const sum = this.#sums[step]
      if (sum === undefined) continue
      if (out.present[step] === 1) {
        const text = 'encountered a mix of histograms and floats for aggregation'
        this.#ctx.query.annotations.warn(text, this.#expr.expr.span)
        out.present[step] = 0
        continue
      }
      if (sum.boundsReconciled) notes.boundsReconciled('aggregation')
      if (sum.resetsConflict) notes.resetsConflict('aggregation')
      const result = sum.result()
      if (result !== undefined) putHistogram(out, step, result)
    }
  }

  #notes(metricName: string): ReturnType<typeof histogramNotes> {
    return histogramNotes(this.#ctx.query.annotations, metricName, this.#expr.expr.span)
  }
}

/** Takes histograms away, and says so. */
export function ignoreHistograms(series: StepSeries, expr: Aggregation, ctx: EvalContext): void {
  if (!dropHistograms(series)) return
  ctx.query.annotations.info(`ignored histogram in ${expr.op} aggregation`, expr.expr.span)
}
