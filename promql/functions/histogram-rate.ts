import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import {
  addHistograms,
  divideHistogram,
  scaleHistogram,
  subtractHistograms,
  withHint,
} from '../histogram/arithmetic.ts'
import { usesCustomBuckets } from '../histogram/bounds.ts'
import { detectReset } from '../histogram/resets.ts'
import type { HistogramNotes } from '../exec/annotations.ts'
import { extrapolationFactor } from './extrapolate.ts'
import { startedAnew, zeroTimeOf } from './start-times.ts'
import type { ColumnWindows } from './windows.ts'

export type RateName = 'rate' | 'increase' | 'delta'

/** Windows of a column that has histograms. */
export type HistogramWindows = ColumnWindows & { readonly histograms: NonNullable<ColumnWindows['histograms']> }

export interface WindowRange {
  readonly from: number
  readonly to: number
  readonly startMs: number
  readonly endMs: number
}

const isGauge = (h: NativeHistogram): boolean => h.counterResetHint === CounterResetHint.GAUGE

/** `rate`, `increase` or `delta` of a window that holds histograms only. */
export function histogramRate(
  windows: HistogramWindows,
  window: WindowRange,
  name: RateName,
  notes: HistogramNotes,
): NativeHistogram | undefined {
  const { timestampsMs } = windows
  const { from, to, startMs, endMs } = window
  const isCounter = name !== 'delta'
  const zeroMs = isCounter ? zeroTimeOf(windows, from, startMs) : undefined
  if (to - from < 2 && zeroMs === undefined) return undefined
  const change = changeOf(windows, from, to, isCounter, zeroMs !== undefined, notes)
  if (change === undefined) return undefined
  const first = windows.histograms[from]!.count
  const span = { sampleCount: to - from, firstMs: timestampsMs[from]!, lastMs: timestampsMs[to - 1]!, startMs, endMs }
  let factor = extrapolationFactor({ ...span, zeroMs }, isCounter ? { first, change: change.count } : undefined)
  if (name === 'rate') factor /= windows.rangeMs / 1000
  return scaleHistogram(change, factor)
}

/** Last less first, with what was lost by resets; a gauge. `undefined` where the samples do not go together. */
function changeOf(
  windows: HistogramWindows,
  from: number,
  to: number,
  isCounter: boolean,
  fromZero: boolean,
  notes: HistogramNotes,
): NativeHistogram | undefined {
  const { histograms } = windows
  const first = histograms[from]!
  const last = histograms[to - 1]!
  if (isCounter) for (let i = from; i < to; i++) if (isGauge(histograms[i]!)) notes.notCounter()
  // Of a sample that a reset follows at once nothing is needed, so that its layout does not matter either.
  const dropsFirst = isCounter && (fromZero || (to - from > 1 && wasReset(windows, from + 1)))
  const custom = usesCustomBuckets(dropsFirst && to - from > 1 && !fromZero ? histograms[from + 1]! : first)
  for (let i = dropsFirst && !fromZero ? from + 1 : from; i < to; i++) {
    if (usesCustomBuckets(histograms[i]!) === custom) continue
    notes.mixedSchemas()
    return undefined
  }
  let change: NativeHistogram = withHint(last, CounterResetHint.GAUGE)
  if (!dropsFirst) {
    const difference = subtractHistograms(last, first)!
    if (difference.boundsReconciled) notes.boundsReconciled('subtraction')
    change = difference.histogram
  }
  if (!isCounter) {
    if (!isGauge(first) || !isGauge(last)) notes.notGauge()
    return change
  }
  for (let i = dropsFirst && !fromZero ? from + 2 : from + 1; i < to; i++) {
    if (!wasReset(windows, i)) continue
    const corrected = addHistograms(change, histograms[i - 1]!)!
    if (corrected.boundsReconciled) notes.boundsReconciled('addition')
    change = corrected.histogram
  }
  return change
}

/** Whether the counter was reset between samples `i - 1` and `i`. */
export const wasReset = (windows: HistogramWindows, i: number): boolean =>
  startedAnew(windows, i) || detectReset(windows.histograms[i]!, windows.histograms[i - 1]!)

/** `irate` and `idelta`: change between the last two samples, both histograms. */
export function histogramInstantChange(
  windows: HistogramWindows,
  to: number,
  isRate: boolean,
  notes: HistogramNotes,
): NativeHistogram | undefined {
  const before = windows.histograms[to - 2]!
  const last = windows.histograms[to - 1]!
  if (isRate && (isGauge(before) || isGauge(last))) notes.notCounter()
  if (!isRate && !(isGauge(before) && isGauge(last))) notes.notGauge()
  let change = withHint(last, CounterResetHint.GAUGE)
  if (!isRate || !wasReset(windows, to - 1)) {
    const difference = subtractHistograms(last, before)
    if (difference === undefined) {
      notes.mixedSchemas()
      return undefined
    }
    if (difference.boundsReconciled) notes.boundsReconciled('subtraction')
    change = difference.histogram
  }
  return isRate
    ? divideHistogram(change, (windows.timestampsMs[to - 1]! - windows.timestampsMs[to - 2]!) / 1000)
    : change
}
