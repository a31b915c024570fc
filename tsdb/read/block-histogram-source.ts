import { join } from 'node:path'
import type { BlockMeta } from '../block/meta.ts'
import { BlockHistograms, hasBlockHistograms } from '../histogram/block-histograms.ts'
import type { TimedHistogram } from '../histogram/codec.ts'
import type { DecodedPages, HistogramSource } from './histogram-source.ts'
import type { LabelIndex } from './label-index.ts'

/** What the histogram samples of a block hold; opened when first asked for a time in its range. */
export class BlockHistogramSource implements HistogramSource {
  readonly hasSeries: boolean
  readonly #meta: BlockMeta
  readonly #folder: string
  readonly #index: LabelIndex
  readonly #decoded: DecodedPages
  #histograms: BlockHistograms | undefined
  /** Index into the block's list by the reader's number of the label set. */
  #places = new Map<number, number>()

  constructor(dataDir: string, meta: BlockMeta, index: LabelIndex, decoded: DecodedPages) {
    this.#meta = meta
    this.#folder = join(dataDir, meta.ulid)
    this.#index = index
    this.#decoded = decoded
    this.hasSeries = hasBlockHistograms(this.#folder)
  }

  /** @throws {CorruptionError} */
  pages(labelSet: number, minTimeMs: number, maxTimeMs: number): (readonly TimedHistogram[])[] {
    if (maxTimeMs < this.#meta.minTime || minTimeMs >= this.#meta.maxTime) return []
    const histograms = this.#open()
    const place = this.#places.get(labelSet)
    if (place === undefined) return []
    return histograms.series[place]!.pages.filter(
      (page) => page.maxTimeMs >= minTimeMs && page.minTimeMs <= maxTimeMs,
    ).map((page) => this.#decoded.get(`${this.#meta.ulid}:${page.offset}`, () => histograms.samples(page)))
  }

  close(): void {
    this.#histograms?.close()
    this.#histograms = undefined
  }

  #open(): BlockHistograms {
    if (this.#histograms !== undefined) return this.#histograms
    const histograms = BlockHistograms.open(this.#folder)
    const index = this.#index
    this.#places = new Map(
      histograms.series.map(({ labels }, i) => [index.labelSet(labels.map((text) => index.symbol(text))), i]),
    )
    this.#histograms = histograms
    return histograms
  }
}
