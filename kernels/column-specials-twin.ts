import { type ByteCursor, Kind } from './row-bytes.ts'

// Twin of assembly/column-specials.ts. Format: docs/formats/column.md.
// In place of a kind that is never special: a run of equal raw values.
const REPEATED = Kind.DECIMAL

export interface SourceRow {
  readonly kind: number
  /** The float64's bits. */
  readonly bits: bigint
}

export interface SpecialRun {
  readonly from: number
  readonly kind: number
  readonly length: number
  /** Of raw values. */
  readonly bits: readonly bigint[]
}

/** Writes the rows whose kind is not DECIMAL. */
export function writeSpecials(c: ByteCursor, rows: readonly SourceRow[]): void {
  const runs = specialRuns(rows)
  c.writeVarint(BigInt(runs.length))
  let ended = 0
  for (const { from, kind, length, bits } of runs) {
    c.writeVarint(BigInt(from - ended))
    c.writeVarint(BigInt(length * 4 + kind))
    ended = from + length
    for (const raw of bits) c.writeBits64(raw)
  }
}

function specialRuns(rows: readonly SourceRow[]): SpecialRun[] {
  const isSameRaw = (i: number, j: number): boolean =>
    rows[i]?.kind === Kind.RAW && rows[j]?.kind === Kind.RAW && rows[i]!.bits === rows[j]!.bits
  const isRepeated = (i: number): boolean => isSameRaw(i, i - 1) || isSameRaw(i, i + 1)
  const runs: SpecialRun[] = []
  for (let i = 0; i < rows.length; ) {
    const from = i
    const { kind, bits } = rows[i++]!
    if (kind === Kind.DECIMAL) continue
    if (kind === Kind.RAW && isRepeated(from)) {
      while (isSameRaw(from, i)) i++
      runs.push({ from, kind: REPEATED, length: i - from, bits: [bits] })
    } else {
      while (i < rows.length && rows[i]!.kind === kind && (kind !== Kind.RAW || !isRepeated(i))) i++
      runs.push({ from, kind, length: i - from, bits: kind === Kind.RAW ? rows.slice(from, i).map((r) => r.bits) : [] })
    }
  }
  return runs
}

/** `undefined` when they are malformed. */
export function readSpecials(c: ByteCursor, end: number, n: number): SpecialRun[] | undefined {
  const count = c.readVarint()
  const runs: SpecialRun[] = []
  let row = 0n
  for (let i = 0n; i < count; i++) {
    if (c.at >= end) return undefined
    const gap = c.readVarint()
    const word = c.readVarint()
    const code = Number(word & 3n)
    const length = word >> 2n
    if (gap > BigInt(n) || length > BigInt(n)) return undefined
    row += gap
    if (row + length > BigInt(n)) return undefined
    const bits: bigint[] = []
    if (code === Kind.RAW || code === REPEATED) {
      const values = code === REPEATED ? 1 : Number(length)
      if (c.at > end || values * 8 > end - c.at) return undefined
      for (let j = 0; j < values; j++, c.at += 8) bits.push(c.i64(c.at, 0))
    }
    const isRepeated = code === REPEATED
    const rows = isRepeated ? Array<bigint>(Number(length)).fill(bits[0]!) : bits
    runs.push({ from: Number(row), kind: isRepeated ? Kind.RAW : code, length: Number(length), bits: rows })
    row += length
  }
  return runs
}
