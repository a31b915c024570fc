const isInfinite = (x: number): boolean => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY

/** Sums of many values at once, each with what rounding took away from it (after Neumaier). Owns both arrays. */
export class CompensatedValues {
  readonly sums: Float64Array
  readonly errors: Float64Array

  constructor(sums: Float64Array, errors: Float64Array) {
    this.sums = sums
    this.errors = errors
  }

  static of(values: Float64Array): CompensatedValues {
    return new CompensatedValues(values.slice(), new Float64Array(values.length))
  }

  /** Adds a value to each sum; an error is forgotten where the sum is infinite. */
  add(values: Float64Array): void {
    const { sums, errors } = this
    for (let i = 0; i < sums.length; i++) {
      const sum = sums[i]!
      const x = values[i]!
      const t = sum + x
      if (isInfinite(t)) errors[i] = 0
      else errors[i]! += Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum
      sums[i] = t
    }
  }

  /** Whether a sum would become infinite by these. */
  wouldOverflow(values: Float64Array): boolean {
    const { sums } = this
    for (let i = 0; i < sums.length; i++) if (isInfinite(sums[i]! + values[i]!)) return true
    return false
  }

  multiply(factor: number): void {
    for (let i = 0; i < this.sums.length; i++) {
      this.sums[i]! *= factor
      this.errors[i]! *= factor
    }
  }

  divide(divisor: number): void {
    for (let i = 0; i < this.sums.length; i++) {
      this.sums[i]! /= divisor
      this.errors[i]! /= divisor
    }
  }

  /** Each sum and its error, divided. */
  results(divisor: number): Float64Array {
    const { errors } = this
    return this.sums.map((sum, i) => (isInfinite(sum) ? sum / divisor : sum / divisor + errors[i]! / divisor))
  }
}
