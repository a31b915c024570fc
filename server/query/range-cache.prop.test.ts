import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ownWindowKernels } from '../../kernels/index.ts'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createMatcher, type Labels, type Queryable } from '../../model/index.ts'
import { createEngine, type Engine } from '../../promql/index.ts'
import { openReader, openTsdb, type Tsdb, type TsdbReader } from '../../tsdb/index.ts'

const STEP_MS = 15_000
const START_MS = 1_699_999_200_000
// Short, so that blocks are cut on the way.
const BLOCK_MS = 5 * 60_000
const NAMES = ['requests_total', 'errors_total', 'temperature']
const SERIES: Labels[] = NAMES.flatMap((name) =>
  ['a', 'b', 'c'].flatMap((host) => ['x', 'y'].map((zone) => ['__name__', name, 'host', host, 'zone', zone])),
)
const BUCKETS: Labels[] = ['0.1', '1', '+Inf'].map((le) => ['__name__', 'took_bucket', 'host', 'a', 'le', le])
const ALL = [...SERIES, ...BUCKETS]

const QUERIES = [
  'requests_total',
  'rate(requests_total[2m])',
  'sum by (zone) (rate(requests_total[2m]))',
  'avg without (host) (temperature)',
  'topk(2, sum by (host) (rate(requests_total[5m])))',
  'sum(sum by (host) (temperature))',
  'quantile by (zone) (0.5, temperature)',
  'stddev(temperature)',
  'count(requests_total) + on () count(errors_total)',
  'errors_total / ignoring (job) requests_total > 0.5',
  'max_over_time(temperature[3m]) - min_over_time(temperature[3m])',
  'avg_over_time(sum by (host) (rate(requests_total[1m]))[4m:30s])',
  'histogram_quantile(0.9, sum by (le) (rate(took_bucket[3m])))',
  'temperature offset 2m',
  '-temperature + time()',
  'rate({__name__=~".*_total"}[2m])',
  'sum({__name__=~".*_total"})',
  'temperature @ end()',
  'absent(requests_total{host="c"})',
  'label_replace(temperature, "z", "$1", "zone", "(.*)")',
]

/** At one time, where the store may give newest values by group. */
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev'].flatMap((op) => [
  `${op} by (zone) (temperature)`,
  `${op} without (host) ({host=~".+"} offset 1m)`,
])

type Change =
  | { readonly kind: 'append'; readonly series: readonly number[]; readonly values: readonly number[] }
  | { readonly kind: 'skip'; readonly steps: number }
  | { readonly kind: 'late'; readonly series: number; readonly steps: number; readonly value: number }
  | { readonly kind: 'delete'; readonly host: string; readonly from: number; readonly to: number }
  | { readonly kind: 'maintain' }

const value = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }))
const series = fc.nat({ max: ALL.length - 1 })
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(
        fc.uniqueArray(series, { minLength: 1, maxLength: ALL.length }),
        fc.array(value, { minLength: 7, maxLength: 7 }),
      )
      .map(([own, values]): Change => ({ kind: 'append', series: own, values })),
  },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 30 }).map((steps): Change => ({ kind: 'skip', steps })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(series, fc.integer({ min: 1, max: 60 }), value)
      .map(([own, steps, late]): Change => ({ kind: 'late', series: own, steps, value: late })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b'), fc.nat({ max: 80 }), fc.nat({ max: 80 }))
      .map(([host, from, to]): Change => ({ kind: 'delete', host, from, to })),
  },
  { weight: 1, arbitrary: fc.constant<Change>({ kind: 'maintain' }) },
)
/** What is asked after each change: which query, and how many steps it begins and ends before now. */
const question = fc.record({
  query: fc.constantFrom(...QUERIES),
  back: fc.integer({ min: 4, max: 80 }),
  before: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 10 }) }),
})

async function apply(store: Tsdb, one: Change, step: number): Promise<number> {
  const timeMs = START_MS + step * STEP_MS
  switch (one.kind) {
    case 'append': {
      const appender = store.appender({ stream: 'test' })
      one.series.forEach((own, i) => {
        const sample = one.values[i % one.values.length]!
        if (i % 9 === 8) appender.appendStale(undefined, ALL[own]!, timeMs)
        else
          appender.append(
            undefined,
            ALL[own]!,
            timeMs,
            NAMES.indexOf(ALL[own]![1]!) === 2 ? sample : Math.abs(sample) + step,
          )
      })
      await appender.commit()
      return step + 1
    }
    case 'skip':
      return step + one.steps
    case 'late': {
      const appender = store.appender({ stream: 'test' })
      appender.append(undefined, ALL[one.series]!, timeMs - one.steps * STEP_MS + 7, one.value)
      await appender.commit()
      return step
    }
    case 'delete':
      await store.deleteSeries([createMatcher('=', 'host', one.host)], {
        minTimeMs: timeMs - Math.max(one.from, one.to) * STEP_MS,
        maxTimeMs: timeMs - Math.min(one.from, one.to) * STEP_MS,
      })
      return step
    case 'maintain':
      await store.maintain()
      return step
  }
}

