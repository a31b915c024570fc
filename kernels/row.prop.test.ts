import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'
import { ROW_WORK_BYTES, RowFlag, type RowKernels, rowKernels } from './row.ts'
import { createRowTwin } from './row-twin.ts'

// Two memories with the same layout: one for the WebAssembly, one for the twin. Every call must leave both equal.
const BASE = KERNEL_RESERVED_BYTES
const AREA = 1 << 15
const OUT = BASE
const ENTRIES = OUT + AREA
const M = ENTRIES + AREA
const E = M + AREA
const K = E + AREA
const WORK = K + AREA
const SLOTS = WORK + AREA
const TS = SLOTS + AREA
const COL_M = TS + AREA
const COL_E = COL_M + AREA
const COL_K = COL_E + AREA
const END = COL_K + AREA

const memories = [0, 1].map(() => createKernelMemory({ initialBytes: END + 65_536, maximumBytes: END + 65_536 }))
const wasm = rowKernels(instantiateKernels(memories[0]!))
const both: RowKernels[] = [wasm, createRowTwin(memories[1]!.buffer)]
const views = memories.map((memory) => new DataView(memory.buffer))
const bytes = memories.map((memory) => Buffer.from(memory.buffer))

interface Entry {
  position: number
  kind: number
  exponent: number
  payload: bigint
}

const decimal = fc.record({
  kind: fc.constant(1),
  exponent: fc.integer({ min: -22, max: 22 }),
  payload: fc.oneof(
    fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
    fc.bigInt({ min: -300n, max: 300n }),
    fc.constantFrom(0n, 2n ** 53n, -(2n ** 53n)),
  ),
})
const raw = fc.record({
  kind: fc.constant(2),
  exponent: fc.constant(0),
  payload: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(0x7ff0000000000002n, 0x7ff8000000000001n, -(2n ** 63n), 1n, 0x7ff0000000000000n),
  ),
})
const other = fc.record({ kind: fc.constantFrom(0, 3), exponent: fc.constant(0), payload: fc.constant(0n) })
const change = fc.oneof(
  { weight: 4, arbitrary: decimal },
  { weight: 1, arbitrary: raw },
  { weight: 1, arbitrary: other },
)

