import { expect, test } from 'vitest'
import {
  type ClientMetric,
  type ClientMetricFamily,
  CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  encodeMetricFamilies,
  type NativeHistogram,
} from '../../model/index.ts'
import { metric } from '../../model/testing/metric.ts'
import { customHistogram, limitHistogram, schemaOfFactor } from './histogram-buckets.ts'
import type { PageFormat } from './split-page.ts'
import { SampleLimitError, type TargetRowsRules } from './target-rules.ts'
import { REPORT, targetRig } from './testing.ts'

function rig(rules: Partial<TargetRowsRules> = {}) {
  const { rows, store, appendable } = targetRig({ scrapeNativeHistograms: true, ...rules })
  const floats = () =>
    [...store.groups[0]!.rows.at(-1)!.samples]
      .map(([key, value]) => `${key.replaceAll('\u00ff', ' ').replace(/^__name__ | ?job j/g, '')} = ${value}`)
      .filter((line) => !/^(up|scrape_\w+) =/.test(line))
      .sort()
  const scrape = async (timeMs: number, body: Uint8Array | string, format: PageFormat = 'protobuf') => {
    const counts = rows.read(Buffer.from(body as string), format)
    await rows.write(timeMs, REPORT)
    return { counts, extra: appendable.committed.splice(0), floats: floats() }
  }
  return { rows, appendable, scrape, floats }
}

const NATIVE: NativeHistogram = {
  integer: true,
  counterResetHint: CounterResetHint.UNKNOWN,
  schema: 0,
  zeroThreshold: 1e-9,
  zeroCount: 1,
  count: 10,
  sum: 12.5,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: Float64Array.of(4, 5),
  negativeSpans: [],
  negativeBuckets: new Float64Array(0),
  customBounds: new Float64Array(0),
}
const family = (name: string, type: ClientMetricFamily['type'], ...metrics: Partial<ClientMetric>[]) => ({
  name,
  type,
  help: `About ${name}.`,
  unit: '',
  metrics: metrics.map(metric),
})
const bucket = (upperBound: number, cumulativeCount: number, exemplarMs?: number) => ({
  upperBound,
  cumulativeCount,
  exemplar:
    exemplarMs === undefined ? undefined : { labels: ['trace_id', 'b'], value: upperBound, timestampMs: exemplarMs },
})
const CLASSIC = {
  count: 10,
  sum: 12.5,
  buckets: [bucket(0.5, 4), bucket(1, 9, 5000)],
  native: undefined,
  exemplars: [],
}
const page = (...families: ClientMetricFamily[]): Uint8Array => encodeMetricFamilies(families)

test('protobuf: counters, gauges, summaries and classic histograms become rows; exemplars and metadata are kept', async () => {
  const { rows, scrape } = rig()
  const body = page(
    family('requests_total', 'counter', {
      labels: ['path', '/a"b'],
      value: 3,
      exemplar: { labels: ['trace_id', 'x'], value: 1, timestampMs: 4000 },
    }),
    family('über.temp', 'gauge', { value: -0.1 }),
    family('rpc_seconds', 'summary', {
      summary: { count: 2, sum: 3.5, quantiles: [{ quantile: 1, value: Number.NaN }] },
    }),
    family('latency', 'histogram', { histogram: CLASSIC }),
  )
  const first = await scrape(10_000, body)
  expect(first.counts).toEqual({ samplesScraped: 10, samplesKept: 10, seriesAdded: 10 })
  expect(first.floats).toEqual([
    'latency_bucket le +Inf = 10',
    'latency_bucket le 0.5 = 4',
    'latency_bucket le 1.0 = 9',
    'latency_count = 10',
    'latency_sum = 12.5',
    'requests_total path /a"b = 3',
    'rpc_seconds quantile 1.0 = NaN',
    'rpc_seconds_count = 2',
    'rpc_seconds_sum = 3.5',
    'über.temp = -0.1',
  ])
  expect(first.extra).toEqual(
    [
      '{__name__="requests_total", job="j", path="/a\\"b"} # {trace_id="x"} 1 @4000',
      '{__name__="latency_bucket", job="j", le="1.0"} # {trace_id="b"} 1 @5000',
    ].map((line) => expect.stringContaining(line.slice(line.indexOf('# ')))),
  )
  expect(rows.metadata().get('latency')).toEqual({ type: 'histogram', help: 'About latency.', unit: '' })
  const second = await scrape(11_000, body)
  expect(second.counts).toEqual({ samplesScraped: 10, samplesKept: 10, seriesAdded: 0 })
})

