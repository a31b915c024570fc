// Range queries over 400 series × 24 h × 15 s (2.3 M samples) in memory, one step a minute: selection, window functions and
// aggregation; neither parsing of blocks nor JSON. `kernels` computes sums and extremes in WebAssembly, `plain` in TypeScript.
// Run: npx vitest bench bench/micro/promql-rate.bench.ts
import { bench, describe } from 'vitest'
import { ownWindowKernels } from '../../kernels/index.ts'
import { labelsFromRecord, type Queryable, type SeriesColumn } from '../../model/index.ts'
import { createEngine, type EngineOptions } from '../../promql/index.ts'

const SERIES = 400
const SAMPLES = (24 * 3600) / 15
const END_MS = SAMPLES * 15_000
function makeStore(): Queryable {
  const timestampsMs = Float64Array.from({ length: SAMPLES }, (_, i) => i * 15_000)
  const columns: SeriesColumn[] = Array.from({ length: SERIES }, (_, s) => {
    const values = new Float64Array(SAMPLES)
    for (let i = 0; i < SAMPLES; i++) values[i] = ((i * (s + 7)) % 100_000) * 1.5
    const labels = labelsFromRecord({ __name__: 'requests_total', instance: `host-${s % 40}`, code: `${s % 10}` })
    return { labels, timestampsMs, values, length: SAMPLES, stale: undefined }
  })
  const empty = (): never[] => []
  return {
    querier: () => ({ select: () => columns, series: empty, labelNames: empty, labelValues: empty, close: empty }),
  }
}

const store = makeStore()
const stores: Readonly<Record<string, readonly [Queryable, Partial<EngineOptions>]>> = {
  plain: [store, {}],
  kernels: [store, { windowKernels: ownWindowKernels() }],
}

const QUERIES = [
  'rate(requests_total[5m])',
  'sum by (code) (rate(requests_total[5m]))',
  'sum(requests_total)',
  'max_over_time(requests_total[1h])',
  'avg_over_time(requests_total[1h])',
  'rate(requests_total[5m]) / rate(requests_total[1h]) > 1',
]

for (const query of QUERIES) {
  describe(query, () => {
    for (const [name, [store, options]] of Object.entries(stores)) {
      const engine = createEngine({
        lookbackDeltaMs: 300_000,
        defaultSubqueryStepMs: () => 60_000,
        maxSamples: 50_000_000,
        ...options,
      })
      bench(
        name,
        () => {
          engine.range(store, query, { startMs: 0, endMs: END_MS, stepMs: 60_000 })
        },
        { iterations: 5, time: 300 },
      )
    }
  })
}
