// Hot: decodes open rows. Covered by bench/micro/row.bench.ts.
import { ROW_WORK_BYTES, ROW_WORK_COUNT_OFFSET, ROW_WORK_STALE_OFFSET, rowSlotsBytes } from '../../kernels/index.ts'
import { invariant } from '../../lib/errors.ts'
import { PAGE_HEADER_BYTES, Page } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { CachedRun, ColumnBlock } from './column-cache.ts'
import { CachedRun as Run } from './column-cache.ts'
import { CachedPiece } from './cached-piece.ts'
import type { PieceSnapshot } from './head-snapshot.ts'

/** Columns of rows, and what it takes to go on where they end. */
export interface RowBlock extends ColumnBlock {
  readonly positions: Uint32Array
  /** `ROW_WORK_BYTES` a column, as the kernel left it. */
  readonly state: Uint8Array
  newestMs: number
  /** Page of the next row, and what of it was read. */
  page: number
  pageRows: number
  pageBytes: number
}

// How much one block of columns may take.
const BLOCK_BYTES_MAX = 8 << 20

/** Rows that are not sealed: decoded once for each position, and later only what has been added. */
export class RowsPiece extends CachedPiece<RowBlock> {
  readonly #views: MemoryViews
  readonly #piece: PieceSnapshot

  /** @param run what is decoded already; `undefined` to keep nothing */
  constructor(
    views: MemoryViews,
    scratch: Scratch,
    piece: PieceSnapshot,
    positions: Uint32Array,
    run: CachedRun<RowBlock> | undefined,
    range: { minTimeMs: number; maxTimeMs: number },
  ) {
    super(scratch, positions, run ?? new Run(), {
      rowCount: piece.rowCount,
      columnsMax: Math.max(1, Math.floor(BLOCK_BYTES_MAX / (9 * piece.rowCount))),
      isKept: run !== undefined,
    })
    this.#views = views
    this.#piece = piece
    this.prepare(range.minTimeMs, range.maxTimeMs)
  }

  protected override decode(positions: Uint32Array): RowBlock {
    const stride = this.#piece.rowCount
    const block: RowBlock = {
      values: new Float64Array(positions.length * stride),
      kinds: new Uint8Array(positions.length * stride),
      stride,
      rowCount: 0,
      counts: new Uint32Array(positions.length),
      stale: new Uint8Array(positions.length),
      positions,
      state: new Uint8Array(positions.length * ROW_WORK_BYTES),
      newestMs: Number.NaN,
      page: this.#piece.pointer,
      pageRows: 0,
      pageBytes: 0,
    }
    this.extend(block)
    return block
  }

