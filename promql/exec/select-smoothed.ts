import { CounterResetHint, labelValue, METRIC_NAME, type SeriesColumn } from '../../model/index.ts'
import { interpolateHistograms } from '../histogram/between.ts'
import type { VectorSelector } from '../parse/ast.ts'
import { histogramNotes } from './annotations.ts'
import type { EvalContext } from './context.ts'
import { upperBound } from './sample-search.ts'
import { putHistogram } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** Linear interpolation between the samples around each step; without a later one the last value is carried on. */
export function smoothSeries(
  column: SeriesColumn,
  timesMs: Float64Array,
  selector: VectorSelector,
  ctx: EvalContext,
  out: StepSeries,
): void {
  const { timestampsMs, values, stale, length, histograms } = column
  const lookbackMs = ctx.query.lookbackDeltaMs
  const notes = histogramNotes(ctx.query.annotations, labelValue(column.labels, METRIC_NAME), selector.span)
  for (let step = 0; step < timesMs.length; step++) {
    const timeMs = timesMs[step]!
    const next = upperBound(timestampsMs, length, timeMs)
    const previous = next - 1
    if (previous < 0 || timestampsMs[previous]! <= timeMs - lookbackMs || stale?.[previous] === 1) continue
    if (histograms !== undefined && isMixed(column, timeMs - lookbackMs, timeMs + lookbackMs)) {
      notes.mixedWithFloats()
      continue
    }
    const fromMs = timestampsMs[previous]!
    const isLast =
      fromMs === timeMs || next >= length || timestampsMs[next]! > timeMs + lookbackMs || stale?.[next] === 1
    const fraction = isLast ? 0 : (timeMs - fromMs) / (timestampsMs[next]! - fromMs)
    const histogram = histograms?.[previous]
    if (histogram === undefined) {
      const from = values[previous]!
      out.values[step] = isLast ? from : from + (values[next]! - from) * fraction
      out.present[step] = 1
      continue
    }
    const isCounter = histogram.counterResetHint !== CounterResetHint.GAUGE
    const smoothed = isLast ? histogram : interpolateHistograms(histogram, histograms![next]!, fraction, isCounter)
    if (smoothed !== undefined) putHistogram(out, step, smoothed)
    else notes.mixedSchemas()
  }
}

function isMixed({ timestampsMs, length, histograms, stale }: SeriesColumn, afterMs: number, upToMs: number): boolean {
  let floats = false
  let others = false
  for (let i = upperBound(timestampsMs, length, afterMs); i < length && timestampsMs[i]! <= upToMs; i++) {
    if (stale?.[i] === 1) continue
    if (histograms![i] === undefined) floats = true
    else others = true
  }
  return floats && others
}
