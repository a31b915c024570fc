// What an OpenTelemetry exporter sends becomes series; messages are written by an independent implementation.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { afterEach, describe, expect, test } from 'vitest'
import { WireFormatError } from '../../model/index.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'
import { decodeOtlpJson } from './decode-json.ts'
import { decodeOtlpProtobuf } from './decode-protobuf.ts'

const SCHEMA = `
syntax = "proto3";
message Any { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; List array_value = 5; Map kvlist_value = 6; bytes bytes_value = 7; } }
message List { repeated Any values = 1; }
message Map { repeated Pair values = 1; }
message Pair { string key = 1; Any value = 2; }
message Exemplar { repeated Pair filtered_attributes = 7; fixed64 time_unix_nano = 2; double as_double = 3; bytes span_id = 4; bytes trace_id = 5; sfixed64 as_int = 6; }
message NumberPoint { repeated Pair attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; oneof value { double as_double = 4; sfixed64 as_int = 6; } repeated Exemplar exemplars = 5; uint32 flags = 8; }
message HistogramPoint { repeated Pair attributes = 9; fixed64 time_unix_nano = 3; fixed64 count = 4; optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated Exemplar exemplars = 8; uint32 flags = 10; }
message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
message ExponentialPoint { repeated Pair attributes = 1; fixed64 time_unix_nano = 3; fixed64 count = 4; optional double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9; double zero_threshold = 14; }
message Quantile { double quantile = 1; double value = 2; }
message SummaryPoint { repeated Pair attributes = 7; fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5; repeated Quantile quantile_values = 6; }
message Gauge { repeated NumberPoint data_points = 1; }
message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message Exponential { repeated ExponentialPoint data_points = 1; int32 aggregation_temporality = 2; }
message Summary { repeated SummaryPoint data_points = 1; }
message Metric { string name = 1; string description = 2; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; Exponential exponential_histogram = 10; Summary summary = 11; } }
message Scope { string name = 1; string version = 2; repeated Pair attributes = 3; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
message Resource { repeated Pair attributes = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Request { repeated ResourceMetrics resource_metrics = 1; }`
const Request = protobuf.parse(SCHEMA).root.lookupType('Request')
const encode = (request: object): Uint8Array => Request.encode(Request.fromObject(request)).finish()

const NOW = Math.floor(Date.now() / 1000) * 1000
const nanoseconds = `${NOW}000000`
const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
const point = (more: object) => ({ timeUnixNano: nanoseconds, ...more })
const PROTOBUF = 'application/x-protobuf'

const request = (metrics: readonly object[], resource: readonly object[] = [text('service.name', 'shop')]) => ({
  resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics: [{ scope: { name: 'lib' }, metrics }] }],
})

let server: TestServer
afterEach(() => server.stop())

async function start(config = ''): Promise<void> {
  server = await startTestServer({ 'web.enable-otlp-receiver': 'true' }, config)
}

const send = (body: Uint8Array | string, headers: Record<string, string> = { 'content-type': PROTOBUF }) =>
  fetch(`${server.url}/api/v1/otlp/v1/metrics`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : Buffer.from(body),
  })

/** Newest samples: `{labels} value`. */
async function stored(query = '{__name__=~".+"}'): Promise<string[]> {
  const path = `/api/v1/query?query=${encodeURIComponent(query)}&time=${NOW / 1000}`
  const { data } = (await (await fetch(server.url + path)).json()) as {
    data: { result: { metric: Record<string, string>; value?: [number, string]; histogram?: [number, object] }[] }
  }
  return data.result
    .map(({ metric: { __name__: name, ...labels }, value, histogram }) => {
      const shown = Object.entries(labels).map(([label, one]) => `${label}=${one}`)
      return `${name}{${shown.join(',')}} ${value?.[1] ?? JSON.stringify(histogram![1])}`
    })
    .sort()
}

const METRICS = [
  {
    name: 'http.requests',
    unit: '{request}',
    description: 'Requests.',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [point({ asInt: '7', attributes: [text('http.method', 'GET')] })],
    },
  },
  { name: 'queue.length', sum: { aggregationTemporality: 2, dataPoints: [point({ asDouble: -2.5 })] } },
  { name: 'cpu.use', unit: '1', gauge: { dataPoints: [point({ asDouble: 0.25 })] } },
  {
    name: 'latency',
    unit: 'ms',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [point({ count: '6', sum: 90, bucketCounts: ['1', '2', '3'], explicitBounds: [5, 10] })],
    },
  },
  {
    name: 'size',
    unit: 'By',
    summary: { dataPoints: [point({ count: '4', sum: 8, quantileValues: [{ quantile: 0.5, value: 2 }] })] },
  },
]
const SERIES = [
  'cpu_use_ratio{job=shop} 0.25',
  'http_requests_total{http_method=GET,job=shop} 7',
  'latency_milliseconds_bucket{job=shop,le=+Inf} 6',
  'latency_milliseconds_bucket{job=shop,le=10} 3',
  'latency_milliseconds_bucket{job=shop,le=5} 1',
  'latency_milliseconds_count{job=shop} 6',
  'latency_milliseconds_sum{job=shop} 90',
  'queue_length{job=shop} -2.5',
  'size_bytes_count{job=shop} 4',
  'size_bytes_sum{job=shop} 8',
  'size_bytes{job=shop,quantile=0.5} 2',
]

