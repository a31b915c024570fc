import type { Matcher, TimeRange } from '../../model/index.ts'
import { BlockReader } from '../block/block-reader.ts'
import type { BlockMeta } from '../block/meta.ts'
import { PageCache } from '../block/page-cache.ts'
import { Root, ROOT } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { LabelIndex } from './label-index.ts'
import type { GroupSource } from './piece.ts'
import type { SourceFinder } from './querier.ts'

const PAGE_CACHE_BYTES = 32 << 20
const INDEX_BYTES_MAX = 64 << 20

/** The blocks a reader has open: opened when first asked, the least used closed when their indexes take too much. */
export class BlockSet {
  readonly #dataDir: string
  readonly #views: MemoryViews
  readonly #labels: LabelIndex
  readonly #pages = new PageCache(PAGE_CACHE_BYTES)
  readonly #open = new Map<string, BlockReader>()
  #blockList = '[]'
  #metas: BlockMeta[] = []

  constructor(dataDir: string, views: MemoryViews, labels: LabelIndex) {
    this.#dataDir = dataDir
    this.#views = views
    this.#labels = labels
  }

  /** What finds series in the blocks of `blockList` that overlap a range, oldest block first. */
  finder(blockList: string): SourceFinder {
    if (blockList !== this.#blockList) {
      this.#blockList = blockList
      this.#metas = (JSON.parse(blockList) as BlockMeta[]).sort((a, b) => a.minTime - b.minTime)
    }
    const metas = this.#metas
    return {
      find: (matchers: readonly Matcher[], range: TimeRange, scratch: Scratch) =>
        metas
          .filter((meta) => meta.maxTime > range.minTimeMs && meta.minTime <= range.maxTimeMs)
          .flatMap((meta): GroupSource[] => this.#block(meta.ulid).find(matchers, range, scratch)),
    }
  }

  /** Closes blocks that are gone or were not used for long. Only while no querier is open. */
  tidy(): void {
    const current = new Set(this.#metas.map((meta) => meta.ulid))
    let bytes = 0
    for (const block of [...this.#open.values()].reverse()) {
      bytes += block.indexBytes
      if (current.has(block.ulid) && bytes <= INDEX_BYTES_MAX) continue
      this.#open.delete(block.ulid)
      block.close()
    }
  }

  close(): void {
    for (const block of this.#open.values()) block.close()
    this.#open.clear()
  }

  /** Tells the writer that a block is damaged; it finds out which and sets it aside. */
  report(): void {
    Atomics.add(this.#views.u32, (ROOT >>> 2) + Root.DAMAGE_REPORTS, 1)
  }

  #block(ulid: string): BlockReader {
    let block = this.#open.get(ulid)
    if (block === undefined) block = new BlockReader(this.#dataDir, ulid, this.#labels, this.#pages)
    else this.#open.delete(ulid)
    // Insertion order is order of use.
    this.#open.set(ulid, block)
    return block
  }
}
