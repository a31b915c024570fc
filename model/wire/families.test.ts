import { describe, expect, test } from 'vitest'
import {
  type ClientMetric,
  type ClientMetricFamily,
  CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  encodeMetricFamilies,
  labelsFromRecord,
  type MetricType,
  type NativeHistogram,
  WireFormatError,
} from '../index.ts'
import { decode, Family } from '../testing/families.ts'
import { metric } from '../testing/metric.ts'

/** One page from messages that the other implementation writes. */
const page = (...families: object[]): Uint8Array =>
  Buffer.concat(families.map((family) => Family.encodeDelimited(Family.fromObject(family)).finish()))

const family = (type: MetricType, ...metrics: ClientMetric[]): ClientMetricFamily => ({
  name: 'm',
  help: 'Helps.',
  unit: '',
  type,
  metrics,
})
const NATIVE: NativeHistogram = {
  integer: true,
  counterResetHint: CounterResetHint.UNKNOWN,
  schema: 3,
  zeroThreshold: 1e-128,
  zeroCount: 2,
  count: 14,
  sum: 18.4,
  positiveSpans: [
    { offset: -2, length: 2 },
    { offset: 3, length: 1 },
  ],
  positiveBuckets: Float64Array.of(5, 1, 4),
  negativeSpans: [{ offset: 0, length: 1 }],
  negativeBuckets: Float64Array.of(2),
  customBounds: new Float64Array(0),
}

describe('metric families in protobuf: pages of another implementation', () => {
  test('counter, gauge, untyped, with labels in any order, times, exemplar, creation', () => {
    const body = page(
      {
        name: 'c_total',
        help: 'ünïcode',
        unit: 's',
        type: 0,
        metric: [
          {
            label: [
              { name: 'z', value: 'z' },
              { name: 'a', value: '' },
              { name: 'é', value: '😀' },
              { name: 'b', value: 'b' },
            ],
            counter: {
              value: 1.5,
              created_timestamp: { seconds: 1600000000, nanos: 500_999_999 },
              exemplar: { label: [{ name: 'trace_id', value: 'x' }], value: 7, timestamp: { seconds: 3, nanos: 0 } },
            },
            timestamp_ms: -5,
          },
        ],
      },
      { name: 'g', type: 1, metric: [{ gauge: { value: -0 } }, { gauge: { value: Number.NaN }, timestamp_ms: 0 }] },
      { name: 'u', type: 3, metric: [{ untyped: { value: Number.POSITIVE_INFINITY } }] },
    )
    expect(decode(body)).toEqual([
      {
        name: 'c_total',
        help: 'ünïcode',
        unit: 's',
        type: 'counter',
        metrics: [
          metric({
            labels: labelsFromRecord({ z: 'z', é: '😀', b: 'b' }),
            timestampMs: -5,
            createdMs: 1_600_000_000_500,
            value: 1.5,
            exemplar: { labels: ['trace_id', 'x'], value: 7, timestampMs: 3000 },
          }),
        ],
      },
      {
        name: 'g',
        help: '',
        unit: '',
        type: 'gauge',
        metrics: [metric({ value: -0 }), metric({ value: Number.NaN, timestampMs: 0 })],
      },
      { name: 'u', help: '', unit: '', type: 'unknown', metrics: [metric({ value: Number.POSITIVE_INFINITY })] },
    ])
  })

  test('summary and classic histogram, counts whole and not', () => {
    const body = page(
      {
        name: 's',
        type: 2,
        metric: [{ summary: { sample_count: 3, sample_sum: 1.5, quantile: [{ quantile: 0.5, value: Number.NaN }] } }],
      },
      {
        name: 'h',
        type: 4,
        metric: [
          {
            histogram: {
              sample_count: 5,
              sample_sum: 9,
              bucket: [
                { cumulative_count: 2, upper_bound: 0.1 },
                { cumulative_count: 5, upper_bound: 1, exemplar: { value: 0.4 } },
              ],
            },
          },
          { histogram: { sample_count_float: 2.5, bucket: [{ cumulative_count_float: 2.5, upper_bound: 1 }] } },
        ],
      },
    )
    const [summary, histogram] = decode(body)
    expect(summary!.metrics[0]!.summary).toEqual({
      count: 3,
      sum: 1.5,
      quantiles: [{ quantile: 0.5, value: Number.NaN }],
    })
    expect(histogram!.metrics.map((item) => item.histogram)).toEqual([
      {
        count: 5,
        sum: 9,
        buckets: [
          { upperBound: 0.1, cumulativeCount: 2, exemplar: undefined },
          { upperBound: 1, cumulativeCount: 5, exemplar: { labels: [], value: 0.4, timestampMs: undefined } },
        ],
        native: undefined,
        exemplars: [],
      },
      {
        count: 2.5,
        sum: 0,
        buckets: [{ upperBound: 1, cumulativeCount: 2.5, exemplar: undefined }],
        native: undefined,
        exemplars: [],
      },
    ])
  })

  test('native histograms: whole numbers as steps, floats as they are, gauges, and the empty one', () => {
    const integer = {
      sample_count: 14,
      sample_sum: 18.4,
      schema: 3,
      zero_threshold: 1e-128,
      zero_count: 2,
      positive_span: NATIVE.positiveSpans,
      positive_delta: [5, -4, 3],
      negative_span: NATIVE.negativeSpans,
      negative_delta: [2],
    }
    const float = {
      sample_count_float: 3.5,
      sample_sum: 1,
      zero_count_float: 0.5,
      positive_span: [{ offset: 0, length: 2 }],
      positive_count: [1.25, 1.75],
    }
    const body = page(
      {
        name: 'h',
        type: 4,
        metric: [{ histogram: integer }, { histogram: { positive_span: [{ offset: 0, length: 0 }] } }],
      },
      { name: 'g', type: 5, metric: [{ histogram: float }] },
    )
    const [histograms, gauges] = decode(body)
    expect(histograms!.metrics[0]!.histogram!.native).toEqual(NATIVE)
    expect(histograms!.metrics[1]!.histogram!.native).toMatchObject({ count: 0, positiveSpans: [], integer: true })
    expect(gauges!.metrics[0]!.histogram!.native).toMatchObject({
      integer: false,
      counterResetHint: CounterResetHint.GAUGE,
      count: 3.5,
      zeroCount: 0.5,
      positiveBuckets: Float64Array.of(1.25, 1.75),
    })
  })

  test('fields that are not known, and fields in any order, do no harm', () => {
    const ordered = page({ name: 'g', type: 1, metric: [{ gauge: { value: 4 } }] })
    const content = ordered.subarray(1)
    const unknown = Uint8Array.of(0xa0, 0x06, 0x96, 0x01, 0xaa, 0x06, 2, 1, 2, 0xb5, 0x06, 1, 2, 3, 4)
    // The metric in front of the type it is read by.
    const metricFirst = Uint8Array.of(...content.subarray(5), ...content.subarray(0, 5), ...unknown)
    expect(decode(Uint8Array.of(metricFirst.length, ...metricFirst))).toEqual(decode(ordered))
  })
})

