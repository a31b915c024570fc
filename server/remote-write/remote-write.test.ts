// The receiver as senders see it: bytes in, status and headers out, samples in a real store.
import type { FastifyInstance } from 'fastify'
import protobuf from 'protobufjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { systemClock } from '../../lib/index.ts'
import { encodeSnappy, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReader, openTsdb, type Tsdb } from '../../tsdb/index.ts'
import { createHttpApp } from '../http/app.ts'
import { Port } from '../http/port.ts'
import { WRITE_MESSAGES } from './content-type.ts'
import { RemoteWriteReceiver } from './receiver.ts'
import { RemoteMetadata } from './remote-metadata.ts'
import { registerRemoteWrite } from './routes.ts'

/** Fields as the protocol defines them, for an independent writer of messages. */
const SCHEMA = `
syntax = "proto3";
message Label { string name = 1; string value = 2; }
message Sample { double value = 1; int64 timestamp = 2; }
message Span { sint32 offset = 1; uint32 length = 2; }
message Histogram {
  oneof count { uint64 count_int = 1; double count_float = 2; }
  double sum = 3; sint32 schema = 4; double zero_threshold = 5;
  oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
  repeated Span negative_spans = 8; repeated sint64 negative_deltas = 9; repeated double negative_counts = 10;
  repeated Span positive_spans = 11; repeated sint64 positive_deltas = 12; repeated double positive_counts = 13;
  uint32 reset_hint = 14; int64 timestamp = 15; repeated double custom_values = 16;
}
message Exemplar1 { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
message Series1 { repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar1 exemplars = 3; repeated Histogram histograms = 4; }
message Metadata1 { int32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
message Write1 { repeated Series1 timeseries = 1; repeated Metadata1 metadata = 3; }
message Exemplar2 { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
message Metadata2 { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
message Series2 { repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3; repeated Exemplar2 exemplars = 4; Metadata2 metadata = 5; }
message Write2 { repeated string symbols = 4; repeated Series2 timeseries = 5; }`
const { root } = protobuf.parse(SCHEMA, { keepCase: true })
/** In texts `¿` stands for two bytes that are no UTF-8. */
const message = (type: string, content: object): Uint8Array => {
  const Type = root.lookupType(type)
  const bytes = Buffer.from(Type.encode(Type.fromObject(content)).finish())
  for (let at = 0; (at = bytes.indexOf('¿', at)) >= 0; ) bytes.fill(0xff, at, at + 2)
  return encodeSnappy(bytes)
}
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request'
const T0 = Date.now() - 60_000

interface Series {
  readonly labels: Record<string, string>
  readonly samples?: readonly (readonly [number, number])[]
  readonly histograms?: readonly object[]
}

const v1 = (...series: Series[]): Uint8Array =>
  message('Write1', {
    timeseries: series.map(({ labels, samples = [], histograms = [] }) => ({
      labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
      samples: samples.map(([timestamp, value]) => ({ timestamp, value })),
      histograms,
    })),
  })

function v2(...series: Series[]): Uint8Array {
  const symbols = ['']
  const ref = (text: string): number => {
    const known = symbols.indexOf(text)
    return known >= 0 ? known : symbols.push(text) - 1
  }
  const timeseries = series.map(({ labels, samples = [], histograms = [] }) => ({
    labels_refs: Object.entries(labels).flatMap(([name, value]) => [ref(name), ref(value)]),
    samples: samples.map(([timestamp, value]) => ({ timestamp, value })),
    histograms,
    metadata: { type: 1, help_ref: ref('Helps.'), unit_ref: ref('seconds') },
  }))
  return message('Write2', { symbols, timeseries })
}

