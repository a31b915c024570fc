import type { KernelExports } from './instance.ts'

/** Bytes that `columnPack` may write for n rows, and that it needs as working memory. */
export const columnBytesMax = (rowCount: number): number => 32 + 20 * rowCount
export const columnWorkBytes = (rowCount: number): number => 640 + 42 * rowCount

/** Functions over byte offsets of one memory. Columns m, e, k: i64 mantissa or float64 bits, i8 exponent, u8 kind per row. */
export interface ColumnKernels {
  /**
   * Packs n rows of one series and checks that unpacking gives every bit back. `out`: `columnBytesMax(n)` bytes, `work`:
   * `columnWorkBytes(n)` bytes, 8-byte aligned.
   *
   * @param effort 1 weighs the ways of packing exactly, 0 (the default) in half the time
   * @returns bytes written
   */
  columnPack(m: number, e: number, k: number, n: number, out: number, work: number, effort?: 0 | 1): number
  /**
   * Packs `count` columns of n rows each, one behind the other, with effort 0. `present`: how many samples each holds, u32;
   * nothing is written of a column without. `lengths` receives the bytes of each, u32. `out`: `columnBytesMax(n)` bytes each.
   *
   * @returns bytes written
   */
  columnsPack(
    m: number,
    e: number,
    k: number,
    n: number,
    count: number,
    present: number,
    lengths: number,
    out: number,
    work: number,
  ): number
  /**
   * Unpacks n rows. With `asF64` outM receives float64 bits throughout and outE is not used. `summary`: two u32, rows that
   * hold a sample (staleness markers included), and markers.
   *
   * @returns bytes read, -1 when malformed. Reads up to 32 bytes beyond `end`.
   */
  columnUnpack(
    p: number,
    end: number,
    n: number,
    outM: number,
    outE: number,
    outK: number,
    summary: number,
    asF64: number,
  ): number
}

export const columnKernels = (kernels: KernelExports): ColumnKernels => kernels as unknown as ColumnKernels
