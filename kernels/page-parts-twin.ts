import { LOCKSTEP_TABLE_BYTES } from './lockstep.ts'
import type { PagePartsKernel } from './page-parts.ts'

/** The same in plain TypeScript. Its hash is another one: it must only be equal for equal bytes. */
export function twinPageParts(memory: WebAssembly.Memory): PagePartsKernel {
  const bytesAt = (at: number, length: number): Buffer => Buffer.from(memory.buffer, at, length)
  const linesOf = (table: number, lineCount: number): { gap: number; value: number }[] =>
    Array.from({ length: lineCount }, (_, i) => {
      const row = bytesAt(table + i * LOCKSTEP_TABLE_BYTES, LOCKSTEP_TABLE_BYTES)
      return { gap: row.readUInt32LE(0), value: row.readUInt8(4) }
    })
  const write = (out: number, pieces: readonly Buffer[]): number => Buffer.concat(pieces).copy(bytesAt(out, 1 << 20))
  return {
    takeGaps(page, pageLength, table, lineCount, out) {
      const pieces: Buffer[] = []
      let p = page
      for (const { gap, value } of linesOf(table, lineCount)) {
        pieces.push(bytesAt(p, gap))
        p += gap + value
      }
      return write(out, [...pieces, bytesAt(p, page + pageLength - p)])
    },
    takeValues(page, table, lineCount, out) {
      const pieces: Buffer[] = []
      let p = page
      for (const { gap, value } of linesOf(table, lineCount)) {
        pieces.push(bytesAt(p + gap, value))
        p += gap + value
      }
      return write(out, pieces)
    },
    join(gaps, gapsLength, values, table, lineCount, out) {
      const pieces: Buffer[] = []
      let g = gaps
      let v = values
      for (const { gap, value } of linesOf(table, lineCount)) {
        pieces.push(bytesAt(g, gap), bytesAt(v, value))
        g += gap
        v += value
      }
      return write(out, [...pieces, bytesAt(g, gaps + gapsLength - g)])
    },
    hash: (at, length) => bytesAt(at, length).reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, length),
    equal: (a, b, length) => bytesAt(a, length).equals(bytesAt(b, length)),
  }
}
