import { countChanges, countResets } from './counters.ts'
import type { ColumnWindows, WindowFunction } from './windows.ts'

type Edge = 'anchored' | 'smoothed'
type Measure = 'rate' | 'increase' | 'delta'

/**
 * `rate`, `increase` and `delta` between real or interpolated values at the window's borders instead of extrapolation.
 * Anchored: from the last sample at or before the start to the last one inside. Smoothed: both borders interpolated.
 */
export function extendedRate(edge: Edge, measure: Measure): WindowFunction {
  const isCounter = measure !== 'delta'
  return (windows, _scalars, out) => {
    const { lo, hi, endsMs } = windows.bounds
    for (let step = 0; step < lo.length; step++) {
      const endMs = endsMs[step]!
      const window = { from: lo[step]!, to: hi[step]!, startMs: endMs - windows.rangeMs, endMs }
      const change =
        edge === 'anchored' ? anchoredChange(windows, window, isCounter) : smoothedChange(windows, window, isCounter)
      if (change === undefined) continue
      out.values[step] = measure === 'rate' ? change / (windows.rangeMs / 1000) : change
      out.present[step] = 1
    }
  }
}

/** `resets` and `changes` over the window and the last sample at or before its start. */
export function anchoredCount(count: 'resets' | 'changes'): WindowFunction {
  const countIn = count === 'resets' ? countResets : countChanges
  return (windows, _scalars, out) => {
    const { lo, hi, endsMs } = windows.bounds
    for (let step = 0; step < lo.length; step++) {
      const from = lo[step]!
      const to = hi[step]!
      if (from >= to) continue
      const anchor = hasAnchor(windows, from, endsMs[step]! - windows.rangeMs) ? from - 1 : from
      out.values[step] = countIn(windows.values, anchor, to)
      out.present[step] = 1
    }
  }
}

interface Window {
  readonly from: number
  readonly to: number
  readonly startMs: number
  readonly endMs: number
}

const hasAnchor = (windows: ColumnWindows, from: number, startMs: number): boolean =>
  from > 0 && windows.timestampsMs[from - 1]! > startMs - windows.lookbackDeltaMs

function anchoredChange(windows: ColumnWindows, { from, to, startMs }: Window, isCounter: boolean): number | undefined {
  if (from >= to) return undefined
  const anchor = hasAnchor(windows, from, startMs) ? from - 1 : from
  const { values } = windows
  return changeAlong(values[anchor]!, values, anchor + 1, to, undefined, isCounter)
}

function smoothedChange(windows: ColumnWindows, window: Window, isCounter: boolean): number | undefined {
  const { values, timestampsMs, length, lookbackDeltaMs } = windows
  const { from, to, startMs, endMs } = window
  const hasPrevious = hasAnchor(windows, from, startMs)
  const hasNext = to < length && timestampsMs[to]! <= endMs + lookbackDeltaMs
  if (from >= to && !(hasPrevious && hasNext)) return undefined

  // A previous sample exactly at the start is the border's value; so is a last one exactly at the end.
  const startExact = hasPrevious && timestampsMs[from - 1] === startMs
  const endExact = to > from && timestampsMs[to - 1] === endMs
  const last = to - 1
  let left: number
  let inner = from
  if (startExact) left = values[from - 1]!
  else if (hasPrevious && (from < to || hasNext)) left = interpolate(windows, from - 1, startMs, isCounter)
  else left = values[inner++]!
  let right: number | undefined
  // The sample before the right border lies inside the window, or is the previous one.
  if (!endExact && hasNext && (from < to || hasPrevious)) right = interpolate(windows, last, endMs, isCounter)
  // Both borders between the same two samples: the left one already accounts for a reset there.
  if (from >= to && right !== undefined && !startExact) return right - left
  return changeAlong(left, values, inner, to, right, isCounter)
}

/** Difference of the last and the first value on the way left → values[from..to) → right, resets made up for. */
function changeAlong(
  left: number,
  values: Float64Array,
  from: number,
  to: number,
  right: number | undefined,
  isCounter: boolean,
): number {
  let previous = left
  let correction = 0
  for (let i = from; i < to; i++) {
    const value = values[i]!
    if (isCounter && value < previous) correction += previous
    previous = value
  }
  if (right !== undefined) {
    if (isCounter && right < previous) correction += previous
    previous = right
  }
  return previous - left + correction
}

/** Value at a time between samples `i` and `i + 1`; a counter that was reset between them restarts from zero at sample `i`. */
function interpolate({ values, timestampsMs }: ColumnWindows, i: number, timeMs: number, isCounter: boolean): number {
  const a = values[i]!
  const b = values[i + 1]!
  const fraction = (timeMs - timestampsMs[i]!) / (timestampsMs[i + 1]! - timestampsMs[i]!)
  if (isCounter && b < a) return b * fraction
  return a + (b - a) * fraction
}
