import type { PlacedSums, StepKernels } from '../../kernels/index.ts'
import { invariant } from '../../lib/index.ts'
import type { AggregationOp } from '../parse/ast.ts'
import type { StepSeries } from './step-series.ts'

/** Running state of one group at all steps. */
export interface Accumulator {
  add(series: StepSeries): void
  /** Adds one value at one step. */
  addAt(step: number, x: number): void
  /** Writes the result; absent where no series was present. */
  finish(out: Pick<StepSeries, 'values' | 'present'>): void
}

export function createAccumulator(op: AggregationOp, stepCount: number, kernels: StepKernels): Accumulator {
  switch (op) {
    case 'sum':
      return new SumAccumulator(stepCount, kernels)
    case 'avg':
      return new AvgAccumulator(stepCount)
    case 'min':
      return new ExtremeAccumulator(stepCount, (x, held) => x < held)
    case 'max':
      return new ExtremeAccumulator(stepCount, (x, held) => x > held)
    case 'count':
      return new CountAccumulator(stepCount, true)
    case 'group':
      return new CountAccumulator(stepCount, false)
    case 'stdvar':
      return new VarianceAccumulator(stepCount, (variance) => variance)
    case 'stddev':
      return new VarianceAccumulator(stepCount, Math.sqrt)
    default:
      invariant(false, `${op} is not accumulated`)
  }
}

const isInfinite = (x: number): boolean => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY

/** Sum compensated after Neumaier; the error term is dropped where the sum is infinite. */
class SumAccumulator implements Accumulator {
  readonly #kernels: StepKernels
  readonly #held: PlacedSums

  constructor(stepCount: number, kernels: StepKernels) {
    // One piece of memory instead of three: there may be many groups.
    const bytes = 17 * stepCount
    const piece = kernels.take(bytes)
    const { buffer, offset } = piece ?? { buffer: new ArrayBuffer(bytes), offset: 0 }
    if (piece !== undefined) kernels.clear({ present: new Uint8Array(buffer, offset, bytes), presentAt: offset })
    this.#kernels = kernels
    this.#held = {
      sums: new Float64Array(buffer, offset, stepCount),
      errors: new Float64Array(buffer, offset + 8 * stepCount, stepCount),
      seen: new Uint8Array(buffer, offset + 16 * stepCount, stepCount),
      at: piece === undefined ? -1 : offset,
    }
  }

  addAt(i: number, x: number): void {
    const { sums, errors, seen } = this.#held
    if (seen[i] === 0) {
      seen[i] = 1
      sums[i] = x
      return
    }
    const sum = sums[i]!
    const t = sum + x
    const added = t - sum
    errors[i] = isInfinite(t) ? 0 : errors[i]! + (sum - (t - added) + (x - added))
    sums[i] = t
  }

  add(series: StepSeries): void {
    this.#kernels.addSum(this.#held, series)
  }

  finish(out: Pick<StepSeries, 'values' | 'present'>): void {
    const { sums, errors, seen } = this.#held
    out.present.set(seen)
    for (let i = 0; i < sums.length; i++) {
      const sum = sums[i]!
      out.values[i] = isInfinite(sum) ? sum : sum + errors[i]!
    }
  }
}

/** Compensated sum over the count; from where the sum would overflow on, an incremental mean. */
class AvgAccumulator implements Accumulator {
  readonly #sums: Float64Array
  readonly #errors: Float64Array
  readonly #counts: Float64Array
  /** 1 where the sum has become a mean. */
  readonly #incremental: Uint8Array

  constructor(stepCount: number) {
    this.#sums = new Float64Array(stepCount)
    this.#errors = new Float64Array(stepCount)
    this.#counts = new Float64Array(stepCount)
    this.#incremental = new Uint8Array(stepCount)
  }

  add({ values, present }: StepSeries): void {
    for (let i = 0; i < values.length; i++) if (present[i] === 1) this.addAt(i, values[i]!)
  }

  addAt(i: number, x: number): void {
    const sums = this.#sums
    const count = ++this.#counts[i]!
    if (count === 1) {
      sums[i] = x
      return
    }
    if (this.#incremental[i] === 0) {
      const t = sums[i]! + x
      if (!isInfinite(t)) {
        this.#addTo(i, sums[i]!, x, t)
        return
      }
      this.#incremental[i] = 1
      sums[i]! /= count - 1
      this.#errors[i]! /= count - 1
    }
    const q = (count - 1) / count
    const held = q * sums[i]!
    const part = x / count
    this.#errors[i]! *= q
    this.#addTo(i, held, part, held + part)
  }

