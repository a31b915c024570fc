import { expect, test } from 'vitest'
import { type ClientMetric, CounterResetHint, encodeMetricFamilies, type MetricType } from '../../model/index.ts'
import type { PageFormat } from './split-page.ts'
import type { TargetRowsRules } from './target-rules.ts'
import { dropping, REPORT, targetRig } from './testing.ts'

function rig(rules: Partial<TargetRowsRules> = {}) {
  const own = { relabel: dropping('drop_me'), scrapeNativeHistograms: true, createdZeros: true }
  const { rows, store, appendable } = targetRig({ ...own, ...rules })
  const scrape = async (body: string | Uint8Array, format: PageFormat, timestampMs: number) => {
    const counts = rows.read(Buffer.from(body), format)
    await rows.write(timestampMs, REPORT)
    return { counts, zeros: appendable.committed.splice(0) }
  }
  return { scrape, store }
}

const omPage = (createdSeconds: number, extra = '') => `# TYPE hits counter
hits_total{path="/"} 7
hits_created{path="/"} ${createdSeconds}
hits_total{path="drop_me"} 7
hits_created{path="drop_me"} ${createdSeconds}
# TYPE took histogram
took_bucket{le="1.0"} 1
took_bucket{le="+Inf"} 2
took_count 2
took_sum 1.5
took_created ${createdSeconds}
# TYPE level gauge
level 1
${extra}# EOF
`

test('OpenMetrics: `_created` is no series of its own, it puts zeros in front of those of its metric', async () => {
  const { scrape, store } = rig()
  const first = await scrape(omPage(5.5), 'openmetrics', 10_000)
  expect(first.counts).toMatchObject({ samplesScraped: 7, samplesKept: 6 })
  expect(first.zeros).toEqual([
    'hits_total{job="j", path="/"} 0 @5500',
    'took_bucket{job="j", le="1.0"} 0 @5500',
    'took_bucket{job="j", le="+Inf"} 0 @5500',
    'took_count{job="j"} 0 @5500',
    'took_sum{job="j"} 0 @5500',
  ])
  expect(store.groups[0]!.rows).toHaveLength(1)
  // The same beginning again is no news; a later one is a restart; one before the last scrape is none.
  expect((await scrape(omPage(5.5), 'openmetrics', 11_000)).zeros).toEqual([])
  expect((await scrape(omPage(11.5), 'openmetrics', 12_000)).zeros).toHaveLength(5)
  expect((await scrape(omPage(11.75), 'openmetrics', 13_000)).zeros).toEqual([])
  expect((await scrape(omPage(99), 'openmetrics', 14_000)).zeros).toEqual([])
})

test('without the feature `_created` is a series like any other', async () => {
  const { scrape } = rig({ createdZeros: false })
  const { counts, zeros } = await scrape(omPage(5), 'openmetrics', 10_000)
  expect(counts).toMatchObject({ samplesScraped: 10, samplesKept: 8 })
  expect(zeros).toEqual([])
})

const NOTHING = { timestampMs: undefined, exemplar: undefined, summary: undefined, histogram: undefined }
const family = (name: string, type: MetricType, metric: Partial<ClientMetric>) => ({
  name,
  help: '',
  unit: '',
  type,
  metrics: [{ labels: [], createdMs: undefined, value: undefined, ...NOTHING, ...metric }],
})

test('protobuf: counters, summaries, classic and native histograms', async () => {
  const { scrape } = rig()
  const native = {
    integer: true,
    counterResetHint: CounterResetHint.UNKNOWN,
    schema: 3,
    zeroThreshold: 0.001,
    zeroCount: 1,
    count: 3,
    sum: 2,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(2),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customBounds: new Float64Array(0),
  }
  const classic = { count: 2, sum: 1, buckets: [{ upperBound: 1, cumulativeCount: 2, exemplar: undefined }] }
  const page = encodeMetricFamilies([
    family('hits_total', 'counter', { value: 3, createdMs: 5000 }),
    family('took', 'summary', { summary: { count: 2, sum: 3, quantiles: [] }, createdMs: 5000 }),
    family('classic', 'histogram', {
      histogram: { ...classic, native: undefined, exemplars: [] },
      createdMs: 6000,
    }),
    family('native', 'histogram', { histogram: { ...classic, native, exemplars: [] }, createdMs: 7000 }),
    family('level', 'gauge', { value: 1 }),
  ])
  const { zeros } = await scrape(page, 'protobuf', 10_000)
  expect(zeros).toEqual([
    'hits_total{job="j"} 0 @5000',
    'took_count{job="j"} 0 @5000',
    'took_sum{job="j"} 0 @5000',
    'classic_count{job="j"} 0 @6000',
    'classic_sum{job="j"} 0 @6000',
    'classic_bucket{job="j", le="1.0"} 0 @6000',
    'classic_bucket{job="j", le="+Inf"} 0 @6000',
    'native{job="j"} histogram 0 @7000',
    'native{job="j"} histogram 2 @10000',
  ])
})
