/** Number of timestamps at or before `timeMs`. */
export function upperBound(timestampsMs: Float64Array, length: number, timeMs: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timestampsMs[middle]! <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}
