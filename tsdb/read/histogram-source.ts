import type { NativeHistogram } from '../../model/index.ts'
import { CounterResetHint } from '../../model/index.ts'
import type { TimedHistogram } from '../histogram/codec.ts'
import type { Samples } from './column-output.ts'

/** Where what histogram samples hold is found: the head, or a block. */
export interface HistogramSource {
  readonly hasSeries: boolean
  /** Pages of a series, by the reader's number of its label set, that overlap a range. */
  pages(labelSet: number, minTimeMs: number, maxTimeMs: number): (readonly TimedHistogram[])[]
}

const SAMPLES_MAX = 20_000

/** Decoded pages, for queries that look at the same series again. */
export class DecodedPages {
  readonly #pages = new Map<string, readonly TimedHistogram[]>()
  #samples = 0

  /** @param key names the content for good */
  get(key: string, decode: () => TimedHistogram[]): readonly TimedHistogram[] {
    let page = this.#pages.get(key)
    if (page === undefined) {
      page = decode()
      this.#samples += page.length
    } else this.#pages.delete(key)
    this.#pages.set(key, page)
    for (const [oldest, { length }] of this.#pages) {
      if (this.#samples <= SAMPLES_MAX || oldest === key) break
      this.#pages.delete(oldest)
      this.#samples -= length
    }
    return page
  }
}

/** Turns the staleness markers that stand for histograms into them. */
export class HistogramLookup {
  readonly #sources: readonly HistogramSource[]

  /** @param sources oldest data first */
  constructor(sources: readonly HistogramSource[]) {
    this.#sources = sources.filter((source) => source.hasSeries)
  }

  get isEmpty(): boolean {
    return this.#sources.length === 0
  }

  /** `samples` with what is found for its markers; the values of those are overwritten. */
  attach<S extends Samples>(samples: S, labelSet: number): S | Samples {
    const { stale, length, timestampsMs, values } = samples
    if (stale === undefined) return samples
    const first = timestampsMs[0]!
    const pages = this.#sources.flatMap((source) => source.pages(labelSet, first, timestampsMs[length - 1]!))
    if (pages.length === 0) return samples
    const histograms: (NativeHistogram | undefined)[] = Array.from({ length })
    const left = stale.slice(0, length)
    let before: { page: readonly TimedHistogram[]; at: number } | undefined
    for (let i = 0; i < length; i++) {
      if (left[i] === 0) {
        before = undefined
        continue
      }
      const place = placeOf(pages, timestampsMs[i]!, before?.page)
      if (place !== undefined) {
        const isNext = i === 0 || (before?.page === place.page && before.at + 1 === place.at)
        histograms[i] = isNext ? place.page[place.at]!.histogram : withoutNeighbour(place.page, place.at)
        left[i] = 0
        values[i] = 0
      }
      before = place
    }
    return { ...samples, stale: left.includes(1) ? left : undefined, histograms }
  }
}

/** The last page that holds a time, `likely` first. */
function placeOf(
  pages: readonly (readonly TimedHistogram[])[],
  timestampMs: number,
  likely: readonly TimedHistogram[] | undefined,
): { page: readonly TimedHistogram[]; at: number } | undefined {
  const inLikely = likely === undefined ? -1 : indexOf(likely, timestampMs)
  if (inLikely >= 0) return { page: likely!, at: inLikely }
  for (let p = pages.length - 1; p >= 0; p--) {
    const at = indexOf(pages[p]!, timestampMs)
    if (at >= 0) return { page: pages[p]!, at }
  }
  return undefined
}

function indexOf(page: readonly TimedHistogram[], timestampMs: number): number {
  let low = 0
  let high = page.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const at = page[middle]!.timestampMs
    if (at === timestampMs) return middle
    if (at < timestampMs) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/**
 * A histogram whose neighbour in time is another than when it was written: "no reset since" was said of that one. At the
 * start of a page the neighbour is the end of the page before, which is as it was.
 */
function withoutNeighbour(page: readonly TimedHistogram[], at: number): NativeHistogram {
  const { histogram } = page[at]!
  if (at === 0 || histogram.counterResetHint !== CounterResetHint.NOT_RESET) return histogram
  return { ...histogram, counterResetHint: CounterResetHint.UNKNOWN }
}
