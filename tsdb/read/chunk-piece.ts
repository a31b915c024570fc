// Hot: decodes head chunks. Covered by bench/micro/column.bench.ts.
import { invariant } from '../../lib/errors.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import { CachedPiece } from './cached-piece.ts'
import { CachedRun, type ColumnBlock, columnBlock } from './column-cache.ts'
import type { PieceSnapshot } from './head-snapshot.ts'

const COPY_WHOLE_CHUNK_FROM = 8
// How much one block of columns may take.
const BLOCK_BYTES_MAX = 8 << 20

/** A sealed chunk in head memory. */
export class ChunkPiece extends CachedPiece<ColumnBlock> {
  readonly #views: MemoryViews
  readonly #piece: PieceSnapshot
  /** Only where something must be decoded, which is rare. */
  #view: ChunkView | undefined

  /** @param run what is decoded already; `undefined` to keep nothing */
  constructor(
    views: MemoryViews,
    scratch: Scratch,
    piece: PieceSnapshot,
    positions: Uint32Array,
    run: CachedRun<ColumnBlock> | undefined,
    range: { minTimeMs: number; maxTimeMs: number },
  ) {
    super(scratch, positions, run ?? new CachedRun(), {
      rowCount: piece.rowCount,
      columnsMax: Math.max(1, Math.floor(BLOCK_BYTES_MAX / (9 * piece.rowCount))),
      isKept: run !== undefined,
    })
    this.#views = views
    this.#piece = piece
    this.prepare(range.minTimeMs, range.maxTimeMs)
  }

  get #chunk(): ChunkView {
    this.#view ??= new ChunkView(this.#views.u8.buffer, this.#piece.pointer)
    return this.#view
  }

  protected override extend(): void {
    invariant(false, 'a chunk does not grow')
  }

  protected override decode(positions: Uint32Array): ColumnBlock {
    const { scratch } = this
    const n = this.#piece.rowCount
    const count = positions.length
    const block = columnBlock(count, n)
    const mark = scratch.mark()
    const values = scratch.take(8 * n * count)
    const kinds = scratch.take(n * count)
    const summary = scratch.take(8)
    const shift = count >= COPY_WHOLE_CHUNK_FROM ? this.#copyChunk() : undefined
    this.#decodeTimes(values, kinds, summary, shift)
    // Of a position without samples the rest stays as it is: nobody looks at it.
    const { u8, u32, f64 } = scratch.views
    let next = 0
    let offset = 0
    for (let i = 0; i < count; i++) {
      const position = positions[i]!
      const length = this.#chunk.lengthOf(position)
      if (length === 0) continue
      // Columns of neighbours lie side by side.
      const at = next === position && i > 0 ? offset : this.#chunk.offsetOf(position)
      next = position + 1
      offset = at + length
      this.#unpack({ at, length, shift }, values + 8 * n * i, kinds + n * i, summary)
      block.counts[i] = u32[summary >>> 2]!
      block.stale[i] = u32[(summary >>> 2) + 1]! === 0 ? 0 : 1
    }
    block.values.set(f64.subarray(values >>> 3, (values >>> 3) + n * count))
    block.kinds.set(u8.subarray(kinds, kinds + n * count))
    scratch.release(mark)
    return block
  }

  #decodeTimes(values: number, kinds: number, summary: number, shift: number | undefined): void {
    const { timestampsAt: at, timestampsEnd } = this.#chunk
    this.#unpack({ at, length: timestampsEnd - at, shift }, values, kinds, summary)
    this.addTimes(0, this.scratch.views.f64.subarray(values >>> 3, (values >>> 3) + this.#piece.rowCount))
  }

  /** Difference between a byte's place in head memory and in scratch. */
  #copyChunk(): number {
    const { pointer, length } = this.#piece
    const copy = this.scratch.take(length)
    this.scratch.views.u8.set(this.#views.u8.subarray(pointer, pointer + length), copy)
    return copy - pointer
  }

  #unpack(
    column: { at: number; length: number; shift: number | undefined },
    values: number,
    kinds: number,
    summary: number,
  ): void {
    const { scratch } = this
    const { at, length, shift } = column
    const mark = scratch.mark()
    let from = at + (shift ?? 0)
    if (shift === undefined) {
      // Copies are several times slower between places of unequal alignment.
      from = scratch.take(length + 8) + (at & 7)
      scratch.views.u8.set(this.#views.u8.subarray(at, at + length), from)
    }
    const n = this.#piece.rowCount
    const read = scratch.columns.columnUnpack(from, from + length, n, values, 0, kinds, summary, 1)
    scratch.release(mark)
    invariant(read === length, 'a chunk in memory decodes')
  }
}
