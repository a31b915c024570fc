import type { NativeHistogram } from '../../model/index.ts'
import type { StepSeries } from './step-series.ts'

/** The histogram at a step that is present; `undefined` where it is a float. */
export const histogramAt = (series: StepSeries, step: number): NativeHistogram | undefined => series.histograms?.[step]

/** Makes a step present with a histogram. */
export function putHistogram(series: StepSeries, step: number, histogram: NativeHistogram): void {
  series.histograms ??= Array.from(series.present, () => undefined)
  series.histograms[step] = histogram
  series.present[step] = 1
}

/** Makes a step present with a float, whatever it was. */
export function putFloat(series: StepSeries, step: number, value: number): void {
  if (series.histograms !== undefined) series.histograms[step] = undefined
  series.values[step] = value
  series.present[step] = 1
}

/** Copies a present step, of whichever type. */
export function copyStep(to: StepSeries, from: StepSeries, step: number): void {
  const histogram = from.histograms?.[step]
  if (histogram === undefined) putFloat(to, step, from.values[step]!)
  else putHistogram(to, step, histogram)
}

/**
 * Takes histograms away, for operations that know floats only.
 *
 * @returns whether there was one
 */
export function dropHistograms(series: StepSeries): boolean {
  const { histograms, present } = series
  if (histograms === undefined) return false
  let dropped = false
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0 || histograms[step] === undefined) continue
    present[step] = 0
    dropped = true
  }
  series.histograms = undefined
  return dropped
}

// Bytes of a histogram without its slices, and of its time, as Prometheus counts them.
const HISTOGRAM_BYTES = 168 + 8
const SAMPLE_BYTES = 16

/** As how many samples a histogram counts: as many as fit in its place. */
export function sampleSizeOf(h: NativeHistogram): number {
  const spans = h.positiveSpans.length + h.negativeSpans.length
  const slots = spans + h.positiveBuckets.length + h.negativeBuckets.length + h.customBounds.length
  return Math.floor((HISTOGRAM_BYTES + slots * 8) / SAMPLE_BYTES)
}

/** Samples that a series with histograms counts as. */
export function heldSamples({ present }: StepSeries, histograms: readonly (NativeHistogram | undefined)[]): number {
  let held = 0
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0) continue
    const histogram = histograms[step]
    held += histogram === undefined ? 1 : sampleSizeOf(histogram)
  }
  return held
}
