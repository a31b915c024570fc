import { KahanSum } from './kahan.ts'
import { quantileOfSorted, sortNaNFirst } from './quantile.ts'
import { SortedWindow } from './sorted-window.ts'
import { type ColumnWindows, eachWindow, markNonEmpty, type WindowFunction } from './windows.ts'

export const sumOverTime: WindowFunction = (windows, _scalars, out) => {
  windows.kernels.sum(windows.values, windows.bounds, out.values)
  markNonEmpty(windows, out)
}

export const avgOverTime: WindowFunction = (windows, scalars, out) => {
  if (windows.counts !== undefined) return avgOfSummaries(windows, scalars, out)
  windows.kernels.avg(windows.values, windows.bounds, out.values)
  markNonEmpty(windows, out)
}

export const minOverTime: WindowFunction = (windows, _scalars, out) => {
  windows.kernels.min(windows.values, windows.bounds, out.values)
  markNonEmpty(windows, out)
}

export const maxOverTime: WindowFunction = (windows, _scalars, out) => {
  windows.kernels.max(windows.values, windows.bounds, out.values)
  markNonEmpty(windows, out)
}

export const countOverTime = eachWindow(1, ({ counts }, from, to) =>
  counts === undefined ? to - from : sumOf(counts, from, to),
)
const avgOfSummaries = eachWindow(
  1,
  ({ values, counts }, from, to) => sumOf(values, from, to) / sumOf(counts!, from, to),
)
export const presentOverTime = eachWindow(1, () => 1)
export const lastOverTime = eachWindow(1, (windows, _from, to) => windows.values[to - 1])
export const firstOverTime = eachWindow(1, (windows, from) => windows.values[from])
export const stdvarOverTime = eachWindow(1, (windows, from, to) => variance(windows.values, from, to))
export const stddevOverTime = eachWindow(1, (windows, from, to) => Math.sqrt(variance(windows.values, from, to)))

export const quantileOverTime: WindowFunction = (windows, scalars, out) => {
  const phi = scalars[0]![0]!
  const isSame = phi >= 0 && phi <= 1 && scalars[0]!.every((other) => other === phi)
  if (isSame && windows.kernels.quantile(windows.values, windows.bounds, phi, out)) return
  out.present.fill(0)
  const sorted = new SortedWindow(windows.values)
  eachWindow(1, (_windows, from, to, step) => quantileOfSorted(scalars[0]![step]!, sorted.moveTo(from, to)))(
    windows,
    scalars,
    out,
  )
}

function sumOf(values: Float64Array, from: number, to: number): number {
  const sum = new KahanSum()
  for (let i = from; i < to; i++) sum.add(values[i]!)
  return sum.value
}

/** Median of the distances to the median; NaN if there is one among the samples. */
export const madOverTime = eachWindow(1, (windows, from, to) => {
  const window = sortNaNFirst(windows.values.slice(from, to))
  if (Number.isNaN(window[0])) return Number.NaN
  const median = quantileOfSorted(0.5, window)
  for (let i = 0; i < window.length; i++) window[i] = Math.abs(window[i]! - median)
  return quantileOfSorted(0.5, sortNaNFirst(window))
})

export const tsOfFirstOverTime = eachWindow(1, (windows, from) => windows.timestampsMs[from]! / 1000)
export const tsOfLastOverTime = eachWindow(1, (windows, _from, to) => windows.timestampsMs[to - 1]! / 1000)
export const tsOfMinOverTime = eachWindow(1, (windows, from, to) =>
  timeOfExtreme(windows, from, to, (x, best) => x <= best),
)
export const tsOfMaxOverTime = eachWindow(1, (windows, from, to) =>
  timeOfExtreme(windows, from, to, (x, best) => x >= best),
)

function timeOfExtreme(
  windows: ColumnWindows,
  from: number,
  to: number,
  replaces: (x: number, best: number) => boolean,
): number {
  let at = from
  for (let i = from + 1; i < to; i++) {
    const best = windows.values[at]!
    if (replaces(windows.values[i]!, best) || Number.isNaN(best)) at = i
  }
  return windows.timestampsMs[at]! / 1000
}

/** Population variance by Welford's method, both running terms compensated. */
function variance(values: Float64Array, from: number, to: number): number {
  const mean = new KahanSum()
  const squares = new KahanSum()
  for (let i = from; i < to; i++) {
    const x = values[i]!
    const delta = x - mean.value
    mean.add(delta / (i - from + 1))
    squares.add(delta * (x - mean.value))
  }
  return squares.value / (to - from)
}
