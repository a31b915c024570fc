import {
  type Appendable,
  CounterResetHint,
  type Labels,
  labelsKey,
  type NativeHistogram,
  type SeriesRef,
} from '../../model/index.ts'
import { countRefusal, type RefusedSamples } from './external-samples.ts'

/** A series of the page that says since when it counts. */
interface CountingSeries {
  readonly labels: Labels
  ref: SeriesRef | undefined
  createdMs: number
  /** Of the last scrape that had it. */
  seenMs: number
}

interface StagedStart {
  readonly labels: Labels
  readonly createdMs: number
  /** What it counts in, for a native histogram. */
  readonly histogram: NativeHistogram | undefined
}

const NO_NUMBERS = new Float64Array(0)

/**
 * Zeros at the moments at which the counters of one target began: what they have counted until their first scrape is an
 * increase then. They are appended beside the target's rows, whose times lie later.
 */
export class CreatedZeros {
  readonly #appendable: Appendable
  readonly #series = new Map<string, CountingSeries>()
  #staged: StagedStart[] = []

  constructor(appendable: Appendable) {
    this.#appendable = appendable
  }

  stage(start: StagedStart): void {
    this.#staged.push(start)
  }

  discard(): void {
    if (this.#staged.length > 0) this.#staged = []
  }

  /**
   * Appends a zero for each series that begins anew: one that the store refuses, because it has newer samples, is none to
   * speak of.
   *
   * @returns `undefined` if there is nothing to do
   */
  flush(scrapeMs: number): Promise<void> | undefined {
    const staged = this.#staged
    if (staged.length === 0) return undefined
    this.#staged = []
    const refused: RefusedSamples = { outOfOrder: 0, duplicateTimestamp: 0, outOfBounds: 0 }
    const appender = this.#appendable.appender()
    let count = 0
    for (const { labels, createdMs, histogram } of staged) {
      const key = labelsKey(labels)
      let series = this.#series.get(key)
      if (!series) {
        series = { labels, ref: undefined, createdMs: Number.NaN, seenMs: Number.NEGATIVE_INFINITY }
        this.#series.set(key, series)
      }
      const isNew = createdMs !== series.createdMs && createdMs > series.seenMs
      series.createdMs = createdMs
      series.seenMs = scrapeMs
      // A start that lies ahead is no start.
      if (!isNew || !(createdMs > 0 && createdMs < scrapeMs)) continue
      const { ref } = series
      countRefusal(refused, () => {
        series.ref = histogram
          ? appender.appendHistogram(ref, labels, createdMs, emptied(histogram))
          : appender.append(ref, labels, createdMs, 0)
        count++
      })
    }
    this.#forgetGone(scrapeMs)
    if (count > 0) return appender.commit()
    appender.rollback()
    return undefined
  }

  /** Series that this scrape did not have any more. */
  #forgetGone(scrapeMs: number): void {
    for (const [key, { seenMs }] of this.#series) if (seenMs !== scrapeMs) this.#series.delete(key)
  }
}

const emptied = (histogram: NativeHistogram): NativeHistogram => ({
  ...histogram,
  counterResetHint: CounterResetHint.UNKNOWN,
  count: 0,
  sum: 0,
  zeroCount: 0,
  positiveSpans: [],
  positiveBuckets: NO_NUMBERS,
  negativeSpans: [],
  negativeBuckets: NO_NUMBERS,
})
