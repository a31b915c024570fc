// Sealed columns of 480 rows: pack (every way is tried, the result unpacked and compared), roughly as when rows are sealed
// and exactly as for blocks, and unpack to float64.
// ns a sample = 1e9 / (ops/s × 480). Run: npx vitest bench bench/micro/column.bench.ts
import { bench, describe } from 'vitest'
import {
  columnBytesMax,
  columnKernels,
  columnWorkBytes,
  createKernelMemory,
  instantiateKernels,
  KERNEL_RESERVED_BYTES,
} from '../../kernels/index.ts'

const ROWS = 480
const memory = createKernelMemory({ initialBytes: 4 << 20, maximumBytes: 4 << 20 })
const view = new DataView(memory.buffer)
const M = KERNEL_RESERVED_BYTES
const E = M + 8 * ROWS
const K = E + ROWS
const OUT = K + ROWS
const WORK = Math.ceil((OUT + columnBytesMax(ROWS)) / 8) * 8
const BACK = WORK + Math.ceil(columnWorkBytes(ROWS) / 8) * 8
const BACK_K = BACK + 8 * ROWS
const SUMMARY = Math.ceil((BACK_K + ROWS) / 8) * 8
const kernels = columnKernels(instantiateKernels(memory))

let seed = 1
const random = (below: number): number => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
  return (seed >>> 8) % below
}

const SHAPES: Record<string, (row: number) => bigint> = {
  constant: () => 42n,
  'counter, even steps': (row) => 1_000_000n + 15n * BigInt(row),
  'counter, uneven steps': (() => {
    let total = 10n ** 9n
    return () => (total += BigInt(random(200)))
  })(),
  gauge: () => 65_536n * BigInt(random(1000)),
}

const bitsOf = (value: number): bigint => new BigInt64Array(new Float64Array([value]).buffer)[0]!

/** Doubles that are no decimals of few digits. */
const DOUBLES: Record<string, (row: number) => bigint> = {
  'ticks as seconds': (row) => bitsOf((row * 1500 + random(900)) * 0.01),
  'sum of durations': (() => {
    let sum = 0.1
    return () => bitsOf((sum += random(1000) / 1e6))
  })(),
}

for (const [name, shape] of Object.entries({ ...SHAPES, ...DOUBLES })) {
  const rows = Array.from({ length: ROWS }, (_, row) => shape(row))
  const isDecimal = name in SHAPES
  const fill = (): void => {
    for (const [row, value] of rows.entries()) {
      view.setBigInt64(M + 8 * row, value, true)
      view.setInt8(E + row, isDecimal ? 2 : 0)
      view.setUint8(K + row, isDecimal ? 1 : 2)
    }
  }
  fill()
  const length = kernels.columnPack(M, E, K, ROWS, OUT, WORK)
  const packed = new Uint8Array(memory.buffer).slice(OUT, OUT + length)
  describe(`${name}: ${((length * 8) / ROWS).toFixed(2)} bits a sample`, () => {
    const setup = (): void => {
      fill()
      new Uint8Array(memory.buffer).set(packed, OUT)
    }
    bench('pack', () => void kernels.columnPack(M, E, K, ROWS, OUT, WORK), { setup })
    bench('pack exactly', () => void kernels.columnPack(M, E, K, ROWS, OUT, WORK, 1), { setup })
    bench('unpack', () => void kernels.columnUnpack(OUT, OUT + length, ROWS, BACK, 0, BACK_K, SUMMARY, 1), { setup })
  })
}