test.each([
  ['protobuf', (body: object) => send(encode(body))],
  ['JSON', (body: object) => send(JSON.stringify(body), { 'content-type': 'application/json' })],
  ['packed', (body: object) => send(gzipSync(encode(body)), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' })],
])('every kind of metric, in %s', async (_, post) => {
  await start()
  expect((await post(request(METRICS))).status).toBe(200)
  expect(await stored()).toEqual(SERIES)
  const metadata = await (await fetch(`${server.url}/api/v1/metadata?metric=http_requests_total`)).json()
  expect(metadata).toMatchObject({ data: { http_requests_total: [{ type: 'counter', help: 'Requests.' }] } })
})

test('an exponential histogram is a native one, coarser where it is too fine', async () => {
  await start()
  const exponential = (scale: number, positive: object) => ({
    aggregationTemporality: 2,
    dataPoints: [point({ count: '9', sum: 30, scale, zeroCount: '1', positive })],
  })
  const metrics = [
    // (1, 2], (2, 4], nothing, (8, 16]
    { name: 'plain', exponentialHistogram: exponential(0, { offset: 0, bucketCounts: ['4', '3', '0', '1'] }) },
    { name: 'fine', exponentialHistogram: exponential(9, { offset: -1, bucketCounts: ['2', '4', '2'] }) },
    { name: 'wide', exponentialHistogram: exponential(-5, { offset: 0, bucketCounts: ['8'] }) },
  ]
  expect((await send(encode(request(metrics)))).status).toBe(200)
  expect(await stored('plain')).toEqual([
    `plain{job=shop} ${JSON.stringify({
      count: '9',
      sum: '30',
      buckets: [
        [3, '-1e-128', '1e-128', '1'],
        [0, '1', '2', '4'],
        [0, '2', '4', '3'],
        [0, '8', '16', '1'],
      ],
    })}`,
  ])
  const [fine] = await stored('fine')
  expect(fine).toMatch(/\[0,"0\.99729\d+","1","2"\],\[0,"1","1\.00271\d+","6"\]/)
  expect(await stored('wide')).toEqual([])
})

test('a resource: job and instance, promoted attributes, the others in target_info', async () => {
  await start('otlp: { promote_resource_attributes: [host.name], promote_scope_metadata: true }')
  const resource = [
    text('service.name', 'shop'),
    text('service.namespace', 'eu'),
    text('service.instance.id', 'i1'),
    text('host.name', 'h'),
    { key: 'process.pid', value: { intValue: '42' } },
    { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { boolValue: true }] } } },
  ]
  const gauge = {
    dataPoints: [point({ asInt: '1', attributes: [text('a.b', 'x'), text('a/b', 'y'), text('1st', 'z')] })],
  }
  expect((await send(encode(request([{ name: 'g', gauge }], resource)))).status).toBe(200)
  expect(await stored()).toEqual([
    'g{a_b=x;y,host_name=h,instance=i1,job=eu/shop,key_1st=z,otel_scope_name=lib} 1',
    'target_info{host_name=h,instance=i1,job=eu/shop,process_pid=42,tags=["a",true]} 1',
  ])
})

test.each(['constructor', 'toString', '__proto__'])('a unit called %s is a unit', async (unit) => {
  await start()
  const metrics = [{ name: 'g', unit, gauge: { dataPoints: [point({ asDouble: 1 })] } }]
  expect((await send(encode(request(metrics)))).status).toBe(200)
  expect(await stored()).toEqual([`g_${unit.replaceAll('_', '')}{job=shop} 1`])
})

test('names stay as they are where the configuration says so', async () => {
  await start('otlp: { translation_strategy: NoUTF8EscapingWithSuffixes }')
  expect((await send(encode(request(METRICS.slice(0, 3))))).status).toBe(200)
  expect(await stored()).toEqual([
    'cpu.use_ratio{job=shop} 0.25',
    'http.requests_total{http.method=GET,job=shop} 7',
    'queue.length{job=shop} -2.5',
  ])
})

test('classic histograms become native ones with custom buckets where that is asked for', async () => {
  await start('otlp: { convert_histograms_to_nhcb: true }')
  expect((await send(encode(request([METRICS[3]!])))).status).toBe(200)
  expect(await stored()).toEqual([
    expect.stringContaining('latency_milliseconds{job=shop} {"count":"6","sum":"90","buckets":['),
  ])
})

