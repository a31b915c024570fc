import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { type Clock, type Logger, RpcClient, startWorker } from '../../lib/index.ts'
import type { BlockMeta } from '../block/meta.ts'
import { removeChunkFile } from '../chunk/head-chunk-file.ts'
import type { Head } from '../head/head.ts'
import { type HeadGroup, type PendingRows, SEGMENT_AGE_MS } from '../head/head-group.ts'
import { Root } from '../memory/layout.ts'
import type { StoreFolders } from '../store-folders.ts'
import { newUlid } from '../ulid.ts'
import type { WalLog } from '../wal/wal-log.ts'
import type {
  BlockAnswer,
  BlockRequest,
  CheckpointRequest,
  MaintenanceData,
  SealAnswer,
  SealRequest,
} from './protocol.ts'

// Groups per message: enough to share one fsync, few enough to keep answers short.
const SEAL_BATCH_GROUPS = 64

// Chunks take far less than rows: beyond this share of the memory rows are sealed early.
const MEMORY_TIGHT_SHARE = 0.8

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

/** Keeps the head small: seals rows into chunks, chunks into blocks, and cuts the log. The work is done in a worker. */
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
  readonly #onBlock: (meta: BlockMeta) => void
  readonly #checkpointLogBytes: number
  readonly #slot: number
  #worker!: Worker
  #rpc!: RpcClient
  #callCount = 0
  readonly #windows = new Map<number, WindowFiles>()
  #nextFile: number
  #sealing: Promise<void> | undefined
  #bytesAtCheckpoint = 0
  #isClosed = false

  constructor(options: {
    head: Head
    log: WalLog
    folders: StoreFolders
    clock: Clock
    logger: Logger
    /** Window starts of the head-chunk files that are there already. */
    files: ReadonlyMap<number, number>
    slot: number
    /** Log written since the last checkpoint that makes another worth its while. */
    checkpointLogBytes: number
    onBlock: (meta: BlockMeta) => void
  }) {
    this.#head = options.head
    this.#log = options.log
    this.#folders = options.folders
    this.#clock = options.clock
    this.#logger = options.logger
    this.#onBlock = options.onBlock
    this.#checkpointLogBytes = options.checkpointLogBytes
    this.#nextFile = Math.max(0, ...options.files.keys()) + 1
    for (const [file, windowStartMs] of options.files) this.#filesOf(windowStartMs, false).all.push(file)
    this.#slot = options.slot
    this.#startWorker()
  }

  /** Seals everything that is closed; resolves when nothing is left. Never rejects: what failed is tried again later. */
  seal(): Promise<void> {
    this.#sealing ??= this.#sealAll()
      .catch((err: unknown) => this.#logger.error({ err }, 'sealing failed, it will be tried again'))
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
      if (group.openRows > 0 && (isTight || nowMs - group.openMinMs >= SEGMENT_AGE_MS)) group.closeRows()
    }
    await this.seal()
    await this.#buildBlocks()
    if (this.#log.bytesWritten - this.#bytesAtCheckpoint >= this.#checkpointLogBytes) await this.checkpoint()
    for (const group of this.#head.groups.values()) this.#head.dropIfDone(group)
    memory.reclaim()
  }

  /** Writes an image of the catalogue and deletes the log that is not needed any more. */
  async checkpoint(): Promise<void> {
    const writtenBefore = this.#log.bytesWritten
    const walSegment = this.#log.rotate()
    const { minValidMs } = this.#head
    const request: CheckpointRequest = { file: this.#folders.checkpoint, walSegment, minValidMs }
    try {
      await this.#call('checkpoint', request)
    } catch (err) {
      this.counts.checkpointsFailed++
      this.#logger.error({ err }, 'checkpoint failed')
      return
    }
    this.counts.checkpoints++
    this.#bytesAtCheckpoint = writtenBefore
    let needed = walSegment
    for (const group of this.#head.groups.values()) needed = Math.min(needed, group.walSegmentNeeded)
    this.#log.truncateBefore(needed)
  }

  /** Reads a block whole. @returns what is wrong with it */
  verifyBlock(ulid: string): Promise<string | undefined> {
    return this.#call('verify', join(this.#folders.dataDir, ulid))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#sealing
    await this.#worker.terminate()
  }

  /** A worker that dies is replaced; what it was asked fails and is tried again in its time. */
  #startWorker(): void {
    const workerData: MaintenanceData = { memory: this.#head.memory.memory, slot: this.#slot }
    const worker = startWorker(new URL('./maintenance-worker.ts', import.meta.url), { workerData })
    worker.unref()
    this.#worker = worker
    this.#rpc = new RpcClient(worker)
    worker.on('exit', (exitCode) => {
      if (this.#isClosed) return
      this.#logger.error({ exitCode }, 'maintenance worker died, another one is started')
      this.#head.memory.setRoot(Root.READER_SLOTS + this.#slot, 0)
      this.#startWorker()
    })
  }

  /** Only a call under way keeps the process from ending. */
  async #call<T>(method: string, params: unknown): Promise<T> {
    const worker = this.#worker
    if (this.#callCount++ === 0) worker.ref()
    try {
      return await this.#rpc.call<T>(method, params)
    } finally {
      if (--this.#callCount === 0) worker.unref()
    }
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
    const { chunks } = await this.#call<SealAnswer>('seal', request)
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

  /** A window becomes a block when the newest sample is half a window beyond its end. */
  async #buildBlocks(): Promise<void> {
    const { windowMs } = this.#head
    const { maxMs } = this.#head.timeRange()
    for (const windowStartMs of [...this.#windows.keys()].sort((a, b) => a - b)) {
      const windowEndMs = windowStartMs + windowMs
      if (this.#isClosed || !(maxMs >= windowEndMs + windowMs / 2)) return
      // In order: what is older than the newest block must be in blocks or chunks.
      if (!(await this.#buildBlock(windowStartMs, windowEndMs))) return
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
    // Sealing failed: the next round tries again.
    if (groups.some((group) => group.pending.some(inWindow))) return false
    const request: BlockRequest = {
      dataDir: this.#folders.dataDir,
      ulid: newUlid(this.#clock.nowMs()),
      minTimeMs: windowStartMs,
      maxTimeMs: windowEndMs,
      groups: groups
        .map((group) => ({ group: group.id, chunks: group.chunks.filter(inWindow).map((chunk) => chunk.pointer) }))
        .filter((group) => group.chunks.length > 0),
    }
    const startedAt = performance.now()
    let meta: BlockAnswer
    try {
      meta = await this.#call<BlockAnswer>('block', request)
    } catch (err) {
      this.counts.compactionsFailed++
      this.#logger.error({ err, windowStartMs }, 'block could not be built, it will be tried again')
      return false
    }
    this.counts.compactions++
    this.counts.compactionSeconds += (performance.now() - startedAt) / 1000
    this.#publishBlock(windowStartMs, meta)
    const durationMs = Math.round(performance.now() - startedAt)
    this.#logger.info({ blockId: meta?.ulid, ...meta?.stats, durationMs }, 'block built')
    return true
  }

  /** In one change for readers the block comes and the chunks go. */
  #publishBlock(windowStartMs: number, meta: BlockAnswer): void {
    const { memory } = this.#head
    const files = this.#windows.get(windowStartMs)?.all ?? []
    this.#windows.delete(windowStartMs)
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
