import { ByteReader, ByteWriter } from '../bytes.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { HISTOGRAM_HEADER_WORDS, HISTOGRAM_PAGE_WORDS, HistogramPage, HistogramSeries, Root } from '../memory/layout.ts'
import type { NativeHistogram } from '../../model/index.ts'
import { HistogramDecoder, HistogramEncoder, type TimedHistogram } from './codec.ts'

const PAGE_SAMPLES_MAX = 120
const PAGE_BYTES_MIN = 256
const PAGE_BYTES_MAX = 64 << 10
const OPEN_PAGES_MAX = 8

/** A run of histogram records of one series, all in one block window. */
export interface HistogramPageInfo {
  readonly id: number
  pointer: number
  capacity: number
  length: number
  count: number
  minTimeMs: number
  maxTimeMs: number
  /** `undefined` once nothing more is added. */
  encoder: HistogramEncoder | undefined
  /** Whether a file holds it. */
  isDurable: boolean
}

interface SeriesPages {
  readonly labelSet: number
  readonly index: number
  record: number
  recordPages: number
  pages: HistogramPageInfo[]
}

/**
 * What the histogram samples of the head hold, by label set and time. That a sample exists, the rows say: there it is a
 * staleness marker for which something is found here. So nothing here needs to come and go together with rows, only
 * before they come and after they went.
 */
export class HeadHistograms {
  readonly #memory: HeadMemory
  readonly #windowMs: number
  readonly #series = new Map<number, SeriesPages>()
  readonly #out = new ByteWriter()
  /** While the log is replayed: times of the samples in pages from files. */
  readonly #timesOfPages = new Map<number, Set<number>>()
  #directory = 0
  #capacity = 0
  #count = 0
  #nextPageId = 1

  constructor(memory: HeadMemory, windowMs: number) {
    this.#memory = memory
    this.#windowMs = windowMs
  }

  get seriesCount(): number {
    return this.#series.size
  }

  /** Label sets that are in use here. */
  labelSets(): Iterable<number> {
    return this.#series.keys()
  }

  append(labelSet: number, timestampMs: number, histogram: NativeHistogram): void {
    const series = this.#seriesOf(labelSet)
    const page = this.#openPage(series, timestampMs)
    this.#out.clear()
    page.encoder!.write(this.#out, timestampMs, histogram)
    const bytes = this.#out.bytes()
    this.#reserve(page, bytes.length)
    this.#memory.views.u8.set(bytes, page.pointer + page.length)
    page.length += bytes.length
    page.count++
    page.minTimeMs = Math.min(page.minTimeMs, timestampMs)
    page.maxTimeMs = Math.max(page.maxTimeMs, timestampMs)
    this.#publishPage(series, series.pages.indexOf(page))
  }

  /** As `append`, for one that the log holds: it may be known from a file already. */
  restore(labelSet: number, timestampMs: number, histogram: NativeHistogram): void {
    const isKnown = this.#series
      .get(labelSet)
      ?.pages.some((page) => this.#durableTimes(page)?.has(timestampMs) === true)
    if (isKnown !== true) this.append(labelSet, timestampMs, histogram)
  }

  /** The replay of the log is over. */
  endRestore(): void {
    this.#timesOfPages.clear()
  }

  #durableTimes(page: HistogramPageInfo): Set<number> | undefined {
    if (!page.isDurable) return undefined
    let times = this.#timesOfPages.get(page.id)
    if (times === undefined) {
      times = new Set(this.#decode(page).map(({ timestampMs }) => timestampMs))
      this.#timesOfPages.set(page.id, times)
    }
    return times
  }

  /** Takes over a page from a file. */
  adopt(labelSet: number, bytes: Uint8Array, times: { count: number; minTimeMs: number; maxTimeMs: number }): void {
    const series = this.#seriesOf(labelSet)
    const pointer = this.#memory.allocate(bytes.length)
    this.#memory.views.u8.set(bytes, pointer)
    this.#addPage(series, {
      id: this.#nextPageId++,
      pointer,
      capacity: bytes.length,
      length: bytes.length,
      ...times,
      encoder: undefined,
      isDurable: true,
    })
  }

