import type { Querier, Queryable, TimeRange } from '../../model/index.ts'
import { MemoryViews } from '../memory/views.ts'
import { BlockSet } from './block-set.ts'
import { measureCardinality, type TsdbCardinality } from './cardinality.ts'
import { ColumnCache } from './column-cache.ts'
import { HeadFinder, TemplateCache } from './head-finder.ts'
import { EpochPin, takeSnapshot } from './head-snapshot.ts'
import { LabelIndex } from './label-index.ts'
import { ScratchPool, StoreQuerier } from './querier.ts'

/** What a thread needs to read the store; can be posted to a worker. Good for one reader at a time. */
export interface ReaderHandle {
  readonly memory: WebAssembly.Memory
  readonly slot: number
  readonly dataDir: string
}

/** Most that decoded columns of the head may take, in each reader. */
const COLUMN_CACHE_BYTES = 64 << 20

/** Reads the store in whatever thread it was opened in, beside the writer. */
export class TsdbReader implements Queryable {
  readonly #views: MemoryViews
  readonly #pin: EpochPin
  readonly #index = new LabelIndex()
  readonly #templates: TemplateCache
  readonly #columns = new ColumnCache(COLUMN_CACHE_BYTES)
  readonly #scratches = new ScratchPool()
  readonly #blocks: BlockSet
  #openQueriers = 0

  constructor(handle: ReaderHandle) {
    this.#views = new MemoryViews(handle.memory)
    this.#pin = new EpochPin(this.#views, handle.slot)
    this.#templates = new TemplateCache(this.#views, this.#index)
    this.#blocks = new BlockSet(handle.dataDir, this.#views, this.#index)
  }

  /** A view of the store as it is now; the range is only a hint, each call names its own. */
  querier(_range: TimeRange): Querier {
    this.#pin.pin()
    this.#openQueriers++
    const snapshot = takeSnapshot(this.#views)
    this.#templates.prune(snapshot)
    const head = new HeadFinder(
      this.#views,
      this.#index,
      { templates: this.#templates, columns: this.#columns },
      snapshot,
    )
    const finders = [this.#blocks.finder(snapshot.blockList), head]
    return new StoreQuerier(this.#index, this.#scratches, finders, {
      onDamage: () => this.#blocks.report(),
      onClose: () => this.#release(),
    })
  }

  /** The largest contributors to the number of series, as the head has them now. */
  cardinality(limit: number): TsdbCardinality {
    this.#pin.pin()
    try {
      return measureCardinality(this.#views, this.#index, this.#templates, takeSnapshot(this.#views), limit)
    } finally {
      this.#pin.unpin()
    }
  }

  /** Of the decoded columns of the head that are kept for the next query. */
  columnCacheStats(): { readonly bytes: number; readonly hits: number; readonly misses: number } {
    const { bytes, hits, misses } = this.#columns
    return { bytes, hits, misses }
  }

  /** Closes the files it holds open. */
  close(): void {
    this.#blocks.close()
  }

  #release(): void {
    this.#pin.unpin()
    if (--this.#openQueriers === 0) this.#blocks.tidy()
  }
}

/** Opens a reader on what `Tsdb.attachReader` gave out. */
export const openReader = (handle: ReaderHandle): TsdbReader => new TsdbReader(handle)
