import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnBytesMax, columnKernels, columnWorkBytes } from './column.ts'
import { createColumnTwin } from './column-twin.ts'
import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'

const AREA = 1 << 17
const M = KERNEL_RESERVED_BYTES
const E = M + AREA
const K = E + AREA
const OUT = K + AREA
const WORK = OUT + AREA
const BACK_M = WORK + AREA
const BACK_E = BACK_M + AREA
const BACK_K = BACK_E + AREA
const SUMMARY = BACK_K + AREA
const END = SUMMARY + AREA

const memories = [0, 1].map(() => createKernelMemory({ initialBytes: END + 65_536, maximumBytes: END + 65_536 }))
const both = [columnKernels(instantiateKernels(memories[0]!)), createColumnTwin(memories[1]!.buffer)]
const views = memories.map((memory) => new DataView(memory.buffer))
const bytes = memories.map((memory) => Buffer.from(memory.buffer))

interface Row {
  kind: number
  exponent: number
  payload: bigint
}

const decimal = (payload: bigint, exponent = 0): Row => ({ kind: 1, exponent, payload })
const absent: Row = { kind: 0, exponent: 0, payload: 0n }
const stale: Row = { kind: 3, exponent: 0, payload: 0n }
const bits = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double().map((value) => new BigInt64Array(new Float64Array([value]).buffer)[0]!),
  fc.constantFrom(0x7ff0000000000002n, 0x7ff8000000000001n, 0x7ff0000000000000n, -(2n ** 63n), 1n, 0x000fffffffffffffn),
)
const any = fc.oneof(
  fc.record({
    kind: fc.constant(1),
    exponent: fc.integer({ min: -22, max: 22 }),
    payload: fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
  }),
  fc.record({ kind: fc.constant(2), exponent: fc.constant(0), payload: bits }),
  fc.constantFrom(absent, stale),
)

// Shapes that real series have, so that every form is reached, with specials strewn in.
const shaped = fc
  .record({
    n: fc.integer({ min: 1, max: 300 }),
    first: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
    slope: fc.bigInt({ min: -1000n, max: 1000n }),
    noise: fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 300 }),
    form: fc.constantFrom('const', 'linear', 'gauge', 'counter', 'square', 'resets'),
    step: fc.constantFrom(1n, 4096n),
    exponent: fc.integer({ min: -3, max: 6 }),
    specials: fc.array(fc.tuple(fc.nat({ max: 299 }), fc.constantFrom(absent, stale)), { maxLength: 6 }),
  })
  .map(({ n, first, slope, noise, form, step, exponent, specials }) => {
    let counter = first
    const rows = Array.from({ length: n }, (_, i) => {
      const wobble = BigInt(noise[i % noise.length]!)
      const at = BigInt(i)
      counter = form === 'resets' && i % 100 === 99 ? 0n : counter + (wobble < 0n ? -wobble : wobble)
      const payload = {
        const: first,
        linear: first + at * slope,
        gauge: first + wobble * step,
        counter,
        square: first + at * at * slope + (i % 7 === 0 ? 1n : 0n),
        resets: counter * step,
      }[form]!
      return decimal(payload, exponent)
    })
    for (const [i, row] of specials) if (i < n) rows[i] = row
    return rows
  })

const raw = (value: number): Row => {
  const payload = new BigInt64Array(new Float64Array([value]).buffer)[0]!
  return { kind: 2, exponent: 0, payload }
}
const minusZero = raw(-0)
const nan = raw(Number.NaN)