  #addTo(i: number, held: number, x: number, t: number): void {
    if (isInfinite(t)) this.#errors[i] = 0
    else if (Math.abs(held) >= Math.abs(x)) this.#errors[i]! += held - t + x
    else this.#errors[i]! += x - t + held
    this.#sums[i] = t
  }

  finish(out: Pick<StepSeries, 'values' | 'present'>): void {
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!
      if (count === 0) continue
      out.present[i] = 1
      const sum = this.#sums[i]!
      const error = this.#errors[i]!
      out.values[i] = this.#incremental[i] === 1 ? sum + error : sum / count + error / count
    }
  }
}

/** Smallest or largest; NaN only where all values are. */
class ExtremeAccumulator implements Accumulator {
  readonly #held: Float64Array
  readonly #seen: Uint8Array
  readonly #replaces: (x: number, held: number) => boolean

  constructor(stepCount: number, replaces: (x: number, held: number) => boolean) {
    this.#held = new Float64Array(stepCount)
    this.#seen = new Uint8Array(stepCount)
    this.#replaces = replaces
  }

  add({ values, present }: StepSeries): void {
    const held = this.#held
    const seen = this.#seen
    const replaces = this.#replaces
    for (let i = 0; i < values.length; i++) {
      if (present[i] === 0) continue
      const x = values[i]!
      if (seen[i] === 0 || replaces(x, held[i]!) || Number.isNaN(held[i])) {
        seen[i] = 1
        held[i] = x
      }
    }
  }

  addAt(i: number, x: number): void {
    const held = this.#held[i]!
    if (this.#seen[i] === 1 && !this.#replaces(x, held) && !Number.isNaN(held)) return
    this.#seen[i] = 1
    this.#held[i] = x
  }

  finish(out: Pick<StepSeries, 'values' | 'present'>): void {
    out.values.set(this.#held)
    out.present.set(this.#seen)
  }
}

/** `count`, and `group` which is 1 wherever there is something to count. */
class CountAccumulator implements Accumulator {
  readonly #counts: Float64Array
  readonly #countsUp: boolean

  constructor(stepCount: number, countsUp: boolean) {
    this.#counts = new Float64Array(stepCount)
    this.#countsUp = countsUp
  }

  add({ present }: StepSeries): void {
    const counts = this.#counts
    for (let i = 0; i < counts.length; i++) counts[i]! += present[i]!
  }

  addAt(i: number): void {
    this.#counts[i]!++
  }

  finish(out: Pick<StepSeries, 'values' | 'present'>): void {
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!
      out.present[i] = count > 0 ? 1 : 0
      out.values[i] = this.#countsUp ? count : 1
    }
  }
}

/** Population variance by plain Welford; a group that starts with NaN or infinity stays NaN. */
class VarianceAccumulator implements Accumulator {
  readonly #counts: Float64Array
  readonly #means: Float64Array
  readonly #squares: Float64Array
  readonly #finishValue: (variance: number) => number

  constructor(stepCount: number, finishValue: (variance: number) => number) {
    this.#counts = new Float64Array(stepCount)
    this.#means = new Float64Array(stepCount)
    this.#squares = new Float64Array(stepCount)
    this.#finishValue = finishValue
  }

  add({ values, present }: StepSeries): void {
    for (let i = 0; i < values.length; i++) if (present[i] === 1) this.addAt(i, values[i]!)
  }

  addAt(i: number, x: number): void {
    const count = ++this.#counts[i]!
    if (count === 1) {
      this.#means[i] = x
      this.#squares[i] = Number.isFinite(x) ? 0 : Number.NaN
      return
    }
    const delta = x - this.#means[i]!
    this.#means[i]! += delta / count
    this.#squares[i]! += delta * (x - this.#means[i]!)
  }

  finish(out: Pick<StepSeries, 'values' | 'present'>): void {
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i]!
      if (count === 0) continue
      out.present[i] = 1
      out.values[i] = this.#finishValue(this.#squares[i]! / count)
    }
  }
}
