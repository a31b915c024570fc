import { type Logger, Turns } from '../lib/index.ts'
import type { Appender, GroupWriter, Labels, Matcher, SeriesExemplars, TimeRange } from '../model/index.ts'
import type { BlockList } from './block/block-list.ts'
import type { DeletionList } from './block/deletion-list.ts'
import type { BlockMeta } from './block/meta.ts'
import { writeSnapshot } from './block/snapshot.ts'
import { listChunkFiles } from './chunk/head-chunk-file.ts'
import { StoreClosedError } from './errors.ts'
import { ExemplarStore } from './exemplars/exemplar-store.ts'
import { bytesIn } from './files.ts'
import type { Head } from './head/head.ts'
import { SampleStream } from './head/sample-stream.ts'
import { StreamAppender } from './head/stream-appender.ts'
import type { Adoption } from './import-export/adoption.ts'
import { lockDataFolder } from './lock.ts'
import { Compactor } from './maintenance/compactor.ts'
import { Maintenance } from './maintenance/maintenance.ts'
import { Root } from './memory/layout.ts'
import { type LoadedHead, loadHead, type OpenBlocks, openBlocks } from './opening.ts'
import type { ReaderSlots } from './reader-slots.ts'
import { registerTsdbMetrics, type TsdbMetricSource } from './metrics.ts'
import type { TsdbOptions, TsdbSettings } from './options.ts'
import type { ReaderHandle } from './read/reader.ts'
import { makeStoreFolders, type StoreFolders } from './store-folders.ts'
import type { Tsdb, TsdbStats } from './tsdb-interface.ts'
import { Upkeep } from './upkeep.ts'
import type { ReplayResult } from './wal/replay.ts'
import { WalLog } from './wal/wal-log.ts'
import { WalWriter } from './wal/wal-writer.ts'

export type { Tsdb, TsdbStats } from './tsdb-interface.ts'

const FUTURE_MAX_MS = 10 * 60_000
const WAL_SEGMENT_BYTES_MAX = 32 << 20
const WAL_BACKLOG_BYTES_MAX = 64 << 20
const CHECKPOINT_LOG_BYTES = 32 << 20
const EXEMPLARS_MAX = 100_000

/** What may happen while a store is being opened. */
export interface OpeningOptions {
  /**
   * Called when the blocks can be read: readers answer from them alone until the head has been read back, and
   * `TsdbReader.takeMissing` tells when that was not all. They stay good for as long as the store is open.
   */
  readonly onBlocks?: (readers: Pick<Tsdb, 'attachReader'>) => void
  /** When others have their turn while the head is read back; what its `next` throws ends the opening. */
  readonly turns?: Turns
}

/**
 * Opens the store in a folder, which is made if missing, and brings back what a former run left. Resolves when all of it is
 * there.
 *
 * @throws {DataFolderLockedError} when another process has it open
 */
export async function openTsdb(options: TsdbOptions, opening: OpeningOptions = {}): Promise<Tsdb> {
  const folders = makeStoreFolders(options.dataDir)
  const unlock = lockDataFolder(options.dataDir)
  const startedAt = performance.now()
  try {
    const blocks = openBlocks(options, folders)
    opening.onBlocks?.(blocks.readers)
    const loaded = await loadHead(blocks, options, folders, opening.turns ?? new Turns())
    return new OpenTsdb(options, folders, { blocks, loaded, unlock }, startedAt)
  } catch (error) {
    unlock()
    throw error
  }
}

interface OpenParts {
  readonly blocks: OpenBlocks
  readonly loaded: LoadedHead
  readonly unlock: () => void
}

class OpenTsdb implements Tsdb, TsdbMetricSource {
  readonly head: Head
  readonly blockList: BlockList
  readonly deletions: DeletionList
  readonly maintenance: Maintenance
  readonly compactor: Compactor
  readonly log: WalLog
  readonly writer: WalWriter
  readonly exemplarStore: ExemplarStore
  readonly replaySeconds: number
  readonly walCorruptions: number
  readonly options: TsdbOptions
  settings: TsdbSettings
  readonly #folders: StoreFolders
  readonly #logger: Logger
  readonly #unlock: () => void
  readonly #adoption: Adoption | undefined
  readonly #upkeep: Upkeep
  readonly #streams = new Map<string, SampleStream>()
  readonly #readers: ReaderSlots
  #observeSync: (seconds: number) => void = () => undefined
  #isClosed = false

