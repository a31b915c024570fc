import { QueryExecutionError } from '../exec/errors.ts'
import { KahanSum } from './kahan.ts'
import { type ColumnWindows, eachWindow } from './windows.ts'

/** Slope per second of the least-squares line, centred on the first sample for precision. */
export const deriv = eachWindow(2, (windows, from, to) => {
  return linearRegression(windows, from, to, windows.timestampsMs[from]!).slope
})

/** Value of the least-squares line so many seconds after the evaluation time. */
export const predictLinear = eachWindow(2, (windows, from, to, step, scalars) => {
  const { slope, intercept } = linearRegression(windows, from, to, windows.evalTimesMs[step]!)
  return slope * scalars[0]![step]! + intercept
})

/** Holt's linear method: a smoothed level and a smoothed trend. */
export const doubleExponentialSmoothing = eachWindow(2, ({ values }, from, to, step, scalars) => {
  const smoothing = factorOf('smoothing', 'sf', scalars[0]![step]!)
  const trendFactor = factorOf('trend', 'tf', scalars[1]![step]!)
  let before = 0
  let level = values[from]!
  let trend = values[from + 1]! - values[from]!
  for (let i = from + 1; i < to; i++) {
    const x = smoothing * values[i]!
    if (i > from + 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend
    const y = (1 - smoothing) * (level + trend)
    before = level
    level = x + y
  }
  return level
})

function factorOf(kind: string, name: string, value: number): number {
  if (!(value <= 0 || value >= 1)) return value
  throw new QueryExecutionError(`invalid ${kind} factor. Expected: 0 < ${name} < 1, got: ${value.toFixed(6)}`)
}

function linearRegression(
  { values, timestampsMs }: ColumnWindows,
  from: number,
  to: number,
  interceptMs: number,
): { slope: number; intercept: number } {
  const initial = values[from]!
  const n = to - from
  const x = new KahanSum()
  const y = new KahanSum()
  const xy = new KahanSum()
  const xx = new KahanSum()
  let isConstant = true
  for (let i = from; i < to; i++) {
    const value = values[i]!
    if (isConstant && i > from && value !== initial) isConstant = false
    const offsetS = (timestampsMs[i]! - interceptMs) / 1000
    x.add(offsetS)
    y.add(value)
    xy.add(offsetS * value)
    xx.add(offsetS * offsetS)
  }
  if (isConstant) {
    return Number.isFinite(initial) ? { slope: 0, intercept: initial } : { slope: Number.NaN, intercept: Number.NaN }
  }
  const covariance = xy.value - (x.value * y.value) / n
  const variance = xx.value - (x.value * x.value) / n
  const slope = covariance / variance
  return { slope, intercept: y.value / n - (slope * x.value) / n }
}