  /** The content of a sample; `undefined` where there is none. */
  find(labelSet: number, timestampMs: number): NativeHistogram | undefined {
    for (const page of this.#series.get(labelSet)?.pages.toReversed() ?? []) {
      if (timestampMs < page.minTimeMs || timestampMs > page.maxTimeMs) continue
      const found = this.#decode(page).find((sample) => sample.timestampMs === timestampMs)
      if (found !== undefined) return found.histogram
    }
    return undefined
  }

  /** Ends the pages that no file holds yet and hands them out; `isDurable` is for the caller to set. */
  takeUnsealed(): { labelSet: number; page: HistogramPageInfo }[] {
    const unsealed: { labelSet: number; page: HistogramPageInfo }[] = []
    for (const { labelSet, pages } of this.#series.values()) {
      for (const page of pages) {
        if (page.isDurable) continue
        page.encoder = undefined
        unsealed.push({ labelSet, page })
      }
    }
    return unsealed
  }

  /** Pages of a block window, by label set. */
  pagesIn(windowStartMs: number): { labelSet: number; pages: readonly HistogramPageInfo[] }[] {
    const found: { labelSet: number; pages: HistogramPageInfo[] }[] = []
    for (const { labelSet, pages } of this.#series.values()) {
      const own = pages.filter((page) => this.windowOf(page) === windowStartMs)
      if (own.length > 0) found.push({ labelSet, pages: own })
    }
    return found
  }

