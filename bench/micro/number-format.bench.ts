// Writing sample values: the kernel's points (timestamp included) against String() of the value alone; 1000 a round.
// Run: npx vitest bench bench/micro/number-format.bench.ts
import { bench, describe } from 'vitest'
import { NumberFormatter, POINT_BYTES_MAX } from '../../kernels/index.ts'

const COUNT = 1000
const formatter = new NumberFormatter()
const out = new Uint8Array(COUNT * POINT_BYTES_MAX)
const timestampsMs = new Float64Array(COUNT).map((_, i) => 1_700_000_000_000 + i * 15_000)

const SHAPES: Readonly<Record<string, (i: number) => number>> = {
  'counters (integers)': (i) => i * 7919,
  'seconds (3 decimals)': (i) => (i * 7919) / 1000,
  'rates (17 digits)': (i) => Math.sqrt(i + 2),
}

for (const [name, valueAt] of Object.entries(SHAPES)) {
  describe(name, () => {
    const values = new Float64Array(COUNT).map((_, i) => valueAt(i))
    let sink = 0
    // V8 remembers texts of recent numbers, hence a fresh value each time.
    let turn = 0
    bench('kernel, points', () => {
      sink += formatter.writePoints(timestampsMs, values, { from: 0, to: COUNT }, out, 0)
    })
    bench('String(value)', () => {
      turn += 2 ** -20
      for (let i = 0; i < COUNT; i++) sink += String(values[i]! + turn).length
    })
    if (sink < 0) console.log(sink)
  })
}
