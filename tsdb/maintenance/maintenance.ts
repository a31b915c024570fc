import { join } from 'node:path'
import type { Clock, Logger } from '../../lib/index.ts'
import type { DeletionList } from '../block/deletion-list.ts'
import type { Deletion } from '../block/deletions.ts'
import type { MergeRequest, TierRequest } from '../block/merge-request.ts'
import type { BlockMeta } from '../block/meta.ts'
import { removeChunkFile } from '../chunk/head-chunk-file.ts'
import { SealFailedError } from '../errors.ts'
import { FailureLog } from '../failure-log.ts'
import type { Head } from '../head/head.ts'
import type { HeadGroup } from '../head/head-group.ts'
import type { PendingRows } from '../head/pieces.ts'
import type { StoreFolders } from '../store-folders.ts'
import { newUlid } from '../ulid.ts'
import type { WalLog } from '../wal/wal-log.ts'
import type { BlockAnswer, BlockRequest, CheckpointRequest, SealAnswer, SealRequest } from './protocol.ts'
import { HistogramSealer } from './histogram-sealer.ts'
import { LightSealer } from './light-sealer.ts'
import { WorkerHandle } from './worker-handle.ts'

// Groups per message: enough to share one fsync, few enough to keep answers short.
const SEAL_BATCH_GROUPS = 64

// Chunks take far less than rows: beyond this share of the memory rows are sealed early.
const MEMORY_TIGHT_SHARE = 0.8

const Failure = {
  SEAL: 'sealing failed, it will be tried again',
  CHECKPOINT: 'checkpoint failed, it will be tried again',
  HISTOGRAMS: 'histograms could not be sealed, it will be tried again',
  BLOCK: 'block could not be built, it will be tried again',
} as const

/** What happened so far, for the metrics. */
interface MaintenanceCounts {
  compactions: number
  compactionsFailed: number
  compactionSeconds: number
  checkpoints: number
  checkpointsFailed: number
  chunksSealed: number
}

/** Which file takes chunks of a window in this run, and which files hold its chunks. */
interface WindowFiles {
  readonly windowStartMs: number
  readonly current: number
  readonly all: number[]
}

/** Keeps the head small: seals rows into chunks, chunks into blocks, and cuts the log. What takes long is done in a worker. */
export class Maintenance {
  readonly counts: MaintenanceCounts = {
    compactions: 0,
    compactionsFailed: 0,
    compactionSeconds: 0,
    checkpoints: 0,
    checkpointsFailed: 0,
    chunksSealed: 0,
  }
  readonly #head: Head
  readonly #log: WalLog
  readonly #folders: StoreFolders
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #failures: FailureLog
  readonly #deletions: DeletionList
  readonly #onBlock: (meta: BlockMeta) => void
  readonly #checkpointLogBytes: number
  readonly #worker: WorkerHandle
  readonly #lightSealer: LightSealer
  readonly #histograms: HistogramSealer
  readonly #windows = new Map<number, WindowFiles>()
  #nextFile: number
  #sealing: Promise<void> | undefined
  #bytesAtCheckpoint = 0
  /** Ends of windows whose block could not be built. */
  readonly #failedEnds = new Set<number>()
  /** Newest time of the head when late blocks were built last. */
  #lateBlocksMs: number
  #isClosed = false

  constructor(options: {
    head: Head
    log: WalLog
    folders: StoreFolders
    clock: Clock
    logger: Logger
    /** Window starts of the head-chunk files that are there already. */
    files: ReadonlyMap<number, number>
    /** Largest number of a head-chunk file that is there or that a block names. */
    newestFile: number
    slot: number
    /** Log written since the last checkpoint that makes another worth its while. */
    checkpointLogBytes: number
    deletions: DeletionList
    onBlock: (meta: BlockMeta) => void
  }) {
    this.#head = options.head
    this.#log = options.log
    this.#folders = options.folders
    this.#clock = options.clock
    this.#logger = options.logger
    this.#failures = new FailureLog(options.logger, options.clock)
    this.#deletions = options.deletions
    this.#onBlock = options.onBlock
    this.#checkpointLogBytes = options.checkpointLogBytes
    this.#nextFile = Math.max(0, options.newestFile, ...options.files.keys()) + 1
    this.#lateBlocksMs = options.head.newestMs
    for (const [file, windowStartMs] of options.files) this.#filesOf(windowStartMs, false).all.push(file)
    this.#worker = new WorkerHandle(options.head.memory, options.slot, options.logger)
    this.#lightSealer = new LightSealer(options.head.memory.views)
    this.#histograms = new HistogramSealer(options.head, options.folders.histograms, this.#worker)
  }