let folder: string
let store: Tsdb
let port: Port
let app: FastifyInstance
let receiver: RemoteWriteReceiver
let metadata: RemoteMetadata

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'belltower-remote-write-'))
  const options = { clock: systemClock, logger: silentLogger, registry: new Registry() }
  store = await openTsdb({ ...options, dataDir: folder, retentionMs: 1e15 })
  metadata = new RemoteMetadata()
  receiver = new RemoteWriteReceiver({
    ...options,
    metadata,
    appender: () => store.appender({ stream: 'remote-write' }),
  })
  port = await Port.open({ host: '127.0.0.1', port: 0 })
  app = await createHttpApp(port, silentLogger)
  await app.register((scope) =>
    registerRemoteWrite(scope, { receiver, acceptedMessages: WRITE_MESSAGES, logger: silentLogger }),
  )
})

afterEach(async () => {
  await app.close()
  await port.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function post(body: Uint8Array, headers: Record<string, string> = {}) {
  const answer = await app.inject({
    method: 'POST',
    url: '/write',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', ...headers },
    body: Buffer.from(body),
  })
  const written = (kind: string): unknown => answer.headers[`x-prometheus-remote-write-${kind}-written`]
  return {
    status: answer.statusCode,
    text: answer.body,
    samples: written('samples'),
    histograms: written('histograms'),
  }
}

/** Every sample in the store: `labels time value`, a staleness marker as `stale`, a histogram as its count and sum. */
function stored(): string[] {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: 0, maxTimeMs: 4e12 }
  const querier = reader.querier(range)
  const lines: string[] = []
  for (const column of querier.select([], range)) {
    for (let i = 0; i < column.length; i++) {
      const histogram = column.histograms?.[i]
      const value = histogram ? `${histogram.count}/${histogram.sum}` : column.values[i]
      lines.push(
        `${column.labels.join(' ')} ${column.timestampsMs[i]! - T0} ${column.stale?.[i] === 1 ? 'stale' : value}`,
      )
    }
  }
  querier.close()
  reader.close()
  detach()
  return lines.sort()
}

const UP = { __name__: 'up', job: 'a' }
const DOWN = { __name__: 'down', job: 'b' }
const NATIVE = {
  count_int: 5,
  sum: 7.5,
  zero_threshold: 0.001,
  positive_spans: [{ offset: 0, length: 2 }],
  positive_deltas: [2, 1],
  timestamp: T0,
}

describe.each([
  ['version 1', v1, {}],
  ['version 2', v2, { 'content-type': V2 }],
])('remote write, %s', (_, encode, headers: Record<string, string>) => {
  test('samples are stored, again and again for the same series', async () => {
    for (let i = 0; i < 3; i++) {
      const body = encode(
        { labels: UP, samples: [[T0 + i * 1000, 0.1 + i]] },
        {
          labels: DOWN,
          samples: [
            [T0 + i * 1000, 0],
            [T0 + i * 1000 + 500, i],
          ],
        },
      )
      expect((await post(body, headers)).status).toBe(204)
    }
    expect(stored()).toEqual([
      '__name__ down job b 0 0',
      '__name__ down job b 1000 0',
      '__name__ down job b 1500 1',
      '__name__ down job b 2000 0',
      '__name__ down job b 2500 2',
      '__name__ down job b 500 0',
      '__name__ up job a 0 0.1',
      '__name__ up job a 1000 1.1',
      '__name__ up job a 2000 2.1',
    ])
  })

  test('labels in another order and with empty values name the same series', async () => {
    await post(encode({ labels: UP, samples: [[T0, 1]] }), headers)
    await post(encode({ labels: { job: 'a', zone: '', __name__: 'up' }, samples: [[T0 + 1, 2]] }), headers)
    expect(stored()).toEqual(['__name__ up job a 0 1', '__name__ up job a 1 2'])
  })

  test('the same request twice is no error and stores nothing twice', async () => {
    const body = encode({ labels: UP, samples: [[T0, 1]] })
    for (let i = 0; i < 2; i++) expect((await post(body, headers)).status).toBe(204)
    expect(stored()).toEqual(['__name__ up job a 0 1'])
  })

  test('native histograms', async () => {
    const answer = await post(encode({ labels: UP, histograms: [NATIVE] }), headers)
    expect(answer.status).toBe(204)
    expect(stored()).toEqual(['__name__ up job a 0 5/7.5'])
    const bad = await post(
      encode({ labels: UP, histograms: [{ ...NATIVE, timestamp: T0 + 1, positive_deltas: [2] }] }),
      headers,
    )
    expect(bad.status).toBe(400)
    expect(bad.text).toContain('spans need 2 buckets, have 1 buckets')
  })

  test.each([
    ['nothing', []],
    ['no snappy', [1, 2, 3]],
    ['no protobuf', [...encodeSnappy(Uint8Array.of(0x0a, 5, 1))]],
  ])('%s is 400', async (_name, bytes) => {
    expect((await post(Uint8Array.from(bytes), headers)).status).toBe(400)
  })
})

describe('remote write, version 1', () => {
  test('a staleness marker survives bit for bit', async () => {
    const words = new Uint32Array([STALE_NAN_LOW, STALE_NAN_HIGH])
    const sample = Buffer.from([0x09, ...new Uint8Array(words.buffer), 0x10, ...varint(T0)])
    const label = (name: string, value: string) =>
      field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(value))]))
    const series = Buffer.concat([label('__name__', 'gone'), field(0x12, sample)])
    expect((await post(encodeSnappy(field(0x0a, series)))).status).toBe(204)
    expect(stored()).toEqual(['__name__ gone 0 stale'])
    // Labels behind and between the samples are read as well.
    const odd = Buffer.concat([field(0x12, Buffer.from([0x10, ...varint(T0)])), label('__name__', 'odd')])
    expect((await post(encodeSnappy(field(0x0a, odd)))).status).toBe(204)
    expect(stored()).toEqual(['__name__ gone 0 stale', '__name__ odd 0 0'])
  })

  test.each([
    ['older than the newest', [[T0 - 1, 1]], 'out of order'],
    ['another value at the same time', [[T0, 2]], 'duplicate sample'],
    ['in the far future', [[T0 + 3_600_000, 1]], 'out of bounds'],
  ] as const)('%s: 400 and nothing of the request is stored', async (_, samples, text) => {
    await post(v1({ labels: UP, samples: [[T0, 1]] }))
    const answer = await post(v1({ labels: DOWN, samples: [[T0, 1]] }, { labels: UP, samples }))
    expect(answer.status).toBe(400)
    expect(answer.text).toContain(text)
    expect(stored()).toEqual(['__name__ up job a 0 1'])
    expect((await post(v1({ labels: UP, samples: [[T0 + 1, 3]] }))).status).toBe(204)
    expect(stored()).toEqual(['__name__ up job a 0 1', '__name__ up job a 1 3'])
  })

  test('series with labels that cannot be are left out, the others are stored', async () => {
    const twice = {
      labels: [
        { name: '__name__', value: 'x' },
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ],
      samples: [{ value: 1, timestamp: T0 }],
    }
    const request = message('Write1', {
      timeseries: [
        twice,
        { samples: twice.samples },
        { labels: [{ name: '__name__', value: 'ok' }], samples: twice.samples },
      ],
    })
    for (let i = 0; i < 2; i++) expect((await post(request)).status).toBe(204)
    expect(stored()).toEqual(['__name__ ok 0 1'])
  })

  test.each([{ job: '¿' }, { '¿': 'a' }])('labels that are not UTF-8, %j, are left out alone', async (labels) => {
    const samples = [[T0, 1]] as const
    const request = v1(
      { labels: UP, samples },
      { labels: { __name__: 'x', ...labels }, samples },
      { labels: DOWN, samples },
    )
    for (let i = 0; i < 2; i++) expect((await post(request)).status).toBe(204)
    expect(stored()).toEqual(['__name__ down job b 0 1', '__name__ up job a 0 1'])
  })

  test('metadata is kept', async () => {
    await post(message('Write1', { metadata: [{ type: 1, metric_family_name: 'a_total', help: 'As.', unit: '' }] }))
    expect([...metadata.entries]).toEqual([['a_total', { type: 'counter', help: 'As.', unit: '' }]])
  })
})

