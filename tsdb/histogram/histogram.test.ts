import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  CounterResetHint,
  createMatcher,
  CUSTOM_BUCKETS_SCHEMA,
  type Labels,
  labelsText,
  type NativeHistogram,
  DuplicateSampleError,
  type SelectHints,
} from '../../model/index.ts'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { openReader, type Tsdb } from '../index.ts'
import { copyAsKilled, openStore, temporaryFolder } from '../testing/store.ts'
import { HistogramDecoder, HistogramEncoder } from './codec.ts'
import { counterResetHintOf } from './counter-reset.ts'

const MINUTE = 60_000
const START = 1_699_999_200_000
const { UNKNOWN, RESET, NOT_RESET, GAUGE } = CounterResetHint

type Cell = number | 'stale' | NativeHistogram
type HistogramDump = Record<string, [number, Cell][]>

/** Everything a store has, histograms as such. */
function dumpAll(store: Tsdb, hints: Partial<SelectHints> = {}): HistogramDump {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: -1e15, maxTimeMs: 1e15, ...hints }
  const querier = reader.querier(range)
  const result: HistogramDump = {}
  for (const { labels, timestampsMs, values, length, stale, histograms } of querier.select([], range)) {
    result[labelsText(labels)] = Array.from({ length }, (_, i) => {
      const cell = histograms?.[i] ?? (stale?.[i] === 1 ? 'stale' : values[i]!)
      return [timestampsMs[i]!, cell]
    })
  }
  querier.close()
  reader.close()
  detach()
  return result
}

const whole = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2 ** 40 }))
const float = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY))
const side = (number: fc.Arbitrary<number>) =>
  fc
    .array(fc.record({ offset: fc.integer({ min: -20, max: 20 }), length: fc.integer({ min: 0, max: 4 }) }), {
      maxLength: 4,
    })
    .chain((spans) => {
      const count = spans.reduce((sum, span) => sum + span.length, 0)
      return fc
        .array(number, { minLength: count, maxLength: count })
        .map((buckets) => ({ spans, buckets: Float64Array.from(buckets) }))
    })

const histogram: fc.Arbitrary<NativeHistogram> = fc.boolean().chain((integer) => {
  const number = integer ? whole : float
  return fc
    .record({
      counterResetHint: fc.constantFrom<CounterResetHint>(UNKNOWN, UNKNOWN, UNKNOWN, RESET, GAUGE),
      schema: fc.constantFrom(-4, 0, 3, 8, CUSTOM_BUCKETS_SCHEMA),
      zeroThreshold: fc.constantFrom(2 ** -128, 0, 0.001),
      zeroCount: number,
      count: number,
      sum: float,
      positive: side(number),
      negative: side(number),
      bounds: fc.array(fc.double({ noNaN: true }), { maxLength: 4 }),
    })
    .map(({ positive, negative, bounds, ...rest }) => ({
      ...rest,
      integer,
      positiveSpans: positive.spans,
      positiveBuckets: positive.buckets,
      negativeSpans: negative.spans,
      negativeBuckets: negative.buckets,
      customBounds: Float64Array.from(rest.schema === CUSTOM_BUCKETS_SCHEMA ? bounds : []),
    }))
})

const withoutHint = (cell: Cell): unknown => (typeof cell === 'object' ? { ...cell, counterResetHint: 0 } : cell)

test('histogram records: any run of histograms is read back bit for bit', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 42 }), histogram)), (samples) => {
      const out = new ByteWriter()
      const encoder = new HistogramEncoder()
      for (const [timestampMs, sample] of samples) encoder.write(out, timestampMs, sample)
      const reader = new ByteReader(out.bytes())
      const decoder = new HistogramDecoder()
      for (const [timestampMs, sample] of samples) {
        expect(decoder.read(reader)).toEqual({ timestampMs, histogram: sample })
      }
      expect(reader.left).toBe(0)
    }),
  )
})

test('histogram records: cut or changed anywhere they give an error or a histogram, never more', () => {
  const out = new ByteWriter()
  const encoder = new HistogramEncoder()
  for (const count of [10, 12, 15]) encoder.write(out, START + count, counter(count))
  const good = out.bytes()
  for (let at = 0; at < good.length; at++) {
    for (const bytes of [good.subarray(0, at), good.map((byte, i) => (i === at ? byte ^ 0xff : byte))]) {
      const reader = new ByteReader(bytes)
      const decoder = new HistogramDecoder()
      try {
        for (let i = 0; i < 3; i++) expect(decoder.read(reader).histogram.positiveBuckets.length).toBeLessThan(2 ** 20)
      } catch (error) {
        expect((error as { code?: string }).code).toBe('ERR_TSDB_MALFORMED')
      }
    }
  }
})

