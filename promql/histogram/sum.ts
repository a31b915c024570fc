import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import {
  absorbIntoZeroBucket,
  align,
  atBounds,
  atSchema,
  sameBounds,
  toHistogram,
  toWork,
  type WorkHistogram,
} from './align.ts'
import { joinHints } from './arithmetic.ts'
import { usesCustomBuckets } from './bounds.ts'
import { type Buckets, sameIndexes, spreadTo, unionOfIndexes } from './buckets.ts'
import { CompensatedValues } from './compensated.ts'

// Where the parts that are not buckets stand among the scalars.
const ZERO_COUNT = 0
const COUNT = 1
const SUM = 2

/** A sum of histograms, compensated after Neumaier in every part; the mean becomes an incremental one before a part overflows. */
export class HistogramSum {
  /** Custom bounds differed, and only those that all had were kept. */
  boundsReconciled = false
  /** An exponential histogram met one with custom buckets: there is no sum. */
  incompatible = false
  readonly #wantsMean: boolean
  #layout: Pick<WorkHistogram, 'schema' | 'zeroThreshold' | 'customBounds'>
  #hint: CounterResetHint
  readonly #scalars: CompensatedValues
  #positive: Int32Array
  #positiveCounts: CompensatedValues
  #negative: Int32Array
  #negativeCounts: CompensatedValues
  #added = 1
  #incremental = false
  #sawReset: boolean
  #sawNoReset: boolean

  constructor(first: NativeHistogram, wantsMean: boolean) {
    const { positive, negative, counterResetHint, schema, zeroThreshold, customBounds } = toWork(first)
    this.#wantsMean = wantsMean
    this.#layout = { schema, zeroThreshold, customBounds }
    this.#hint = counterResetHint
    this.#scalars = CompensatedValues.of(scalarsOf(first))
    this.#positive = positive.indexes
    this.#positiveCounts = CompensatedValues.of(positive.counts)
    this.#negative = negative.indexes
    this.#negativeCounts = CompensatedValues.of(negative.counts)
    this.#sawReset = counterResetHint === CounterResetHint.RESET
    this.#sawNoReset = counterResetHint === CounterResetHint.NOT_RESET
  }

  /** Some histograms said that their counter was reset, others that it was not. */
  get resetsConflict(): boolean {
    return this.#sawReset && this.#sawNoReset
  }

  add(histogram: NativeHistogram): void {
    if (this.incompatible) return
    if (histogram.counterResetHint === CounterResetHint.RESET) this.#sawReset = true
    if (histogram.counterResetHint === CounterResetHint.NOT_RESET) this.#sawNoReset = true
    const work = toWork(histogram)
    const part = this.#hasLayoutOf(work) ? work : this.#alignWith(work)
    if (part === undefined) {
      this.incompatible = true
      return
    }
    this.#hint = joinHints(this.#hint, histogram.counterResetHint).joined
    this.#added++
    this.#addPart(part)
  }

  #hasLayoutOf({ schema, zeroThreshold, customBounds, positive, negative }: WorkHistogram): boolean {
    const layout = this.#layout
    return (
      schema === layout.schema &&
      zeroThreshold === layout.zeroThreshold &&
      sameBounds(customBounds, layout.customBounds) &&
      sameIndexes(positive.indexes, this.#positive) &&
      sameIndexes(negative.indexes, this.#negative)
    )
  }

  /** Brings the sum and a histogram to one layout with room for both. @returns the histogram in it */
  #alignWith(next: WorkHistogram): WorkHistogram | undefined {
    const aligned = align(this.#workOf('sums'), next)
    if (aligned === undefined) return undefined
    this.boundsReconciled ||= aligned.boundsReconciled
    const { left, right } = aligned
    const errors = inLayoutOf(this.#workOf('errors'), left)
    const { schema, zeroThreshold, customBounds } = left
    this.#layout = { schema, zeroThreshold, customBounds }
    this.#scalars.sums.set(scalarsOf(left))
    this.#scalars.errors.set(scalarsOf(errors))
    this.#positive = unionOfIndexes(left.positive.indexes, right.positive.indexes)
    this.#positiveCounts = spread(this.#positive, left.positive, errors.positive)
    this.#negative = unionOfIndexes(left.negative.indexes, right.negative.indexes)
    this.#negativeCounts = spread(this.#negative, left.negative, errors.negative)
    return {
      ...right,
      positive: { indexes: this.#positive, counts: spreadTo(this.#positive, right.positive) },
      negative: { indexes: this.#negative, counts: spreadTo(this.#negative, right.negative) },
    }
  }

  #workOf(which: 'sums' | 'errors'): WorkHistogram {
    const scalars = this.#scalars[which]
    return {
      ...this.#layout,
      counterResetHint: this.#hint,
      zeroCount: scalars[ZERO_COUNT]!,
      count: scalars[COUNT]!,
      sum: scalars[SUM]!,
      positive: { indexes: this.#positive, counts: this.#positiveCounts[which] },
      negative: { indexes: this.#negative, counts: this.#negativeCounts[which] },
    }
  }

  /** @param part in the sum's own layout */
  #addPart(part: WorkHistogram): void {
    const pairs = [
      [this.#scalars, scalarsOf(part)],
      [this.#positiveCounts, part.positive.counts],
      [this.#negativeCounts, part.negative.counts],
    ] as const
    const n = this.#added
    if (this.#wantsMean && !this.#incremental && pairs.some(([values, parts]) => values.wouldOverflow(parts))) {
      this.#incremental = true
      for (const [values] of pairs) values.divide(n - 1)
    }
    for (const [values, parts] of pairs) {
      if (!this.#incremental) {
        values.add(parts)
        continue
      }
      // One step of the incremental mean: the mean so far weighs n - 1, the new histogram 1.
      values.multiply((n - 1) / n)
      values.add(parts.map((x) => x / n))
    }
  }

  /** The sum, or the mean; `undefined` where histograms did not go together. */
  result(): NativeHistogram | undefined {
    if (this.incompatible) return undefined
    const n = this.#wantsMean && !this.#incremental ? this.#added : 1
    const scalars = this.#scalars.results(n)
    return toHistogram({
      ...this.#layout,
      counterResetHint: this.#hint,
      zeroCount: scalars[ZERO_COUNT]!,
      count: scalars[COUNT]!,
      sum: scalars[SUM]!,
      positive: { indexes: this.#positive, counts: this.#positiveCounts.results(n) },
      negative: { indexes: this.#negative, counts: this.#negativeCounts.results(n) },
    })
  }
}

const scalarsOf = ({ zeroCount, count, sum }: Pick<NativeHistogram, 'zeroCount' | 'count' | 'sum'>): Float64Array =>
  Float64Array.of(zeroCount, count, sum)

const spread = (indexes: Int32Array, sums: Buckets, errors: Buckets): CompensatedValues =>
  new CompensatedValues(spreadTo(indexes, sums), spreadTo(indexes, errors))

/** The errors moved into the layout that their sums have been brought to. */
function inLayoutOf(error: WorkHistogram, sums: WorkHistogram): WorkHistogram {
  if (usesCustomBuckets(sums)) {
    return sameBounds(error.customBounds, sums.customBounds) ? error : atBounds(error, sums.customBounds)
  }
  const absorbed = error.zeroThreshold === sums.zeroThreshold ? error : absorbIntoZeroBucket(error, sums.zeroThreshold)
  return atSchema(absorbed, sums.schema)
}
