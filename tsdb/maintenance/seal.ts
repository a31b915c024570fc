// Hot: every sample passes here once. Covered by bench/micro/column.bench.ts.
import {
  columnBytesMax,
  columnWorkBytes,
  ROW_WORK_BYTES,
  ROW_WORK_COUNT_OFFSET,
  rowSlotsBytes,
} from '../../kernels/index.ts'
import { invariant } from '../../lib/errors.ts'
import { SampleKind } from '../../model/index.ts'
import { encodeChunk } from '../chunk/head-chunk.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import { copyRows } from '../read/rows-piece.ts'
import type { SealGroup } from './protocol.ts'

const BATCH_BYTES_MAX = 16 << 20

/** Turns the closed rows of a group into a chunk: one timestamp column, one packed column per position. */
export function sealRows(views: MemoryViews, scratch: Scratch, rows: SealGroup): Uint8Array<ArrayBuffer> | undefined {
  const mark = scratch.mark()
  const { rowCount: n, positionCount } = rows
  const { start, end } = copyRows(views, scratch, { page: rows.page, pageRows: 0, pageBytes: 0 }, n)
  // Untouched room costs nothing: columns are packed one behind the other.
  const batchSize = Math.max(1, Math.min(positionCount, Math.floor(BATCH_BYTES_MAX / (10 * n))))
  const slots = scratch.take(rowSlotsBytes(positionCount))
  const work = scratch.take(batchSize * ROW_WORK_BYTES)
  const times = scratch.take(8 * n)
  const m = scratch.take(8 * n * batchSize)
  const e = scratch.take(n * batchSize)
  const k = scratch.take(n * batchSize)
  const packWork = scratch.take(columnWorkBytes(n))
  const packed = scratch.take(batchSize * columnBytesMax(n))
  const lengthsAt = scratch.take(4 * batchSize)
  const lengths = new Uint32Array(positionCount)
  const parts: Uint8Array[] = []
  let sampleCount = 0
  for (let first = 0; first < positionCount; first += batchSize) {
    const count = Math.min(batchSize, positionCount - first)
    const { u8, u32 } = scratch.views
    fillSlots(scratch.views.i32.subarray(slots >>> 2, (slots >>> 2) + positionCount), first, count)
    const read = scratch.rows.rowsToColumns(start, end, n, positionCount, slots, count, work, NaN, times, m, e, k, 0)
    invariant(read >= 0, 'rows in memory decode')
    const present = work + ROW_WORK_COUNT_OFFSET * count
    const bytes = scratch.columns.columnsPack(m, e, k, n, count, present, lengthsAt, packed, packWork)
    sampleCount += sum(u32.subarray(present >>> 2, (present >>> 2) + count))
    lengths.set(u32.subarray(lengthsAt >>> 2, (lengthsAt >>> 2) + count), first)
    parts.push(u8.slice(packed, packed + bytes))
  }
  const { f64 } = scratch.views
  const minTimeMs = f64[times >>> 3]!
  const maxTimeMs = f64[(times >>> 3) + n - 1]!
  const timestamps = packTimes(scratch, times, n)
  scratch.release(mark)
  if (sampleCount === 0) return undefined
  const header = { group: rows.group, rowCount: n, positionCount, sampleCount, minTimeMs, maxTimeMs }
  return encodeChunk(header, timestamps, lengths, parts)
}

// Small functions of their own: V8 compiles the whole function around a loop that runs often.

/** Gives the positions of a batch its columns, others none. */
function fillSlots(slots: Int32Array, first: number, count: number): void {
  slots.fill(-1)
  for (let slot = 0; slot < count; slot++) slots[first + slot] = slot
}

function sum(counts: Uint32Array): number {
  let sum = 0
  for (let i = 0; i < counts.length; i++) sum += counts[i]!
  return sum
}

/** Packs a column of n times (float64 at `times`) as whole numbers. */
export function packTimes(scratch: Scratch, times: number, n: number): Uint8Array {
  const mark = scratch.mark()
  const m = scratch.take(8 * n)
  const e = scratch.take(n)
  const k = scratch.take(n)
  const work = scratch.take(columnWorkBytes(n))
  const out = scratch.take(columnBytesMax(n))
  const { u8, u32, f64, i32 } = scratch.views
  for (let row = 0; row < n; row++) {
    const timeMs = f64[(times >>> 3) + row]!
    u32[(m >>> 2) + 2 * row] = timeMs >>> 0
    i32[(m >>> 2) + 2 * row + 1] = Math.floor(timeMs / 2 ** 32)
  }
  u8.fill(0, e, e + n)
  u8.fill(SampleKind.DECIMAL, k, k + n)
  const length = scratch.columns.columnPack(m, e, k, n, out, work, 1)
  const packed = scratch.views.u8.slice(out, out + length)
  scratch.release(mark)
  return packed
}

/** The same for times that stand outside the scratch. */
export function packTimesOf(scratch: Scratch, timesMs: Float64Array): Uint8Array {
  const mark = scratch.mark()
  const at = scratch.take(8 * timesMs.length)
  scratch.views.f64.set(timesMs, at >>> 3)
  const packed = packTimes(scratch, at, timesMs.length)
  scratch.release(mark)
  return packed
}
