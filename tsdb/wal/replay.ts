import { mkdirSync, readdirSync, truncateSync, writeFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { RowFlag } from '../../kernels/index.ts'
import { AppError, type Logger, Turns } from '../../lib/index.ts'
import { readInTurns } from '../files.ts'
import type { Head } from '../head/head.ts'
import type { HeadGroup } from '../head/head-group.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import { BatchMark, decodeGroup, decodeSeries, RECORD_HEADER_BYTES, RecordType, rowTime } from './format.ts'
import { decodeHistograms } from './histogram-record.ts'
import { recordAt, SegmentReader, type WalRecord } from './wal-reader.ts'
import { segmentName } from './wal-writer.ts'

export interface ReplayResult {
  /** Number the next segment gets. */
  readonly nextSegment: number
  readonly rowCount: number
  /** Rows that could not be decoded because a record before them was lost. */
  readonly rowsLost: number
  readonly damagedRanges: number
}

// Of segments that are kept in memory between the two passes; the others are read twice.
const KEPT_BYTES_MAX = 96 << 20

// How much is read back until it is asked whether others are to have their turn: some milliseconds' work at most.
const TURN_BYTES = 64 << 10
const TURN_ROWS = 64

/** Log segments in a folder, ascending. */
export function listSegments(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d{8}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/**
 * Brings the head up to the end of the log: groups and series first, then, after `beforeRows`, the rows. Damage is set aside
 * in `quarantineFolder`, counted and passed over.
 */
export async function replayLog(
  head: Head,
  folder: string,
  options: {
    quarantineFolder: string
    logger: Logger
    /** The checkpoint could not be read: groups may be missing that the log relies on. */
    isCheckpointLost?: boolean
    beforeRows?: () => Promise<void>
    /** When others have theirs. */
    turns?: Turns
  },
): Promise<ReplayResult> {
  const { logger, turns = new Turns() } = options
  const replayer = new Replayer(head, logger)
  replayer.hasDamage = options.isCheckpointLost === true
  const segments = listSegments(folder)
  const paths = segments.map((segment) => join(folder, segmentName(segment)))
  let damagedRanges = 0
  let lastEnd = 0
  let keptBytes = 0
  const readings: SegmentRows[] = []
  for (const [i, path] of paths.entries()) {
    const bytes = await readInTurns(path, turns)
    const batches = new BatchWatch(bytes)
    const rows: number[] = []
    const takeRecord = (record: WalRecord, at: number): void => {
      batches.note(record)
      if (record.type === RecordType.ROW || record.type === RecordType.HISTOGRAMS) rows.push(at)
      replayer.applyCatalogue(record)
    }
    const reader = new SegmentReader(bytes, takeRecord, path)
    while (!reader.readOn(TURN_BYTES)) if (turns.isOver) await turns.next()
    const { repairedCount, damage, validBytes } = reader.reading
    lastEnd = batches.endOf(validBytes, damage)
    const isTorn = validBytes < bytes.length && i < paths.length - 1
    replayer.hasDamage ||= damage.length > 0 || isTorn
    if (repairedCount > 0) {
      damagedRanges += repairedCount
      logger.warn(
        { segment: segments[i], repairedCount },
        'log had single wrong bits; they were turned back, nothing is lost',
      )
    }
    keptBytes += bytes.length
    // Bits are turned back in memory only.
    readings.push({ rows, damage, kept: repairedCount > 0 || keptBytes <= KEPT_BYTES_MAX ? bytes : undefined })
  }
  await options.beforeRows?.()
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1
    const { rows, damage, kept } = readings[i]!
    const bytes = kept ?? (await readInTurns(paths[i]!, turns))
    const end = isLast && lastEnd > 0 ? lastEnd : bytes.length
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let r = 0; r < rows.length && rows[r]! < end; r++) {
      replayer.applyRow(recordAt(bytes, view, rows[r]!), segment)
      if (r % TURN_ROWS === 0 && turns.isOver) await turns.next()
    }
    for (const range of damage) {
      damagedRanges++
      const name = `wal-${segmentName(segment)}-${range.offset}`
      setAside(options.quarantineFolder, name, bytes.subarray(range.offset, range.offset + range.length))
      logger.error({ segment, ...range, keptAs: name }, 'log is damaged; the bytes were set aside')
    }
    if (end < bytes.length) {
      logger.warn({ segment, cutBytes: bytes.length - end }, 'log had a torn tail; it was cut')
      truncateSync(paths[i]!, end)
    }
  }
  for (const group of head.groups.values()) {
    group.endReplay()
    if (turns.isOver) await turns.next()
  }
  const { rowCount, rowsLost } = replayer
  if (rowsLost > 0) logger.error({ rowsLost }, 'rows behind damage in the log could not be used')
  return {
    nextSegment: (segments.at(-1) ?? 0) + 1,
    rowCount,
    rowsLost,
    damagedRanges: damagedRanges + replayer.unreadableCount,
  }
}

