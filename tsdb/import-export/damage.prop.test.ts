// Goal: bytes that are not as they were written are refused with a typed error: no hang, no endless allocation.
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppError } from '../../lib/errors.ts'
import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import { bitsOf, openStore, temporaryFolder } from '../testing/store.ts'
import { exportPrometheus } from '../index.ts'
import { decodeHistogramChunk, encodeHistogramChunk } from './histogram-chunk.ts'
import { PrometheusBlock } from './prometheus-block-reader.ts'
import { decodeXorChunk, encodeXorChunk } from './xor-chunk.ts'

const { folder, remove } = temporaryFolder()
let block: string
afterAll(() => remove())
beforeAll(async () => {
  const store = await openStore(join(folder, 'store'))
  const appender = store.appender()
  for (let i = 0; i < 200; i++) {
    const timeMs = 1_700_006_400_000 + i * 15_000
    for (const name of ['a', 'b', 'c']) appender.append(undefined, ['__name__', name, 'x', 'y'], timeMs, Math.sqrt(i))
    appender.appendHistogram(undefined, ['__name__', 'h'], timeMs, histogram(i))
  }
  await appender.commit()
  await exportPrometheus(store, join(folder, 'blocks'))
  await store.close()
  block = join(folder, 'blocks', readdirSync(join(folder, 'blocks'))[0]!)
})

const histogram = (i: number): NativeHistogram => ({
  integer: true,
  counterResetHint: i === 0 ? CounterResetHint.UNKNOWN : CounterResetHint.NOT_RESET,
  schema: 3,
  zeroThreshold: 0.001,
  zeroCount: i,
  count: 4 * i,
  sum: i * 0.7,
  positiveSpans: [{ offset: 1, length: 2 }],
  positiveBuckets: Float64Array.of(i, i),
  negativeSpans: [{ offset: -2, length: 1 }],
  negativeBuckets: Float64Array.of(i),
  customBounds: new Float64Array(),
})

const float64 = fc.bigInt(0n, 2n ** 64n - 1n)
const times = fc
  .array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 1, maxLength: 50 })
  .chain((gaps) =>
    fc.integer({ min: -(2 ** 45), max: 2 ** 45 }).map((start) => gaps.map((_, i) => start + sum(gaps, i))),
  )
const sum = (gaps: readonly number[], to: number): number =>
  gaps.slice(0, to).reduce((total, gap) => total + gap + 1, 0)

test('floats: every bit pattern at every time comes back', () => {
  fc.assert(
    fc.property(
      times,
      fc.array(fc.oneof(float64, fc.constantFrom(bitsOf(1), bitsOf(1.5))), { minLength: 50, maxLength: 50 }),
      (at, values) => {
        const words = new Uint32Array(BigUint64Array.from(values).buffer)
        const back: [number, bigint][] = []
        decodeXorChunk(encodeXorChunk({ timestampsMs: at, words }, 0, at.length), (time, low, high) =>
          back.push([time, (BigInt(high) << 32n) | BigInt(low)]),
        )
        expect(back).toEqual(at.map((time, i) => [time, values[i]]))
      },
    ),
    { numRuns: 200 },
  )
})

const wholeBuckets = fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 3, maxLength: 3 })
const anyFloat = fc.double({ noNaN: true })

test('histograms: whole and fractional ones come back', () => {
  fc.assert(
    fc.property(
      times,
      fc.array(wholeBuckets, { minLength: 50, maxLength: 50 }),
      anyFloat,
      fc.boolean(),
      (at, counts, extra, integer) => {
        const samples = at.map((timestampMs, i) => {
          const [a, b, c] = counts[i]!.map((count) => (integer ? count : count + extra)) as [number, number, number]
          const hint = i === 0 ? CounterResetHint.RESET : CounterResetHint.NOT_RESET
          const numbers = {
            zeroCount: c,
            count: a + b,
            positiveBuckets: Float64Array.of(a, b),
            negativeBuckets: Float64Array.of(c),
          }
          return {
            timestampMs,
            histogram: { ...histogram(0), integer, counterResetHint: hint, sum: extra * i, ...numbers },
          }
        })
        expect(decodeHistogramChunk(encodeHistogramChunk(samples, false), integer)).toEqual(samples)
      },
    ),
    { numRuns: 100 },
  )
})

const isTyped = (run: () => void): void => {
  try {
    run()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
}

test('chunks of noise, and damaged ones', () => {
  const chunks = [true, false].map((integer) =>
    encodeHistogramChunk(
      Array.from({ length: 50 }, (_, i) => ({ timestampMs: i, histogram: { ...histogram(i), integer } })),
      true,
    ),
  )
  const damaged = fc
    .tuple(fc.constantFrom(...chunks), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat())
    .map(([bytes, at, change, cut]) => {
      const copy = bytes.slice(0, bytes.length - (cut % 20))
      copy[at % copy.length]! ^= change
      return copy
    })
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      isTyped(() => decodeXorChunk(bytes, () => undefined))
      isTyped(() => decodeHistogramChunk(bytes, true))
      isTyped(() => decodeHistogramChunk(bytes, false))
    }),
    { numRuns: 500 },
  )
})

/** Reads everything. @returns samples */
function readAll(path: string): number {
  const opened = new PrometheusBlock(path)
  let count = 0
  const sink = { float: () => void count++, histogram: () => void count++ }
  const everything = { minTimeMs: -1e15, maxTimeMs: 1e15 }
  try {
    for (const reference of opened.index.references()) {
      opened.samples(opened.index.series(reference), reference, everything, sink)
    }
  } finally {
    opened.close()
  }
  return count
}

const FILES = ['index', 'tombstones', 'meta.json', join('chunks', '000001')]

test('a block with a wrong byte, or cut short, is never read as if it were whole', () => {
  expect(readAll(block)).toBe(800)
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  cpSync(block, copy, { recursive: true })
  const damage = fc.tuple(fc.constantFrom(...FILES), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean())
  fc.assert(
    fc.property(damage, ([file, at, change, isCut]) => {
      const path = join(copy, file)
      const bytes = readFileSync(path)
      if (isCut) truncateSync(path, at % bytes.length)
      else {
        bytes[at % bytes.length]! ^= change
        writeFileSync(path, bytes)
      }
      isTyped(() => expect(readAll(copy)).toBe(800))
      copyFileSync(join(block, file), path)
    }),
    { numRuns: 300 },
  )
})
