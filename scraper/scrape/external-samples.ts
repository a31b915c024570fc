import {
  type Appendable,
  DuplicateSampleError,
  type Labels,
  OutOfBoundsError,
  OutOfOrderSampleError,
  type SeriesRef,
} from '../../model/index.ts'

/** Samples that were refused one by one; the rest of the scrape is stored. */
export interface RefusedSamples {
  outOfOrder: number
  duplicateTimestamp: number
  outOfBounds: number
}

interface ExternalSeries {
  readonly labels: Labels
  ref: SeriesRef | undefined
}

// What the page says must not lie further ahead than this.
export const FUTURE_MAX_MS = 10 * 60_000

/**
 * The series of one target whose samples carry their own times: a row has one time, so they are appended one by one. A
 * series keeps its slot for as long as the target lives.
 */
export class ExternalSamples {
  readonly #appendable: Appendable
  readonly #series: ExternalSeries[] = []
  readonly #slots = new Map<string, number>()
  #staged: { readonly slot: number; readonly timestampMs: number | undefined; readonly value: number }[] = []
  #live = new Set<number>()

  constructor(appendable: Appendable) {
    this.#appendable = appendable
  }

  slotOf(labels: Labels): number {
    const key = JSON.stringify(labels)
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      slot = this.#series.push({ labels, ref: undefined }) - 1
      this.#slots.set(key, slot)
    }
    return slot
  }

  /** @param timestampMs `undefined` = the time of the scrape */
  stage(slot: number, timestampMs: number | undefined, value: number): void {
    this.#staged.push({ slot, timestampMs, value })
  }

  discard(): void {
    if (this.#staged.length > 0) this.#staged = []
  }

  /** Appends what was staged, `undefined` if that is nothing. With `trackStaleness` series that were there last time and are not now get a stale marker. */
  flush(scrapeMs: number, trackStaleness: boolean, refused: RefusedSamples): Promise<void> | undefined {
    if (this.#staged.length === 0 && this.#live.size === 0) return undefined
    const staged = this.#staged
    const live = new Set(staged.map((sample) => sample.slot))
    const gone = trackStaleness ? [...this.#live].filter((slot) => !live.has(slot)) : []
    this.#staged = []
    this.#live = live
    if (staged.length === 0 && gone.length === 0) return undefined
    const appender = this.#appendable.appender()
    for (const { slot, timestampMs = scrapeMs, value } of staged) {
      const series = this.#series[slot]!
      if (timestampMs > scrapeMs + FUTURE_MAX_MS) refused.outOfBounds++
      else countRefusal(refused, () => (series.ref = appender.append(series.ref, series.labels, timestampMs, value)))
    }
    for (const slot of gone) {
      const series = this.#series[slot]!
      countRefusal(refused, () => (series.ref = appender.appendStale(series.ref, series.labels, scrapeMs)))
    }
    return appender.commit()
  }
}

/** Runs one append; a sample that the store refuses is counted and left out. */
export function countRefusal(refused: RefusedSamples, append: () => void): void {
  try {
    append()
  } catch (error) {
    if (error instanceof OutOfOrderSampleError) refused.outOfOrder++
    else if (error instanceof DuplicateSampleError) refused.duplicateTimestamp++
    else if (error instanceof OutOfBoundsError) refused.outOfBounds++
    else throw error
  }
}
