import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../lib/index.ts'
import { StateLogError } from './errors.ts'
import { decodeLog, encodeFrame, type StateRecord } from './frame.ts'

/** A piece of state that lives in the log. Records are idempotent: replaying a later one over an earlier state is safe. */
export interface StatePart {
  /** The kinds of records it understands. */
  readonly kinds: readonly string[]
  /** Called in log order while the log is opened. */
  apply(record: StateRecord): void
  /** Records that rebuild the state as it is now; may be read in pieces while the state changes. */
  snapshot(): Iterable<StateRecord>
}

/** Where state changes go. */
export interface StateLog {
  /** Takes a record for the log; it is durable once a later `commit` resolves. */
  write(record: StateRecord): void
  /** Resolves when everything written so far is on disk. @throws {StateLogError} */
  commit(): Promise<void>
  /** Writes what is left and closes the file. */
  close(): Promise<void>
}

/** For an Alertmanager without a data folder: nothing survives the process. */
export const memoryLog: StateLog = { write: () => {}, commit: async () => {}, close: async () => {} }

const FILE_NAME = /^state-(\d{8})\.log$/
const SNAPSHOT_MIN_BYTES = 1024 * 1024
/** So much is encoded, copied and written at a time. */
const SLICE_BYTES = 256 * 1024
const LAZY_WRITE_DELAY_MS = 1000
/** So much is written at once, whoever may want to commit later: he will have less to wait for. */
const EARLY_WRITE_BYTES = 2 * 1024 * 1024

/**
 * Opens `state-NNNNNNNN.log` in `dir`, replays it into `parts` and keeps it open. The highest number is the truth; each file
 * begins with a snapshot and is replaced by the next when it has grown to three times that.
 *
 * @throws {StateLogError} when the folder cannot be used
 */
export async function openStateLog(dir: string, parts: readonly StatePart[], logger: Logger): Promise<StateLog> {
  try {
    await mkdir(dir, { recursive: true })
    const sequences = await removeAllButNewest(dir)
    const sequence = sequences ?? 1
    const path = pathOf(dir, sequence)
    const bytes = sequences === undefined ? Buffer.alloc(0) : await readFile(path)
    const { records, endOffset, damagedCount } = decodeLog(bytes)
    if (damagedCount > 0) logger.error({ path, damagedCount }, 'Skipped damaged records of the alert state log')
    if (endOffset < bytes.length)
      logger.warn({ path, cutBytes: bytes.length - endOffset }, 'Cut the torn tail of the alert state log')
    replay(records, parts)
    const file = await open(path, 'a')
    if (endOffset < bytes.length) await file.truncate(endOffset)
    await file.datasync()
    await syncDir(dir)
    return new FileStateLog({ dir, sequence, file, sizeBytes: endOffset, parts, logger })
  } catch (cause) {
    throw new StateLogError(`cannot open the alert state log in ${dir}: ${(cause as Error).message}`, { cause })
  }
}

function replay(records: readonly StateRecord[], parts: readonly StatePart[]): void {
  const byKind = new Map(parts.flatMap((part) => part.kinds.map((kind) => [kind, part] as const)))
  // A kind that nobody knows was written by a newer version; the rest is still good.
  for (const record of records) byKind.get(record[0])?.apply(record)
}

const pathOf = (dir: string, sequence: number): string => join(dir, `state-${String(sequence).padStart(8, '0')}.log`)

/** The number of the newest log; older ones are what a crash left behind after their successor was complete. */
async function removeAllButNewest(dir: string): Promise<number | undefined> {
  const names = await readdir(dir)
  const sequences = names.flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []).map(Number)
  const newest = sequences.length > 0 ? Math.max(...sequences) : undefined
  for (const sequence of sequences) if (sequence !== newest) await rm(pathOf(dir, sequence))
  for (const name of names) if (name.endsWith('.log.tmp')) await rm(join(dir, name))
  return newest
}

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