test('which parts of a histogram are stored', async () => {
  const native = { ...CLASSIC, buckets: [], native: NATIVE }
  const both = { ...CLASSIC, native: NATIVE }
  const stored = async (histogram: typeof native | typeof both | typeof CLASSIC, rules: Partial<TargetRowsRules>) => {
    const { appendable, scrape } = rig(rules)
    const { floats } = await scrape(10_000, page(family('h', 'histogram', { histogram })))
    return [
      appendable.histograms.map(({ schema }) => schema),
      floats.map((line) => line.split(' ').slice(0, -2).join(' ')),
    ]
  }
  const classicNames = ['h_bucket le +Inf', 'h_bucket le 0.5', 'h_bucket le 1.0', 'h_count', 'h_sum']
  const off = { scrapeNativeHistograms: false }
  const convert = { convertClassicHistograms: true }
  const always = { alwaysScrapeClassicHistograms: true }
  expect(await stored(CLASSIC, {})).toEqual([[], classicNames])
  expect(await stored(CLASSIC, convert)).toEqual([[CUSTOM_BUCKETS_SCHEMA], []])
  expect(await stored(CLASSIC, { ...convert, ...always })).toEqual([[CUSTOM_BUCKETS_SCHEMA], classicNames])
  expect(await stored(native, {})).toEqual([[0], []])
  expect(await stored(native, off)).toEqual([[], ['h_bucket le +Inf', 'h_count', 'h_sum']])
  expect(await stored(both, convert)).toEqual([[0], []])
  expect(await stored(both, always)).toEqual([[0], classicNames])
  expect(await stored(both, off)).toEqual([[], classicNames])
  expect(await stored(both, { ...off, ...convert })).toEqual([[CUSTOM_BUCKETS_SCHEMA], []])
})

test('histogram series go stale when they leave the page, when a scrape fails, and with their target', async () => {
  const { rows, appendable, scrape } = rig()
  const histogram = { ...CLASSIC, buckets: [], native: NATIVE }
  const a = { labels: ['n', 'a'], histogram }
  const b = { labels: ['n', 'b'], histogram }
  const first = await scrape(10_000, page(family('h', 'histogram', a, b)))
  expect(first.extra).toEqual(['h{job="j", n="a"} histogram 10 @10000', 'h{job="j", n="b"} histogram 10 @10000'])
  expect(first.counts).toEqual({ samplesScraped: 2, samplesKept: 2, seriesAdded: 2 })
  const second = await scrape(11_000, page(family('h', 'histogram', a)))
  expect(second.extra).toEqual(['h{job="j", n="a"} histogram 10 @11000', 'h{job="j", n="b"} stale @11000'])
  expect(second.counts.seriesAdded).toBe(0)
  await rows.writeFailed(12_000, REPORT)
  expect(appendable.committed.splice(0)).toEqual(['h{job="j", n="a"} stale @12000'])
  await scrape(13_000, page(family('h', 'histogram', a)))
  await rows.end(14_000)
  expect(appendable.committed).toEqual(['h{job="j", n="a"} stale @14000'])
})