describe('remote write, version 2', () => {
  const headers = { 'content-type': V2 }

  test('what cannot be stored does not hinder the rest; the answer says how much was stored', async () => {
    await post(v2({ labels: UP, samples: [[T0, 1]] }), headers)
    const answer = await post(
      v2(
        {
          labels: UP,
          samples: [
            [T0 - 5, 1],
            [T0 + 5, 2],
          ],
        },
        { labels: { job: 'nameless' }, samples: [[T0, 1]] },
        { labels: { __name__: 'empty' } },
        { labels: DOWN, samples: [[T0, 4]], histograms: [] },
      ),
      headers,
    )
    expect(answer).toMatchObject({ status: 400, samples: '2', histograms: '0' })
    expect(answer.text).toMatch(/out of order.*\n.*invalid metric name or labels.*\n.*at least one sample/)
    expect(stored()).toEqual(['__name__ down job b 0 4', '__name__ up job a 0 1', '__name__ up job a 5 2'])
  })

  test('labels that are not UTF-8 are refused, the others are stored', async () => {
    const samples = [[T0, 1]] as const
    const answer = await post(v2({ labels: { __name__: 'x¿' }, samples }, { labels: UP, samples }), headers)
    expect(answer).toMatchObject({ status: 400, samples: '1' })
    expect(answer.text).toContain('invalid metric name or labels')
    expect(stored()).toEqual(['__name__ up job a 0 1'])
  })

  test('references beyond the table are refused', async () => {
    const timeseries = [
      { labels_refs: [1, 9], samples: [{ value: 1, timestamp: T0 }] },
      { labels_refs: [1], samples: [{ value: 1, timestamp: T0 }] },
    ]
    const answer = await post(message('Write2', { symbols: ['', '__name__'], timeseries }), headers)
    expect(answer).toMatchObject({ status: 400, samples: '0' })
    expect(answer.text).toContain('invalid label references [1 9] for 2 symbols')
  })

  test('metadata comes with the series', async () => {
    await post(v2({ labels: UP, samples: [[T0, 1]] }), headers)
    expect([...metadata.entries]).toEqual([['up', { type: 'counter', help: 'Helps.', unit: 'seconds' }]])
  })
})

