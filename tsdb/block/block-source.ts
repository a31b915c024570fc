// Hot: decodes columns of blocks. Covered by bench/load/history.ts.
import type { CorruptionError } from '../errors.ts'
import type { Scratch } from '../memory/scratch.ts'
import { CachedPiece } from '../read/cached-piece.ts'
import { type CachedRun, type ColumnBlock, type ColumnCache, columnBlock } from '../read/column-cache.ts'
import { ALL_PLAIN, type GroupSource, lowerBound, type NewestValues, type Piece } from '../read/piece.ts'
import type { BlockGroup } from './block-index.ts'

/** A group of a block, as far as its columns are concerned. */
export interface GroupColumns {
  readonly group: BlockGroup
  /** Names the group among all groups of all blocks. */
  readonly key: string
  /** Copies the packed column of the group's n-th series into scratch memory. @throws {CorruptionError} */
  load(ordinal: number, scratch: Scratch): { start: number; end: number }
  damaged(ordinal: number): CorruptionError
}

/** Matched series of one group of a block. */
export class BlockSource implements GroupSource {
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly #columns: GroupColumns
  readonly #ordinals: Uint32Array
  readonly #scratch: Scratch
  readonly #cache: ColumnCache | undefined

  /** @param cache `undefined` where the query looks at more than the cache would hold */
  constructor(
    columns: GroupColumns,
    selection: { readonly target: number; readonly overlays: Uint32Array; readonly ordinals: Uint32Array },
    scratch: Scratch,
    cache: ColumnCache | undefined,
  ) {
    this.target = selection.target
    this.overlays = selection.overlays
    this.minTimeMs = columns.group.minTimeMs
    this.maxTimeMs = columns.group.maxTimeMs
    this.#columns = columns
    this.#ordinals = selection.ordinals
    this.#scratch = scratch
    this.#cache = cache
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    const range = { minTimeMs, maxTimeMs }
    if (this.#cache === undefined) return [new BlockPiece(this.#columns, this.#scratch, this.#ordinals, range)]
    const { key } = this.#columns
    const run = this.#cache.run<ColumnBlock>(key)
    const piece = new CachedBlockPiece(this.#columns, this.#scratch, this.#ordinals, run, range)
    this.#cache.settle(key, piece.hasDecoded)
    return [piece]
  }

  hasSamples(_index: number, minTimeMs: number, maxTimeMs: number): boolean {
    // A block keeps no column without samples; which part of its time they fill is not looked at.
    return this.maxTimeMs >= minTimeMs && this.minTimeMs <= maxTimeMs
  }

  newest(): NewestValues | undefined {
    return undefined
  }
}

// How much one block of columns may take.
const BLOCK_BYTES_MAX = 8 << 20

/** Columns that are kept for the next query, decoded. */
class CachedBlockPiece extends CachedPiece<ColumnBlock> {
  readonly #columns: GroupColumns

  constructor(
    columns: GroupColumns,
    scratch: Scratch,
    ordinals: Uint32Array,
    run: CachedRun<ColumnBlock>,
    range: { readonly minTimeMs: number; readonly maxTimeMs: number },
  ) {
    const { rowCount } = columns.group
    const columnsMax = Math.max(1, Math.floor(BLOCK_BYTES_MAX / (9 * rowCount)))
    super(scratch, ordinals, run, { rowCount, columnsMax, isKept: true })
    this.#columns = columns
    this.prepare(range.minTimeMs, range.maxTimeMs)
  }

  /** A block does not grow. */
  protected override extend(): void {}

  protected override decode(ordinals: Uint32Array): ColumnBlock {
    const { scratch } = this
    const count = ordinals.length
    const n = this.#columns.group.rowCount
    const block = columnBlock(count, n)
    const mark = scratch.mark()
    const summary = scratch.take(8)
    const values = scratch.take(8 * n)
    const kinds = scratch.take(n)
    this.addTimes(0, unpackTimes(this.#columns, scratch))
    for (let i = 0; i < count; i++) {
      unpackColumn(this.#columns, ordinals[i]!, scratch, { values, kinds, summary })
      const { u8, u32, f64 } = scratch.views
      block.values.set(f64.subarray(values >>> 3, (values >>> 3) + n), i * n)
      block.kinds.set(u8.subarray(kinds, kinds + n), i * n)
      block.counts[i] = u32[summary >>> 2]!
      block.stale[i] = u32[(summary >>> 2) + 1]! === 0 ? 0 : 1
    }
    scratch.release(mark)
    return block
  }
}

/** Columns that are decoded one by one, each time they are looked at. */
class BlockPiece implements Piece {
  readonly timestampsMs: Float64Array
  readonly from: number
  readonly to: number
  readonly #columns: GroupColumns
  readonly #scratch: Scratch
  readonly #ordinals: Uint32Array
  readonly #summary: number

  constructor(
    columns: GroupColumns,
    scratch: Scratch,
    ordinals: Uint32Array,
    range: { readonly minTimeMs: number; readonly maxTimeMs: number },
  ) {
    this.#columns = columns
    this.#scratch = scratch
    this.#ordinals = ordinals
    this.#summary = scratch.take(8)
    this.timestampsMs = unpackTimes(columns, scratch)
    this.from = lowerBound(this.timestampsMs, range.minTimeMs)
    // Times are whole milliseconds.
    this.to = lowerBound(this.timestampsMs, Math.floor(range.maxTimeMs) + 1)
  }

  read(index: number, values: number, kinds: number): number {
    const { group } = this.#columns
    const summary = this.#summary
    unpackColumn(this.#columns, this.#ordinals[index]!, this.#scratch, { values, kinds, summary })
    const { u8, u32 } = this.#scratch.views
    if (this.from > 0) {
      u8.copyWithin(values, values + 8 * this.from, values + 8 * this.to)
      u8.copyWithin(kinds, kinds + this.from, kinds + this.to)
    }
    const present = u32[summary >>> 2]!
    return present === group.rowCount && u32[(summary >>> 2) + 1] === 0 ? ALL_PLAIN : present
  }
}

function unpackTimes(columns: GroupColumns, scratch: Scratch): Float64Array {
  const { timestamps, rowCount } = columns.group
  const mark = scratch.mark()
  const packed = scratch.take(timestamps.length)
  const times = scratch.take(8 * rowCount)
  const kinds = scratch.take(rowCount)
  const summary = scratch.take(8)
  scratch.views.u8.set(timestamps, packed)
  const end = packed + timestamps.length
  const read = scratch.columns.columnUnpack(packed, end, rowCount, times, 0, kinds, summary, 1)
  if (read !== timestamps.length) throw columns.damaged(0)
  const unpacked = scratch.views.f64.slice(times >>> 3, (times >>> 3) + rowCount)
  scratch.release(mark)
  return unpacked
}

/** Unpacks a whole column to places in scratch memory. @throws {CorruptionError} */
function unpackColumn(
  columns: GroupColumns,
  ordinal: number,
  scratch: Scratch,
  { values, kinds, summary }: { values: number; kinds: number; summary: number },
): void {
  const mark = scratch.mark()
  const { start, end } = columns.load(ordinal, scratch)
  const { rowCount } = columns.group
  const read = scratch.columns.columnUnpack(start, end, rowCount, values, 0, kinds, summary, 1)
  scratch.release(mark)
  if (read !== end - start) throw columns.damaged(ordinal)
}
