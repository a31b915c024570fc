import type { ColumnRoom } from '../../kernels/index.ts'
import type { Querier, Queryable, StoreChanges, TimeRange } from '../../model/index.ts'
import { MemoryViews } from '../memory/views.ts'
import { AssembledColumns } from './assembled-columns.ts'
import { BlockSet } from './block-set.ts'
import { ChangeLog } from './change-log.ts'
import { measureCardinality, type TsdbCardinality } from './cardinality.ts'
import { ColumnCache } from './column-cache.ts'
import { reachOf } from './group-reach.ts'
import { HeadFinder, TemplateCache } from './head-finder.ts'
import { HeadHistogramIndex, HeadHistogramSource } from './head-histogram-source.ts'
import { EpochPin, type HeadSnapshot, type KnownGroups, takeSnapshot } from './head-snapshot.ts'
import { DecodedPages, HistogramLookup } from './histogram-source.ts'
import { LabelIndex } from './label-index.ts'
import { MissingHead } from './missing-head.ts'
import { SelectionCache } from './selection-cache.ts'
import { GroupingCache } from './series-groups.ts'
import { type ReaderMemories, ScratchPool, type SourceFinder, StoreQuerier } from './querier.ts'

/** What a thread needs to read the store; can be posted to a worker. Good for one reader at a time. */
export interface ReaderHandle {
  readonly memory: WebAssembly.Memory
  readonly slot: number
  readonly dataDir: string
}

/** Most that decoded columns may take, in each reader. */
const COLUMN_CACHE_BYTES = 48 << 20

/** What depends on the reader's numbers of strings and label sets. */
interface Known {
  /** Of the writer's numbers that these were made from. */
  readonly generation: number
  readonly index: LabelIndex
  readonly templates: TemplateCache
  readonly selections: SelectionCache
  readonly groupings: GroupingCache
  readonly blocks: BlockSet
  readonly histograms: HeadHistogramIndex
}

/** Reads the store in whatever thread it was opened in, beside the writer. */
export class TsdbReader implements Queryable {
  readonly #views: MemoryViews
  readonly #pin: EpochPin
  readonly #columns = new ColumnCache(COLUMN_CACHE_BYTES)
  readonly #memories: ReaderMemories
  readonly #decodedHistograms = new DecodedPages()
  readonly #changes = new ChangeLog()
  readonly #groups: KnownGroups = []
  readonly #dataDir: string
  #known: Known
  /** Of earlier numberings, until no querier is left that uses them. */
  #formerBlocks: BlockSet[] = []
  #openQueriers = 0
  #missingFromMs: number | undefined
  /** Called now and then during long work for a query; what it throws ends the query. */
  check: () => void = () => {}

  /** @param findRoom finds memory for whole columns, best where queries compute; absent: none are kept */
  constructor(handle: ReaderHandle, findRoom?: () => ColumnRoom) {
    this.#memories = { scratches: new ScratchPool(), assembled: findRoom && new AssembledColumns(findRoom) }
    this.#views = new MemoryViews(handle.memory)
    this.#pin = new EpochPin(this.#views, handle.slot)
    this.#dataDir = handle.dataDir
    this.#known = this.#startOver(0)
  }

  /** A view of the store as it is now; the range is only a hint, each call names its own. */
  querier(_range: TimeRange): Querier {
    this.#pin.pin()
    if (this.#openQueriers++ === 0) this.#memories.assembled?.startEpoch()
    const snapshot = takeSnapshot(this.#views, { known: this.#groups })
    const { index, groupings, blocks } = this.#knownOf(snapshot)
    const changes = this.#changesOf(snapshot)
    const finders = [blocks.finder(snapshot.blockList, () => snapshot.groups.map(reachOf)), this.#headOf(snapshot)]
    return new StoreQuerier(index, this.#memories, finders, this.#histogramsOf(snapshot), groupings, changes, {
      onDamage: () => blocks.report(),
      onClose: () => this.#release(),
    })
  }

  /**
   * Since the last call: from when on samples are missing that somebody has asked for, because the head is still being read
   * back; `undefined` when every answer was whole.
   */
  takeMissing(): number | undefined {
    const missingFromMs = this.#missingFromMs
    this.#missingFromMs = undefined
    return missingFromMs
  }

  #headOf(snapshot: HeadSnapshot): SourceFinder {
    const { index, templates, selections, blocks } = this.#known
    const { missingFromMs } = snapshot
    if (missingFromMs !== Number.POSITIVE_INFINITY) {
      return new MissingHead(missingFromMs, () => (this.#missingFromMs = missingFromMs))
    }
    templates.prune(snapshot)
    const head = new HeadFinder(this.#views, index, { templates, selections, columns: this.#columns }, snapshot)
    return blocks.withoutDeleted(head)
  }

  /** Of what is not there yet nothing is known: answers from such a view must not be kept. */
  #changesOf(snapshot: HeadSnapshot): StoreChanges | undefined {
    if (snapshot.missingFromMs !== Number.POSITIVE_INFINITY) return undefined
    const version = this.#changes.note(snapshot)
    return { version, unchangedSince: (since: number) => this.#changes.unchangedSince(since) }
  }

  #histogramsOf(snapshot: HeadSnapshot): HistogramLookup {
    const { index, blocks, histograms } = this.#known
    const places = histograms.places(this.#views, index, snapshot)
    const head = new HeadHistogramSource(this.#views, snapshot.histograms.directory, places, this.#decodedHistograms)
    return new HistogramLookup([...blocks.histogramSources(this.#decodedHistograms), head])
  }

  /** After the writer has freed label sets and strings everything is numbered anew: that frees them here, too. */
  #knownOf({ catalogueGeneration }: HeadSnapshot): Known {
    if (catalogueGeneration !== this.#known.generation) {
      this.#formerBlocks.push(this.#known.blocks)
      this.#known = this.#startOver(catalogueGeneration)
    }
    return this.#known
  }

  #startOver(generation: number): Known {
    const index = new LabelIndex(() => this.check())
    return {
      generation,
      index,
      templates: new TemplateCache(this.#views, index),
      selections: new SelectionCache(),
      groupings: new GroupingCache(index),
      blocks: new BlockSet(this.#dataDir, this.#views, index, this.#columns),
      histograms: new HeadHistogramIndex(),
    }
  }

  /** The largest contributors to the number of series, as the head has them now. */
  cardinality(limit: number): TsdbCardinality {
    this.#pin.pin()
    try {
      const snapshot = takeSnapshot(this.#views)
      const { index, templates } = this.#knownOf(snapshot)
      return measureCardinality(this.#views, index, templates, snapshot, limit)
    } finally {
      this.#pin.unpin()
    }
  }

  /** Of the decoded columns that are kept for the next query. */
  columnCacheStats(): { readonly bytes: number; readonly hits: number; readonly misses: number } {
    const { bytes, hits, misses } = this.#columns
    return { bytes, hits, misses }
  }

  /** Closes the files it holds open. */
  close(): void {
    this.#known.blocks.close()
    this.#closeFormer()
  }

  #release(): void {
    this.#pin.unpin()
    if (--this.#openQueriers > 0) return
    this.#known.blocks.tidy()
    this.#closeFormer()
  }

  #closeFormer(): void {
    for (const blocks of this.#formerBlocks) blocks.close()
    this.#formerBlocks = []
  }
}

/** Opens a reader on what `Tsdb.attachReader` gave out. */
export const openReader = (handle: ReaderHandle, findRoom?: () => ColumnRoom): TsdbReader =>
  new TsdbReader(handle, findRoom)