  protected override extend(block: RowBlock): void {
    const scratch = this.scratch
    const added = this.#piece.rowCount - block.rowCount
    const { positionCount } = this.#piece
    const { positions } = block
    const count = positions.length
    const mark = scratch.mark()
    const slots = scratch.take(rowSlotsBytes(positionCount))
    const work = scratch.take(count * ROW_WORK_BYTES)
    const times = scratch.take(8 * added)
    const values = scratch.take(8 * added * count)
    const kinds = scratch.take(added * count)
    const rows = copyRows(this.#views, scratch, block, added)
    const { i32, u8, u32, f64 } = scratch.views
    i32.fill(-1, slots >>> 2, (slots >>> 2) + positionCount)
    for (let i = 0; i < count; i++) if (positions[i]! < positionCount) i32[(slots >>> 2) + positions[i]!] = i
    u8.set(block.state, work)
    const { start, end, lastPage, lastPageAt } = rows
    const { newestMs } = block
    const { rowsToColumns } = scratch.rows
    const read = rowsToColumns(
      start,
      end,
      added,
      positionCount,
      slots,
      count,
      work,
      newestMs,
      times,
      values,
      0,
      kinds,
      1,
    )
    invariant(read >= 0, 'rows in memory decode')
    appendColumns(block, scratch, { values, kinds, added })
    block.state.set(u8.subarray(work, work + block.state.length))
    const counts = (work + ROW_WORK_COUNT_OFFSET * count) >>> 2
    const stale = work + ROW_WORK_STALE_OFFSET * count
    for (let i = 0; i < count; i++) {
      block.counts[i]! += u32[counts + i]!
      block.stale[i]! |= u8[stale + i]!
    }
    block.newestMs = f64[(times >>> 3) + added - 1]!
    if (lastPage !== block.page) {
      block.page = lastPage
      block.pageRows = 0
      block.pageBytes = 0
    }
    block.pageRows += rows.lastPageRows
    block.pageBytes += start + read - lastPageAt
    this.addTimes(block.rowCount, f64.subarray(times >>> 3, (times >>> 3) + added))
    block.rowCount += added
    scratch.release(mark)
  }
}

/** Puts new rows behind the rows of each column. */
function appendColumns(
  block: RowBlock,
  scratch: Scratch,
  { values, kinds, added }: { values: number; kinds: number; added: number },
): void {
  const { u8, f64 } = scratch.views
  const count = block.positions.length
  if (block.rowCount === 0) {
    block.values.set(f64.subarray(values >>> 3, (values >>> 3) + added * count))
    block.kinds.set(u8.subarray(kinds, kinds + added * count))
    return
  }
  const needed = block.rowCount + added
  if (needed > block.stride) widen(block, needed + (needed >>> 1))
  for (let i = 0; i < count; i++) {
    const to = i * block.stride + block.rowCount
    const from = (values >>> 3) + i * added
    block.values.set(f64.subarray(from, from + added), to)
    const kindsFrom = kinds + i * added
    for (let row = 0; row < added; row++) block.kinds[to + row] = u8[kindsFrom + row]!
  }
}

function widen(block: RowBlock, stride: number): void {
  const count = block.positions.length
  const values = new Float64Array(count * stride)
  const kinds = new Uint8Array(count * stride)
  for (let i = 0; i < count; i++) {
    const from = i * block.stride
    values.set(block.values.subarray(from, from + block.rowCount), i * stride)
    kinds.set(block.kinds.subarray(from, from + block.rowCount), i * stride)
  }
  block.values = values
  block.kinds = kinds
  block.stride = stride
}

/** Copies rows into one run of scratch memory, from the place on where the last ones ended. */
export function copyRows(
  views: MemoryViews,
  scratch: Scratch,
  from: { readonly page: number; readonly pageRows: number; readonly pageBytes: number },
  rowCount: number,
): { start: number; end: number; lastPage: number; lastPageAt: number; lastPageRows: number } {
  const { u32 } = views
  let bytes = -from.pageBytes
  let rows = -from.pageRows
  for (let page = from.page >>> 2; rows < rowCount; page = Atomics.load(u32, page + Page.NEXT) >>> 2) {
    bytes += Atomics.load(u32, page + Page.USED)
    rows += Atomics.load(u32, page + Page.ROWS)
  }
  // The last page may grow meanwhile; whole rows behind the counted ones do no harm.
  const start = scratch.take(bytes)
  const end = start + bytes
  let at = start
  let page = from.page
  let offset = from.pageBytes
  let rowsBefore = 0
  let pageRows = from.pageRows
  for (;;) {
    const used = Math.min(Atomics.load(u32, (page >>> 2) + Page.USED) - offset, end - at)
    const first = page + PAGE_HEADER_BYTES + offset
    scratch.views.u8.set(views.u8.subarray(first, first + used), at)
    const inPage = Atomics.load(u32, (page >>> 2) + Page.ROWS) - pageRows
    if (rowsBefore + inPage >= rowCount) {
      return { start, end, lastPage: page, lastPageAt: at, lastPageRows: rowCount - rowsBefore }
    }
    rowsBefore += inPage
    at += used
    page = Atomics.load(u32, (page >>> 2) + Page.NEXT)
    offset = 0
    pageRows = 0
  }
}