test('limits hold for histograms too', async () => {
  const histogram = { ...CLASSIC, buckets: [], native: NATIVE }
  const body = page(family('h', 'histogram', { histogram }, { labels: ['a', 'b'], histogram }))
  expect(() => rig({ sampleLimit: 1 }).rows.read(body, 'protobuf')).toThrow(SampleLimitError)
  expect(() => rig({ labelLimit: 2 }).rows.read(body, 'protobuf')).toThrow(/label_limit exceeded/)
  expect(() => rig({ histogramBucketLimit: 1 }).rows.read(body, 'protobuf')).toThrow(/bucket limit exceeded/)
  const limited = rig({ histogramBucketLimit: 1 })
  const joinable = { ...NATIVE, positiveSpans: [{ offset: 1, length: 2 }] }
  await limited.scrape(10_000, page(family('h', 'histogram', { histogram: { ...histogram, native: joinable } })))
  expect(limited.appendable.histograms[0]).toMatchObject({ schema: -1, positiveSpans: [{ offset: 1, length: 1 }] })
})

test('resolution falls by joining neighbours', () => {
  const spread: NativeHistogram = {
    ...NATIVE,
    schema: 2,
    positiveSpans: [
      { offset: -1, length: 3 },
      { offset: 2, length: 2 },
    ],
    // Buckets -1, 0, 1, 4, 5.
    positiveBuckets: Float64Array.of(1, 2, 3, 4, 5),
  }
  const halved = limitHistogram(spread, 0, 1)
  // ceil(-1/2)=0, 0, ceil(1/2)=1, 2, 3.
  expect(halved.positiveSpans).toEqual([{ offset: 0, length: 4 }])
  expect([...halved.positiveBuckets]).toEqual([3, 3, 4, 5])
  expect(limitHistogram(spread, 2, 8).schema).toBe(-1)
  expect(() =>
    limitHistogram(
      {
        ...NATIVE,
        positiveSpans: [
          { offset: -100, length: 1 },
          { offset: 200, length: 1 },
        ],
      },
      1,
      8,
    ),
  ).toThrow(/bucket limit/)
  expect([65536, 2, 1.4, 1.1, 1.09, 1.002, 1, 0].map(schemaOfFactor)).toEqual([-4, 0, 1, 2, 3, 8, 8, 8])
})

test('a classic histogram of a text page is converted; what is not a histogram stays', async () => {
  const { rows, appendable, scrape } = rig({ convertClassicHistograms: true })
  const text = `# HELP h Latency.
# TYPE h histogram
h_bucket{le="1"} 2
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 4
h_sum 6.5
h_count 4
# TYPE c counter
c_count{a=""} 7
`
  const { floats, counts } = await scrape(10_000, text, 'text')
  expect(floats).toEqual(['c_count = 7'])
  expect(counts).toEqual({ samplesScraped: 2, samplesKept: 2, seriesAdded: 2 })
  const [histogram] = appendable.histograms
  expect(histogram).toMatchObject({ schema: CUSTOM_BUCKETS_SCHEMA, integer: true, count: 4, sum: 6.5 })
  expect([...histogram!.customBounds]).toEqual([0.5, 1])
  expect([...histogram!.positiveBuckets]).toEqual([1, 1, 2])
  expect(histogram!.positiveSpans).toEqual([{ offset: 0, length: 3 }])
  expect(rows.metadata().get('h')).toEqual({ type: 'histogram', help: 'Latency.', unit: '' })
  expect(customHistogram({ buckets: [bucket(1, 5), bucket(2, 4)], count: 4, sum: 0 })).toBeUndefined()
})

test('exemplars of an OpenMetrics page get the labels of their series, and the time of the scrape if they have none', async () => {
  const { scrape } = rig()
  const text =
    '# TYPE a counter\na_total{x="1"} 3 # {trace_id="t"} 0.5\na_total{x="2"} 4 # {trace_id="u"} 0.6 9.5\n# EOF\n'
  const want = [
    'a_total{job="j", x="1"} # {trace_id="t"} 0.5 @10000',
    'a_total{job="j", x="2"} # {trace_id="u"} 0.6 @9500',
  ]
  expect((await scrape(10_000, text, 'openmetrics')).extra).toEqual(want)
  const again = await scrape(11_000, text, 'openmetrics')
  expect(again.extra).toEqual([want[0]!.replace('10000', '11000'), want[1]])
  expect(again.floats).toEqual(['a_total x 1 = 3', 'a_total x 2 = 4'])
})