test.each([
  [{ 'content-type': 'application/json' }, 415, 'expected application/x-protobuf'],
  [
    { 'content-type': 'application/x-protobuf;proto=some.Other' },
    415,
    'unknown remote write protobuf message some.Other',
  ],
  [{ 'content-encoding': 'gzip' }, 415, 'gzip encoding (compression) is not accepted'],
  [{ 'content-type': 'application/x-protobuf; proto=prometheus.WriteRequest', 'content-encoding': '' }, 204, ''],
])('headers %j: %i', async (headers, status, text) => {
  const answer = await post(v1({ labels: UP, samples: [[T0, 1]] }), headers)
  expect(answer.status).toBe(status)
  expect(answer.text).toContain(text)
})

test('a body over 32 MiB is 413, one that unpacks to more is 400', async () => {
  expect((await post(new Uint8Array((32 << 20) + 1))).status).toBe(413)
  expect((await post(encodeSnappy(new Uint8Array((32 << 20) + 1)))).status).toBe(400)
})

test('a body without a content type is version 1', async () => {
  const body = Buffer.from(v1({ labels: UP, samples: [[T0, 1]] }))
  expect((await app.inject({ method: 'POST', url: '/write', headers: {}, body })).statusCode).toBe(204)
})

test('switched off it is 404', async () => {
  await app.register(
    (scope) =>
      registerRemoteWrite(scope, { receiver: undefined, acceptedMessages: WRITE_MESSAGES, logger: silentLogger }),
    { prefix: '/off' },
  )
  expect((await app.inject({ method: 'POST', url: '/off/write', body: 'x' })).statusCode).toBe(404)
})

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 128)
  }
}

const field = (tag: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([tag, ...varint(content.length)]), content])