  windowOf({ minTimeMs }: HistogramPageInfo): number {
    return Math.floor(minTimeMs / this.#windowMs) * this.#windowMs
  }

  /** Starts of the windows that have pages. */
  windows(): Set<number> {
    const starts = new Set<number>()
    for (const { pages } of this.#series.values()) for (const page of pages) starts.add(this.windowOf(page))
    return starts
  }

  /** Lets go of windows whose samples are in blocks. Readers that are under way keep the directory they saw. */
  drop(isGone: (windowStartMs: number) => boolean): void {
    const gone: HistogramPageInfo[] = []
    const kept: SeriesPages[] = []
    const records: SeriesPages[] = [...this.#series.values()]
    const old = { directory: this.#directory, capacity: this.#capacity }
    const oldRecords = records.map(({ record, recordPages }) => ({ record, recordPages }))
    for (const series of records) {
      gone.push(...series.pages.filter((page) => isGone(this.windowOf(page))))
      const pages = series.pages.filter((page) => !isGone(this.windowOf(page)))
      if (pages.length > 0) kept.push({ ...series, index: kept.length, record: 0, recordPages: 0, pages })
    }
    if (gone.length === 0) return
    this.#series.clear()
    this.#capacity = Math.max(16, kept.length)
    this.#directory = this.#memory.allocate(4 * this.#capacity)
    this.#count = 0
    for (const series of kept) {
      this.#series.set(series.labelSet, series)
      this.#writeRecord(series, series.pages.length)
      this.#memory.views.u32[(this.#directory >>> 2) + this.#count++] = series.record
    }
    this.#memory.change(() => this.#publishDirectory())
    if (old.capacity > 0) this.#memory.retire(old.directory, 4 * old.capacity)
    for (const { record, recordPages } of oldRecords) this.#memory.retire(record, recordBytes(recordPages))
    for (const page of gone) this.#memory.retire(page.pointer, page.capacity)
  }

  #seriesOf(labelSet: number): SeriesPages {
    const known = this.#series.get(labelSet)
    if (known !== undefined) return known
    const series: SeriesPages = { labelSet, index: this.#count, record: 0, recordPages: 0, pages: [] }
    this.#writeRecord(series, 4)
    if (this.#count === this.#capacity) this.#growDirectory()
    this.#memory.views.u32[(this.#directory >>> 2) + this.#count] = series.record
    this.#count++
    this.#memory.change(() => this.#publishDirectory())
    this.#series.set(labelSet, series)
    return series
  }

  #growDirectory(): void {
    const memory = this.#memory
    const old = { directory: this.#directory, capacity: this.#capacity }
    this.#capacity = Math.max(16, old.capacity * 2)
    this.#directory = memory.allocate(4 * this.#capacity)
    const { u8 } = memory.views
    u8.copyWithin(this.#directory, old.directory, old.directory + 4 * this.#count)
    if (old.capacity > 0) memory.retire(old.directory, 4 * old.capacity)
  }

  #publishDirectory(): void {
    this.#memory.setRoot(Root.HISTOGRAM_DIRECTORY, this.#directory)
    this.#memory.setRoot(Root.HISTOGRAM_COUNT, this.#count)
  }

  /** A page that the sample can be added to: later than what it holds, in the same window. */
  #openPage(series: SeriesPages, timestampMs: number): HistogramPageInfo {
    const windowStartMs = Math.floor(timestampMs / this.#windowMs) * this.#windowMs
    const first = Math.max(0, series.pages.length - OPEN_PAGES_MAX)
    for (let i = series.pages.length - 1; i >= first; i--) {
      const page = series.pages[i]!
      if (page.encoder === undefined || timestampMs <= page.maxTimeMs || this.windowOf(page) !== windowStartMs) continue
      if (page.count < PAGE_SAMPLES_MAX && page.length < PAGE_BYTES_MAX) return page
      page.encoder = undefined
    }
    const page: HistogramPageInfo = {
      id: this.#nextPageId++,
      pointer: this.#memory.allocate(PAGE_BYTES_MIN),
      capacity: PAGE_BYTES_MIN,
      length: 0,
      count: 0,
      minTimeMs: timestampMs,
      maxTimeMs: timestampMs,
      encoder: new HistogramEncoder(),
      isDurable: false,
    }
    this.#addPage(series, page)
    return page
  }

  #addPage(series: SeriesPages, page: HistogramPageInfo): void {
    series.pages.push(page)
    if (series.pages.length <= series.recordPages) {
      this.#publishPage(series, series.pages.length - 1)
      Atomics.store(this.#memory.views.u32, (series.record >>> 2) + HistogramSeries.PAGE_COUNT, series.pages.length)
      return
    }
    const old = { record: series.record, pages: series.recordPages }
    this.#writeRecord(series, series.pages.length * 2)
    Atomics.store(this.#memory.views.u32, (this.#directory >>> 2) + series.index, series.record)
    this.#memory.retire(old.record, recordBytes(old.pages))
  }

  #writeRecord(series: SeriesPages, room: number): void {
    series.record = this.#memory.allocateZeroed(recordBytes(room))
    series.recordPages = room
    const { u32 } = this.#memory.views
    u32[(series.record >>> 2) + HistogramSeries.LABEL_SET] = series.labelSet
    u32[(series.record >>> 2) + HistogramSeries.PAGE_COUNT] = series.pages.length
    for (let i = 0; i < series.pages.length; i++) this.#publishPage(series, i)
  }

  #publishPage(series: SeriesPages, i: number): void {
    const page = series.pages[i]!
    const { u32, f64 } = this.#memory.views
    const at = (series.record >>> 2) + HISTOGRAM_HEADER_WORDS + i * HISTOGRAM_PAGE_WORDS
    f64[(at + HistogramPage.MIN_TIME) >>> 1] = page.minTimeMs
    f64[(at + HistogramPage.MAX_TIME) >>> 1] = page.maxTimeMs
    u32[at + HistogramPage.ID] = page.id
    u32[at + HistogramPage.LENGTH] = page.length
    u32[at + HistogramPage.POINTER] = page.pointer
    Atomics.store(u32, at + HistogramPage.COUNT, page.count)
  }

  #reserve(page: HistogramPageInfo, bytes: number): void {
    if (page.length + bytes <= page.capacity) return
    const capacity = Math.max(page.capacity * 2, page.length + bytes)
    const pointer = this.#memory.allocate(capacity)
    this.#memory.views.u8.copyWithin(pointer, page.pointer, page.pointer + page.length)
    this.#memory.retire(page.pointer, page.capacity)
    page.pointer = pointer
    page.capacity = capacity
  }

  #decode(page: HistogramPageInfo): TimedHistogram[] {
    return decodePage(this.#memory.views.u8.slice(page.pointer, page.pointer + page.length), page.count)
  }
}

const recordBytes = (pages: number): number => 4 * (HISTOGRAM_HEADER_WORDS + pages * HISTOGRAM_PAGE_WORDS)

/** The samples of a page, oldest first. @throws {MalformedBytesError} */
export function decodePage(bytes: Uint8Array, count: number): TimedHistogram[] {
  const reader = new ByteReader(bytes)
  const decoder = new HistogramDecoder()
  return Array.from({ length: count }, () => decoder.read(reader))
}
