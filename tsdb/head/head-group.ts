// Hot: one call per scraped target and interval. Covered by bench/micro/row.bench.ts.
import { invariant } from '../../lib/errors.ts'
import { RowFlag, rowBytesMax } from '../../kernels/index.ts'
import { Group, GroupFlag, LOST_LABEL_SET } from '../memory/layout.ts'
import { RecordType } from '../wal/format.ts'
import type { Template } from './catalogue.ts'
import type { GroupShared } from './group-shared.ts'
import { LastValues } from './last-values.ts'
import { type HeadChunk, type PendingRows, type PieceInfo, retirePieces, writePieces } from './pieces.ts'
import { RowPages, retirePages } from './row-pages.ts'
import { type SegmentLimits, segmentLimits } from './segment-limits.ts'

// Streams of many timestamps with few samples each are closed later, so that chunks do not get tiny.
const SPARSE_ROWS_MAX = 4096
const SEGMENT_BYTES_MAX = 4 << 20

/** The series of one target and what has not gone into blocks yet. Lives on the main thread; readers see its record. */
export class HeadGroup {
  readonly id: number
  readonly labelSet: number
  readonly stream: number
  /** Number of its record. */
  readonly slot: number
  readonly isSparse: boolean
  /** Holds samples that came behind newer ones of their series; its rows may lie in windows that are blocks already. */
  readonly isLate: boolean
  /** Whether a writer may still add rows. */
  isOwned: boolean
  newestMs = Number.NEGATIVE_INFINITY
  #newestBeforeReplayMs = Number.NEGATIVE_INFINITY
  pending: PendingRows[] = []
  chunks: HeadChunk[] = []
  positionCount = 0
  template: Template | undefined
  presentCount = 0
  /** Series of a stream that are written here now. */
  homeCount = 0
  openRows = 0
  readonly #shared: GroupShared
  readonly #words: number
  readonly #pages: RowPages
  readonly #last: LastValues
  #openMinMs = 0
  #openSamples = 0
  #openSegment = 0
  #limits: SegmentLimits

  constructor(
    shared: GroupShared,
    options: {
      id: number
      labelSet: number
      stream: number
      isSparse: boolean
      isLate: boolean
      slot: number
      words: number
      isReplayed: boolean
    },
  ) {
    this.#shared = shared
    this.#pages = new RowPages(shared.memory)
    this.id = options.id
    this.labelSet = options.labelSet
    this.stream = options.stream
    this.slot = options.slot
    this.isSparse = options.isSparse
    this.isLate = options.isLate
    this.#words = options.words
    this.#last = new LastValues(shared.memory, options.isSparse)
    this.isOwned = !options.isReplayed
    this.#limits = segmentLimits(this.id, true)
    const { memory } = shared
    memory.beginChange()
    this.#set(Group.LABEL_SET, this.labelSet)
    this.#set(Group.STREAM, this.stream)
    this.#set(Group.ID, this.id)
    const trusted = options.isReplayed ? 0 : GroupFlag.TRUSTED
    const kind = (this.isSparse ? GroupFlag.SPARSE : 0) | (this.isLate ? GroupFlag.LATE : 0)
    this.#set(Group.FLAGS, GroupFlag.LIVE | trusted | kind)
    this.#setTime(Group.NEWEST_TIME, Number.NEGATIVE_INFINITY)
    memory.endChange()
  }

  get openMinMs(): number {
    return this.#openMinMs
  }