// Doubles as programs compute them, so that every way to write a float is reached.
const computed = fc
  .record({
    n: fc.integer({ min: 1, max: 300 }),
    kind: fc.constantFrom('ticks', 'sum', 'ratio', 'repeated', 'noise', 'clock', 'nan', 'binades'),
    seeds: fc.array(fc.integer({ min: 0, max: 9999 }), { minLength: 1, maxLength: 300 }),
    specials: fc.array(fc.tuple(fc.nat({ max: 299 }), fc.constantFrom(absent, stale, minusZero, nan)), {
      maxLength: 9,
    }),
  })
  .map(({ n, kind, seeds, specials }) => {
    let sum = 0.1
    const rows = Array.from({ length: n }, (_, i) => {
      const seed = seeds[i % seeds.length]!
      sum += seed / 1e6
      const value = {
        ticks: (i * 100 + seed) * 0.01,
        sum,
        ratio: seed / 7,
        repeated: seed > 5000 ? 1 / 3 : seed / 9,
        noise: Math.sin(seed * 12.9898 + i) * 1e9,
        clock: 1_700_000_000 + i * 15 + seed * 1e-7,
        nan: Number.NaN,
        binades: 2 ** ((seed % 2000) - 1000) * (seed % 2 === 0 ? 1 : -1),
      }[kind]!
      return raw(value)
    })
    for (const [i, row] of specials) if (i < n) rows[i] = row
    return rows
  })

const column = fc.oneof(fc.array(any, { minLength: 1, maxLength: 150 }), shaped, computed)
const effort = fc.constantFrom<0 | 1>(0, 1)

const sameBits = (row: Row): bigint => {
  if (row.kind === 2) return row.payload
  const power = Number(`1e${Math.abs(row.exponent)}`)
  const value = row.exponent > 0 ? Number(row.payload) / power : Number(row.payload) * power
  return new BigInt64Array(new Float64Array([value]).buffer)[0]!
}

function put(rows: readonly Row[]): void {
  for (const b of bytes) b.fill(0, M, END)
  for (const view of views) {
    for (const [i, row] of rows.entries()) {
      view.setBigInt64(M + 8 * i, row.payload, true)
      view.setInt8(E + i, row.exponent)
      view.setUint8(K + i, row.kind)
    }
  }
}

const same = (from: number, length: number, what: string): void =>
  expect(bytes[0]!.compare(bytes[1]!, from, from + length, from, from + length), what).toBe(0)

const pack = (n: number, effort: 0 | 1 = 1): number => {
  const packed = both.map((kernels) => kernels.columnPack(M, E, K, n, OUT, WORK, effort))
  expect(packed[0]).toBe(packed[1])
  same(OUT, packed[0]!, 'packed bytes')
  return packed[0]!
}

test('columns: whatever is packed comes back bit for bit, and the twin writes the same bytes', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(column, effort, (rows, effort) => {
      put(rows)
      const n = rows.length
      const length = pack(n, effort)
      expect(length).toBeLessThanOrEqual(columnBytesMax(n))
      expect(columnWorkBytes(n)).toBeLessThanOrEqual(AREA)
      for (const asF64 of [0, 1]) {
        const read = both.map((k) => k.columnUnpack(OUT, OUT + length, n, BACK_M, BACK_E, BACK_K, SUMMARY, asF64))
        expect(read).toEqual([length, length])
        same(BACK_K, n, 'kinds')
        same(SUMMARY, 8, 'summary')
        expect(views[0]!.getUint32(SUMMARY, true)).toBe(rows.filter((row) => row.kind !== 0).length)
        expect(views[0]!.getUint32(SUMMARY + 4, true)).toBe(rows.filter((row) => row.kind === 3).length)
        for (const view of views) {
          for (const [i, row] of rows.entries()) {
            const kind = view.getUint8(BACK_K + i)
            if (row.kind === 0 || row.kind === 3) expect(kind).toBe(row.kind)
            else {
              expect([1, 2]).toContain(kind)
              const payload = view.getBigInt64(BACK_M + 8 * i, true)
              const exponent = view.getInt8(BACK_E + i)
              expect(asF64 ? payload : sameBits({ kind, exponent, payload })).toBe(sameBits(row))
            }
          }
        }
      }
    }),
    { numRuns: 400 },
  )
})

