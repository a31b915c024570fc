import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Logger } from '../../lib/index.ts'
import { LogWriteError, StoreClosedError } from '../errors.ts'
import { syncFolder } from '../files.ts'
import type { RowLog } from '../head/group-shared.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import {
  BatchMark,
  RECORD_HEADER_BYTES,
  RecordType,
  SEGMENT_HEADER_BYTES,
  sealRecord,
  segmentHeader,
} from './format.ts'

const BUFFER_BYTES = 256 * 1024
const WRITE_INTERVAL_MS = 100
const SYNC_INTERVAL_MS = 1000
const RETRY_INTERVAL_MS = 1000
/** Up to so much is written by the thread that waits for it: another thread would have to wake up for it, and wake this one. */
const DIRECT_BYTES_MAX = 64 * 1024
/** A write that took so long has waited for the disk; for a while no other one may hold up this thread. */
const DIRECT_SLOW_MS = 4
const DIRECT_PAUSE_MS = 10_000

export const segmentName = (segment: number): string => String(segment).padStart(8, '0')

interface LogBuffer {
  readonly pointer: number
  readonly capacity: number
  readonly segment: number
  readonly salt: number
  used: number
  /** Number of the last record in it. */
  lastRecord: number
}

interface Waiter {
  readonly record: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Appends records to the segments of the log. Records are collected in head memory (the kernels write there) and written
 * in groups: every 100 ms, every 256 KiB, or when somebody waits in `flushed`; `fdatasync` follows each second.
 */
export class WalWriter implements RowLog {
  readonly #memory: HeadMemory
  readonly #folder: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #segmentBytesMax: number
  readonly #backlogBytesMax: number
  readonly #onSync: (seconds: number) => void
  #view: DataView
  #segment: number
  #salt = newSalt()
  #segmentBytes = SEGMENT_HEADER_BYTES
  #current: LogBuffer | undefined
  #queue: LogBuffer[] = []
  #spare: LogBuffer[] = []
  #queuedBytes = 0
  #recordsCommitted = 0
  #recordsWritten = 0
  #waiters: Waiter[] = []
  #file: FileHandle | undefined
  #fileSegment = -1
  #fileBytes = 0
  #isDirty = false
  #isSyncing = false
  #directFromMs = 0
  #draining: Promise<void> | undefined
  #cancelWrite: (() => void) | undefined
  #cancelSync: (() => void) | undefined
  #cancelRetry: (() => void) | undefined
  #failure: LogWriteError | undefined
  #isFull = false
  #isClosed = false
  #isInBatch = false
  failedWrites = 0
  bytesWritten = 0

  constructor(options: {
    memory: HeadMemory
    folder: string
    clock: Clock
    logger: Logger
    firstSegment: number
    segmentBytesMax: number
    /** What may wait in memory while the disk refuses writes; beyond it writers get an error. */
    backlogBytesMax: number
    onSync: (seconds: number) => void
  }) {
    this.#memory = options.memory
    this.#folder = options.folder
    this.#clock = options.clock
    this.#logger = options.logger
    this.#segment = options.firstSegment
    this.#segmentBytesMax = options.segmentBytesMax
    this.#backlogBytesMax = options.backlogBytesMax
    this.#onSync = options.onSync
    this.#view = new DataView(options.memory.views.u8.buffer)
  }

  get segment(): number {
    return this.#segment
  }

  /** What the last write failed with, until one succeeds. */
  get failure(): LogWriteError | undefined {
    return this.#failure
  }