test('an end without a value is a staleness marker; exemplars are kept', async () => {
  await start()
  const counter = (more: object) =>
    request([{ name: 'c', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point(more)] } }])
  const exemplars = [
    {
      timeUnixNano: nanoseconds,
      asDouble: 3,
      traceId: Buffer.from('0af7', 'hex'),
      filteredAttributes: [text('user', 'u')],
    },
  ]
  expect((await send(encode(counter({ timeUnixNano: `${NOW - 1000}000000`, asInt: '1', exemplars })))).status).toBe(200)
  expect(await stored()).toEqual(['c_total{job=shop} 1'])
  const path = `/api/v1/query_exemplars?query=c_total&start=${NOW / 1000 - 60}&end=${NOW / 1000 + 60}`
  expect(await (await fetch(server.url + path)).json()).toMatchObject({
    data: [{ exemplars: [{ labels: { trace_id: '0af7', user: 'u' }, value: '3' }] }],
  })
  expect((await send(encode(counter({ flags: 1 })))).status).toBe(200)
  expect(await stored('c_total')).toEqual([])
  expect(await stored('last_over_time(c_total[10s])')).toEqual(['c_total{job=shop} 1'])
})

describe('what cannot be taken', () => {
  test('differences are left out, the rest is stored', async () => {
    await start()
    const delta = {
      name: 'd',
      sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [point({ asInt: '1' })] },
    }
    expect((await send(encode(request([delta, METRICS[1]!])))).status).toBe(200)
    expect(await stored()).toEqual(['queue_length{job=shop} -2.5'])
  })

  test('samples that the store refuses: 400 with the reasons', async () => {
    await start()
    const gauge = (value: number) =>
      encode(request([{ name: 'g', gauge: { dataPoints: [point({ asDouble: value })] } }]))
    expect((await send(gauge(1))).status).toBe(200)
    expect((await send(gauge(1))).status).toBe(200) // The same again changes nothing.
    const answer = await send(gauge(2))
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(/duplicate/i)])
    expect(await stored()).toEqual(['g{job=shop} 1'])
  })

  test('histograms that cannot be', async () => {
    await start()
    const sendPoint = (more: object) =>
      send(
        JSON.stringify(
          request([
            {
              name: 'e',
              exponentialHistogram: {
                aggregationTemporality: 2,
                dataPoints: [point({ count: 3, sum: 1, positive: { offset: 0, bucketCounts: [1, 2] }, ...more })],
              },
            },
          ]),
        ),
        { 'content-type': 'application/json' },
      )
    const refusals: [object, RegExp][] = [
      [{ scale: 0.5 }, /no whole number of 32 bits: 0\.5/],
      [{ positive: { offset: 1e18, bucketCounts: [1, 2] } }, /no whole number of 32 bits/],
      [{ positive: { offset: 0, bucketCounts: [-1, 2] } }, /invalid histogram: positive side: bucket number 1/],
      [{ count: 99 }, /invalid histogram: 3 observations found in buckets, but the Count field is 99/],
    ]
    for (const [more, why] of refusals) {
      const answer = await sendPoint(more)
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(why)])
    }
    expect(await stored()).toEqual([])
    expect((await sendPoint({})).status).toBe(200)
  })

  test('other bodies, and damaged ones', async () => {
    await start()
    const statusOf = async (answer: Promise<Response>) => (await answer).status
    expect(await statusOf(send('x', { 'content-type': 'text/plain' }))).toBe(415)
    expect(await statusOf(send('{', { 'content-type': 'application/json' }))).toBe(400)
    expect(await statusOf(send('{"resourceMetrics":1}', { 'content-type': 'application/json' }))).toBe(400)
    expect(await statusOf(send(Uint8Array.of(10, 200)))).toBe(400)
    const nested = (depth: number): string => {
      const value = `${'{"arrayValue":{"values":['.repeat(depth)}{"stringValue":"x"}${']}}'.repeat(depth)}`
      return `{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":${value}}]}}]}`
    }
    expect(await statusOf(send(nested(30), { 'content-type': 'application/json' }))).toBe(200)
    expect(await statusOf(send(nested(4000), { 'content-type': 'application/json' }))).toBe(400)
    const timed = (time: string): string => JSON.stringify(request([METRICS[2]!])).replaceAll(`"${nanoseconds}"`, time)
    for (const time of ['"x"', '1.5', 'true', `"${'9'.repeat(100_000)}"`, '['.repeat(9000) + ']'.repeat(9000)])
      expect(await statusOf(send(timed(time), { 'content-type': 'application/json' }))).toBe(400)
  })

  test('anything, where it is not switched on', async () => {
    server = await startTestServer()
    expect((await send(encode(request(METRICS)))).status).toBe(404)
  })

  test('mutated and cut requests are read as something or refused', async () => {
    await start()
    const whole = encode(request(METRICS))
    const edit = fc.tuple(fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 4 }), fc.nat(whole.length), (edits, cut) => {
        const bytes = whole.slice(0, whole.length - cut)
        for (const [at, byte] of edits) if (bytes.length > 0) bytes[at % bytes.length] = byte
        const json = JSON.stringify(request(METRICS)).split('')
        for (const [at, byte] of edits) json[at % json.length] = String.fromCharCode(byte)
        for (const decode of [() => decodeOtlpProtobuf(bytes), () => decodeOtlpJson(json.join(''))]) {
          try {
            decode()
          } catch (error) {
            expect(error).toBeInstanceOf(WireFormatError)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