  /** @param startedAt when opening began, by `performance` */
  constructor(options: TsdbOptions, folders: StoreFolders, parts: OpenParts, startedAt: number) {
    const { memory, head, blockList, deletions, adoption, readers } = parts.blocks
    const { replayed, files, corruptions } = parts.loaded
    this.options = options
    this.settings = options
    this.#folders = folders
    this.#logger = options.logger
    this.#unlock = parts.unlock
    this.#adoption = adoption
    this.#readers = readers
    this.head = head
    this.blockList = blockList
    this.deletions = deletions
    this.walCorruptions = corruptions
    this.writer = new WalWriter({
      memory,
      folder: folders.wal,
      clock: options.clock,
      logger: options.logger,
      firstSegment: replayed.nextSegment,
      segmentBytesMax: options.walSegmentBytesMax ?? WAL_SEGMENT_BYTES_MAX,
      backlogBytesMax: options.walBacklogBytesMax ?? WAL_BACKLOG_BYTES_MAX,
      onSync: (seconds) => this.#observeSync(seconds),
    })
    this.head.openLog(this.writer)
    this.head.outOfOrderWindowMs = options.outOfOrderTimeWindowMs ?? 0
    if (options.pastMaxMs !== undefined) this.head.pastMaxMs = options.pastMaxMs
    this.log = new WalLog(folders.wal, this.writer)
    this.exemplarStore = new ExemplarStore({
      folder: folders.exemplars,
      capacity: options.exemplarsMax ?? EXEMPLARS_MAX,
      memory,
      clock: options.clock,
      logger: options.logger,
    })
    this.maintenance = new Maintenance({
      head: this.head,
      log: this.log,
      folders,
      clock: options.clock,
      logger: options.logger,
      files,
      // Unreadable files, too, so that none is written on.
      newestFile: Math.max(
        0,
        ...listChunkFiles(folders.chunks),
        ...this.blockList.metas.flatMap((meta) => meta.headFiles ?? []),
      ),
      slot: readers.take(),
      checkpointLogBytes: options.checkpointLogBytes ?? CHECKPOINT_LOG_BYTES,
      deletions: this.deletions,
      onBlock: (meta) => this.blockList.add(meta),
    })
    this.compactor = new Compactor({
      dataDir: folders.dataDir,
      blockList: this.blockList,
      deletions: this.deletions,
      worker: this.maintenance,
      clock: options.clock,
      logger: options.logger,
      windowMs: this.head.windowMs,
      settings: () => this.settings,
      onFailure: () => memory.setRoot(Root.DAMAGE_REPORTS, memory.root(Root.DAMAGE_REPORTS) + 1),
    })
    this.replaySeconds = (performance.now() - startedAt) / 1000
    this.#observeSync = registerTsdbMetrics(options.registry, this)
    this.#logStart(replayed)
    this.#upkeep = new Upkeep({
      head: this.head,
      log: this.log,
      blockList: this.blockList,
      deletions: this.deletions,
      maintenance: this.maintenance,
      compactor: this.compactor,
      clock: options.clock,
      logger: options.logger,
      settings: () => this.settings,
      headFilesBytes: () => bytesIn(folders.chunks) + bytesIn(folders.histograms),
      streams: () => this.#streams.values(),
      // While parts of a history come in from the newest to the oldest, ranges only look as if they were full.
      mayMerge: () => this.#adoption?.isRunning !== true,
    })
    parts.blocks.onClosed = (bytes) => this.#upkeep.sealSoon(bytes)
    this.#upkeep.start()
    this.#adoption?.start()
  }

  openGroup(groupLabels: Labels): GroupWriter {
    this.#checkOpen()
    return this.head.openGroup(groupLabels)
  }

  flushed(): Promise<void> {
    return this.writer.flushed()
  }

  appender(options: { readonly stream?: string } = {}): Appender {
    this.#checkOpen()
    const name = options.stream ?? 'default'
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = new SampleStream(this.head, name, this.#streams.size)
      this.#streams.set(name, stream)
    }
    const futureMaxMs = this.options.futureMaxMs ?? FUTURE_MAX_MS
    return new StreamAppender(stream, this.exemplarStore, this.options.clock, futureMaxMs)
  }

  exemplars(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): SeriesExemplars[] {
    return this.exemplarStore.select(matcherSets, range)
  }

  attachReader(): { handle: ReaderHandle; detach(): void } {
    this.#checkOpen()
    return this.#readers.attachReader()
  }

  stats(): TsdbStats {
    const { minMs, maxMs } = this.head.timeRange()
    return {
      numSeries: this.head.seriesCount,
      numLabelPairs: this.head.catalogue.symbolCount,
      chunkCount: this.chunkCount,
      minTimeMs: minMs,
      maxTimeMs: maxMs,
      walCorruptions: this.walCorruptions,
    }
  }

  get chunkCount(): number {
    let count = 0
    for (const group of this.head.groups.values()) {
      const pieces = group.chunks.length + group.pending.length + (group.openRows > 0 ? 1 : 0)
      count += pieces * group.positionCount
    }
    return count
  }

  blocks(): readonly BlockMeta[] {
    return this.blockList.metas
  }

  walStatus(): { min: number; max: number; current: number } {
    const { min, max } = this.log.range()
    return { min, max, current: max }
  }

  configure(settings: TsdbSettings): void {
    this.settings = settings
    this.head.outOfOrderWindowMs = settings.outOfOrderTimeWindowMs ?? 0
    this.exemplarStore.resize(settings.exemplarsMax ?? EXEMPLARS_MAX)
  }

  async maintain(): Promise<void> {
    await this.#upkeep.run()
    await this.compactor.run()
  }

  async deleteSeries(matchers: readonly Matcher[], range: TimeRange): Promise<void> {
    this.#checkOpen()
    const newestMs = Math.max(this.head.timeRange().maxMs || Number.NEGATIVE_INFINITY, this.blockList.maxTimeMs - 1)
    const maxTimeMs = Math.min(range.maxTimeMs, newestMs)
    if (maxTimeMs < range.minTimeMs) return
    await this.deletions.add(matchers, { minTimeMs: range.minTimeMs, maxTimeMs })
    this.blockList.deletions = this.deletions.all
  }

  async cleanTombstones(): Promise<void> {
    this.#checkOpen()
    await this.compactor.cleanTombstones()
    await this.#upkeep.dropDoneDeletions()
  }

  async snapshot(options: { readonly skipHead?: boolean } = {}): Promise<string> {
    this.#checkOpen()
    // What is in the head must not become a block meanwhile.
    return this.#upkeep.between(() =>
      writeSnapshot({
        folders: this.#folders,
        blocks: this.blockList.metas,
        deletions: this.deletions,
        nowMs: this.options.clock.nowMs(),
        writeHead: options.skipHead === true ? undefined : (folder) => this.maintenance.writeHeadBlocks(folder),
      }),
    )
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#upkeep.stop()
      await this.#adoption?.close()
      await this.#finish()
    } finally {
      this.#unlock()
    }
  }

  async #finish(): Promise<void> {
    try {
      await this.writer.flushed()
      await this.maintenance.checkpoint()
    } finally {
      const compacted = this.compactor.close()
      await this.maintenance.close()
      await compacted
      await Promise.all([this.writer.close(), this.exemplarStore.close()])
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreClosedError('the store is closed')
  }

  #logStart(replayed: ReplayResult): void {
    this.#logger.info(
      {
        blocks: this.blockList.metas.length,
        groups: this.head.groups.size,
        series: this.head.seriesCount,
        rows: replayed.rowCount,
        durationMs: Math.round(this.replaySeconds * 1000),
      },
      'store is open',
    )
  }
}