const scenario = fc
  .record({ positionCount: fc.integer({ min: 1, max: 150 }), sparse: fc.boolean() })
  .chain(({ positionCount, sparse }) =>
    fc.record({
      positionCount: fc.constant(positionCount),
      sparse: fc.constant(sparse),
      rows: fc.array(
        fc.record({
          step: fc.integer({ min: 1, max: 1e6 }),
          entries: fc.dictionary(fc.nat({ max: positionCount - 1 }).map(String), change, { maxKeys: positionCount }),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      firstMs: fc.integer({ min: -1e12, max: 4e12 }),
      every: fc.constantFrom(1, 2, 7, 30),
      splitAt: fc.nat({ max: 11 }),
    }),
  )

function putEntries(entries: readonly Entry[]): void {
  for (const view of views) {
    for (const [i, entry] of entries.entries()) {
      view.setUint32(ENTRIES + 16 * i, entry.position, true)
      view.setUint8(ENTRIES + 16 * i + 4, entry.kind)
      view.setInt8(ENTRIES + 16 * i + 5, entry.exponent)
      view.setBigInt64(ENTRIES + 16 * i + 8, entry.payload, true)
    }
  }
}

const same = (from: number, length: number, what: string): void =>
  expect(bytes[0]!.compare(bytes[1]!, from, from + length, from, from + length), what).toBe(0)

const clear = (from: number, length: number): void => {
  for (const b of bytes) b.fill(0, from, from + length)
}

const bitsOf = (entry: Pick<Entry, 'kind' | 'exponent' | 'payload'>): bigint => {
  if (entry.kind === 2) return BigInt.asUintN(64, entry.payload)
  if (entry.kind === 3) return 0x7ff0000000000002n
  const power = Number(`1e${Math.abs(entry.exponent)}`)
  const value = entry.exponent > 0 ? Number(entry.payload) / power : Number(entry.payload) * power
  return new BigUint64Array(new Float64Array([value]).buffer)[0]!
}

test('rows: encode, apply and columns equal the twin and give back every bit', () => {
  fc.assert(
    fc.property(scenario, ({ positionCount, sparse, rows, firstMs, every, splitAt }) => {
      clear(BASE, END - BASE)
      const want: (bigint | undefined)[][] = []
      let current: (bigint | undefined)[] = Array(positionCount).fill(undefined)
      let out = OUT
      let timestamp = firstMs
      const ends: number[] = []
      const times: number[] = []
      for (const [i, row] of rows.entries()) {
        const entries = Object.entries(row.entries)
          .map(([position, entry]) => ({ position: Number(position), ...entry }))
          .filter((entry) => !sparse || entry.kind !== 0)
          .sort((a, b) => a.position - b.position)
        putEntries(entries)
        const previous = timestamp
        if (i > 0) timestamp += row.step
        const flags = (sparse ? RowFlag.SPARSE : 0) | (i === 0 ? RowFlag.KEY : 0)
        const written = both.map((kernels) =>
          kernels.rowEncode(out, ENTRIES, entries.length, M, E, K, positionCount, flags, timestamp, previous, 0, WORK),
        )
        expect(written[0]).toBe(written[1])
        out += written[0]!
        ends.push(out)
        times.push(timestamp)
        if (sparse) current = Array(positionCount).fill(undefined)
        for (const entry of entries) current[entry.position] = entry.kind === 0 ? undefined : bitsOf(entry)
        want.push([...current])
        same(WORK, 4, 'present change')
      }
      same(OUT, out - OUT, 'rows')
      same(M, AREA * 3, 'state')
      const state = bytes[0]!.subarray(K, K + positionCount).map((kind) => kind & 3)

      clear(M, AREA * 3)
      let from = OUT
      for (const [i, end] of ends.entries()) {
        const read = both.map((kernels) =>
          kernels.rowApply(from, end, M, E, K, positionCount, times[i]!, times[i - 1] ?? 0, 0, WORK),
        )
        expect(read).toEqual([end - from, end - from])
        from = end
      }
      same(M, AREA * 3, 'replayed state')
      expect(bytes[0]!.subarray(K, K + positionCount).map((kind) => kind & 3)).toEqual(state)

      // Each `every`-th position is wanted.
      const wanted = Math.ceil(positionCount / every)
      for (const view of views) {
        for (let p = 0; p < positionCount; p++) view.setInt32(SLOTS + 4 * p, p % every === 0 ? p / every : -1, true)
      }
      for (const asF64 of [0, 1]) {
        const n = rows.length
        clear(COL_M, AREA * 3)
        const read = both.map((kernels) =>
          kernels.rowsToColumns(OUT, out, n, positionCount, SLOTS, wanted, WORK, NaN, TS, COL_M, COL_E, COL_K, asF64),
        )
        expect(read).toEqual([out - OUT, out - OUT])
        same(TS, 8 * n, 'timestamps')
        same(COL_M, AREA * 3, 'columns')
        same(WORK + 12 * wanted, 4 * wanted, 'counts')
        same(WORK + 18 * wanted, wanted, 'stale flags')
        expect(Array.from({ length: n }, (_, i) => views[0]!.getFloat64(TS + 8 * i, true))).toEqual(times)
        for (let slot = 0; slot < wanted; slot++) {
          for (let row = 0; row < n; row++) {
            const at = slot * n + row
            const kind = bytes[0]![COL_K + at]!
            const payload = views[0]!.getBigInt64(COL_M + 8 * at, true)
            const exponent = views[0]!.getInt8(COL_E + at)
            const got =
              kind === 0 ? undefined : asF64 ? BigInt.asUintN(64, payload) : bitsOf({ kind, exponent, payload })
            expect(got).toBe(want[row]![slot * every])
          }
        }
      }

      // The same in two steps, the second from where the first one stopped: only its own rows come out.
      const split = Math.min(splitAt, rows.length - 1)
      if (split === 0) return
      const middle = ends[split - 1]!
      const columns = [TS, COL_M, COL_E, COL_K] as const
      const whole = bytes[0]!.subarray(COL_M, COL_M + 8 * wanted * rows.length).toString('latin1')
      const wholeKinds = bytes[0]!.subarray(COL_K, COL_K + wanted * rows.length).toString('latin1')
      const inTwo = both.map((kernels) => [
        kernels.rowsToColumns(OUT, middle, split, positionCount, SLOTS, wanted, WORK, NaN, ...columns, 1),
        kernels.rowsToColumns(
          middle,
          out,
          rows.length - split,
          positionCount,
          SLOTS,
          wanted,
          WORK,
          times[split - 1]!,
          ...columns,
          1,
        ),
      ])
      expect(inTwo).toEqual(both.map(() => [middle - OUT, out - middle]))
      const left = rows.length - split
      for (let slot = 0; slot < wanted; slot++) {
        const at = slot * rows.length + split
        const kinds = bytes[0]!.toString('latin1', COL_K + slot * left, COL_K + (slot + 1) * left)
        expect(kinds).toBe(wholeKinds.slice(at, at + left))
        for (let row = 0; row < left; row++) {
          if (kinds.charCodeAt(row) === 0) continue
          const from = COL_M + 8 * (slot * left + row)
          expect(bytes[0]!.toString('latin1', from, from + 8)).toBe(whole.slice(8 * (at + row), 8 * (at + row) + 8))
        }
      }
      same(TS, 8 * left, 'later timestamps')
      same(COL_K, left * wanted, 'later kinds')
      same(WORK + 12 * wanted, 4 * wanted, 'later counts')
      same(WORK + 16 * wanted, 3 * wanted, 'later state')
    }),
    { numRuns: 400 },
  )
})

test('rows: hostile bytes end in the same answer, never out of bounds', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.constantFrom(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14),
      (body, flags) => {
        clear(BASE, END - BASE)
        for (const b of bytes) {
          b.set(body, OUT)
          b[OUT] = flags
        }
        const positionCount = 40
        const applied = both.map((k) => k.rowApply(OUT, OUT + body.length, M, E, K, positionCount, 5, 4, 0, WORK))
        expect(applied[0]).toBe(applied[1])
        if (applied[0]! >= 0) same(M, AREA * 3, 'state')
        for (const view of views) for (let p = 0; p < positionCount; p++) view.setInt32(SLOTS + 4 * p, p, true)
        const rowCount = 3
        const read = both.map((k) =>
          k.rowsToColumns(
            OUT,
            OUT + body.length,
            rowCount,
            positionCount,
            SLOTS,
            40,
            WORK,
            NaN,
            TS,
            COL_M,
            COL_E,
            COL_K,
            0,
          ),
        )
        expect(read[0]).toBe(read[1])
        expect(bytes[0]!.subarray(COL_K + 40 * rowCount, COL_K + AREA).every((byte) => byte === 0)).toBe(true)
        expect(bytes[0]!.subarray(K + 40, K + AREA).every((byte) => byte === 0)).toBe(true)
        expect(bytes[0]!.subarray(WORK + 40 * ROW_WORK_BYTES, WORK + AREA).every((byte) => byte === 0)).toBe(true)
      },
    ),
    { numRuns: 1000 },
  )
})