class FileStateLog implements StateLog {
  readonly #dir: string
  readonly #parts: readonly StatePart[]
  readonly #logger: Logger
  #sequence: number
  #file: FileHandle
  #sizeBytes: number
  #snapshotBytes = 0
  #frames: Buffer[] = []
  #frameBytes = 0
  #waiters: Waiter[] = []
  /** Set while a snapshot is being written: what is logged meanwhile and must follow it. */
  #tail: Buffer[] | undefined
  #busy: Promise<void> | undefined
  #lazyTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(fields: {
    dir: string
    sequence: number
    file: FileHandle
    sizeBytes: number
    parts: readonly StatePart[]
    logger: Logger
  }) {
    this.#dir = fields.dir
    this.#parts = fields.parts
    this.#logger = fields.logger
    this.#sequence = fields.sequence
    this.#file = fields.file
    this.#sizeBytes = fields.sizeBytes
  }

  write(record: StateRecord): void {
    if (this.#closed) return
    const frame = encodeFrame(record)
    this.#frames.push(frame)
    this.#frameBytes += frame.length
    this.#tail?.push(frame)
    this.#lazyTimer ??= setTimeout(() => this.#commitUnasked(), LAZY_WRITE_DELAY_MS).unref()
    if (this.#frameBytes < EARLY_WRITE_BYTES || this.#busy !== undefined) return
    // What cannot be written now waits for the next commit, not for each record.
    this.#frameBytes = 0
    this.#commitUnasked()
  }

  commit(): Promise<void> {
    if (this.#closed || (this.#frames.length === 0 && this.#busy === undefined)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#busy ??= this.#drain()
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.commit()
    this.#closed = true
    clearTimeout(this.#lazyTimer)
    await this.#busy
    await this.#file.close()
  }

  #commitUnasked(): void {
    this.commit().catch((err: unknown) => this.#logger.error({ err }, 'Alert state log cannot be written'))
  }

  /** Writes batch after batch until nobody waits; callers that come while a batch is being synced share the next one. */
  async #drain(): Promise<void> {
    do {
      await this.#serveWaiters()
      if (!this.#closed && this.#sizeBytes > 3 * Math.max(this.#snapshotBytes, SNAPSHOT_MIN_BYTES)) await this.#rotate()
    } while (this.#waiters.length > 0)
    // In the same step as the check: a caller that comes later must find that nobody serves any more.
    this.#busy = undefined
  }

  async #serveWaiters(): Promise<void> {
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters
      this.#waiters = []
      clearTimeout(this.#lazyTimer)
      this.#lazyTimer = undefined
      try {
        await this.#writeBatch()
        for (const waiter of waiters) waiter.resolve()
      } catch (cause) {
        const error = new StateLogError(`alert state log: ${(cause as Error).message}`, { cause })
        for (const waiter of waiters) waiter.reject(error)
      }
    }
  }

  async #writeBatch(): Promise<void> {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    this.#frameBytes = 0
    try {
      const writtenBytes = await writeFrames(this.#file, frames)
      await this.#file.datasync()
      this.#sizeBytes += writtenBytes
    } catch (error) {
      // Nothing of it counts: the file goes back to its last whole record and the batch waits for the next commit.
      this.#frames = [...frames, ...this.#frames]
      await this.#file.truncate(this.#sizeBytes).catch(() => {})
      throw error
    }
  }

  /** Starts the next file: the state in slices, so that nothing is held up, then what was logged meanwhile. */
  async #rotate(): Promise<void> {
    const path = pathOf(this.#dir, this.#sequence + 1)
    const temporaryPath = `${path}.tmp`
    this.#tail = []
    try {
      await rm(temporaryPath, { force: true })
      const next = await open(temporaryPath, 'a')
      const snapshotBytes = await this.#writeSnapshot(next)
      await this.#writeBatch()
      // Whoever writes from here on is not in the tail, and waits until the next file is the truth.
      const tail = this.#tail
      this.#tail = undefined
      const tailBytes = await writeFrames(next, tail)
      await next.sync()
      await rename(temporaryPath, path)
      await syncDir(this.#dir)
      await this.#file.close()
      // From here the new file is the truth; frames that arrived since the tail was taken are still in #frames.
      this.#file = next
      await rm(pathOf(this.#dir, this.#sequence))
      this.#sequence++
      this.#snapshotBytes = snapshotBytes
      this.#sizeBytes = snapshotBytes + tailBytes
    } catch (err) {
      this.#logger.error({ err }, 'Alert state snapshot failed; the log goes on growing')
      this.#snapshotBytes = this.#sizeBytes
    } finally {
      this.#tail = undefined
    }
  }

  async #writeSnapshot(file: FileHandle): Promise<number> {
    let writtenBytes = 0
    let slice: Buffer[] = []
    let sliceBytes = 0
    const flush = async (): Promise<void> => {
      writtenBytes += await writeFrames(file, slice)
      slice = []
      sliceBytes = 0
    }
    for (const part of this.#parts) {
      for (const record of part.snapshot()) {
        const frame = encodeFrame(record)
        slice.push(frame)
        sliceBytes += frame.length
        if (sliceBytes < SLICE_BYTES) continue
        await flush()
        // The file so far is still the truth: nobody has to wait for the whole of the next.
        await this.#serveWaiters()
      }
    }
    await flush()
    return writtenBytes
  }
}

/** @returns how many bytes they have */
async function writeFrames(file: FileHandle, frames: readonly Buffer[]): Promise<number> {
  let writtenBytes = 0
  for (let next = 0; next < frames.length; ) {
    const first = next
    for (let bytes = 0; next < frames.length && bytes < SLICE_BYTES; next++) bytes += frames[next]!.length
    const slice = Buffer.concat(frames.slice(first, next))
    await writeAll(file, slice)
    writtenBytes += slice.length
  }
  return writtenBytes
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done)
    done += bytesWritten
  }
}
