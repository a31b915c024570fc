import type { NativeHistogram } from '../../model/index.ts'
import type { HistogramNotes } from '../exec/annotations.ts'
import { putFloat, putHistogram } from '../exec/step-histograms.ts'
import type { StepSeries } from '../exec/step-series.ts'
import { histogramsEqual } from '../histogram/arithmetic.ts'
import { detectReset } from '../histogram/resets.ts'
import { HistogramSum } from '../histogram/sum.ts'
import { extendedHistogramRate, usedSamples } from './histogram-extended.ts'
import {
  type HistogramWindows,
  histogramInstantChange,
  histogramRate,
  type RateName,
  type WindowRange,
} from './histogram-rate.ts'
import { startedAnew } from './start-times.ts'
import type { ColumnWindows, WindowFunction } from './windows.ts'

/** How a function deals with a range that holds histograms. */
type Treatment =
  | { readonly kind: 'floatsOnly' }
  | { readonly kind: 'anySample' }
  | { readonly kind: 'combined'; readonly evaluate: MixedFunction }

/** Value of one window with at least one histogram; `undefined` leaves the step empty. */
type MixedFunction = (
  windows: HistogramWindows,
  window: WindowRange,
  notes: HistogramNotes,
) => number | NativeHistogram | undefined

const combined = (evaluate: MixedFunction): Treatment => ({ kind: 'combined', evaluate })

/** Evaluates only where all samples are histograms; with floats among them there is nothing to say. */
const unmixed = (
  evaluate: (windows: HistogramWindows, window: WindowRange, notes: HistogramNotes) => NativeHistogram | undefined,
): Treatment =>
  combined((windows, window, notes) => {
    for (let i = window.from; i < window.to; i++) {
      if (windows.histograms[i] !== undefined) continue
      notes.mixedWithFloats()
      return undefined
    }
    return evaluate(windows, window, notes)
  })

const rateOf = (name: RateName): Treatment =>
  unmixed((windows, window, notes) => histogramRate(windows, window, name, notes))

const instantOf = (isRate: boolean): Treatment =>
  combined((windows, { from, to }, notes) => {
    if (to - from < 2) return undefined
    if (windows.histograms[to - 1] === undefined || windows.histograms[to - 2] === undefined) {
      notes.mixedWithFloats()
      return undefined
    }
    return histogramInstantChange(windows, to, isRate, notes)
  })

const sumOf = (wantsMean: boolean): Treatment =>
  unmixed(({ histograms }, { from, to }, notes) => {
    const sum = new HistogramSum(histograms[from]!, wantsMean)
    for (let i = from + 1; i < to; i++) sum.add(histograms[i]!)
    if (sum.incompatible) notes.mixedSchemas()
    if (sum.boundsReconciled) notes.boundsReconciled('aggregation')
    if (sum.resetsConflict) notes.resetsConflict('aggregation')
    return sum.result()
  })

const countOf = (differs: (windows: HistogramWindows, i: number) => boolean): MixedFunction => {
  return (windows, { from, to }) => {
    let count = 0
    for (let i = from + 1; i < to; i++) if (differs(windows, i)) count++
    return count
  }
}

/** A sample of the other type counts as a reset. */
function isReset(windows: HistogramWindows, i: number): boolean {
  const a = windows.histograms[i - 1]
  const b = windows.histograms[i]
  if (startedAnew(windows, i)) return true
  if (a !== undefined && b !== undefined) return detectReset(b, a)
  return a !== b || windows.values[i]! < windows.values[i - 1]!
}

function isChange({ histograms, values }: HistogramWindows, i: number): boolean {
  const a = histograms[i - 1]
  const b = histograms[i]
  if (a !== undefined && b !== undefined) return !histogramsEqual(a, b)
  return a !== b || !(values[i] === values[i - 1] || (Number.isNaN(values[i]) && Number.isNaN(values[i - 1])))
}

