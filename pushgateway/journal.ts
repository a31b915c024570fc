import { copyFile, type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import { AppError, type Logger } from '../lib/index.ts'

/** The change could not be made durable. It may or may not be there after a restart. */
export class JournalError extends AppError {
  override readonly code = 'ERR_PUSH_JOURNAL'
}

// A file is a header of 8 bytes, then records: payload length (u32), CRC-32 of the payload (u32), payload (msgpack); all
// numbers little-endian. `log.N` holds the changes since the state that `snapshot.N` has; a start reads the newest snapshot
// and every log from its number on. A new number is begun when the log has outgrown the snapshot. docs/formats/push-journal.md
const HEADER = Buffer.from('BTPUSH\x00\x02', 'latin1')
const SNAPSHOT_CHUNK_BYTES = 1 << 18
const FRAME_BYTES = 8
const RECORD_BYTES_MAX = 1 << 30
const LOG_BYTES_MIN = 1 << 20
const DISK_IS_FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])

const packr = new Packr({ useRecords: false, moreTypes: true })

interface Waiting {
  readonly frame: Buffer
  resolve(): void
  reject(error: unknown): void
}

export interface JournalOptions<Record> {
  readonly directory: string
  readonly logger: Logger
  /** Called at the start for each record, oldest first, snapshot before log. */
  readonly replay: (record: Record) => void
  /** The state at this moment as records, for a snapshot; taken from it one by one while later changes come in. */
  readonly snapshot: () => Iterable<Record>
}

/**
 * Makes changes durable: an append-only log, group-committed, with a snapshot in between. Whoever appends while a commit is
 * under way shares the next one. A snapshot is written while the next log is in use already.
 */
export class Journal<Record> {
  readonly #directory: string
  readonly #logger: Logger
  readonly #snapshot: () => Iterable<Record>
  #number = 0
  #log: FileHandle | undefined
  #logBytes = 0
  #rotateAtBytes = LOG_BYTES_MIN
  /** After a failed write nobody knows what the file holds; then only a new one is trusted. */
  #mustRotate = false
  #waiting: Waiting[] = []
  #committing: Promise<void> | undefined
  #snapshotting: Promise<void> | undefined

  private constructor(options: JournalOptions<Record>) {
    this.#directory = options.directory
    this.#logger = options.logger
    this.#snapshot = options.snapshot
  }

  static async open<Record>(options: JournalOptions<Record>): Promise<Journal<Record>> {
    await mkdir(options.directory, { recursive: true })
    const journal = new Journal(options)
    const { snapshotNumber, logNumbers } = await listFiles(options.directory)
    const files = [
      ...(snapshotNumber === 0 ? [] : [`snapshot.${snapshotNumber}`]),
      ...logNumbers.map((n) => `log.${n}`),
    ]
    for (const name of files) {
      const { records, badRecords, tornBytes } = readRecords<Record>(await readFile(join(options.directory, name)))
      for (const record of records) options.replay(record)
      if (badRecords > 0) {
        // The file itself is replaced below; a copy stays for whoever wants to know what was lost.
        await copyFile(join(options.directory, name), join(options.directory, `${name}.damaged`))
        options.logger.error({ file: name, badRecords }, 'damaged records skipped')
      }
      if (tornBytes > 0) options.logger.warn({ file: name, tornBytes }, 'unfinished record at the end dropped')
    }
    journal.#number = Math.max(snapshotNumber, ...logNumbers, 0)
    await journal.#startAnew(options.snapshot())
    return journal
  }

