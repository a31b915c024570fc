// Row records of a target of 507 series, a quarter of which change from row to row: encode (append), apply (replay), and
// decode of 120 rows into columns, of all positions and of 8. Not measured: the log's checksum and file, JavaScript around it.
// ns a sample = 1e9 / (ops/s × samples in the name). Run: npx vitest bench bench/micro/row.bench.ts
import { bench, describe } from 'vitest'
import {
  createKernelMemory,
  createRowTwin,
  instantiateKernels,
  KERNEL_RESERVED_BYTES,
  RowFlag,
  rowKernels,
} from '../../kernels/index.ts'

const POSITIONS = 507
const ROWS = 120
const AREA = 1 << 20
const memory = createKernelMemory({ initialBytes: 16 * AREA, maximumBytes: 16 * AREA })
const view = new DataView(memory.buffer)
const area = (n: number): number => KERNEL_RESERVED_BYTES + n * AREA
const [OUT, ENTRIES, STATE, WORK, SLOTS, TS, COL_M, COL_E, COL_K] = [0, 1, 2, 3, 4, 5, 6, 8, 9].map(area) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const [M, E, K] = [STATE, STATE + 8 * POSITIONS, STATE + 9 * POSITIONS] as const
const kernels = rowKernels(instantiateKernels(memory))

/** Entries of a row: all positions in row 0, then every fourth, with differences of one to two bytes. */
function putEntries(row: number): number {
  let count = 0
  for (let position = 0; position < POSITIONS; position += row === 0 ? 1 : 4) {
    const at = ENTRIES + 16 * count++
    view.setUint32(at, position, true)
    view.setUint8(at + 4, 1)
    view.setInt8(at + 5, 2)
    view.setBigInt64(at + 8, BigInt(position * 1000 + row * ((position % 90) + 1)), true)
  }
  return count
}

function encodeRow(row: number, out: number): number {
  const count = putEntries(row)
  const flags = row === 0 ? RowFlag.KEY : 0
  const times = [1.7e12 + row * 15_000, 1.7e12 + (row - 1) * 15_000] as const
  return kernels.rowEncode(out, ENTRIES, count, M, E, K, POSITIONS, flags, times[0], times[1], 0, WORK)
}

new Uint8Array(memory.buffer, STATE, AREA).fill(0)
const starts = [OUT]
for (let row = 0; row < ROWS; row++) starts.push(starts[row]! + encodeRow(row, starts[row]!))
const end = starts[ROWS]!

const decode = (wantEvery: number, using = kernels): void => {
  let columns = 0
  for (let position = 0; position < POSITIONS; position++) {
    view.setInt32(SLOTS + 4 * position, position % wantEvery === 0 ? columns++ : -1, true)
  }
  using.rowsToColumns(OUT, end, ROWS, POSITIONS, SLOTS, columns, WORK, NaN, TS, COL_M, COL_E, COL_K, 1)
}

describe(`rows: ${(end - OUT) / (ROWS * POSITIONS)} bytes a sample`, () => {
  let row = 1
  bench('encode a row of 507 samples (entries filled in JavaScript included)', () => {
    encodeRow(row++, area(10))
  })
  bench('apply 120 rows of 507 samples = 60840', () => {
    for (let i = 0; i < ROWS; i++) {
      kernels.rowApply(starts[i]!, starts[i + 1]!, M, E, K, POSITIONS, 1.7e12 + i, 1.7e12 + i - 1, 0, WORK)
    }
  })
  bench('decode all columns of 120 rows = 60840 samples', () => decode(1))
  bench('decode 8 columns out of 120 rows = 960 samples', () => decode(64))
  bench('the plain TypeScript twin: decode 8 columns out of 120 rows', () => decode(64, createRowTwin(memory.buffer)))
})
