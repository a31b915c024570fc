import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Logger } from '../../lib/index.ts'
import { AppError } from '../../lib/errors.ts'
import type { Labels, Matcher, SeriesExemplars, TimeRange } from '../../model/index.ts'
import { ByteReader, ByteWriter, readLabels, writeLabels } from '../bytes.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { RecordType } from '../wal/format.ts'
import { listSegments } from '../wal/replay.ts'
import { WalLog } from '../wal/wal-log.ts'
import { readSegment } from '../wal/wal-reader.ts'
import { segmentName, WalWriter } from '../wal/wal-writer.ts'
import { AddResult, ExemplarRing, type TimedExemplar } from './exemplar-ring.ts'

const SEGMENT_BYTES_MAX = 4 << 20
const BACKLOG_BYTES_MAX = 4 << 20

export interface StagedExemplar {
  readonly seriesLabels: Labels
  readonly exemplar: TimedExemplar
}

/** The newest exemplars, in memory, and a log of their own that outlives the process. */
export class ExemplarStore {
  readonly ring: ExemplarRing
  appended = 0
  outOfOrder = 0
  readonly #log: WalLog
  readonly #writer: WalWriter
  readonly #logger: Logger
  /** Last exemplar of each segment, by the number of exemplars added until then. */
  readonly #segmentEnds = new Map<number, number>()
  #added = 0

  /** Brings back what an earlier run left in `folder`, which is made if missing. */
  constructor(options: { folder: string; capacity: number; memory: HeadMemory; clock: Clock; logger: Logger }) {
    mkdirSync(options.folder, { recursive: true })
    this.#logger = options.logger
    this.ring = new ExemplarRing(options.capacity)
    const segments = listSegments(options.folder)
    for (const segment of segments) this.#replay(options.folder, segment)
    this.#writer = new WalWriter({
      ...options,
      firstSegment: (segments.at(-1) ?? 0) + 1,
      segmentBytesMax: SEGMENT_BYTES_MAX,
      backlogBytesMax: BACKLOG_BYTES_MAX,
      onSync: () => undefined,
    })
    this.#log = new WalLog(options.folder, this.#writer)
  }

  /** Whether an exemplar is worth staging: what is old, known or malformed is dropped. */
  accepts(seriesLabels: Labels, exemplar: TimedExemplar): boolean {
    const result = this.ring.check(seriesLabels, exemplar)
    if (result === AddResult.OUT_OF_ORDER) this.outOfOrder++
    return result === AddResult.ADDED
  }

  /** Adds a batch and logs it; `flushed` tells when it is in the file. */
  append(batch: readonly StagedExemplar[]): void {
    const added = batch.filter(({ seriesLabels, exemplar }) => this.#add(seriesLabels, exemplar))
    if (added.length === 0) return
    this.appended += added.length
    try {
      this.#writer.append(RecordType.EXEMPLARS, 0, 0, encodeExemplars(added))
    } catch (err) {
      // They stay readable; the log has said by itself that the disk refuses writes.
      if (!(err instanceof AppError)) throw err
      this.#logger.debug({ err, exemplars: added.length }, 'exemplars are only in memory')
    }
    const { segment } = this.#writer
    if (!this.#segmentEnds.has(segment)) this.#dropSegments()
    this.#segmentEnds.set(segment, this.#added)
  }

  /** Resolves when everything appended so far is in the file, or cannot be written: no sample depends on it. */
  async settled(): Promise<void> {
    try {
      await this.#writer.flushed()
    } catch (err) {
      this.#logger.debug({ err }, 'exemplars are only in memory')
    }
  }

  resize(capacity: number): void {
    if (capacity !== this.ring.capacity) this.ring.resize(capacity)
  }

  select(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): SeriesExemplars[] {
    return this.ring.select(matcherSets, range)
  }

  close(): Promise<void> {
    return this.#writer.close()
  }

  #add(seriesLabels: Labels, exemplar: TimedExemplar): boolean {
    if (this.ring.add(seriesLabels, exemplar) !== AddResult.ADDED) return false
    this.#added++
    return true
  }

  /** Deletes the segments that hold nothing that is still in the ring. */
  #dropSegments(): void {
    const oldest = this.#added - this.ring.count
    let needed = this.#writer.segment
    for (const [segment, end] of this.#segmentEnds) {
      if (end > oldest) needed = Math.min(needed, segment)
      else this.#segmentEnds.delete(segment)
    }
    this.#log.truncateBefore(needed)
  }

  #replay(folder: string, segment: number): void {
    const bytes = readFileSync(join(folder, segmentName(segment)))
    const { damage } = readSegment(bytes, ({ type, payload }) => {
      if (type !== RecordType.EXEMPLARS) return
      try {
        for (const { seriesLabels, exemplar } of decodeExemplars(payload)) this.#add(seriesLabels, exemplar)
      } catch (err) {
        if (!(err instanceof AppError)) throw err
        this.#logger.error({ err, segment }, 'record of exemplars is intact but cannot be read; it is passed over')
      }
    })
    for (const range of damage) this.#logger.error({ segment, ...range }, 'exemplars are damaged; they are passed over')
    this.#segmentEnds.set(segment, this.#added)
  }
}

function encodeExemplars(batch: readonly StagedExemplar[]): Uint8Array {
  const writer = new ByteWriter()
  writer.varint(batch.length)
  for (const { seriesLabels, exemplar } of batch) {
    writeLabels(writer, seriesLabels)
    writer.f64(exemplar.timestampMs)
    writer.f64(exemplar.value)
    writeLabels(writer, exemplar.labels)
  }
  return writer.bytes()
}

function decodeExemplars(payload: Uint8Array): StagedExemplar[] {
  const reader = new ByteReader(payload)
  return Array.from({ length: reader.count(18) }, () => {
    const seriesLabels = readLabels(reader)
    const timestampMs = reader.f64()
    return { seriesLabels, exemplar: { timestampMs, value: reader.f64(), labels: readLabels(reader) } }
  })
}
