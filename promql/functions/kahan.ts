/** A compensated sum after Neumaier, with Prometheus' treatment of infinities: the running error is dropped at overflow. */
export class KahanSum {
  sum: number
  c: number

  constructor(sum = 0, c = 0) {
    this.sum = sum
    this.c = c
  }

  add(x: number): void {
    const sum = this.sum
    const t = sum + x
    if (t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY) this.c = 0
    else if (Math.abs(sum) >= Math.abs(x)) this.c += sum - t + x
    else this.c += x - t + sum
    this.sum = t
  }

  /** Without the error term while the sum is infinite, which would make a NaN of it. */
  get value(): number {
    return this.sum + this.c
  }
}
