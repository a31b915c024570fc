/** φ-quantile with linear interpolation between ranks; NaN counts as smallest. `sorted` is ascending, NaN first. */
export function quantileOfSorted(q: number, sorted: Float64Array): number {
  const n = sorted.length
  if (n === 0 || Number.isNaN(q)) return Number.NaN
  if (q < 0) return Number.NEGATIVE_INFINITY
  if (q > 1) return Number.POSITIVE_INFINITY
  const lower = Math.max(0, Math.floor(q * (n - 1)))
  return betweenRanks(q, n, sorted[lower]!, sorted[Math.min(n - 1, lower + 1)]!)
}

/** The φ-quantile of `n` values, of which `lower` and `upper` stand at the ranks that it lies between. */
export function betweenRanks(q: number, n: number, lower: number, upper: number): number {
  const rank = q * (n - 1)
  const weight = rank - Math.floor(rank)
  return lower * (1 - weight) + upper * weight
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
