import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import type { HistogramNotes } from '../exec/annotations.ts'
import { addHistograms, divideHistogram, subtractHistograms, withHint } from '../histogram/arithmetic.ts'
import { interpolateHistograms } from '../histogram/between.ts'
import { usesCustomBuckets } from '../histogram/bounds.ts'
import { detectReset } from '../histogram/resets.ts'
import type { HistogramWindows, RateName, WindowRange } from './histogram-rate.ts'

/** The values at a window's borders, and the first sample between them. */
interface Borders {
  readonly left: NativeHistogram
  /** Interpolated at the left border: a reset up to sample `inner` is accounted for. */
  readonly leftIsBetween: boolean
  /** First sample behind the left border's value. */
  readonly inner: number
  /** The value interpolated at the right border. */
  readonly right: NativeHistogram | undefined
}

/** As `extendedRate` for floats: between real or interpolated values at the window's borders. */
export function extendedHistogramRate(
  edge: 'anchored' | 'smoothed',
  windows: HistogramWindows,
  window: WindowRange,
  name: RateName,
  notes: HistogramNotes,
): NativeHistogram | undefined {
  const isCounter = name !== 'delta'
  const used = usedSamples(edge, windows, window)
  if (used === undefined) return undefined
  if (!goTogether(windows, used.from, used.to, isCounter, notes)) return undefined
  const borders =
    edge === 'anchored' ? anchoredBorders(windows, used) : smoothedBorders(windows, window, used, isCounter)
  const change = changeAlong(windows, window.to, borders, isCounter)
  return name === 'rate' ? divideHistogram(change, windows.rangeMs / 1000) : change
}

export interface UsedSamples {
  readonly from: number
  readonly to: number
  readonly hasPrevious: boolean
  readonly hasNext: boolean
}

/** The samples of a window and those beside it that count, if there are any to work with. */
export function usedSamples(
  edge: 'anchored' | 'smoothed',
  { timestampsMs, length, lookbackDeltaMs }: HistogramWindows,
  { from, to, startMs, endMs }: WindowRange,
): UsedSamples | undefined {
  const hasPrevious = from > 0 && timestampsMs[from - 1]! > startMs - lookbackDeltaMs
  const endExact = to > from && timestampsMs[to - 1] === endMs
  const hasNext = edge === 'smoothed' && !endExact && to < length && timestampsMs[to]! <= endMs + lookbackDeltaMs
  if (from >= to && !(hasPrevious && hasNext)) return undefined
  return { from: hasPrevious ? from - 1 : from, to: hasNext ? to + 1 : to, hasPrevious, hasNext }
}

/** Notes what the samples are not; `false` where they are of different kinds. */
function goTogether(
  { histograms }: HistogramWindows,
  from: number,
  to: number,
  isCounter: boolean,
  notes: HistogramNotes,
): boolean {
  const isGauge = (i: number): boolean => histograms[i]?.counterResetHint === CounterResetHint.GAUGE
  for (let i = from; i < to; i++) {
    const histogram = histograms[i]
    if (histogram === undefined) {
      notes.mixedWithFloats()
      return false
    }
    if (usesCustomBuckets(histogram) !== usesCustomBuckets(histograms[from]!)) {
      notes.mixedSchemas()
      return false
    }
    if (isCounter && isGauge(i)) notes.notCounter()
  }
  if (!isCounter && !(isGauge(from) && isGauge(to - 1))) notes.notGauge()
  return true
}

function anchoredBorders({ histograms }: HistogramWindows, { from }: UsedSamples): Borders {
  const left = histograms[from]!
  return { left, leftIsBetween: false, inner: from + 1, right: undefined }
}

function smoothedBorders(
  { histograms, timestampsMs }: HistogramWindows,
  { from, to, startMs, endMs }: WindowRange,
  used: UsedSamples,
  isCounter: boolean,
): Borders {
  const between = (i: number, timeMs: number): NativeHistogram => {
    const fraction = (timeMs - timestampsMs[i]!) / (timestampsMs[i + 1]! - timestampsMs[i]!)
    return interpolateHistograms(histograms[i]!, histograms[i + 1]!, fraction, isCounter)!
  }
  const startExact = used.hasPrevious && timestampsMs[from - 1] === startMs
  const leftIsBetween = used.hasPrevious && !startExact
  const right = used.hasNext ? between(to - 1, endMs) : undefined
  const head = { leftIsBetween, right }
  if (leftIsBetween) return { ...head, left: between(from - 1, startMs), inner: from }
  return { ...head, left: histograms[used.from]!, inner: used.from + 1 }
}

/** Right less left, and what was lost by resets on the way; a gauge. */
function changeAlong(
  { histograms }: HistogramWindows,
  to: number,
  { left, leftIsBetween, inner, right }: Borders,
  isCounter: boolean,
): NativeHistogram {
  let correction: NativeHistogram | undefined
  const correct = (lost: NativeHistogram): void => {
    correction = correction === undefined ? lost : addHistograms(correction, lost)!.histogram
  }
  for (let i = inner; i < to; i++) {
    if (!isCounter || (leftIsBetween && i === inner)) continue
    if (detectReset(histograms[i]!, histograms[i - 1]!)) correct(histograms[i - 1]!)
  }
  const last = to > inner ? histograms[to - 1]! : left
  // Where both borders lie between the same two samples, each of their values already knows of a reset there.
  const sharesGap = leftIsBetween && inner >= to
  if (right !== undefined && isCounter && !sharesGap && detectReset(histograms[to]!, histograms[to - 1]!)) {
    correct(histograms[to - 1]!)
  }
  const change = subtractHistograms(right ?? last, left)!.histogram
  const corrected = correction === undefined ? change : addHistograms(change, correction)!.histogram
  return withHint(corrected, CounterResetHint.GAUGE)
}