function counter(count: number, changes: Partial<NativeHistogram> = {}): NativeHistogram {
  return {
    integer: true,
    counterResetHint: UNKNOWN,
    schema: 3,
    zeroThreshold: 2 ** -128,
    zeroCount: 1,
    count,
    sum: count / 4,
    positiveSpans: [{ offset: -2, length: 2 }],
    positiveBuckets: Float64Array.of(2, count - 3),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customBounds: new Float64Array(0),
    ...changes,
  }
}

const custom = (bounds: number[]): NativeHistogram =>
  counter(10, { schema: CUSTOM_BUCKETS_SCHEMA, customBounds: Float64Array.from(bounds) })
const moved = counter(11, {
  positiveSpans: [{ offset: -1, length: 2 }],
  positiveBuckets: Float64Array.of(9, 1),
})

test.each<[string, NativeHistogram | undefined, NativeHistogram, CounterResetHint]>([
  ['first of its series', undefined, counter(10), UNKNOWN],
  ['as before', counter(10), counter(10), NOT_RESET],
  ['more', counter(10), counter(12), NOT_RESET],
  ['less', counter(10), counter(9), RESET],
  ['one bucket less', counter(10), counter(12, { positiveBuckets: Float64Array.of(1, 10) }), RESET],
  ['a bucket gone', counter(10), moved, RESET],
  [
    'a bucket more',
    counter(10),
    counter(11, { positiveSpans: [{ offset: -2, length: 3 }], positiveBuckets: Float64Array.of(2, 7, 1) }),
    NOT_RESET,
  ],
  ['zero bucket less', counter(10), counter(12, { zeroCount: 0 }), RESET],
  ['another resolution', counter(10), counter(12, { schema: 2 }), UNKNOWN],
  ['another kind', counter(10), counter(12, { integer: false }), UNKNOWN],
  ['the writer knows', counter(10), counter(12, { counterResetHint: RESET }), RESET],
  ['a gauge', counter(10), counter(2, { counterResetHint: GAUGE }), GAUGE],
  ['behind a gauge', counter(10, { counterResetHint: GAUGE }), counter(2), UNKNOWN],
  ['other bounds', custom([1, 2]), custom([1, 3]), RESET],
  ['same bounds', custom([1, 2]), custom([1, 2]), NOT_RESET],
])('counter resets: %s', (_, before, now, want) => {
  expect(counterResetHintOf(now, before)).toBe(want)
})

const SERIES: Labels[] = [
  ['__name__', 'latency', 'path', '/a'],
  ['__name__', 'latency', 'path', '/b'],
  ['__name__', 'size'],
]

type Step =
  | { kind: 'append'; gapMs: number; samples: { series: number; cell: Cell }[] }
  | { kind: 'maintain' | 'reopen' | 'kill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      gapMs: fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 4 * MINUTE })),
      samples: fc.uniqueArray(
        fc.record({
          series: fc.nat({ max: 2 }),
          cell: fc.oneof(
            { weight: 6, arbitrary: histogram },
            { weight: 1, arbitrary: fc.constant('stale' as const) },
            { weight: 2, arbitrary: fc.double({ noNaN: true }) },
          ),
        }),
        { selector: ({ series }) => series, minLength: 1 },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom('maintain', 'reopen', 'kill').map((kind): Step => ({ kind })) },
)

test('store: histograms among floats and markers survive seal, block, reopen and kill, bit for bit', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), async (steps) => {
      const { folder, remove } = temporaryFolder()
      let dataDir = join(folder, '0')
      let kills = 0
      let store = await openStore(dataDir, { blockDurationMs: 20 * MINUTE })
      const want: HistogramDump = {}
      let nowMs = START
      try {
        for (const one of steps) {
          if (one.kind === 'append') {
            nowMs += one.gapMs
            const appender = store.appender({ stream: 'remote' })
            for (const { series, cell } of one.samples) {
              const labels = SERIES[series]!
              if (cell === 'stale') appender.appendStale(undefined, labels, nowMs)
              else if (typeof cell === 'number') appender.append(undefined, labels, nowMs, cell)
              else appender.appendHistogram(undefined, labels, nowMs, cell)
              const known = (want[labelsText(labels)] ??= [])
              const last = known.at(-1)?.[1]
              const hint =
                typeof cell !== 'object' ? 0 : counterResetHintOf(cell, typeof last === 'object' ? last : undefined)
              known.push([nowMs, typeof cell === 'object' ? { ...cell, counterResetHint: hint } : cell])
            }
            await appender.commit()
          } else if (one.kind === 'maintain') await store.maintain()
          else {
            const left = join(folder, String(++kills))
            await store.flushed()
            if (one.kind === 'kill') copyAsKilled(dataDir, left)
            await store.close()
            if (one.kind === 'kill') dataDir = left
            store = await openStore(dataDir, { blockDurationMs: 20 * MINUTE })
          }
          if (one.kind !== 'append') expect(dumpAll(store)).toEqual(want)
        }
        expect(dumpAll(store)).toEqual(want)
        const newest = dumpAll(store, { minTimeMs: nowMs - 5 * MINUTE, maxTimeMs: nowMs, newestOnly: true })
        for (const [name, samples] of Object.entries(newest)) {
          const [timeMs, cell] = samples.at(-1)!
          expect([timeMs, withoutHint(cell)]).toEqual([want[name]!.at(-1)![0], withoutHint(want[name]!.at(-1)![1])])
        }
      } finally {
        await store.close()
        remove()
      }
    }),
    { numRuns: 6 },
  )
})

