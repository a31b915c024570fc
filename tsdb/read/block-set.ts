import type { Matcher, TimeRange } from '../../model/index.ts'
import type { PublishedBlocks } from '../block/block-list.ts'
import { BlockReader } from '../block/block-reader.ts'
import { type Deletion, pendingIn } from '../block/deletions.ts'
import type { BlockMeta } from '../block/meta.ts'
import { PageCache } from '../block/page-cache.ts'
import { Root, ROOT } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import { BlockFinder, type SectionOpener } from './block-finder.ts'
import { BlockHistogramSource } from './block-histogram-source.ts'
import type { ColumnCache } from './column-cache.ts'
import type { DecodedPages, HistogramSource } from './histogram-source.ts'
import { hideDeleted } from './deleted.ts'
import type { LabelIndex } from './label-index.ts'
import type { SourceFinder } from './querier.ts'

const PAGE_CACHE_BYTES = 32 << 20
const INDEX_BYTES_MAX = 64 << 20

/** The blocks a reader has open: opened when first asked, the least used closed when their indexes take too much. */
export class BlockSet {
  readonly #dataDir: string
  readonly #views: MemoryViews
  readonly #labels: LabelIndex
  readonly #caches: { readonly pages: PageCache; readonly columns: ColumnCache }
  readonly #open = new Map<string, BlockReader>()
  readonly #histograms = new Map<string, BlockHistogramSource>()
  #blockList = '[]'
  #metas: readonly BlockMeta[] = []
  #deletions: readonly Deletion[] = []

  /** @param columns where decoded columns are kept */
  constructor(dataDir: string, views: MemoryViews, labels: LabelIndex, columns: ColumnCache) {
    this.#caches = { pages: new PageCache(PAGE_CACHE_BYTES), columns }
    this.#dataDir = dataDir
    this.#views = views
    this.#labels = labels
  }

  /**
   * What finds series in the blocks of `blockList` that overlap a range, oldest block first.
   *
   * @param headRanges what times the head has samples of, as of the same moment
   */
  finder(blockList: string, headRanges: () => readonly TimeRange[]): SourceFinder {
    if (blockList !== this.#blockList) {
      this.#blockList = blockList
      const { blocks, deletions } = JSON.parse(blockList) as PublishedBlocks
      this.#metas = blocks
      this.#deletions = deletions
    }
    const deletions = this.#deletions
    const opener: SectionOpener = {
      startSelect: () => this.#caches.columns.startBlocks(),
      open: (ulid, section) => this.#block(ulid, section),
      hideDeleted: (sources, meta, scratch) => hideDeleted(sources, pendingIn(deletions, meta), this.#labels, scratch),
      hasDeleted: (meta) => pendingIn(deletions, meta).length > 0,
    }
    return new BlockFinder(this.#metas, opener, headRanges)
  }

  /** As `finder` does with blocks, leaves out of the head what was deleted as of the last list. */
  withoutDeleted(head: SourceFinder): SourceFinder {
    const deletions = this.#deletions
    if (deletions.length === 0) return head
    return {
      find: (matchers: readonly Matcher[], range: TimeRange, scratch: Scratch) =>
        hideDeleted(head.find(matchers, range, scratch), deletions, this.#labels, scratch),
    }
  }

  /** What finds the histograms of the blocks of the last list. */
  histogramSources(decoded: DecodedPages): HistogramSource[] {
    const ofSamples = this.#metas.filter(({ resolution }) => resolution === undefined)
    return ofSamples.map((meta) => {
      let source = this.#histograms.get(meta.ulid)
      if (source === undefined) source = new BlockHistogramSource(this.#dataDir, meta, this.#labels, decoded)
      this.#histograms.set(meta.ulid, source)
      return source
    })
  }

  /** Closes blocks that are gone or were not used for long. Only while no querier is open. */
  tidy(): void {
    const current = new Set(this.#metas.map((meta) => meta.ulid))
    let bytes = 0
    for (const [key, block] of [...this.#open].reverse()) {
      bytes += block.indexBytes
      if (current.has(block.ulid) && bytes <= INDEX_BYTES_MAX) continue
      this.#open.delete(key)
      block.close()
    }
    for (const [ulid, source] of this.#histograms) {
      if (current.has(ulid)) continue
      this.#histograms.delete(ulid)
      source.close()
    }
  }

  close(): void {
    for (const block of this.#open.values()) block.close()
    for (const source of this.#histograms.values()) source.close()
    this.#open.clear()
    this.#histograms.clear()
  }

  /** Tells the writer that a block is damaged; it finds out which and sets it aside. */
  report(): void {
    Atomics.add(this.#views.u32, (ROOT >>> 2) + Root.DAMAGE_REPORTS, 1)
  }

  #block(ulid: string, section: 'data' | 'sum'): BlockReader {
    const key = `${ulid}/${section}`
    let block = this.#open.get(key)
    if (block === undefined) block = new BlockReader(this.#dataDir, ulid, this.#labels, this.#caches, section)
    else this.#open.delete(key)
    // Insertion order is order of use.
    this.#open.set(key, block)
    return block
  }
}
