import { instantiateKernels } from './instance.ts'

/**
 * Takes a scrape page apart into its *gaps*, which targets of one layout have in common, and its values, by the table of
 * `LockstepKernel`: all gaps one behind the other and what follows the last value; all values one behind the other.
 * Addresses are byte offsets in the memory. Everything is followed by at least `LOCKSTEP_PADDING_BYTES` of memory that may be
 * read, and behind what is written that may be overwritten.
 */
export interface PagePartsKernel {
  /** @returns bytes written at `out`: the page's length less its values' */
  takeGaps(page: number, pageLength: number, table: number, lineCount: number, out: number): number
  /** @returns bytes written at `out` */
  takeValues(page: number, table: number, lineCount: number, out: number): number
  /** The page again. @returns its length */
  join(gaps: number, gapsLength: number, values: number, table: number, lineCount: number, out: number): number
  /** Of any bytes; 32 bits. */
  hash(at: number, length: number): number
  equal(a: number, b: number, length: number): boolean
}

export function wasmPageParts(memory: WebAssembly.Memory): PagePartsKernel {
  const { pagePartsGaps, pagePartsValues, pagePartsJoin, pagePartsHash, pagePartsEqual } = instantiateKernels(memory)
  return {
    takeGaps: (page, pageLength, table, lineCount, out) => pagePartsGaps!(page, pageLength, table, lineCount, out),
    takeValues: (page, table, lineCount, out) => pagePartsValues!(page, table, lineCount, out),
    join: (gaps, gapsLength, values, table, lineCount, out) =>
      pagePartsJoin!(gaps, gapsLength, values, table, lineCount, out),
    hash: (at, length) => pagePartsHash!(at, length),
    equal: (a, b, length) => pagePartsEqual!(a, b, length) === 1,
  }
}
