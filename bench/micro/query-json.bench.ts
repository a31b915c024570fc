// The body of a range query, 100 series × 500 points of 17 digits: our writer against JSON.stringify of the same objects.
// Run: npx vitest bench bench/micro/query-json.bench.ts
import { bench, describe } from 'vitest'
import { labelsFromRecord, labelsToRecord } from '../../model/index.ts'
import { writeQueryJson } from '../../promql/index.ts'

const timestampsMs = new Float64Array(500).map((_, i) => 1_700_000_000_000 + i * 15_000)
const series = Array.from({ length: 100 }, (_, s) => ({
  labels: labelsFromRecord({ __name__: 'http_requests_total', instance: `host-${s}:9100`, job: 'shop', mode: 'idle' }),
  timestampsMs,
  values: new Float64Array(500).map((_, i) => Math.sqrt(s * 500 + i + 2)),
}))

describe('50,000 points', () => {
  bench('writeQueryJson', () => {
    writeQueryJson({ type: 'matrix', series })
  })
  bench('JSON.stringify', () => {
    const result = series.map((one) => ({
      metric: labelsToRecord(one.labels),
      values: Array.from(one.values, (value, i) => [timestampsMs[i]! / 1000, String(value)]),
    }))
    new TextEncoder().encode(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }))
  })
})
