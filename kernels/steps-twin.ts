// Covered by bench/micro/promql-rate.bench.ts.
/** How many steps are present. */
export function countPresentTwin(present: Uint8Array): number {
  let count = 0
  for (let i = 0; i < present.length; i++) count += present[i]!
  return count
}

/** Running sums of columns, compensated after Neumaier; the error is dropped where the sum is infinite. */
export interface StepSums {
  readonly sums: Float64Array
  readonly errors: Float64Array
  /** 1 where there was a value. */
  readonly seen: Uint8Array
}

/** Adds a column to sums. The first value stands for itself, which keeps the sign of a zero. */
export function addSumTwin({ sums, errors, seen }: StepSums, values: Float64Array, present: Uint8Array): void {
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0) continue
    const x = values[i]!
    if (seen[i] === 0) {
      seen[i] = 1
      sums[i] = x
      continue
    }
    const sum = sums[i]!
    const t = sum + x
    // The rounding error itself, as Neumaier's two cases give it, but without having to guess which of them comes next.
    const added = t - sum
    const isInfinite = t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY
    errors[i] = isInfinite ? 0 : errors[i]! + (sum - (t - added) + (x - added))
    sums[i] = t
  }
}

/**
 * The value of a rank, moved to its place: none before it is larger, none behind it smaller (C. Hoare's FIND). No value may be
 * NaN.
 */
export function selectTwin(values: Float64Array, rank: number): number {
  let left = 0
  let right = values.length - 1
  while (left < right) {
    const pivot = values[(left + right) >>> 1]!
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const held = values[i]!
      values[i++] = values[j]!
      values[j--] = held
    }
    if (rank <= j) right = j
    else if (rank >= i) left = i
    else break
  }
  return values[rank]!
}
