/** The samples of one window, as far as extrapolation looks at them. */
export interface SampledSpan {
  readonly sampleCount: number
  readonly firstMs: number
  readonly lastMs: number
  readonly startMs: number
  readonly endMs: number
  /** When the counter is known to have been zero, inside of the window; takes the place of extrapolating to the left. */
  readonly zeroMs: number | undefined
}

/**
 * By how much the change between the first and the last sample is taken to exceed over the whole window: to its borders, unless
 * they lie further away than samples usually do; then by half of the usual distance.
 *
 * @param counter for counters: value of the first sample and change, so that no value below zero is assumed
 */
export function extrapolationFactor(
  { sampleCount, firstMs, lastMs, startMs, endMs, zeroMs }: SampledSpan,
  counter: { readonly first: number; readonly change: number } | undefined,
): number {
  const sampledS = (lastMs - firstMs) / 1000
  const averageGapS = sampleCount > 1 ? sampledS / (sampleCount - 1) : 0
  const thresholdS = averageGapS * 1.1
  let toEndS = (endMs - lastMs) / 1000
  if (toEndS >= thresholdS) toEndS = averageGapS / 2
  if (zeroMs !== undefined) {
    const spanS = (lastMs - zeroMs) / 1000
    return (spanS + toEndS) / spanS
  }
  let toStartS = (firstMs - startMs) / 1000
  if (toStartS >= thresholdS) toStartS = averageGapS / 2
  if (counter !== undefined && counter.change > 0 && counter.first >= 0) {
    toStartS = Math.min(toStartS, sampledS * (counter.first / counter.change))
  }
  return (sampledS + toStartS + toEndS) / sampledS
}
