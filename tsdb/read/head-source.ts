// Hot: decodes open rows and head chunks. Covered by bench/micro/row.bench.ts and bench/micro/column.bench.ts.
import { ROW_WORK_BYTES, ROW_WORK_COUNT_OFFSET, ROW_WORK_STALE_OFFSET } from '../../kernels/index.ts'
import { invariant } from '../../lib/errors.ts'
import { SampleKind, writeStaleNaN } from '../../model/index.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { Group, GroupFlag, PAGE_HEADER_BYTES, Page, stateColumns } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { GroupSnapshot, PieceSnapshot } from './head-snapshot.ts'
import { ALL_PLAIN, type GroupSource, lowerBound, type NewestValues, type Piece } from './piece.ts'

// How much the columns of one pass over the rows may take.
const BATCH_BYTES_MAX = 8 << 20
const COPY_WHOLE_CHUNK_FROM = 8

/** A group of the head as a source of some of its positions. */
export class HeadSource implements GroupSource {
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly #positions: Uint32Array
  readonly #group: GroupSnapshot
  readonly #views: MemoryViews
  readonly #scratch: Scratch

  constructor(
    views: MemoryViews,
    scratch: Scratch,
    group: GroupSnapshot,
    selection: { target: number; overlays: Uint32Array; positions: Uint32Array },
  ) {
    this.#views = views
    this.#scratch = scratch
    this.#group = group
    this.target = selection.target
    this.overlays = selection.overlays
    this.#positions = selection.positions
    this.minTimeMs = (group.chunks[0] ?? group.pending[0])?.minTimeMs ?? group.openMinMs
    this.maxTimeMs = Math.max(
      group.openRows > 0 ? group.newestMs : Number.NEGATIVE_INFINITY,
      (group.pending.at(-1) ?? group.chunks.at(-1))?.maxTimeMs ?? Number.NEGATIVE_INFINITY,
    )
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    return this.#piecesIn(minTimeMs, maxTimeMs).map(({ piece, isChunk }) =>
      isChunk
        ? new ChunkPiece(this.#views, this.#scratch, piece, this.#positions, minTimeMs, maxTimeMs)
        : new RowsPiece(this.#views, this.#scratch, piece, this.#positions, minTimeMs, maxTimeMs),
    )
  }

  hasSamples(index: number, minTimeMs: number, maxTimeMs: number): boolean {
    const position = this.#positions[index]!
    const group = this.#group
    if (group.openRows > 0 && group.newestMs >= minTimeMs && group.newestMs <= maxTimeMs) {
      const { k, lastTs } = stateColumns(group.state, group.stateCapacity, (group.flags & GroupFlag.SPARSE) !== 0)
      // Of a sparse group every position that was ever written holds a kind; its newest time tells.
      const isFresh = lastTs === 0 || this.#views.f64[(lastTs >>> 3) + position]! >= minTimeMs
      if ((this.#views.u8[k + position]! & 3) !== SampleKind.ABSENT && isFresh) return true
    }
    return this.#piecesIn(minTimeMs, maxTimeMs).some(({ piece, isChunk }) => {
      if (isChunk) return new ChunkView(this.#views.u8.buffer, piece.pointer).lengthOf(position) > 0
      const mark = this.#scratch.mark()
      const rows = new RowsPiece(this.#views, this.#scratch, piece, this.#positions, minTimeMs, maxTimeMs)
      const count = rows.countOf(index)
      this.#scratch.release(mark)
      return count > 0
    })
  }

  newest(maxTimeMs: number): NewestValues | undefined {
    const group = this.#group
    if ((group.flags & GroupFlag.TRUSTED) === 0 || group.newestMs > maxTimeMs) return undefined
    return HeadNewest.copy(this.#views, group, this.#positions)
  }

  #piecesIn(minTimeMs: number, maxTimeMs: number): { piece: PieceSnapshot; isChunk: boolean }[] {
    const group = this.#group
    const overlaps = (piece: PieceSnapshot): boolean => piece.maxTimeMs >= minTimeMs && piece.minTimeMs <= maxTimeMs
    const pieces = group.chunks.filter(overlaps).map((piece) => ({ piece, isChunk: true }))
    for (const piece of group.pending) if (overlaps(piece)) pieces.push({ piece, isChunk: false })
    const open: PieceSnapshot = {
      pointer: group.openPage,
      length: 0,
      rowCount: group.openRows,
      positionCount: group.positionCount,
      minTimeMs: group.openMinMs,
      maxTimeMs: group.newestMs,
    }
    if (group.openRows > 0 && overlaps(open)) pieces.push({ piece: open, isChunk: false })
    return pieces
  }
}

/** The last-value columns of a group, copied at a moment when they were those of the snapshot. */
class HeadNewest implements NewestValues {
  readonly #positions: Uint32Array
  readonly #newestMs: number
  readonly #lastMs: Float64Array | undefined
  readonly #mantissas: Uint32Array
  readonly #exponents: Int8Array
  readonly #kinds: Uint8Array

  private constructor(
    group: GroupSnapshot,
    positions: Uint32Array,
    columns: { lastMs: Float64Array | undefined; mantissas: Uint32Array; exponents: Int8Array; kinds: Uint8Array },
  ) {
    this.#positions = positions
    this.#newestMs = group.newestMs
    this.#lastMs = columns.lastMs
    this.#mantissas = columns.mantissas
    this.#exponents = columns.exponents
    this.#kinds = columns.kinds
  }

  /** `undefined` when the writer has moved on since the snapshot. */
  static copy(views: MemoryViews, group: GroupSnapshot, positions: Uint32Array): HeadNewest | undefined {
    const isCurrent = (): boolean =>
      Atomics.add(views.u32, group.words + Group.STATE_VERSION, 0) === group.stateVersion &&
      (group.stateVersion & 1) === 0
    if (!isCurrent()) return undefined
    const n = group.positionCount
    const { m, lastTs, e, k } = stateColumns(group.state, group.stateCapacity, (group.flags & GroupFlag.SPARSE) !== 0)
    const columns = {
      lastMs: lastTs === 0 ? undefined : views.f64.slice(lastTs >>> 3, (lastTs >>> 3) + n),
      mantissas: views.u32.slice(m >>> 2, (m >>> 2) + 2 * n),
      exponents: new Int8Array(views.u8.slice(e, e + n).buffer),
      kinds: views.u8.slice(k, k + n),
    }
    return isCurrent() ? new HeadNewest(group, positions, columns) : undefined
  }

  timeOf(index: number, minTimeMs: number): number {
    const position = this.#positions[index]!
    if (this.#lastMs !== undefined) return this.#lastMs[position]!
    if (this.#kinds[position] !== SampleKind.ABSENT) return this.#newestMs
    // The place of the mantissa holds the time of the last sample before it went absent, 0 if there was none: a bound.
    const high = this.#mantissas[2 * position + 1]! | 0
    const boundMs = high * 2 ** 32 + this.#mantissas[2 * position]!
    return boundMs < minTimeMs ? Number.NEGATIVE_INFINITY : Number.NaN
  }

  valueOf(index: number, into: Float64Array): boolean {
    const position = this.#positions[index]!
    const kind = this.#kinds[position]! & 3
    const low = this.#mantissas[2 * position]!
    const high = this.#mantissas[2 * position + 1]!
    if (kind === SampleKind.STALE) writeStaleNaN(into, 0)
    else if (kind === SampleKind.RAW) new Uint32Array(into.buffer, into.byteOffset, 2).set([low, high])
    else {
      const exponent = this.#exponents[position]!
      const mantissa = (high | 0) * 2 ** 32 + low
      const power = POWERS[Math.abs(exponent)]!
      into[0] = exponent > 0 ? mantissa / power : mantissa * power
    }
    return kind === SampleKind.STALE
  }
}

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/** Cuts a timestamp column to the queried range. */
function cut(timestampsMs: Float64Array, minTimeMs: number, maxTimeMs: number): { from: number; to: number } {
  // Times are whole milliseconds.
  return { from: lowerBound(timestampsMs, minTimeMs), to: lowerBound(timestampsMs, Math.floor(maxTimeMs) + 1) }
}

/** Rows that are not sealed: decoded for many positions in one pass. */
class RowsPiece implements Piece {
  readonly timestampsMs: Float64Array
  readonly from: number
  readonly to: number
  readonly #scratch: Scratch
  readonly #positions: Uint32Array
  readonly #rowCount: number
  readonly #positionCount: number
  readonly #rows: number
  readonly #rowsEnd: number
  readonly #batchSize: number
  readonly #slots: number
  readonly #work: number
  readonly #outTs: number
  readonly #outM: number
  readonly #outK: number
  #batchFrom = -1

  constructor(
    views: MemoryViews,
    scratch: Scratch,
    piece: PieceSnapshot,
    positions: Uint32Array,
    minTimeMs: number,
    maxTimeMs: number,
  ) {
    this.#scratch = scratch
    this.#positions = positions
    this.#rowCount = piece.rowCount
    this.#positionCount = piece.positionCount
    const { start, end } = copyRows(views, scratch, piece.pointer, piece.rowCount)
    this.#rows = start
    this.#rowsEnd = end
    const n = piece.rowCount
    this.#batchSize = Math.max(1, Math.min(positions.length, Math.floor(BATCH_BYTES_MAX / (9 * n))))
    this.#slots = scratch.take(4 * piece.positionCount)
    this.#work = scratch.take(this.#batchSize * ROW_WORK_BYTES)
    this.#outTs = scratch.take(8 * n)
    this.#outM = scratch.take(8 * n * this.#batchSize)
    this.#outK = scratch.take(n * this.#batchSize)
    this.#decode(0)
    this.timestampsMs = scratch.views.f64.slice(this.#outTs >>> 3, (this.#outTs >>> 3) + n)
    const { from, to } = cut(this.timestampsMs, minTimeMs, maxTimeMs)
    this.from = from
    this.to = to
  }

  read(index: number, values: number, kinds: number): number {
    const slot = this.#slotOf(index)
    const n = this.#rowCount
    const { u8 } = this.#scratch.views
    const count = this.countOf(index)
    if (count === 0) return 0
    u8.copyWithin(values, this.#outM + 8 * n * slot, this.#outM + 8 * n * (slot + 1))
    u8.copyWithin(kinds, this.#outK + n * slot, this.#outK + n * (slot + 1))
    const stale = u8[this.#work + ROW_WORK_STALE_OFFSET * this.#batchCount() + slot]!
    return count === n && stale === 0 ? ALL_PLAIN : count
  }

  /** Number of rows that hold a sample. */
  countOf(index: number): number {
    const slot = this.#slotOf(index)
    return this.#scratch.views.u32[((this.#work + ROW_WORK_COUNT_OFFSET * this.#batchCount()) >>> 2) + slot]!
  }

  #batchCount(): number {
    return Math.min(this.#batchSize, this.#positions.length - this.#batchFrom)
  }

  #slotOf(index: number): number {
    const first = index - (index % this.#batchSize)
    if (first !== this.#batchFrom) this.#decode(first)
    return index - first
  }

  #decode(first: number): void {
    this.#batchFrom = first
    const { i32 } = this.#scratch.views
    const slots = this.#slots >>> 2
    i32.fill(-1, slots, slots + this.#positionCount)
    const count = this.#batchCount()
    for (let i = 0; i < count; i++) {
      const position = this.#positions[first + i]!
      if (position < this.#positionCount) i32[slots + position] = i
    }
    const read = this.#scratch.rows.rowsToColumns(
      this.#rows,
      this.#rowsEnd,
      this.#rowCount,
      this.#positionCount,
      this.#slots,
      count,
      this.#work,
      this.#outTs,
      this.#outM,
      0,
      this.#outK,
      1,
    )
    invariant(read >= 0, 'rows in memory decode')
  }
}

/** Copies the rows of a chain of pages into one run of scratch memory. */
export function copyRows(
  views: MemoryViews,
  scratch: Scratch,
  firstPage: number,
  rowCount: number,
): { start: number; end: number } {
  let bytes = 0
  let rows = 0
  for (let page = firstPage >>> 2; rows < rowCount; page = Atomics.load(views.u32, page + Page.NEXT) >>> 2) {
    bytes += Atomics.load(views.u32, page + Page.USED)
    rows += Atomics.load(views.u32, page + Page.ROWS)
  }
  // The last page may grow meanwhile; whole rows behind the counted ones do no harm.
  const start = scratch.take(bytes)
  let at = start
  const end = start + bytes
  for (let page = firstPage; at < end; page = Atomics.load(views.u32, (page >>> 2) + Page.NEXT)) {
    const used = Math.min(Atomics.load(views.u32, (page >>> 2) + Page.USED), end - at)
    scratch.views.u8.set(views.u8.subarray(page + PAGE_HEADER_BYTES, page + PAGE_HEADER_BYTES + used), at)
    at += used
  }
  return { start, end }
}

/** A sealed chunk in head memory. */
class ChunkPiece implements Piece {
  readonly timestampsMs: Float64Array
  readonly from: number
  readonly to: number
  readonly #views: MemoryViews
  readonly #scratch: Scratch
  readonly #positions: Uint32Array
  readonly #chunk: ChunkView
  readonly #rowCount: number
  readonly #summary: number
  /** Difference between a byte's place in head memory and in scratch, when the chunk was copied whole. */
  readonly #shift: number | undefined

  constructor(
    views: MemoryViews,
    scratch: Scratch,
    piece: PieceSnapshot,
    positions: Uint32Array,
    minTimeMs: number,
    maxTimeMs: number,
  ) {
    this.#views = views
    this.#scratch = scratch
    this.#positions = positions
    this.#chunk = new ChunkView(views.u8.buffer, piece.pointer)
    this.#rowCount = piece.rowCount
    this.#summary = scratch.take(8)
    if (positions.length >= COPY_WHOLE_CHUNK_FROM) {
      const copy = scratch.take(piece.length)
      scratch.views.u8.set(views.u8.subarray(piece.pointer, piece.pointer + piece.length), copy)
      this.#shift = copy - piece.pointer
    } else this.#shift = undefined
    const n = piece.rowCount
    const mark = scratch.mark()
    const times = scratch.take(8 * n)
    const kinds = scratch.take(n)
    this.#unpack(this.#chunk.timestampsAt, this.#chunk.timestampsEnd - this.#chunk.timestampsAt, times, kinds)
    this.timestampsMs = scratch.views.f64.slice(times >>> 3, (times >>> 3) + n)
    scratch.release(mark)
    const { from, to } = cut(this.timestampsMs, minTimeMs, maxTimeMs)
    this.from = from
    this.to = to
  }

  read(index: number, values: number, kinds: number): number {
    const position = this.#positions[index]!
    const length = this.#chunk.lengthOf(position)
    if (length === 0) return 0
    this.#unpack(this.#chunk.offsetOf(position), length, values, kinds)
    const { u32 } = this.#scratch.views
    const present = u32[this.#summary >>> 2]!
    return present === this.#rowCount && u32[(this.#summary >>> 2) + 1] === 0 ? ALL_PLAIN : present
  }

  #unpack(at: number, length: number, values: number, kinds: number): void {
    const scratch = this.#scratch
    const mark = scratch.mark()
    let from = at + (this.#shift ?? 0)
    if (this.#shift === undefined) {
      // Copies are several times slower between places of unequal alignment.
      from = scratch.take(length + 8) + (at & 7)
      scratch.views.u8.set(this.#views.u8.subarray(at, at + length), from)
    }
    const read = scratch.columns.columnUnpack(from, from + length, this.#rowCount, values, 0, kinds, this.#summary, 1)
    scratch.release(mark)
    invariant(read === length, 'a chunk in memory decodes')
  }
}
