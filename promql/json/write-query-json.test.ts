import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatSampleValue, labelsFromRecord, labelsToRecord, type NativeHistogram } from '../../model/index.ts'
import type { EvaluationStats, QueryResult } from '../exec/result.ts'
import { type QueryJsonExtras, writeQueryJson } from '../index.ts'
import { parseHistogramItem } from '../testing/script-histogram.ts'

const decoder = new TextDecoder()
const textOf = (result: QueryResult, extras?: QueryJsonExtras): string => decoder.decode(writeQueryJson(result, extras))

const scriptHistogram = (text: string): NativeHistogram => parseHistogramItem(text)![0]!.histogram

const vector = (value: number, timestampMs: number, labels: Record<string, string> = {}): QueryResult => ({
  type: 'vector',
  samples: [{ labels: labelsFromRecord(labels), timestampMs, value }],
})
const HISTOGRAM = scriptHistogram(
  '{{schema:0 count:9.5 sum:1e-7 z_bucket:2 z_bucket_w:0.001 offset:-1 buckets:[1 0 3] n_buckets:[0 3.5]}}',
)
const EMPTY_HISTOGRAM = scriptHistogram('{{}}')
const HISTOGRAM_TEXT =
  '{"count":"9.5","sum":"1e-07","buckets":[[1,"-2","-1","3.5"],[3,"-0.001","0.001","2"],[0,"0.25","0.5","1"],[0,"1","2","3"]]}'
const success = (type: string, result: string): string =>
  `{"status":"success","data":{"resultType":"${type}","result":${result}}}`

describe('the bytes of Prometheus', () => {
  test.each<[result: QueryResult, text: string]>([
    [{ type: 'vector', samples: [] }, success('vector', '[]')],
    [{ type: 'matrix', series: [] }, success('matrix', '[]')],
    [vector(1.5, 1100), success('vector', '[{"metric":{},"value":[1.100,"1.5"]}]')],
    [vector(-0, -1050), success('vector', '[{"metric":{},"value":[-1.050,"-0"]}]')],
    [
      vector(1e-7, 1.7e12, { a: 'x<y>&"\\ \n\t\r\b\f\x01\x7f é\u2028😀', __name__: 'up' }),
      success(
        'vector',
        '[{"metric":{"__name__":"up","a":"x<y>&\\"\\\\ \\n\\t\\r\\u0008\\u000c\\u0001\x7f é\u2028😀"},"value":[1700000000,"1e-07"]}]',
      ),
    ],
    [{ type: 'scalar', timestampMs: 2500, value: 1e-9 }, success('scalar', '[2.5,"0.000000001"]')],
    [
      { type: 'scalar', timestampMs: 1700000000123, value: 1e21 },
      success('scalar', '[1700000000.123,"1000000000000000000000"]'),
    ],
    [
      { type: 'string', timestampMs: 0, value: 'a<b>&"\\ \n\t\x01\x7f é\u2028😀\udce9' },
      success('string', '[0,"a\\u003cb\\u003e\\u0026\\"\\\\ \\n\\t\\u0001\x7f é\\u2028😀\ufffd"]'),
    ],
    [
      {
        type: 'matrix',
        series: [
          {
            labels: [],
            timestampsMs: Float64Array.of(0, 1050, 2100, 3150),
            values: Float64Array.of(0, 1.05e-7, Number.NaN, Number.NEGATIVE_INFINITY),
          },
          { labels: ['a', 'b'], timestampsMs: new Float64Array(0), values: new Float64Array(0) },
        ],
      },
      success(
        'matrix',
        '[{"metric":{},"values":[[0,"0"],[1.050,"1.05e-07"],[2.100,"NaN"],[3.150,"-Inf"]]},{"metric":{"a":"b"}}]',
      ),
    ],
    [
      { type: 'vector', samples: [{ labels: ['a', 'b'], timestampMs: 1100, value: Number.NaN, histogram: HISTOGRAM }] },
      success('vector', `[{"metric":{"a":"b"},"histogram":[1.100,${HISTOGRAM_TEXT}]}]`),
    ],
    [
      {
        type: 'matrix',
        series: [
          {
            labels: [],
            timestampsMs: Float64Array.of(0, 1050, 2000),
            values: Float64Array.of(7, 0, 8),
            histograms: [undefined, HISTOGRAM, undefined],
          },
          {
            labels: ['a', 'b'],
            timestampsMs: Float64Array.of(-50),
            values: Float64Array.of(0),
            histograms: [EMPTY_HISTOGRAM],
          },
        ],
      },
      success(
        'matrix',
        `[{"metric":{},"values":[[0,"7"],[2,"8"]],"histograms":[[1.050,${HISTOGRAM_TEXT}]]},` +
          '{"metric":{"a":"b"},"histograms":[[-0.050,{"count":"0","sum":"0"}]]}]',
      ),
    ],
  ])('%o', (result, text) => {
    expect(textOf(result)).toBe(text)
  })
})

