import type { BucketSpan, CounterResetHint, NativeHistogram } from '../native-histogram.ts'
import { countsOfDeltas, readDoubles, readSint64s, readSpan, spansOf } from './native-buckets.ts'
import type { ProtoReader } from './proto-reader.ts'

const NO_BOUNDS = new Float64Array(0)

/** What a message says of the histogram as a whole. */
export interface HistogramTotals {
  /** Counts are floats, not integers. */
  readonly isFloat: boolean
  readonly count: number
  readonly sum: number
  readonly counterResetHint: CounterResetHint
  readonly customBounds?: Float64Array
}

/**
 * The fields of a native histogram as they come. Expositions and remote write have the same ones in the same order, each of
 * the former with a number greater by one.
 */
export class NativeFields {
  zeroThreshold = 0
  zeroCount = 0
  floatZeroCount = 0
  readonly positiveSpans: BucketSpan[] = []
  readonly negativeSpans: BucketSpan[] = []
  readonly positiveCounts: number[] = []
  readonly negativeCounts: number[] = []
  #schema = 0
  readonly #positiveDeltas: number[] = []
  readonly #negativeDeltas: number[] = []

  /**
   * Reads a field, if it is one of these.
   *
   * @param tag as remote write has it
   */
  take(reader: ProtoReader, tag: number): boolean {
    switch (tag) {
      case 32:
        this.#schema = reader.sint32()
        return true
      case 41:
        this.zeroThreshold = reader.double()
        return true
      case 48:
        this.zeroCount = reader.uint64()
        return true
      case 57:
        this.floatZeroCount = reader.double()
        return true
      case 66:
        this.negativeSpans.push(readSpan(reader))
        return true
      case 72:
      case 74:
        readSint64s(reader, tag, this.#negativeDeltas)
        return true
      case 81:
      case 82:
        readDoubles(reader, tag, this.negativeCounts)
        return true
      case 90:
        this.positiveSpans.push(readSpan(reader))
        return true
      case 96:
      case 98:
        readSint64s(reader, tag, this.#positiveDeltas)
        return true
      case 105:
      case 106:
        readDoubles(reader, tag, this.positiveCounts)
        return true
      default:
        return false
    }
  }

  histogram({ isFloat, count, sum, counterResetHint, customBounds = NO_BOUNDS }: HistogramTotals): NativeHistogram {
    return {
      integer: !isFloat,
      counterResetHint,
      schema: this.#schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: isFloat ? this.floatZeroCount : this.zeroCount,
      count,
      sum,
      positiveSpans: spansOf(this.positiveSpans),
      positiveBuckets: isFloat ? Float64Array.from(this.positiveCounts) : countsOfDeltas(this.#positiveDeltas),
      negativeSpans: spansOf(this.negativeSpans),
      negativeBuckets: isFloat ? Float64Array.from(this.negativeCounts) : countsOfDeltas(this.#negativeDeltas),
      customBounds,
    }
  }
}