test('appender: the same histogram twice is taken, another one at the same time is refused, or left out of its batch', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder)
  const labels = SERIES[0]!
  for (let round = 0; round < 2; round++) {
    const appender = store.appender()
    appender.appendHistogram(undefined, labels, START, counter(10))
    if (round === 0) {
      // Nothing is stored yet: the first of the batch stays.
      appender.appendHistogram(undefined, labels, START, counter(11))
      appender.append(undefined, labels, START, 10)
      await appender.commit()
    }
    expect(() => appender.appendHistogram(undefined, labels, START, counter(11))).toThrow(DuplicateSampleError)
    expect(() => appender.append(undefined, labels, START, 10)).toThrow(DuplicateSampleError)
    await appender.commit()
    expect(dumpAll(store)[labelsText(labels)]).toEqual([[START, counter(10)]])
    await store.close()
    store = await openStore(folder)
  }
  await store.close()
  remove()
})

test('appender: histograms rolled back leave no trace, not even in the next one’s hint', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const appender = store.appender()
  appender.appendHistogram(undefined, SERIES[0]!, START, counter(10))
  await appender.commit()
  appender.appendHistogram(undefined, SERIES[0]!, START + 1, counter(20))
  appender.rollback()
  appender.appendHistogram(undefined, SERIES[0]!, START + 1, counter(15))
  await appender.commit()
  expect(dumpAll(store)[labelsText(SERIES[0]!)]).toEqual([
    [START, counter(10)],
    [START + 1, counter(15, { counterResetHint: NOT_RESET })],
  ])
  await store.close()
  remove()
})

test('blocks: histograms of windows that are over leave the head and its folder', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder, { blockDurationMs: 20 * MINUTE })
  let appender = store.appender()
  for (let i = 0; i < 240; i++) {
    appender.appendHistogram(undefined, SERIES[0]!, START + i * 15_000, counter(10 + i))
    await appender.commit()
    if (i === 100) {
      await store.close()
      store = await openStore(folder, { blockDurationMs: 20 * MINUTE })
      appender = store.appender()
      expect(readdirSync(join(folder, 'histograms_head')).length).toBeGreaterThan(0)
    }
  }
  await store.maintain()
  expect(store.blocks().length).toBe(2)
  expect(readdirSync(join(folder, 'histograms_head'))).toEqual([])
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: START, maxTimeMs: START + 10 * MINUTE }
  const querier = reader.querier(range)
  const [column] = [...querier.select([createMatcher('=', '__name__', 'latency')], range)]
  expect(column!.histograms?.filter((one) => one !== undefined)).toHaveLength(41)
  querier.close()
  reader.close()
  detach()
  await store.close()
  remove()
})

test('blocks: deleted histograms are gone from the disk once they are cleaned, the others stay', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { blockDurationMs: 20 * MINUTE })
  const appender = store.appender()
  const gone = ['__name__', 'latency', 'job', 'gone']
  const kept = ['__name__', 'latency', 'job', 'kept']
  for (let i = 0; i < 240; i++) {
    for (const labels of [gone, kept]) appender.appendHistogram(undefined, labels, START + i * 15_000, counter(10 + i))
    await appender.commit()
  }
  await store.maintain()
  const before = dumpAll(store)[labelsText(kept)]
  const bytesOf = (): number =>
    store.blocks().reduce((sum, { ulid }) => sum + statSync(join(folder, ulid, 'histograms')).size, 0)
  const bytes = bytesOf()
  const range = { minTimeMs: -1e15, maxTimeMs: 1e15 }
  await store.deleteSeries([createMatcher('=', 'job', 'gone')], range)
  await store.cleanTombstones()
  expect(bytesOf()).toBe(bytes / 2)
  expect(Object.keys(dumpAll(store))).toEqual([labelsText(kept)])
  expect(dumpAll(store)[labelsText(kept)]).toEqual(before)
  await store.deleteSeries([createMatcher('=', 'job', 'kept')], { ...range, maxTimeMs: START + 5 * MINUTE })
  await store.cleanTombstones()
  expect(dumpAll(store)[labelsText(kept)]!.length).toBe(240 - 21)
  await store.close()
  remove()
})