describe('metric families in protobuf: own pages', () => {
  test('custom bounds become classic buckets', () => {
    const custom: NativeHistogram = {
      ...NATIVE,
      schema: CUSTOM_BUCKETS_SCHEMA,
      zeroCount: 0,
      count: 10,
      positiveSpans: [
        { offset: 0, length: 1 },
        { offset: 1, length: 2 },
      ],
      positiveBuckets: Float64Array.of(5, 1, 4),
      negativeSpans: [],
      negativeBuckets: new Float64Array(0),
      customBounds: Float64Array.of(0.1, 0.5, 1),
    }
    const written = family(
      'histogram',
      metric({ histogram: { count: 10, sum: 18.4, buckets: [], native: custom, exemplars: [] } }),
    )
    const [read] = decode(encodeMetricFamilies([written]))
    const bucket = (upperBound: number, cumulativeCount: number) => ({
      upperBound,
      cumulativeCount,
      exemplar: undefined,
    })
    expect(read!.metrics[0]!.histogram).toMatchObject({
      count: 10,
      native: undefined,
      buckets: [bucket(0.1, 5), bucket(0.5, 5), bucket(1, 6), bucket(Number.POSITIVE_INFINITY, 10)],
    })
  })

  test('large families: a length of several bytes', () => {
    const wide = family('gauge', ...Array.from({ length: 3000 }, (_, i) => metric({ labels: ['i', `${i}`], value: i })))
    const read = decode(encodeMetricFamilies([wide, wide]))
    expect(read).toHaveLength(2)
    for (const one of read) expect(one).toEqual(wide)
  })
})

describe('metric families in protobuf: hostile pages', () => {
  test.each([
    ['a length beyond the end', [5, 10, 1]],
    ['a nested length beyond its message', [4, 34, 20, 10, 0]],
    ['field number 0', [2, 0, 0]],
    ['a group', [1, 0x0b]],
    ['a number without an end', [12, 24, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['text that is not UTF-8', [4, 10, 2, 0xff, 0xfe]],
    ['half a float', [8, 24, 1, 34, 4, 18, 2, 9, 0]],
  ])('%s is refused', (_, bytes) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(WireFormatError)
  })
})
