import type { KernelExports } from './instance.ts'

/** Flags of a row record; the two lowest bits (how the set of positions is written) are the kernel's own. */
export const RowFlag = { SPARSE: 4, KEY: 8 } as const

/** Bytes per column of the `work` area of `rowsToColumns`, and where its summaries lie (times the column count). */
export const ROW_WORK_BYTES = 19
export const ROW_WORK_COUNT_OFFSET = 12
export const ROW_WORK_STALE_OFFSET = 18

/** Bytes of the `slots` area of `rowsToColumns`. */
export const rowSlotsBytes = (positionCount: number): number => 4 * positionCount + 8 * ((positionCount + 63) >>> 6) + 8

/** Most bytes that `rowEncode` can write; for key rows that are not sparse `entryCount` is the number of positions. */
export const rowBytesMax = (entryCount: number, positionCount: number): number =>
  32 + (positionCount >>> 3) + 16 * entryCount

/** Functions over byte offsets of one memory. Columns m, e, k: i64 mantissa, i8 exponent, u8 kind per position. */
export interface RowKernels {
  /**
   * Encodes one row and brings the state columns up to it. `entries`: 16 bytes each (position u32, kind u8, exponent i8, two
   * zero, payload i64), positions ascending. `lastTs`: f64 per position, set to `timestamp` where written; 0 = none.
   * `work`: 8 + 4 × max(entryCount, positionCount) bytes; its first i32 receives the change of the number of present positions.
   * A position that turns ABSENT keeps `previousTimestamp` in its mantissa.
   *
   * @returns bytes written at `out`, -1 when entries are unordered or out of bounds (then nothing has changed)
   */
  rowEncode(
    out: number,
    entries: number,
    entryCount: number,
    m: number,
    e: number,
    k: number,
    positionCount: number,
    flags: number,
    timestamp: number,
    previousTimestamp: number,
    lastTs: number,
    work: number,
  ): number
  /** Brings the state columns up to a row read back. @returns bytes read, -1 when malformed (the state is then undefined) */
  rowApply(
    p: number,
    end: number,
    m: number,
    e: number,
    k: number,
    positionCount: number,
    timestamp: number,
    previousTimestamp: number,
    lastTs: number,
    work: number,
  ): number
  /**
   * Turns rows of one segment into columns of `rowCount` entries. `slots`: i32 per position, its column or -1, in an area of
   * `rowSlotsBytes`, 8-byte aligned. `work`: `ROW_WORK_BYTES` × columnCount, 8-byte aligned; its summaries are of the rows of
   * this call. `previousMs`: NaN where the first row is the segment's key row, else the time of the row before, and `work` as
   * it was left after that row. `outTs`: f64 a row; `outM` i64, `outE` i8, `outK` u8: column after column. With `asF64` outM
   * receives float64 bits and outE is not used.
   *
   * @returns bytes read, -1 when a row is malformed. Reads up to 32 bytes beyond `end`.
   */
  rowsToColumns(
    p: number,
    end: number,
    rowCount: number,
    positionCount: number,
    slots: number,
    columnCount: number,
    work: number,
    previousMs: number,
    outTs: number,
    outM: number,
    outE: number,
    outK: number,
    asF64: number,
  ): number
}

export const rowKernels = (kernels: KernelExports): RowKernels => kernels as unknown as RowKernels