  /**
   * Resolves when the record is on disk.
   *
   * @throws {JournalError}
   */
  append(record: Record): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frame: frameOf(record), resolve, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  /**
   * Begins fresh files: no torn tail is left behind, and the next start reads less. A full disk is no reason not to start: the
   * old files stay, pushes are refused until there is room.
   */
  async #startAnew(state: Iterable<Record>): Promise<void> {
    try {
      await this.#beginLog(state)
      await this.#snapshotting
    } catch (err) {
      if (!DISK_IS_FULL.has((err as NodeJS.ErrnoException).code)) throw err
      this.#mustRotate = true
      this.#logger.error({ err }, 'the disk is full, pushes are refused until there is room')
    }
  }

  async close(): Promise<void> {
    await this.#committing
    await this.#snapshotting?.catch(() => undefined) // It has been reported.
    await this.#log?.close()
    this.#log = undefined
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      const isDue = this.#mustRotate || (this.#logBytes >= this.#rotateAtBytes && this.#snapshotting === undefined)
      // Taken here, it holds every change up to this batch and none that comes later: those are for the next log.
      const state = isDue ? this.#snapshot() : undefined
      const isRotated = this.#mustRotate
      try {
        if (isRotated) {
          await this.#beginLog(state!)
          // Where the old log cannot be trusted, the batch is safe in the snapshot only.
          await this.#snapshotting
          this.#mustRotate = false
        } else await this.#write(Buffer.concat(batch.map(({ frame }) => frame)))
        for (const { resolve } of batch) resolve()
        if (!isRotated && state !== undefined && this.#snapshotting === undefined) await this.#beginLog(state)
      } catch (error) {
        this.#mustRotate = true
        this.#logger.error({ err: error }, 'push could not be made durable')
        for (const { reject } of batch) reject(new JournalError('push could not be made durable', { cause: error }))
      }
    }
    this.#committing = undefined
  }

  async #write(bytes: Buffer): Promise<void> {
    const log = this.#log!
    let written = 0
    while (written < bytes.length)
      written += (await log.write(bytes, written, bytes.length - written, this.#logBytes + written)).bytesWritten
    await log.datasync()
    this.#logBytes += bytes.length
  }

  /** From here on changes go into a new log; the state before it is written beside. */
  async #beginLog(state: Iterable<Record>): Promise<void> {
    const number = this.#number + 1
    const log = await open(join(this.#directory, `log.${number}`), 'w')
    try {
      await log.write(HEADER, 0, HEADER.length, 0)
      await log.datasync()
      await this.#syncFolder()
    } catch (error) {
      await log.close()
      throw error
    }
    await this.#log?.close()
    this.#log = log
    this.#number = number
    this.#logBytes = HEADER.length
    this.#snapshotting = this.#writeSnapshot(number, state).finally(() => {
      this.#snapshotting = undefined
    })
    // Whoever needs it waits for it; here only the report of its failure must not be lost.
    this.#snapshotting.catch((error: unknown) => this.#logger.error({ err: error }, 'snapshot of pushes not written'))
  }

  async #writeSnapshot(number: number, state: Iterable<Record>): Promise<void> {
    const path = join(this.#directory, `snapshot.${number}`)
    const file = await open(`${path}.tmp`, 'w')
    let bytesWritten = HEADER.length
    try {
      await file.appendFile(HEADER)
      for (const chunk of chunksOf(state)) {
        await file.appendFile(chunk)
        bytesWritten += chunk.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.tmp`, path)
    await this.#syncFolder()
    this.#rotateAtBytes = Math.max(LOG_BYTES_MIN, bytesWritten * 2)
    await this.#removeOlder(number)
  }

  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return // Folders cannot be synced there.
    const folder = await open(this.#directory, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  async #removeOlder(number: number): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const match = /^(?:log|snapshot)\.(\d+)(\.tmp)?$/.exec(name)
      if (match !== null && (Number(match[1]) < number || match[2] !== undefined))
        await rm(join(this.#directory, name), { force: true })
    }
  }
}

async function listFiles(directory: string): Promise<{ snapshotNumber: number; logNumbers: number[] }> {
  const numbersOf = (names: string[], pattern: RegExp): number[] =>
    names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number)
  const names = await readdir(directory)
  const snapshotNumber = Math.max(0, ...numbersOf(names, /^snapshot\.(\d+)$/))
  const logNumbers = numbersOf(names, /^log\.(\d+)$/).filter((number) => number >= snapshotNumber)
  return { snapshotNumber, logNumbers: logNumbers.sort((a, b) => a - b) }
}

function* chunksOf(records: Iterable<unknown>): Generator<Buffer> {
  let frames: Buffer[] = []
  let bytes = 0
  for (const record of records) {
    const frame = frameOf(record)
    frames.push(frame)
    bytes += frame.length
    if (bytes < SNAPSHOT_CHUNK_BYTES) continue
    yield Buffer.concat(frames)
    frames = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(frames)
}

function frameOf(record: unknown): Buffer {
  const payload = packr.pack(record)
  const frame = Buffer.allocUnsafe(FRAME_BYTES + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt32LE(crc32(payload), 4)
  payload.copy(frame, FRAME_BYTES)
  return frame
}

/** A record that does not match its checksum is skipped; what the last one lacks at the end is torn off. */
function readRecords<Record>(bytes: Buffer): { records: Record[]; badRecords: number; tornBytes: number } {
  const records: Record[] = []
  let badRecords = 0
  if (bytes.length < HEADER.length) return { records, badRecords, tornBytes: bytes.length }
  if (!bytes.subarray(0, HEADER.length).equals(HEADER)) return { records, badRecords: 1, tornBytes: 0 }
  let at = HEADER.length
  while (at + FRAME_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at)
    const end = at + FRAME_BYTES + length
    if (length > RECORD_BYTES_MAX || end > bytes.length) break
    const payload = bytes.subarray(at + FRAME_BYTES, end)
    if (crc32(payload) === bytes.readUInt32LE(at + 4)) records.push(packr.unpack(payload) as Record)
    else badRecords++
    at = end
  }
  return { records, badRecords, tornBytes: bytes.length - at }
}
