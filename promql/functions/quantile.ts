/** φ-quantile with linear interpolation between ranks; NaN counts as smallest. `sorted` is ascending, NaN first. */
export function quantileOfSorted(q: number, sorted: Float64Array): number {
  const n = sorted.length
  if (n === 0 || Number.isNaN(q)) return Number.NaN
  if (q < 0) return Number.NEGATIVE_INFINITY
  if (q > 1) return Number.POSITIVE_INFINITY
  const rank = q * (n - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(n - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight
}

/** Sorts in place: NaN first, then ascending. Typed arrays sort NaN last by themselves. */
export function sortNaNFirst(values: Float64Array): Float64Array {
  values.sort()
  let nanCount = 0
  while (nanCount < values.length && Number.isNaN(values[values.length - 1 - nanCount])) nanCount++
  if (nanCount > 0) {
    values.copyWithin(nanCount, 0, values.length - nanCount)
    values.fill(Number.NaN, 0, nanCount)
  }
  return values
}