/** The bits of an answer, or its error. */
function answerOf(engine: Engine, reader: TsdbReader, query: string, times: Parameters<Engine['range']>[2]): unknown {
  try {
    const { result, warnings, infos } = engine.range(reader, query, times)
    if (result.type !== 'matrix') throw new Error('a range query gives a matrix')
    const series = result.series.map(({ labels, timestampsMs, values }) => ({
      labels: labels.join(),
      times: [...timestampsMs],
      bits: [...new BigUint64Array(values.slice().buffer)],
    }))
    return { series, warnings, infos }
  } catch (error) {
    return String(error)
  }
}

/** The bits of an answer at one time, in its order. */
function instantOf(engine: Engine, store: Queryable, query: string, timeMs: number): unknown {
  const { result, stats } = engine.instant(store, query, timeMs)
  if (result.type !== 'vector') throw new Error('an aggregation gives a vector')
  const bits = new BigUint64Array(Float64Array.from(result.samples, ({ value: own }) => own).buffer)
  return { labels: result.samples.map(({ labels }) => labels.join()), bits: [...bits], samples: stats.samples }
}

/** The store as one that only gives series. */
const seriesOnly = (store: Queryable): Queryable => ({
  querier(range) {
    const view = store.querier(range)
    return {
      select: (matchers, hints) => view.select(matchers, hints),
      series: (sets, own) => view.series(sets, own),
      labelNames: (sets, own) => view.labelNames(sets, own),
      labelValues: (name, sets, own) => view.labelValues(name, sets, own),
      close: () => view.close(),
    }
  },
})

const SETTINGS = { lookbackDeltaMs: 300_000, defaultSubqueryStepMs: () => 60_000, maxSamples: 1e7 }

test('answers put together from earlier ones are those of a whole evaluation, bit for bit', {
  timeout: 300_000,
}, async () => {
  let hits = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ change, questions: fc.array(question, { maxLength: 4 }) }), {
        minLength: 30,
        maxLength: 80,
        size: 'max',
      }),
      fc.integer({ min: 0, max: 5 }),
      async (rounds, favourite) => {
        const folder = mkdtempSync(join(tmpdir(), 'belltower-cache-'))
        const store = await openTsdb({
          dataDir: folder,
          clock: systemClock,
          logger: silentLogger,
          registry: new Registry(),
          retentionMs: 1e15,
          futureMaxMs: Number.POSITIVE_INFINITY,
          blockDurationMs: BLOCK_MS,
          outOfOrderTimeWindowMs: 60 * STEP_MS,
        })
        const { handle, detach } = store.attachReader()
        const reader = openReader(handle)
        const keeping = createEngine({ ...SETTINGS, rangeCacheBytes: 1 << 20, windowKernels: ownWindowKernels() })
        const plain = createEngine(SETTINGS)
        let step = 100
        try {
          for (const round of rounds) {
            step = await apply(store, round.change, step)
            await store.flushed()
            // Some are asked again and again, as panels are.
            const often = { query: QUERIES[favourite]!, back: 40, before: 0 }
            for (const { query, back, before } of [...round.questions, often]) {
              const endMs = START_MS + (step - before) * STEP_MS
              const times = { startMs: endMs - back * STEP_MS, endMs, stepMs: STEP_MS }
              expect(answerOf(keeping, reader, query, times), query).toEqual(answerOf(plain, reader, query, times))
            }
            for (const query of AGGREGATIONS) {
              const timeMs = START_MS + (step - 1) * STEP_MS + 3
              const want = instantOf(plain, seriesOnly(reader), query, timeMs)
              expect(instantOf(plain, reader, query, timeMs), query).toEqual(want)
            }
          }
          hits += keeping.rangeCacheStats().hits
        } finally {
          reader.close()
          detach()
          await store.close()
          rmSync(folder, { recursive: true, force: true })
        }
      },
    ),
    { numRuns: 8, endOnFailure: true },
  )
  expect(hits).toBeGreaterThan(50)
})
