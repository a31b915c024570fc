import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Logger } from '../../lib/index.ts'

const SLOT_BYTES = 1000
const EMPTY_BYTE = Uint8Array.of(0)

/** What stands in the file of a query that runs. */
export interface UnfinishedQuery {
  readonly query: string
  readonly timestamp_sec: number
}

/**
 * `queries.active` in the data folder: which queries run, in slots of 1000 bytes (one JSON object each, zero bytes behind it;
 * a slot that begins with a zero byte is free). Whatever ends the process, the file tells the next one what was running.
 */
export class ActiveQueryFile {
  readonly #fd: number
  readonly #logger: Logger
  #hasFailed = false
  readonly #freeSlots: number[] = []
  #slotCount = 0

  private constructor(fd: number, logger: Logger) {
    this.#fd = fd
    this.#logger = logger
  }

  /** Logs what a former process left behind, and starts anew. */
  static open(path: string, logger: Logger): ActiveQueryFile {
    const unfinished = readUnfinished(path)
    if (unfinished.length > 0) {
      logger.warn({ queries: unfinished }, 'these queries did not finish in the last run')
    }
    const fd = openSync(path, 'w+')
    ftruncateSync(fd, 0)
    return new ActiveQueryFile(fd, logger)
  }

  /** Never throws: a query runs whether or not the disk takes this. @returns the slot, for `remove` */
  insert(query: string, nowMs: number): number {
    const slot = this.#freeSlots.pop() ?? this.#slotCount++
    const bytes = Buffer.alloc(SLOT_BYTES)
    bytes.write(recordOf(query, nowMs))
    this.#write(bytes, slot)
    return slot
  }

  remove(slot: number): void {
    this.#write(EMPTY_BYTE, slot)
    this.#freeSlots.push(slot)
  }

  /** The first failure is told, and the first one after it had worked again. */
  #write(bytes: Uint8Array, slot: number): void {
    try {
      writeSync(this.#fd, bytes, 0, bytes.length, slot * SLOT_BYTES)
      this.#hasFailed = false
    } catch (err) {
      if (!this.#hasFailed) this.#logger.warn({ err }, 'the running queries cannot be noted in queries.active')
      this.#hasFailed = true
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** A long query is cut so that its record fits. */
function recordOf(query: string, nowMs: number): string {
  const record = (text: string): string =>
    JSON.stringify({ query: text, timestamp_sec: Math.floor(nowMs / 1000) } satisfies UnfinishedQuery)
  let text = record(query)
  for (let length = SLOT_BYTES; Buffer.byteLength(text) > SLOT_BYTES; length = Math.floor(length * 0.8)) {
    text = record(query.slice(0, length))
  }
  return text
}

function readUnfinished(path: string): UnfinishedQuery[] {
  let content: Buffer
  try {
    content = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const found: UnfinishedQuery[] = []
  for (let at = 0; at < content.length; at += SLOT_BYTES) {
    if (content[at] === 0) continue
    const text = content.toString('utf8', at, at + SLOT_BYTES).replace(/\0.*$/s, '')
    try {
      found.push(JSON.parse(text) as UnfinishedQuery)
    } catch {
      // Torn by a power cut: what can be read of it still helps.
      found.push({ query: text, timestamp_sec: 0 })
    }
  }
  return found
}