/** What the first pass has found in a segment. */
interface SegmentRows {
  /** Where rows begin: they are checked once and taken when all groups are known. */
  readonly rows: readonly number[]
  readonly damage: readonly { readonly offset: number; readonly length: number }[]
  readonly kept: Uint8Array | undefined
}

function setAside(folder: string, name: string, bytes: Uint8Array): void {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  if (!existsSync(file)) writeFileSync(file, bytes)
}

/** Finds where the log ends: before a batch that was still being written. */
class BatchWatch {
  readonly #fileOffset: number
  /** Where the batch begins that has not ended; -1: none. */
  #openAt = -1

  constructor(bytes: Uint8Array) {
    this.#fileOffset = bytes.byteOffset
  }

  note({ type, aux, payload }: WalRecord): void {
    if (type !== RecordType.BATCH) return
    this.#openAt = aux === BatchMark.BEGIN ? payload.byteOffset - this.#fileOffset - RECORD_HEADER_BYTES : -1
  }

  /** Where damage has begun behind its begin, the end may be what was lost: the batch counts as complete then. */
  endOf(validBytes: number, damage: readonly { readonly offset: number }[]): number {
    const isOpen = this.#openAt >= 0 && !damage.some(({ offset }) => offset > this.#openAt)
    return isOpen ? this.#openAt : validBytes
  }
}

/** Payloads of series records whose label sets are known. */
const LAYOUTS_KEPT = 64

/** Where the rows of a group stand while they are read back. */
interface RowProgress {
  timestampMs: number
  nextSequence: number
  /** A row was lost, or did not decode: those up to the next key row build on it. */
  isBroken: boolean
}

class Replayer {
  readonly #head: Head
  readonly #layouts: { readonly payload: Uint8Array; readonly labelSets: Uint32Array }[] = []
  readonly #progress = new Map<number, RowProgress>()
  #staging = { pointer: 0, bytes: 0 }
  rowCount = 0
  rowsLost = 0
  unreadableCount = 0
  /** Records may be missing elsewhere than before the start of the log. */
  hasDamage = false
  readonly #logger: Logger

  constructor(head: Head, logger: Logger) {
    this.#head = head
    this.#logger = logger
  }

  /** Takes groups and their series. */
  applyCatalogue(record: WalRecord): void {
    this.#head.reserveGroupId(record.group)
    const group = this.#head.groups.get(record.group)
    try {
      if (record.type === RecordType.GROUP && group === undefined) {
        const { labels, stream, ...kind } = decodeGroup(record.payload)
        this.#head.restoreGroup(record.group, labels, stream, kind)
      } else if (record.type === RecordType.SERIES && group !== undefined) this.#series(group, record)
    } catch (err) {
      if (!(err instanceof AppError)) throw err
      this.unreadableCount++
      this.hasDamage = true
      this.#logger.error({ err, group: record.group }, 'log record is intact but cannot be read; it is passed over')
    }
  }

  applyRow(record: WalRecord, segment: number): void {
    const group = this.#head.groups.get(record.group)
    if (record.type === RecordType.ROW) this.#row(group, record, segment)
    else if (record.type === RecordType.HISTOGRAMS && group !== undefined) this.#histograms(group, record)
  }

