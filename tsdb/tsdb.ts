import { existsSync, readFileSync } from 'node:fs'
import { createKernelMemory, instantiateKernels, rowKernels } from '../kernels/index.ts'
import type { Logger } from '../lib/index.ts'
import type { Appendable, Appender, GroupAppendable, GroupWriter, Labels } from '../model/index.ts'
import { removeLeftovers } from './block/block-folder.ts'
import { BlockList } from './block/block-list.ts'
import type { BlockMeta } from './block/meta.ts'
import { listChunkFiles, loadChunkFile, removeChunkFile } from './chunk/head-chunk-file.ts'
import { ChunkView } from './chunk/head-chunk.ts'
import { CorruptionError, StoreClosedError } from './errors.ts'
import { Head } from './head/head.ts'
import type { HeadChunk } from './head/head-group.ts'
import { SampleStream, StreamAppender } from './head/stream-appender.ts'
import { lockDataFolder } from './lock.ts'
import { Maintenance } from './maintenance/maintenance.ts'
import { HeadMemory } from './memory/head-memory.ts'
import { LOST_LABEL_SET, Root } from './memory/layout.ts'
import { registerTsdbMetrics, type TsdbMetricSource } from './metrics.ts'
import type { TsdbOptions } from './options.ts'
import type { ReaderHandle } from './read/reader.ts'
import { makeStoreFolders, type StoreFolders } from './store-folders.ts'
import { decodeCheckpoint, LOST_LABELS } from './wal/checkpoint.ts'
import { replayLog, type ReplayResult } from './wal/replay.ts'
import { WalLog } from './wal/wal-log.ts'
import { WalWriter } from './wal/wal-writer.ts'

const HEAD_MEMORY_BYTES_MAX = 65_536 * 65_536
const FUTURE_MAX_MS = 10 * 60_000
const BLOCK_DURATION_MS = 2 * 3_600_000
const WAL_SEGMENT_BYTES_MAX = 32 << 20
const CHECKPOINT_LOG_BYTES = 32 << 20
const TICK_INTERVAL_MS = 15_000
// Closed rows wait this long for company, so that one message and one fsync serve many groups.
const SEAL_DELAY_MS = 200

export interface TsdbStats {
  readonly numSeries: number
  /** Label sets in use are built from this many distinct strings. */
  readonly numLabelPairs: number
  readonly chunkCount: number
  /** Of the head, in Unix milliseconds; NaN while it is empty. */
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** Damaged places found in the log at start. */
  readonly walCorruptions: number
}

/** The store. One process at a time; writing is for the thread that opened it, reading for any thread with a reader. */
export interface Tsdb extends GroupAppendable, Appendable {
  /** Appenders of one stream must be used by one caller; streams do not check each other's order. */
  appender(options?: { readonly stream?: string }): Appender
  /** What a thread needs to read (`openReader`). `detach` when it is gone; queries of it must be over. */
  attachReader(): { readonly handle: ReaderHandle; detach(): void }
  stats(): TsdbStats
  /** Oldest first. */
  blocks(): readonly BlockMeta[]
  /** Log segments: the oldest kept, the newest, and how far a replay has come. */
  walStatus(): { readonly min: number; readonly max: number; readonly current: number }
  /** Seals, builds blocks, cuts the log and applies retention, as far as it is due. It happens by itself, too. */
  maintain(): Promise<void>
  /** Resolves when everything accepted is on disk; nothing is taken from the call on. */
  close(): Promise<void>
}

/**
 * Opens the store in a folder, which is made if missing, and brings back what a former run left.
 *
 * @throws {DataFolderLockedError} when another process has it open
 */