  /** Oldest log segment still needed for rows that are not in chunks; +∞ when none is. */
  get walSegmentNeeded(): number {
    const pending = this.pending[0]?.walSegment ?? Number.POSITIVE_INFINITY
    return this.openRows > 0 ? Math.min(pending, this.#openSegment) : pending
  }

  /** Byte offsets of the last-value columns. */
  get state(): { m: number; lastTs: number; e: number; k: number } {
    return this.#last.columns
  }

  /** Adds positions for label-set ids, which start absent. */
  addPositions(labelSets: ArrayLike<number>): void {
    const { memory, catalogue } = this.#shared
    const count = this.positionCount + labelSets.length
    const template = catalogue.extendTemplate(this.template, this.positionCount, labelSets)
    this.template = template
    memory.change(() => {
      if (count > this.#last.capacity) this.#growState(count)
      this.positionCount = count
      this.#set(Group.TEMPLATE_ID, template.id)
      this.#set(Group.TEMPLATE, template.pointer)
      this.#set(Group.POSITION_COUNT, count)
    })
  }

  /** Makes up positions whose labels were lost, so that what follows them keeps its place. */
  padPositions(count: number): void {
    if (count <= this.positionCount) return
    this.addPositions(new Uint32Array(count - this.positionCount).fill(LOST_LABEL_SET))
  }

  labelSetAt(position: number): number {
    return this.#shared.memory.views.u32[(this.template!.pointer >>> 2) + position]!
  }

  /** Encodes a row, logs it and makes it visible. `entries` lie in head memory. `timestampMs` is newer than `newestMs`. */
  writeRow(timestampMs: number, entries: number, entryCount: number): void {
    const { memory, kernels } = this.#shared
    const log = this.#shared.log()
    if (this.openRows > 0 && this.#mustClose(timestampMs)) this.closeRows()
    const isKey = this.openRows === 0
    if (isKey) this.#limits = segmentLimits(this.id, this.#windowOf(timestampMs) !== this.#windowOf(this.newestMs))
    const encodedMax = isKey && !this.isSparse ? this.positionCount : entryCount
    const bytesMax = rowBytesMax(Math.max(encodedMax, entryCount), this.positionCount)
    const work = this.#shared.work(16 + 4 * Math.max(entryCount, this.positionCount))
    const payload = log.reserve(bytesMax)
    const flags = (this.isSparse ? RowFlag.SPARSE : 0) | (isKey ? RowFlag.KEY : 0)
    const { m, lastTs, e, k } = this.state
    const previousMs = this.newestMs === Number.NEGATIVE_INFINITY ? 0 : this.newestMs
    this.#bumpStateVersion()
    const length = kernels.rowEncode(
      payload,
      entries,
      entryCount,
      m,
      e,
      k,
      this.positionCount,
      flags,
      timestampMs,
      previousMs,
      lastTs,
      work,
    )
    if (length < 0) this.#bumpStateVersion()
    invariant(length >= 0, 'row entries are ascending and within the group')
    this.presentCount += memory.views.i32[work >>> 2]!
    if (isKey) this.#openSegment = log.segment
    const sequence = this.openRows
    try {
      this.#appendRow(payload, length, timestampMs, this.isSparse ? entryCount : this.presentCount)
    } catch (error) {
      // No memory for the row. The last values are ahead of the rows now: only a key row may follow.
      this.#bumpStateVersion()
      this.closeRows()
      throw error
    }
    log.commit(RecordType.ROW, this.id, this.positionCount, length, sequence)
  }

  /**
   * Takes a row read back from the log; `payload` lies in head memory.
   *
   * @returns false when it does not decode; rows up to the next key row are then lost
   */
  replayRow(payload: number, length: number, timestampMs: number, walSegment: number): boolean {
    const { kernels, memory } = this.#shared
    const isKey = (memory.views.u8[payload]! & RowFlag.KEY) !== 0
    if (isKey) this.closeRows()
    else if (this.openRows === 0) return false
    const { m, lastTs, e, k } = this.state
    const work = this.#shared.work(16)
    const previousMs = this.newestMs === Number.NEGATIVE_INFINITY ? 0 : this.newestMs
    this.#newestBeforeReplayMs = Math.max(this.#newestBeforeReplayMs, this.newestMs)
    const read = kernels.rowApply(
      payload,
      payload + length,
      m,
      e,
      k,
      this.positionCount,
      timestampMs,
      previousMs,
      lastTs,
      work,
    )
    if (read !== length) return false
    if (isKey) this.#openSegment = walSegment
    this.#bumpStateVersion()
    this.#appendRow(payload, length, timestampMs, 0)
    return true
  }

  /**
   * The log is read. A row that stayed without a chunk, for it held no sample, was read again and may be older than what
   * is in chunks: the next row goes on behind the newest of all.
   */
  endReplay(): void {
    if (this.newestMs >= this.#newestBeforeReplayMs) return this.#trustReplayed()
    this.closeRows()
    this.newestMs = this.#newestBeforeReplayMs
    this.#shared.memory.change(() => this.#setTime(Group.NEWEST_TIME, this.newestMs))
  }

  /**
   * The last values are those of the newest row. What it lacks may have samples in chunks, which nobody has looked up: the end
   * of these is taken for a bound.
   */
  #trustReplayed(): void {
    const sealedMs = this.chunks.reduce((most, { maxTimeMs }) => Math.max(most, maxTimeMs), Number.NEGATIVE_INFINITY)
    if (this.openRows === 0 || this.isSparse || this.isLate || sealedMs >= this.newestMs) return
    const { memory } = this.#shared
    memory.change(() => {
      if (sealedMs !== Number.NEGATIVE_INFINITY) this.#last.raiseBounds(this.positionCount, sealedMs)
      this.#set(Group.FLAGS, this.#get(Group.FLAGS) | GroupFlag.TRUSTED)
    })
  }

  /** Whether a time lies in a chunk, so that the log's row of it is not needed. */
  isSealed(timestampMs: number): boolean {
    return this.chunks.some((chunk) => timestampMs >= chunk.minTimeMs && timestampMs <= chunk.maxTimeMs)
  }

  /** Rows that are not in chunks, oldest first. */
  get rowRuns(): readonly PendingRows[] {
    return this.openRows > 0 ? [...this.pending, this.#openRun()] : this.pending
  }

  #openRun(): PendingRows {
    return {
      pointer: this.#pages.first,
      length: 0,
      rowCount: this.openRows,
      positionCount: this.positionCount,
      minTimeMs: this.#openMinMs,
      maxTimeMs: this.newestMs,
      walSegment: this.#openSegment,
      isSealing: false,
    }
  }

  /** Closes the open rows; they stay readable and wait for their seal. The next row starts from a clean state. */
  closeRows(): void {
    if (this.openRows === 0) return
    const { memory } = this.#shared
    this.pending.push(this.#openRun())
    memory.change(() => {
      this.#publishPieces(Group.PENDING, this.pending)
      this.#set(Group.OPEN_PAGE, 0)
      this.#set(Group.OPEN_ROWS, 0)
    })
    this.openRows = 0
    const { bytes } = this.#pages
    this.#pages.detach()
    this.#openSamples = 0
    this.#shared.onClosed(bytes)
  }

  /** The oldest pending rows have become `chunk` (or nothing, when no position held a sample). */
  replacePending(rows: PendingRows, chunk: HeadChunk | undefined): void {
    const { memory } = this.#shared
    this.pending = this.pending.filter((other) => other.pointer !== rows.pointer)
    if (chunk !== undefined) {
      this.chunks.push(chunk)
      this.chunks.sort((a, b) => a.minTimeMs - b.minTimeMs)
    }
    memory.change(() => {
      this.#publishPieces(Group.PENDING, this.pending)
      if (chunk !== undefined) this.#publishPieces(Group.CHUNKS, this.chunks)
    })
    retirePages(memory, rows.pointer)
  }

  /** Adds chunks found on disk, oldest first. */
  adoptChunks(chunks: readonly HeadChunk[]): void {
    this.chunks.push(...chunks)
    for (const chunk of chunks) this.#shared.onRow(chunk.maxTimeMs)
    this.#shared.memory.change(() => this.#publishPieces(Group.CHUNKS, this.chunks))
  }

  /** Unlinks and retires the chunks of one head-chunk file. */
  dropChunks(file: number): void {
    const gone = this.chunks.filter((chunk) => chunk.file === file)
    if (gone.length === 0) return
    this.chunks = this.chunks.filter((chunk) => chunk.file !== file)
    const { memory } = this.#shared
    memory.change(() => this.#publishPieces(Group.CHUNKS, this.chunks))
    for (const chunk of gone) memory.retire(chunk.pointer, chunk.length)
    if (this.isLate) this.#shared.onLateGone()
  }

  /** Whether nothing is left that a reader could want. */
  get isEmpty(): boolean {
    return this.openRows === 0 && this.pending.length === 0 && this.chunks.length === 0
  }

  /** Gives everything back; the group must be empty and without an owner. */
  drop(): void {
    const { memory, catalogue } = this.#shared
    memory.beginChange()
    this.#set(Group.FLAGS, 0)
    for (const word of [Group.STATE, Group.TEMPLATE, Group.POSITION_COUNT]) this.#set(word, 0)
    memory.endChange()
    this.#last.retire()
    if (this.template !== undefined) catalogue.releaseTemplate(this.template)
    this.template = undefined
    this.positionCount = 0
  }

  /** Whether the open rows have waited for others long enough. */
  isOld(nowMs: number): boolean {
    return nowMs - this.#openMinMs >= this.#limits.ageMs && !this.#isWindowEnding(nowMs)
  }

  #mustClose(timestampMs: number): boolean {
    if (this.#windowOf(timestampMs) !== this.#windowOf(this.#openMinMs)) return true
    if (this.#pages.bytes >= SEGMENT_BYTES_MAX || this.isOld(timestampMs)) return true
    if (this.openRows < this.#limits.rows || this.#isWindowEnding(timestampMs)) return false
    return !this.isSparse || this.openRows >= SPARSE_ROWS_MAX || this.#openSamples >= 60 * this.positionCount
  }

  #windowOf(timestampMs: number): number {
    return Math.floor(timestampMs / this.#shared.windowMs)
  }

  /** Whether less than half as much is still to come as there is: what is left would make a chunk of few rows. */
  #isWindowEnding(timestampMs: number): boolean {
    const endMs = (this.#windowOf(this.#openMinMs) + 1) * this.#shared.windowMs
    return endMs > timestampMs && endMs - timestampMs <= (timestampMs - this.#openMinMs) / 2
  }

  /** Copies a row behind the open ones and publishes it. The state version is odd on entry. */
  #appendRow(payload: number, length: number, timestampMs: number, sampleCount: number): void {
    const { memory } = this.#shared
    this.#pages.append(payload, length)
    this.#openSamples += sampleCount
    if (this.openRows === 0) this.#openMinMs = timestampMs
    this.openRows++
    this.newestMs = timestampMs
    this.#shared.onRow(timestampMs)
    memory.beginChange()
    this.#set(Group.OPEN_PAGE, this.#pages.first)
    this.#set(Group.OPEN_ROWS, this.openRows)
    this.#setTime(Group.NEWEST_TIME, timestampMs)
    this.#setTime(Group.OPEN_MIN_TIME, this.#openMinMs)
    this.#bumpStateVersion()
    memory.endChange()
  }

  #growState(count: number): void {
    this.#last.grow(count, this.positionCount)
    this.#set(Group.STATE, this.#last.block)
    this.#set(Group.STATE_CAPACITY, this.#last.capacity)
  }

  /** Writes a table of pieces and links it; the old one is retired. Inside a change. */
  #publishPieces(word: typeof Group.PENDING | typeof Group.CHUNKS, pieces: readonly PieceInfo[]): void {
    const { memory } = this.#shared
    const old = this.#get(word)
    const oldCount = this.#get(word + 1)
    this.#set(word, writePieces(memory, pieces))
    this.#set(word + 1, pieces.length)
    retirePieces(memory, old, oldCount)
  }

  #bumpStateVersion(): void {
    Atomics.add(this.#shared.memory.views.u32, this.#words + Group.STATE_VERSION, 1)
  }

  #get(word: number): number {
    return this.#shared.memory.views.u32[this.#words + word]!
  }

  #set(word: number, value: number): void {
    this.#shared.memory.views.u32[this.#words + word] = value
  }

  #setTime(word: number, value: number): void {
    this.#shared.memory.views.f64[(this.#words + word) >>> 1] = value
  }
}