const ANY_SAMPLE: Treatment = { kind: 'anySample' }
const FLOATS_ONLY: Treatment = { kind: 'floatsOnly' }

const TREATMENTS: Readonly<Record<string, Treatment>> = {
  rate: rateOf('rate'),
  increase: rateOf('increase'),
  delta: rateOf('delta'),
  irate: instantOf(true),
  idelta: instantOf(false),
  resets: combined(countOf(isReset)),
  changes: combined(countOf(isChange)),
  sum_over_time: sumOf(false),
  avg_over_time: sumOf(true),
  last_over_time: combined(({ histograms, values }, { to }) => histograms[to - 1] ?? values[to - 1]),
  first_over_time: combined(({ histograms, values }, { from }) => histograms[from] ?? values[from]),
  count_over_time: ANY_SAMPLE,
  present_over_time: ANY_SAMPLE,
  ts_of_first_over_time: ANY_SAMPLE,
  ts_of_last_over_time: ANY_SAMPLE,
}

/** What a window function needs to know of its call. */
export interface MixedCall {
  readonly name: string
  readonly edge: 'anchored' | 'smoothed' | undefined
  readonly scalars: readonly Float64Array[]
  /** The function as it is for floats. */
  readonly evaluateFloats: WindowFunction
  readonly notes: HistogramNotes
  /** The same windows with only the samples that are floats. */
  readonly onlyFloats: () => ColumnWindows
}

/** Evaluates a window function over a column that has histograms, wholly or here and there. */
export function evaluateMixed(windows: HistogramWindows, call: MixedCall, out: StepSeries): void {
  const treatment =
    call.edge === undefined ? (TREATMENTS[call.name] ?? FLOATS_ONLY) : extendedTreatment(call.edge, call.name)
  if (treatment.kind === 'floatsOnly') return evaluateFloatsOnly(windows, call, out)
  // Windows of floats are left as they come out; whatever this makes of others is written over.
  call.evaluateFloats(windows, call.scalars, out)
  if (treatment.kind === 'anySample') return
  const { lo, hi, endsMs } = windows.bounds
  for (let step = 0; step < lo.length; step++) {
    const endMs = endsMs[step]!
    const window = { from: lo[step]!, to: hi[step]!, startMs: endMs - windows.rangeMs, endMs }
    const used = call.edge === undefined ? window : usedSamples(call.edge, windows, window)
    if (used === undefined || !hasHistogram(windows, used.from, used.to)) continue
    const value = treatment.evaluate(windows, window, call.notes)
    out.present[step] = 0
    if (typeof value === 'number') putFloat(out, step, value)
    else if (value !== undefined) putHistogram(out, step, value)
  }
}

function hasHistogram({ histograms }: HistogramWindows, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (histograms[i] !== undefined) return true
  return false
}

function evaluateFloatsOnly(windows: HistogramWindows, call: MixedCall, out: StepSeries): void {
  const floats = call.onlyFloats()
  call.evaluateFloats(floats, call.scalars, out)
  for (let step = 0; step < out.present.length; step++) {
    const floatCount = floats.bounds.hi[step]! - floats.bounds.lo[step]!
    const count = windows.bounds.hi[step]! - windows.bounds.lo[step]!
    if (floatCount > 0 && floatCount < count) call.notes.ignoredInRange()
  }
}

/** `anchored` and `smoothed` look at samples beside the window, too. */
function extendedTreatment(edge: 'anchored' | 'smoothed', name: string): Treatment {
  if (name === 'rate' || name === 'increase' || name === 'delta') {
    return combined((windows, window, notes) => extendedHistogramRate(edge, windows, window, name, notes))
  }
  const count = countOf(name === 'resets' ? isReset : isChange)
  return combined((windows, window, notes) => {
    const used = usedSamples(edge, windows, window)
    return used && count(windows, { ...window, from: used.from }, notes)
  })
}