test('columns: several packed at once are those packed one by one, and empty ones take nothing', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 5 }), (columns) => {
      const n = Math.min(...columns.map((rows) => rows.length))
      const cut = columns.map((rows) => rows.slice(0, n))
      const counts = cut.map((rows) => rows.filter(({ kind }) => kind !== absent.kind).length)
      const expected = cut.map((rows, i) => {
        put(rows)
        const length = pack(n, 0)
        return counts[i] === 0 ? Buffer.alloc(0) : Buffer.from(bytes[0]!.subarray(OUT, OUT + length))
      })
      put(cut.flat())
      for (const view of views) for (const [i, count] of counts.entries()) view.setUint32(BACK_E + 4 * i, count, true)
      const total = both.map((k) => k.columnsPack(M, E, K, n, cut.length, BACK_E, SUMMARY, OUT, WORK))
      const packed = Buffer.concat(expected)
      expect(total).toEqual([packed.length, packed.length])
      for (const [i, { length }] of expected.entries()) {
        expect(views.map((view) => view.getUint32(SUMMARY + 4 * i, true))).toEqual([length, length])
      }
      for (const b of bytes) expect(b.subarray(OUT, OUT + packed.length).equals(packed)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('columns: hostile bytes end in the same answer, never out of bounds', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(
      column,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      (rows, flips) => {
        put(rows)
        const n = rows.length
        const length = pack(n)
        for (const [at, byte] of flips) for (const b of bytes) b[OUT + (at % length)] = byte
        const cut = length - (flips[0]![0] % 3 === 0 ? flips[0]![0] % length : 0)
        const read = both.map((k) => k.columnUnpack(OUT, OUT + cut, n, BACK_M, BACK_E, BACK_K, SUMMARY, 1))
        expect(read[0]).toBe(read[1])
        if (read[0]! >= 0) same(BACK_K, n, 'kinds')
        expect(bytes[0]!.subarray(BACK_M + 8 * n, BACK_M + AREA).every((byte) => byte === 0)).toBe(true)
        expect(bytes[0]!.subarray(BACK_K + n, BACK_K + AREA).every((byte) => byte === 0)).toBe(true)
      },
    ),
    { numRuns: 1000 },
  )
})

test('columns: constant and linear series take a handful of bytes', () => {
  const size = (rows: Row[]): number => {
    put(rows)
    return pack(rows.length)
  }
  expect(size(Array(480).fill(decimal(5n)))).toBe(3)
  expect(size(Array.from({ length: 480 }, (_, i) => decimal(1_700_000_000_000n + 15_000n * BigInt(i))))).toBe(11)
  // Multiples of 4096 pack as small numbers.
  expect(size(Array.from({ length: 64 }, (_, i) => decimal(4096n * BigInt((i * 7) % 16))))).toBeLessThan(40)
})

test('columns: computed doubles take far less than eight bytes', () => {
  const bitsEach = (values: number[]): number => {
    put(values.map(raw))
    return (8 * pack(values.length)) / values.length
  }
  const seeds = Array.from({ length: 256 }, (_, i) => (i * 7919) % 100)
  let sum = 0
  expect(bitsEach(seeds.map((seed, i) => (i * 100 + seed) * 0.01))).toBeLessThan(12)
  expect(bitsEach(seeds.map((seed) => (sum += seed * 1e-6)))).toBeLessThan(16)
  expect(bitsEach(seeds.map(() => Number.NaN))).toBeLessThan(1)
  expect(bitsEach(seeds.map((seed) => (seed < 95 ? 1 / 3 : 2 / 3)))).toBeLessThan(8)
})

test('columns: one value far off does not widen its neighbours', () => {
  const rows = Array.from({ length: 64 }, (_, i) => decimal(BigInt(i % 4)))
  put(rows)
  const even = pack(64)
  for (const outlier of [10n ** 9n, -(10n ** 9n)]) {
    rows[20] = decimal(outlier)
    put(rows)
    expect(pack(64)).toBeLessThan(even + 12)
  }
})