  /** What the next row's histograms hold. A file that holds it, too, does no harm. */
  #histograms(group: HeadGroup, record: WalRecord): void {
    try {
      for (const { position, sample } of decodeHistograms(record.payload)) {
        const { timestampMs, histogram } = sample
        if (position >= group.positionCount || !this.#isWanted(group, timestampMs)) continue
        const labelSet = group.labelSetAt(position)
        if (labelSet !== LOST_LABEL_SET) this.#head.histograms.restore(labelSet, timestampMs, histogram)
      }
    } catch (err) {
      if (!(err instanceof AppError)) throw err
      this.unreadableCount++
      this.#logger.error({ err, group: record.group }, 'histograms in the log cannot be read; they are passed over')
    }
  }

  #isWanted(group: HeadGroup, timestampMs: number): boolean {
    return group.isLate || timestampMs >= this.#head.minValidMs
  }

  #series(group: HeadGroup, record: WalRecord): void {
    const labelSets = this.#labelSetsOf(record.payload)
    group.padPositions(record.aux)
    // What a checkpoint knew already is not added again.
    const added = labelSets.subarray(group.positionCount - record.aux)
    if (added.length > 0) group.addPositions(added)
  }

  /** Targets of one layout log the same bytes: they are decoded once. */
  #labelSetsOf(payload: Uint8Array): Uint32Array {
    const known = this.#layouts.find((layout) => Buffer.compare(layout.payload, payload) === 0)
    if (known !== undefined) return known.labelSets
    const labelSets = Uint32Array.from(decodeSeries(payload), (labels) => this.#head.catalogue.labelSet(labels))
    // The newest first: it is the likeliest to come again.
    // Of the payload a copy: it would hold its whole segment in memory.
    this.#layouts.unshift({ payload: payload.slice(), labelSets })
    if (this.#layouts.length > LAYOUTS_KEPT) this.#layouts.pop()
    return labelSets
  }

  #row(group: HeadGroup | undefined, record: WalRecord, segment: number): void {
    this.rowCount++
    const { payload, aux } = record
    const progress = this.#advance(record)
    // Of a group that was dropped when all it had was in blocks, or of a run whose start was cut off the log when all of it
    // was sealed: nothing is lost unless there is damage.
    if (group === undefined || progress === undefined) {
      if (this.hasDamage) this.rowsLost++
      return
    }
    if (progress.isBroken) {
      this.rowsLost++
      return
    }
    const { timestampMs } = progress
    if (!this.#isWanted(group, timestampMs) || group.isSealed(timestampMs)) return
    group.padPositions(aux)
    if (group.replayRow(this.#stage(payload), payload.length, timestampMs, segment)) return
    progress.isBroken = true
    this.rowsLost++
  }

  /** `undefined` before the first key row of a group. */
  #advance({ group, payload, sequence }: WalRecord): RowProgress | undefined {
    const known = this.#progress.get(group)
    if ((payload[0]! & RowFlag.KEY) !== 0) {
      const progress = { timestampMs: rowTime(payload, true), nextSequence: 1, isBroken: false }
      this.#progress.set(group, progress)
      return progress
    }
    if (known === undefined) return undefined
    known.isBroken ||= known.nextSequence !== sequence
    known.timestampMs += rowTime(payload, false)
    known.nextSequence = (known.nextSequence + 1) & 0xffff
    return known
  }

  /** Copies a payload to where the kernels can read it. */
  #stage(payload: Uint8Array): number {
    const { memory } = this.#head
    const needed = payload.length + 64
    if (this.#staging.bytes < needed) {
      if (this.#staging.bytes > 0) memory.free(this.#staging.pointer, this.#staging.bytes)
      this.#staging = { pointer: memory.allocate(needed * 2), bytes: needed * 2 }
    }
    memory.views.u8.set(payload, this.#staging.pointer)
    return this.#staging.pointer
  }
}
