import { RateMode } from '../../kernels/index.ts'
import { eachWindow, type WindowFunction } from './windows.ts'

const extrapolated =
  (mode: RateMode): WindowFunction =>
  (windows, _scalars, out) =>
    windows.kernels.rate(windows.values, windows.timestampsMs, windows.bounds, windows.rangeMs, mode, out)

export const rate = extrapolated(RateMode.RATE)
export const increase = extrapolated(RateMode.INCREASE)
export const delta = extrapolated(RateMode.DELTA)

/** Per second between the last two samples; after a reset the counter is taken to have started from zero. */
export const irate = eachWindow(2, ({ values, timestampsMs }, _from, to) => {
  const last = values[to - 1]!
  const before = values[to - 2]!
  const spanMs = timestampsMs[to - 1]! - timestampsMs[to - 2]!
  return spanMs === 0 ? undefined : (last < before ? last : last - before) / (spanMs / 1000)
})

export const idelta = eachWindow(2, ({ values, timestampsMs }, _from, to) =>
  timestampsMs[to - 1] === timestampsMs[to - 2] ? undefined : values[to - 1]! - values[to - 2]!,
)

export const resets = eachWindow(1, ({ values }, from, to) => countResets(values, from, to))
export const changes = eachWindow(1, ({ values }, from, to) => countChanges(values, from, to))

export function countResets(values: Float64Array, from: number, to: number): number {
  let count = 0
  for (let i = from + 1; i < to; i++) if (values[i]! < values[i - 1]!) count++
  return count
}

export function countChanges(values: Float64Array, from: number, to: number): number {
  let count = 0
  for (let i = from + 1; i < to; i++) {
    const x = values[i]!
    const before = values[i - 1]!
    if (x !== before && !(Number.isNaN(x) && Number.isNaN(before))) count++
  }
  return count
}