export async function openTsdb(options: TsdbOptions): Promise<Tsdb> {
  const folders = makeStoreFolders(options.dataDir)
  const unlock = lockDataFolder(options.dataDir)
  try {
    return new OpenTsdb(options, folders, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

class OpenTsdb implements Tsdb, TsdbMetricSource {
  readonly head: Head
  readonly blockList: BlockList
  readonly maintenance: Maintenance
  readonly log: WalLog
  readonly writer: WalWriter
  readonly replaySeconds: number
  walCorruptions = 0
  readonly options: TsdbOptions
  readonly #folders: StoreFolders
  readonly #logger: Logger
  readonly #unlock: () => void
  readonly #streams = new Map<string, SampleStream>()
  readonly #readerSlots = new Set<number>()
  #observeSync: (seconds: number) => void = () => undefined
  #cancelTick: (() => void) | undefined
  #cancelSeal: (() => void) | undefined
  #maintaining: Promise<void> | undefined
  #damageSeen = 0
  #isClosed = false

  constructor(options: TsdbOptions, folders: StoreFolders, unlock: () => void) {
    const startedAt = performance.now()
    this.options = options
    this.#folders = folders
    this.#logger = options.logger
    this.#unlock = unlock
    removeLeftovers(folders.dataDir)
    const maximumBytes = Math.min(options.headMemoryMaxBytes ?? HEAD_MEMORY_BYTES_MAX, HEAD_MEMORY_BYTES_MAX)
    const shared = createKernelMemory({ initialBytes: 4 << 20, maximumBytes })
    const memory = new HeadMemory(shared, maximumBytes)
    this.head = new Head({
      memory,
      kernels: rowKernels(instantiateKernels(shared)),
      windowMs: options.blockDurationMs ?? BLOCK_DURATION_MS,
      onClosed: () => this.#sealSoon(),
    })
    this.blockList = new BlockList(folders.dataDir, memory, options.logger)
    this.blockList.load()
    this.head.minValidMs = this.blockList.maxTimeMs
    const checkpointMinValidMs = this.#loadCheckpoint()
    let files = new Map<number, number>()
    const replayed = replayLog(this.head, folders.wal, {
      quarantineFolder: folders.quarantine,
      logger: options.logger,
      beforeRows: () => {
        files = this.#loadChunks()
      },
    })
    this.head.minValidMs = Math.max(this.head.minValidMs, checkpointMinValidMs)
    this.walCorruptions += replayed.damagedRanges
    this.writer = new WalWriter({
      memory,
      folder: folders.wal,
      clock: options.clock,
      logger: options.logger,
      firstSegment: replayed.nextSegment,
      segmentBytesMax: options.walSegmentBytesMax ?? WAL_SEGMENT_BYTES_MAX,
      onSync: (seconds) => this.#observeSync(seconds),
    })
    this.head.openLog(this.writer)
    this.log = new WalLog(folders.wal, this.writer)
    this.maintenance = new Maintenance({
      head: this.head,
      log: this.log,
      folders,
      clock: options.clock,
      logger: options.logger,
      files,
      slot: this.#takeSlot(),
      checkpointLogBytes: options.checkpointLogBytes ?? CHECKPOINT_LOG_BYTES,
      onBlock: (meta) => this.blockList.add(meta),
    })
    for (const group of this.head.groups.values()) group.closeRows()
    this.replaySeconds = (performance.now() - startedAt) / 1000
    this.#observeSync = registerTsdbMetrics(options.registry, this)
    this.#logStart(replayed)
    this.#scheduleTick()
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
    return new StreamAppender(stream, this.options.clock, this.options.futureMaxMs ?? FUTURE_MAX_MS)
  }

  attachReader(): { handle: ReaderHandle; detach(): void } {
    this.#checkOpen()
    const slot = this.#takeSlot()
    const { memory } = this.head.memory
    return {
      handle: { memory, slot, dataDir: this.#folders.dataDir },
      detach: () => {
        this.head.memory.setRoot(Root.READER_SLOTS + slot, 0)
        this.#readerSlots.delete(slot)
      },
    }
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

  maintain(): Promise<void> {
    this.#maintaining ??= this.#maintain().finally(() => {
      this.#maintaining = undefined
    })
    return this.#maintaining
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelTick?.()
    this.#cancelSeal?.()
    await this.#maintaining
    try {
      await this.writer.flushed()
      await this.maintenance.checkpoint()
    } finally {
      await this.maintenance.close()
      try {
        await this.writer.close()
      } finally {
        this.#unlock()
      }
    }
  }

  async #maintain(): Promise<void> {
    if (this.#isClosed) return
    await this.maintenance.run()
    await this.#checkDamage()
    this.blockList.applyRetention({
      retentionMs: this.options.retentionMs,
      retentionBytes: this.options.retentionBytes ?? 0,
      otherBytes: this.options.retentionBytes ? this.log.sizeBytes() : 0,
    })
  }

  /** A reader has met damage: every block is read, the bad ones go aside. */
  async #checkDamage(): Promise<void> {
    const reports = this.head.memory.root(Root.DAMAGE_REPORTS)
    if (reports === this.#damageSeen) return
    this.#damageSeen = reports
    for (const { ulid } of this.blockList.metas) {
      const why = await this.maintenance.verifyBlock(ulid)
      if (why !== undefined) this.blockList.isolate(ulid, why)
    }
  }

  #scheduleTick(): void {
    if (this.#isClosed) return
    this.#cancelTick = this.options.clock.schedule(TICK_INTERVAL_MS, () => {
      this.maintain()
        .catch((err: unknown) => this.#logger.error({ err }, 'maintenance failed, it will be tried again'))
        .finally(() => this.#scheduleTick())
    })
  }

  #sealSoon(): void {
    if (this.#isClosed || this.#cancelSeal !== undefined) return
    this.#cancelSeal = this.options.clock.schedule(SEAL_DELAY_MS, () => {
      this.#cancelSeal = undefined
      void this.maintenance.seal()
    })
  }

  #takeSlot(): number {
    const slot = this.head.memory.takeReaderSlot(this.#readerSlots)
    this.#readerSlots.add(slot)
    return slot
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreClosedError('the store is closed')
  }

  /** @returns from when on samples were still taken */
  #loadCheckpoint(): number {
    const file = this.#folders.checkpoint
    if (!existsSync(file)) return Number.NEGATIVE_INFINITY
    try {
      const checkpoint = decodeCheckpoint(readFileSync(file), file)
      const { catalogue } = this.head
      const templates = checkpoint.templates.map((template) =>
        Uint32Array.from(template, (labels) =>
          labels[0] === LOST_LABELS[0] && labels.length === 2 ? LOST_LABEL_SET : catalogue.labelSet(labels),
        ),
      )
      for (const { id, labels, stream, isSparse, newestMs, template } of checkpoint.groups) {
        const group = this.head.restoreGroup(id, labels, stream, isSparse)
        group.addPositions(templates[template]!)
        group.newestMs = newestMs
      }
      return checkpoint.minValidMs
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      this.walCorruptions++
      this.#logger.error({ err: error }, 'checkpoint is damaged; series that only it knew are lost')
      return Number.NEGATIVE_INFINITY
    }
  }

  /** @returns window start by file number */
  #loadChunks(): Map<number, number> {
    const windows = new Map<number, number>()
    const byGroup = new Map<number, HeadChunk[]>()
    for (const file of listChunkFiles(this.#folders.chunks)) {
      const loaded = loadChunkFile(this.#folders.chunks, file)
      if (loaded === undefined) {
        this.#logger.error({ file }, 'head chunk file has no readable header, it is left alone')
        continue
      }
      // The process ended between the publication of the block and the deletion of the file.
      if (this.#isInBlock(loaded.windowStartMs)) {
        removeChunkFile(this.#folders.chunks, file)
        continue
      }
      for (const range of loaded.damage) {
        this.walCorruptions++
        this.#logger.error({ file, ...range }, 'head chunk file is damaged; that part is passed over')
      }
      windows.set(file, loaded.windowStartMs)
      for (const bytes of loaded.chunks) this.#adoptChunk(bytes, file, byGroup)
    }
    for (const [id, chunks] of byGroup) {
      const group = this.head.groups.get(id)!
      group.adoptChunks(chunks.sort((a, b) => a.minTimeMs - b.minTimeMs))
    }
    return windows
  }

  #isInBlock(windowStartMs: number): boolean {
    const endMs = windowStartMs + this.head.windowMs
    return this.blockList.metas.some((meta) => meta.minTime <= windowStartMs && meta.maxTime >= endMs)
  }

  #adoptChunk(bytes: Uint8Array, file: number, byGroup: Map<number, HeadChunk[]>): void {
    const { header } = new ChunkView(bytes.buffer, bytes.byteOffset)
    const group = this.head.groups.get(header.group)
    if (group === undefined) {
      this.#logger.warn({ group: header.group, file }, 'head chunk of an unknown group is passed over')
      return
    }
    const known = byGroup.get(header.group) ?? []
    // Written twice when the answer to the first writing was lost.
    if (known.some((chunk) => header.minTimeMs <= chunk.maxTimeMs && header.maxTimeMs >= chunk.minTimeMs)) return
    const { memory } = this.head
    const pointer = memory.allocate(bytes.length)
    memory.views.u8.set(bytes, pointer)
    const { rowCount, positionCount, minTimeMs, maxTimeMs } = header
    group.padPositions(positionCount)
    group.newestMs = Math.max(group.newestMs, maxTimeMs)
    byGroup.set(
      header.group,
      known.concat({ pointer, length: bytes.length, rowCount, positionCount, minTimeMs, maxTimeMs, file }),
    )
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
