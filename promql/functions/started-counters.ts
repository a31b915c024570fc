import type { HistogramNotes } from '../exec/annotations.ts'
import { extrapolationFactor } from './extrapolate.ts'
import { startedAnew, startsOverlap, zeroTimeOf } from './start-times.ts'
import { type ColumnWindows, eachWindow, type WindowFunction } from './windows.ts'

/** Functions that make use of the times at which counters began, where samples carry them. */
export const STARTED: Readonly<Record<string, WindowFunction>> = {
  rate: startedRate('rate'),
  increase: startedRate('increase'),
  irate: eachWindow(2, (windows, _from, to) => {
    const { values, timestampsMs } = windows
    const last = values[to - 1]!
    const before = values[to - 2]!
    const spanMs = timestampsMs[to - 1]! - timestampsMs[to - 2]!
    if (spanMs === 0) return undefined
    return (startedAnew(windows, to - 1) || last < before ? last : last - before) / (spanMs / 1000)
  }),
  resets: eachWindow(1, (windows, from, to) => {
    let count = 0
    for (let i = from + 1; i < to; i++) if (isReset(windows, i)) count++
    return count
  }),
}

const isReset = (windows: ColumnWindows, i: number): boolean =>
  startedAnew(windows, i) || windows.values[i]! < windows.values[i - 1]!

function startedRate(name: 'rate' | 'increase'): WindowFunction {
  return (windows, _scalars, out) => {
    const { lo, hi, endsMs } = windows.bounds
    const { values, timestampsMs, rangeMs } = windows
    for (let step = 0; step < lo.length; step++) {
      const from = lo[step]!
      const to = hi[step]!
      if (from >= to) continue
      const endMs = endsMs[step]!
      const startMs = endMs - rangeMs
      const zeroMs = zeroTimeOf(windows, from, startMs)
      if (to - from < 2 && zeroMs === undefined) continue
      const first = values[from]!
      let change = values[to - 1]! - (zeroMs === undefined ? first : 0)
      for (let i = from + 1; i < to; i++) if (isReset(windows, i)) change += values[i - 1]!
      const span = {
        sampleCount: to - from,
        firstMs: timestampsMs[from]!,
        lastMs: timestampsMs[to - 1]!,
        startMs,
        endMs,
      }
      const factor = extrapolationFactor({ ...span, zeroMs }, { first, change })
      out.values[step] = change * (name === 'rate' ? factor / (rangeMs / 1000) : factor)
      out.present[step] = 1
    }
  }
}

/** Notes windows with samples that cannot have begun when they say. */
export function noteOverlaps(windows: ColumnWindows, notes: HistogramNotes): void {
  const { lo, hi } = windows.bounds
  for (let step = 0; step < lo.length; step++)
    if (startsOverlap(windows, lo[step]!, hi[step]!)) notes.overlappingStart()
}
