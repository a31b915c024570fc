import { decodePage } from '../histogram/head-histograms.ts'
import type { TimedHistogram } from '../histogram/codec.ts'
import { HISTOGRAM_HEADER_WORDS, HISTOGRAM_PAGE_WORDS, HistogramPage, HistogramSeries } from '../memory/layout.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { HeadSnapshot } from './head-snapshot.ts'
import type { DecodedPages, HistogramSource } from './histogram-source.ts'
import type { LabelIndex } from './label-index.ts'

/** Which series of the head hold histograms; kept over queries and only extended by what is new. */
export class HeadHistogramIndex {
  #directory = 0
  #known = 0
  #places = new Map<number, number>()

  /** Place in the directory by the reader's number of the label set. */
  places(views: MemoryViews, index: LabelIndex, snapshot: HeadSnapshot): ReadonlyMap<number, number> {
    const { directory, count } = snapshot.histograms
    if (directory !== this.#directory || count < this.#known) {
      this.#places = new Map()
      this.#known = 0
      this.#directory = directory
    }
    for (; this.#known < count; this.#known++) {
      const record = views.u32[(directory >>> 2) + this.#known]!
      const labelSet = views.u32[(record >>> 2) + HistogramSeries.LABEL_SET]!
      this.#places.set(index.fromHead(views, labelSet), this.#known)
    }
    return this.#places
  }
}

/** What the histogram samples of a snapshot of the head hold. */
export class HeadHistogramSource implements HistogramSource {
  readonly hasSeries: boolean
  readonly #views: MemoryViews
  readonly #directory: number
  readonly #places: ReadonlyMap<number, number>
  readonly #decoded: DecodedPages

  constructor(views: MemoryViews, directory: number, places: ReadonlyMap<number, number>, decoded: DecodedPages) {
    this.#views = views
    this.#directory = directory
    this.#places = places
    this.#decoded = decoded
    this.hasSeries = places.size > 0
  }

  pages(labelSet: number, minTimeMs: number, maxTimeMs: number): (readonly TimedHistogram[])[] {
    const place = this.#places.get(labelSet)
    if (place === undefined) return []
    const { u32, f64 } = this.#views
    const record = Atomics.load(u32, (this.#directory >>> 2) + place) >>> 2
    const pageCount = Atomics.load(u32, record + HistogramSeries.PAGE_COUNT)
    const found: (readonly TimedHistogram[])[] = []
    for (let i = 0; i < pageCount; i++) {
      const at = record + HISTOGRAM_HEADER_WORDS + i * HISTOGRAM_PAGE_WORDS
      // The writer stores the count last: whatever is read after it is at least as new.
      const count = Atomics.load(u32, at + HistogramPage.COUNT)
      const overlaps =
        f64[(at + HistogramPage.MAX_TIME) >>> 1]! >= minTimeMs && f64[(at + HistogramPage.MIN_TIME) >>> 1]! <= maxTimeMs
      if (overlaps)
        found.push(this.#decoded.get(`h${u32[at + HistogramPage.ID]!}:${count}`, () => this.#decode(at, count)))
    }
    return found
  }

  #decode(at: number, count: number): TimedHistogram[] {
    const { u8, u32 } = this.#views
    const pointer = Atomics.load(u32, at + HistogramPage.POINTER)
    const length = Atomics.load(u32, at + HistogramPage.LENGTH)
    return decodePage(u8.slice(pointer, pointer + length), count)
  }
}
