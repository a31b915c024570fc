// Hot. Covered by bench/micro/row.bench.ts and bench/micro/column.bench.ts.
import { SampleKind, type TimeRange } from '../../model/index.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { GroupFlag, stateColumns } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import { ChunkPiece } from './chunk-piece.ts'
import type { ColumnBlock, ColumnCache } from './column-cache.ts'
import { reachOf } from './group-reach.ts'
import { fillNewest, HeadNewest } from './head-newest.ts'
import type { GroupSnapshot, PieceSnapshot } from './head-snapshot.ts'
import type { GroupSource, NewestValues, Piece } from './piece.ts'
import { type RowBlock, RowsPiece } from './rows-piece.ts'

const { ABSENT } = SampleKind

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
  readonly #cache: ColumnCache | undefined

  /** @param cache `undefined` where the query looks at more than the cache would hold */
  constructor(
    views: MemoryViews,
    scratch: Scratch,
    cache: ColumnCache | undefined,
    group: GroupSnapshot,
    selection: { target: number; overlays: Uint32Array; positions: Uint32Array },
  ) {
    this.#views = views
    this.#scratch = scratch
    this.#cache = cache
    this.#group = group
    this.target = selection.target
    this.overlays = selection.overlays
    this.#positions = selection.positions
    const { minTimeMs, maxTimeMs } = reachOf(group)
    this.minTimeMs = minTimeMs
    this.maxTimeMs = maxTimeMs
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    const range = { minTimeMs, maxTimeMs }
    const { chunks, pending, open } = this.#group
    const opened: Piece[] = []
    for (const piece of chunks) if (overlaps(piece, range)) opened.push(this.#openChunk(piece, range))
    for (const piece of pending) if (overlaps(piece, range)) opened.push(this.#openRows(piece, range))
    if (open !== undefined && overlaps(open, range)) opened.push(this.#openRows(open, range))
    return opened
  }

  hasSamples(index: number, minTimeMs: number, maxTimeMs: number): boolean {
    const position = this.#positions[index]!
    const group = this.#group
    if (group.openRows > 0 && group.newestMs >= minTimeMs && group.newestMs <= maxTimeMs) {
      const { k, lastTs } = stateColumns(group.state, group.stateCapacity, (group.flags & GroupFlag.SPARSE) !== 0)
      // Of a sparse group every position that was ever written holds a kind; its newest time tells.
      const isFresh = lastTs === 0 || this.#views.f64[(lastTs >>> 3) + position]! >= minTimeMs
      if ((this.#views.u8[k + position]! & 3) !== ABSENT && isFresh) return true
    }
    const range = { minTimeMs, maxTimeMs }
    const { chunks, pending, open } = group
    const isInChunk = (piece: PieceSnapshot): boolean =>
      overlaps(piece, range) && new ChunkView(this.#views.u8.buffer, piece.pointer).lengthOf(position) > 0
    const isInRows = (piece: PieceSnapshot): boolean =>
      overlaps(piece, range) && this.#openRows(piece, range).countOf(index) > 0
    return chunks.some(isInChunk) || pending.some(isInRows) || (open !== undefined && isInRows(open))
  }

  newest(maxTimeMs: number): NewestValues | undefined {
    return this.#tellsNewest(maxTimeMs) ? HeadNewest.copy(this.#views, this.#group, this.#positions) : undefined
  }

  fillNewest(range: TimeRange, values: Float64Array, states: Uint8Array): boolean {
    return (
      this.#tellsNewest(range.maxTimeMs) && fillNewest(this.#views, this.#group, this.#positions, range, values, states)
    )
  }

  #tellsNewest(maxTimeMs: number): boolean {
    return (this.#group.flags & GroupFlag.TRUSTED) !== 0 && this.#group.newestMs <= maxTimeMs
  }

  #openChunk(piece: PieceSnapshot, range: { minTimeMs: number; maxTimeMs: number }): ChunkPiece {
    const key = this.#keyOf(piece, 'c')
    const run = this.#cache?.run<ColumnBlock>(key)
    const opened = new ChunkPiece(this.#views, this.#scratch, piece, this.#positions, run, range)
    this.#cache?.settle(key, opened.hasDecoded)
    return opened
  }

  /** Open rows keep their first page and time when they are closed. */
  #openRows(piece: PieceSnapshot, range: { minTimeMs: number; maxTimeMs: number }): RowsPiece {
    const key = this.#keyOf(piece, 'r')
    const run = this.#cache?.run<RowBlock>(key)
    const opened = new RowsPiece(this.#views, this.#scratch, piece, this.#positions, run, range)
    this.#cache?.settle(key, opened.hasDecoded)
    return opened
  }

  /** Made once for as long as the piece stays as it is: spelling out a time takes longer than finding what it names. */
  #keyOf(piece: PieceSnapshot, kind: 'c' | 'r'): string {
    if (piece.key === '') piece.key = `${kind}${this.#group.id}:${piece.pointer}:${piece.minTimeMs}`
    return piece.key
  }
}

const overlaps = (piece: PieceSnapshot, range: TimeRange): boolean =>
  piece.maxTimeMs >= range.minTimeMs && piece.minTimeMs <= range.maxTimeMs
