import type { NativeHistogram } from '../../model/index.ts'
import { addHistograms, scaleHistogram, subtractHistograms } from './arithmetic.ts'
import { usesCustomBuckets } from './bounds.ts'
import { detectReset } from './resets.ts'

/** Between two samples; a counter that was reset between them restarts from zero. `undefined` where they do not go together. */
export function interpolateHistograms(
  from: NativeHistogram,
  to: NativeHistogram,
  fraction: number,
  isCounter: boolean,
): NativeHistogram | undefined {
  if (usesCustomBuckets(from) !== usesCustomBuckets(to)) return undefined
  if (isCounter && detectReset(to, from)) return scaleHistogram(to, fraction)
  const change = subtractHistograms(to, from)!.histogram
  return addHistograms(from, scaleHistogram(change, fraction))!.histogram
}