  /** Seals everything that is closed; resolves when nothing is left. Never rejects: what failed is tried again later. */
  seal(): Promise<void> {
    this.#sealing ??= this.#sealAll()
      .then(() => this.#failures.worked(Failure.SEAL))
      .catch((err: unknown) => this.#failures.failed(Failure.SEAL, { err }))
      .finally(() => {
        this.#sealing = undefined
      })
    return this.#sealing
  }

  /** Closes rows that are old enough, seals, builds blocks of windows that are over, and cuts the log if it has grown. */
  async run(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const { memory } = this.#head
    const isTight = memory.usedBytes > memory.maximumBytes * MEMORY_TIGHT_SHARE
    for (const group of this.#head.groups.values()) {
      // Late rows are old from the start; they wait for company until the next late block.
      const isOld = !group.isLate && group.isOld(nowMs)
      if (group.openRows > 0 && (isTight || isOld)) group.closeRows()
    }
    await this.seal()
    await this.#buildBlocks(isTight)
    this.#histograms.dropBlocked()
    if (this.#log.bytesWritten - this.#bytesAtCheckpoint >= this.#checkpointLogBytes) await this.checkpoint()
    for (const group of this.#head.groups.values()) this.#head.dropIfDone(group)
    memory.reclaim()
  }

  /** Writes an image of the catalogue and deletes the log that is not needed any more. */
  async checkpoint(): Promise<void> {
    const writtenBefore = this.#log.bytesWritten
    const walSegment = this.#log.rotate()
    try {
      await this.#histograms.seal()
    } catch (err) {
      this.counts.checkpointsFailed++
      this.#failures.failed(Failure.HISTOGRAMS, { err })
      return
    }
    const { minValidMs } = this.#head
    const request: CheckpointRequest = { file: this.#folders.checkpoint, walSegment, minValidMs }
    try {
      await this.#worker.call('checkpoint', request)
    } catch (err) {
      this.counts.checkpointsFailed++
      this.#failures.failed(Failure.CHECKPOINT, { err })
      return
    }
    this.counts.checkpoints++
    for (const kind of [Failure.CHECKPOINT, Failure.HISTOGRAMS]) this.#failures.worked(kind)
    this.#bytesAtCheckpoint = writtenBefore
    let needed = walSegment
    for (const group of this.#head.groups.values()) needed = Math.min(needed, group.walSegmentNeeded)
    this.#log.truncateBefore(needed)
  }

  /** Reads a block whole. @returns what is wrong with it */
  verifyBlock(ulid: string): Promise<string | undefined> {
    return this.#worker.call('verify', join(this.#folders.dataDir, ulid))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#sealing
    await this.#worker.close()
  }

  async #sealAll(): Promise<void> {
    for (;;) {
      const batches = this.#nextBatch()
      if (batches.length === 0 || this.#isClosed) return
      for (const [windowStartMs, rows] of batches) await this.#sealBatch(windowStartMs, rows)
    }
  }

  /** The oldest pending rows of up to a batch of groups, by window. */
  #nextBatch(): [number, { group: HeadGroup; rows: PendingRows }[]][] {
    const byWindow = new Map<number, { group: HeadGroup; rows: PendingRows }[]>()
    let count = 0
    for (const group of this.#head.groups.values()) {
      const rows = group.pending[0]
      if (rows === undefined) continue
      const windowStartMs = Math.floor(rows.minTimeMs / this.#head.windowMs) * this.#head.windowMs
      const list = byWindow.get(windowStartMs)
      if (list) list.push({ group, rows })
      else byWindow.set(windowStartMs, [{ group, rows }])
      if (++count === SEAL_BATCH_GROUPS) break
    }
    return [...byWindow]
  }

  async #sealBatch(windowStartMs: number, batch: { group: HeadGroup; rows: PendingRows }[]): Promise<void> {
    // Part of a batch must not outlive a kill that the rest of it does not. A log that fails is no reason to wait.
    await this.#log.flushed().catch(() => undefined)
    const { current: file } = this.#filesOf(windowStartMs, true)
    const request: SealRequest = {
      folder: this.#folders.chunks,
      file,
      windowStartMs,
      groups: batch.map(({ group, rows }) => ({
        group: group.id,
        page: rows.pointer,
        rowCount: rows.rowCount,
        positionCount: rows.positionCount,
      })),
    }
    const { chunks } = this.#lightSealer.isLight(request.groups)
      ? await this.#lightSealer.seal(request)
      : await this.#worker.call<SealAnswer>('seal', request)
    const { memory } = this.#head
    for (const [i, { group, rows }] of batch.entries()) {
      const bytes = chunks[i]
      if (bytes === undefined) {
        group.replacePending(rows, undefined)
        continue
      }
      const pointer = memory.allocate(bytes.length)
      memory.views.u8.set(bytes, pointer)
      const { rowCount, positionCount, minTimeMs, maxTimeMs } = rows
      group.replacePending(rows, {
        pointer,
        length: bytes.length,
        rowCount,
        positionCount,
        minTimeMs,
        maxTimeMs,
        file,
      })
      this.counts.chunksSealed++
    }
    memory.reclaim()
  }

  /**
   * A window becomes a block when the newest sample is half a window beyond its end. What came late for windows that are
   * blocks already becomes further blocks of them: together with the next one, but at least each half window.
   */
  async #buildBlocks(isTight: boolean): Promise<void> {
    const { windowMs, minValidMs, newestMs } = this.#head
    this.#closeLateRows(minValidMs, newestMs, isTight)
    const ends = [...this.#windows.keys()].map((startMs) => startMs + windowMs).sort((a, b) => a - b)
    const due = ends.filter(
      (endMs) => this.#failedEnds.has(endMs) || (endMs > minValidMs && newestMs >= endMs + windowMs / 2),
    )
    for (const endMs of due) {
      // In order: what is older than the newest block must be in blocks or chunks.
      if (this.#isClosed || !(await this.#buildBlock(endMs - windowMs, endMs))) return
    }
    if (due.length === 0 && !isTight && newestMs - this.#lateBlocksMs < windowMs / 2) return
    this.#lateBlocksMs = newestMs
    for (const endMs of ends.filter((end) => end <= minValidMs)) {
      if (this.#isClosed || !(await this.#buildBlock(endMs - windowMs, endMs))) return
    }
  }

  /** Late rows of windows that are over are not waited for by other rows: they are closed when their blocks are due. */
  #closeLateRows(minValidMs: number, newestMs: number, isTight: boolean): void {
    if (!isTight && newestMs - this.#lateBlocksMs < this.#head.windowMs / 2) return
    for (const group of this.#head.groups.values()) {
      if (group.isLate && group.openRows > 0 && group.openMinMs < minValidMs) group.closeRows()
    }
  }

  /** @returns whether the window is done with */
  async #buildBlock(windowStartMs: number, windowEndMs: number): Promise<boolean> {
    // From here on nothing is taken for the window, so that the block will be all of it.
    this.#head.minValidMs = Math.max(this.#head.minValidMs, windowEndMs)
    for (const group of this.#head.groups.values()) {
      if (group.openRows > 0 && group.openMinMs < windowEndMs) group.closeRows()
    }
    await this.seal()
    const inWindow = ({ minTimeMs }: { minTimeMs: number }): boolean =>
      minTimeMs >= windowStartMs && minTimeMs < windowEndMs
    const groups = [...this.#head.groups.values()]
    // Sealing failed: the next round tries again. Late rows may have come meanwhile; they wait for the next block.
    if (groups.some((group) => !group.isLate && group.pending.some(inWindow))) return false
    // What is sealed from now on goes to another file.
    const files = this.#windows.get(windowStartMs)?.all ?? []
    this.#windows.delete(windowStartMs)
    const request = this.#blockRequest(windowStartMs, windowEndMs, files)
    const startedAt = performance.now()
    let meta: BlockAnswer
    try {
      meta = await this.#worker.call<BlockAnswer>('block', request)
    } catch (err) {
      this.counts.compactionsFailed++
      this.#failures.failed(Failure.BLOCK, { err, windowStartMs })
      this.#filesOf(windowStartMs, false).all.push(...files)
      this.#failedEnds.add(windowEndMs)
      return false
    }
    this.#failedEnds.delete(windowEndMs)
    this.#failures.worked(Failure.BLOCK)
    this.counts.compactions++
    this.counts.compactionSeconds += (performance.now() - startedAt) / 1000
    this.#publishBlock(files, meta)
    const durationMs = Math.round(performance.now() - startedAt)
    this.#logger.info({ blockId: meta?.ulid, ...meta?.stats, durationMs }, 'block built')
    return true
  }

  /** All chunks of a window as a block. */
  #blockRequest(windowStartMs: number, windowEndMs: number, headFiles: readonly number[]): BlockRequest {
    const inWindow = ({ minTimeMs }: { minTimeMs: number }): boolean =>
      minTimeMs >= windowStartMs && minTimeMs < windowEndMs
    return {
      dataDir: this.#folders.dataDir,
      ulid: newUlid(this.#clock.nowMs()),
      minTimeMs: windowStartMs,
      maxTimeMs: windowEndMs,
      groups: [...this.#head.groups.values()]
        .map((group) => ({ group: group.id, chunks: group.chunks.filter(inWindow).map((chunk) => chunk.pointer) }))
        .filter((group) => group.chunks.length > 0),
      histograms: this.#histograms.pagesIn(windowStartMs),
      headFiles,
      deletions: this.#deletions.all,
      deletionNumber: this.#deletions.newest,
    }
  }

  /**
   * Writes what the head holds as blocks into another folder; the head stays as it is. Not while `run` is under way.
   *
   * @throws {SealFailedError} when rows could not be sealed: without them it would not be all
   */
  async writeHeadBlocks(dataDir: string): Promise<void> {
    for (const group of this.#head.groups.values()) if (group.openRows > 0) group.closeRows()
    const endMs = this.#head.newestMs + 1
    const groups = [...this.#head.groups.values()]
    const waiting = groups.flatMap((group) => group.pending.map((rows) => ({ group, rows })))
    const isWaiting = (): boolean => waiting.some(({ group, rows }) => group.pending.includes(rows))
    // Twice: the first may be one that was about to end.
    for (let round = 0; round < 2 && isWaiting(); round++) await this.seal()
    if (isWaiting()) throw new SealFailedError('the newest samples could not be written to a file; the log says why')
    for (const windowStartMs of [...this.#windows.keys()].sort((a, b) => a - b)) {
      // A store that takes the block over goes on right behind its newest sample.
      const windowEndMs = Math.min(windowStartMs + this.#head.windowMs, Math.max(endMs, windowStartMs + 1))
      await this.#worker.call<BlockAnswer>('block', { ...this.#blockRequest(windowStartMs, windowEndMs, []), dataDir })
    }
  }

  mergeBlocks(request: MergeRequest): Promise<BlockAnswer> {
    return this.#worker.call('merge', request)
  }

  buildTier(request: TierRequest): Promise<BlockAnswer> {
    return this.#worker.call('tier', request)
  }

  hasDeleted(folder: string, deletions: readonly Deletion[]): Promise<boolean> {
    return this.#worker.call('hasDeleted', { folder, deletions })
  }

  /** In one change for readers the block comes and the chunks go. */
  #publishBlock(files: readonly number[], meta: BlockAnswer): void {
    const { memory } = this.#head
    memory.change(() => {
      if (meta !== undefined) this.#onBlock(meta)
      for (const group of this.#head.groups.values()) for (const file of files) group.dropChunks(file)
    })
    for (const file of files) removeChunkFile(this.#folders.chunks, file)
  }

  #filesOf(windowStartMs: number, isWriting: boolean): WindowFiles {
    let files = this.#windows.get(windowStartMs)
    if (files === undefined) {
      files = { windowStartMs, current: this.#nextFile++, all: [] }
      this.#windows.set(windowStartMs, files)
    }
    if (isWriting && !files.all.includes(files.current)) files.all.push(files.current)
    return files
  }
}