  /** @throws {LogWriteError} when the disk has refused writes for too long */
  reserve(bytesMax: number): number {
    if (this.#isClosed) throw new StoreClosedError('the store is closed')
    // The record that ends a batch must find room, whatever becomes of those before it.
    const need = RECORD_HEADER_BYTES + bytesMax + (this.#isInBatch ? RECORD_HEADER_BYTES : 0)
    if (!this.#isInBatch && this.#segmentBytes >= this.#segmentBytesMax) this.rotate()
    let buffer = this.#current
    if (buffer === undefined || buffer.used + need > buffer.capacity) {
      this.#checkBacklog()
      buffer = this.#takeBuffer(need)
      this.#enqueue()
      this.#current = buffer
    }
    return buffer.pointer + buffer.used + RECORD_HEADER_BYTES
  }

  commit(type: number, group: number, aux: number, payloadBytes: number, sequence = 0): void {
    const buffer = this.#current!
    const { u8 } = this.#memory.views
    if (this.#view.byteLength !== u8.byteLength) this.#view = new DataView(u8.buffer)
    const at = buffer.pointer + buffer.used
    sealRecord(u8, this.#view, at, { type, sequence, group, aux, payloadBytes, salt: buffer.salt })
    buffer.used += RECORD_HEADER_BYTES + payloadBytes
    buffer.lastRecord = ++this.#recordsCommitted
    this.#segmentBytes += RECORD_HEADER_BYTES + payloadBytes
    this.#cancelWrite ??= this.#clock.schedule(WRITE_INTERVAL_MS, () => this.#kick())
  }

  /**
   * What `write` appends, without waiting, comes back from a log that ends anywhere as a whole or not at all; it lies in one
   * segment. Where it throws, what it has appended counts as the whole.
   */
  batch(write: () => void): void {
    this.reserve(RECORD_HEADER_BYTES)
    this.commit(RecordType.BATCH, 0, BatchMark.BEGIN, 0)
    this.#isInBatch = true
    try {
      write()
    } finally {
      this.#isInBatch = false
      this.commit(RecordType.BATCH, 0, BatchMark.END, 0)
    }
  }

  /** Appends a record whose payload is an ordinary buffer. */
  append(type: number, group: number, aux: number, payload: Uint8Array): void {
    const at = this.reserve(payload.length)
    this.#memory.views.u8.set(payload, at)
    this.commit(type, group, aux, payload.length)
  }

  /** Starts the next segment and returns its number; everything so far lies in earlier ones. */
  rotate(): number {
    this.#enqueue()
    this.#segment++
    this.#salt = newSalt()
    this.#segmentBytes = SEGMENT_HEADER_BYTES
    return this.#segment
  }

  /** Resolves when everything committed so far is in the file. @throws {LogWriteError} */
  flushed(): Promise<void> {
    if (this.#recordsWritten >= this.#recordsCommitted || this.#writeDirectly()) return Promise.resolve()
    const record = this.#recordsCommitted
    return new Promise<void>((resolve, reject) => {
      this.#waiters.push({ record, resolve, reject })
      this.#kick()
    })
  }

  /**
   * Hands a little to the kernel at once. Not while the file is being synced: the write might wait for that.
   *
   * @returns false: the ordinary way must do it, and tell of what fails
   */
  #writeDirectly(): boolean {
    const buffer = this.#current
    if (buffer === undefined || buffer.used > DIRECT_BYTES_MAX || buffer.segment !== this.#fileSegment) return false
    if (this.#draining !== undefined || this.#isSyncing || this.#failure !== undefined || this.#isClosed) return false
    const startedMs = performance.now()
    if (startedMs < this.#directFromMs) return false
    const bytes = this.#memory.views.u8.subarray(buffer.pointer, buffer.pointer + buffer.used)
    try {
      if (writeSync(this.#file!.fd, bytes, 0, bytes.length, this.#fileBytes) < bytes.length) return false
    } catch {
      // The same bytes go to the same place again.
      return false
    }
    const endedMs = performance.now()
    if (endedMs - startedMs > DIRECT_SLOW_MS) this.#directFromMs = endedMs + DIRECT_PAUSE_MS
    this.#wrote(buffer)
    buffer.used = 0
    return true
  }

  /** Writes and syncs what is left, then closes the file. */
  async close(): Promise<void> {
    try {
      await this.flushed()
    } finally {
      this.#isClosed = true
      this.#cancelWrite?.()
      this.#cancelSync?.()
      this.#cancelRetry?.()
      await this.#draining
      await this.#closeFile()
    }
  }

  #takeBuffer(need: number): LogBuffer {
    const spare = need <= BUFFER_BYTES ? this.#spare.pop() : undefined
    const capacity = spare?.capacity ?? Math.max(BUFFER_BYTES, need)
    const pointer = spare?.pointer ?? this.#memory.allocate(capacity)
    return { pointer, capacity, segment: this.#segment, salt: this.#salt, used: 0, lastRecord: 0 }
  }

  /** Closes the buffer that is being filled. */
  #enqueue(): void {
    const buffer = this.#current
    if (buffer === undefined) return
    this.#current = undefined
    if (buffer.used === 0) this.#giveBack(buffer)
    else {
      this.#queue.push(buffer)
      this.#queuedBytes += buffer.used
      this.#startDrain()
    }
  }

  #kick(): void {
    this.#cancelWrite?.()
    this.#cancelWrite = undefined
    if (this.#queue.length === 0 && this.#writeDirectly()) return this.#settleWaiters()
    this.#enqueue()
    this.#startDrain()
  }

  #startDrain(): void {
    if (this.#queue.length === 0) return
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
      if (this.#failure === undefined) this.#startDrain()
      else if (!this.#isClosed) {
        this.#cancelRetry?.()
        this.#cancelRetry = this.#clock.schedule(RETRY_INTERVAL_MS, () => this.#startDrain())
      }
    })
  }

  async #drain(): Promise<void> {
    for (let buffer = this.#queue[0]; buffer !== undefined; buffer = this.#queue[0]) {
      try {
        await this.#write(buffer)
      } catch (cause) {
        this.#fail(cause)
        return
      }
      if (this.#failure !== undefined) {
        this.#logger.info({ segment: buffer.segment }, 'log is written again; the store takes samples as before')
      }
      this.#failure = undefined
      this.#isFull = false
      this.#queue.shift()
      this.#queuedBytes -= buffer.used
      this.#wrote(buffer)
      this.#giveBack(buffer)
      this.#settleWaiters()
    }
  }

  /** Takes note that a buffer is in the file. */
  #wrote(buffer: LogBuffer): void {
    this.#fileBytes += buffer.used
    this.bytesWritten += buffer.used
    this.#isDirty = true
    this.#recordsWritten = buffer.lastRecord
    this.#cancelSync ??= this.#clock.schedule(SYNC_INTERVAL_MS, () => void this.#sync())
  }

  async #write(buffer: LogBuffer): Promise<void> {
    if (this.#fileSegment !== buffer.segment) await this.#openSegment(buffer)
    const file = this.#file!
    let done = 0
    while (done < buffer.used) {
      const { u8 } = this.#memory.views
      const from = buffer.pointer + done
      const chunk = u8.subarray(from, buffer.pointer + buffer.used)
      const { bytesWritten } = await file.write(chunk, 0, chunk.length, this.#fileBytes + done)
      done += bytesWritten
    }
  }

  async #openSegment(buffer: LogBuffer): Promise<void> {
    await this.#closeFile()
    const file = await open(join(this.#folder, segmentName(buffer.segment)), 'w')
    try {
      const header = segmentHeader(buffer.segment, buffer.salt)
      await file.write(header, 0, header.length, 0)
      await syncFolder(this.#folder)
    } catch (error) {
      await file.close()
      throw error
    }
    this.#file = file
    this.#fileSegment = buffer.segment
    this.#fileBytes = SEGMENT_HEADER_BYTES
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    await this.#sync()
    this.#file = undefined
    this.#fileSegment = -1
    await file.close()
  }

  async #sync(): Promise<void> {
    this.#cancelSync?.()
    this.#cancelSync = undefined
    if (!this.#isDirty || this.#file === undefined) return
    this.#isDirty = false
    this.#isSyncing = true
    const startedAt = performance.now()
    try {
      await this.#file.datasync()
      this.#onSync((performance.now() - startedAt) / 1000)
    } catch (err) {
      // After a failed fsync the kernel may have dropped the pages; the next segment starts clean.
      this.failedWrites++
      this.#logger.error({ err }, 'log cannot be synced')
      this.rotate()
    } finally {
      this.#isSyncing = false
    }
  }

  #fail(cause: unknown): void {
    this.failedWrites++
    const error = new LogWriteError(`the log cannot be written: ${(cause as Error).message}`, { cause })
    if (this.#failure === undefined) {
      this.#logger.error(
        { err: cause, backlogBytesMax: this.#backlogBytesMax },
        'log cannot be written: the store is read-only for batches, scraped rows wait in memory; it is tried again each second',
      )
    }
    this.#failure = error
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  /** @throws {LogWriteError} when too much waits for the disk already */
  #checkBacklog(): void {
    if (this.#failure === undefined || this.#queuedBytes <= this.#backlogBytesMax) return
    if (!this.#isFull) {
      this.#logger.error({ queuedBytes: this.#queuedBytes }, 'no more rows can wait for the log: they are refused, too')
    }
    this.#isFull = true
    throw this.#failure
  }

  #settleWaiters(): void {
    const done = this.#waiters.filter((waiter) => waiter.record <= this.#recordsWritten)
    if (done.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => waiter.record > this.#recordsWritten)
    for (const waiter of done) waiter.resolve()
  }

  #giveBack(buffer: LogBuffer): void {
    if (buffer.capacity === BUFFER_BYTES && this.#spare.length < 4) this.#spare.push(buffer)
    else this.#memory.free(buffer.pointer, buffer.capacity)
  }
}

const newSalt = (): number => randomBytes(4).readUInt32LE(0)