test('warnings and infos: ten of each, then a count', () => {
  const extras = { warnings: ['PromQL warning: <x> & ü (1:1)'], infos: Array.from({ length: 12 }, (_, i) => `i${i}`) }
  const infos = `${extras.infos
    .slice(0, 10)
    .map((info) => `"${info}"`)
    .join(',')},"2 more info annotations omitted"`
  expect(textOf({ type: 'vector', samples: [] }, extras)).toBe(
    `{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["PromQL warning: \\u003cx\\u003e \\u0026 ü (1:1)"],"infos":[${infos}]}`,
  )
})

test('a limit cuts series and says so', () => {
  const samples = [1, 2, 3].map((value) => ({ labels: ['n', String(value)], timestampMs: 0, value }))
  expect(JSON.parse(textOf({ type: 'vector', samples }, { limit: 2, warnings: ['w'] }))).toEqual({
    status: 'success',
    data: {
      resultType: 'vector',
      result: [
        { metric: { n: '1' }, value: [0, '1'] },
        { metric: { n: '2' }, value: [0, '2'] },
      ],
    },
    warnings: ['results truncated due to limit', 'w'],
  })
  expect(JSON.parse(textOf({ type: 'vector', samples }, { limit: 3 }))).not.toHaveProperty('warnings')
  expect(JSON.parse(textOf({ type: 'vector', samples }, { limit: 0 }))).not.toHaveProperty('warnings')
})

test('statistics, when they were asked for', () => {
  const stats: EvaluationStats = {
    timings: { evalTotalTime: 0.5, resultSortTime: 0, queryPreparationTime: 0.125, innerEvalTime: 0.25 },
    samples: { totalQueryableSamples: 7, peakSamples: 3 },
    resolutions: [{ resolutionMs: 3_600_000, minTimeMs: 1_700_000, maxTimeMs: 1_800_500, isUsed: true }],
  }
  const { data } = JSON.parse(textOf(vector(1, 0), { stats, queuedMs: 250 })) as { data: { stats: unknown } }
  expect(data.stats).toEqual({
    timings: { ...stats.timings, execQueueTime: 0.25, execTotalTime: 0.75 },
    samples: stats.samples,
    resolutions: [{ resolution: '1h', start: 1700, end: 1800.5, used: true }],
  })
})

test('the bytes own their buffer', () => {
  const bytes = writeQueryJson(vector(1, 0))
  expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
})

test('whatever the labels and points, it is JSON of them', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 })
  const series = fc.record({
    labels: fc.dictionary(text, text, { maxKeys: 4 }),
    points: fc.array(fc.tuple(fc.integer({ min: 0, max: 10 ** 14 }), fc.double()), { minLength: 1, maxLength: 6 }),
    times: fc.constantFrom(1, 1, 700),
  })
  fc.assert(
    fc.property(fc.array(series, { maxLength: 5 }), (input) => {
      const all = input.map(({ labels, points, times }) => ({
        labels: labelsFromRecord(labels),
        points: Array.from({ length: times }, () => points).flat(),
      }))
      const result: QueryResult = {
        type: 'matrix',
        series: all.map(({ labels, points }) => ({
          labels,
          timestampsMs: Float64Array.from(points, ([t]) => t),
          values: Float64Array.from(points, ([, v]) => v),
        })),
      }
      expect(JSON.parse(textOf(result))).toEqual({
        status: 'success',
        data: {
          resultType: 'matrix',
          result: all.map(({ labels, points }) => ({
            metric: labelsToRecord(labels),
            values: points.map(([t, v]) => [t / 1000, formatSampleValue(v)]),
          })),
        },
      })
    }),
    { numRuns: 200 },
  )
})
