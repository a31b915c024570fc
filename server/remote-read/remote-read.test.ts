// What remote readers get: a real Prometheus as one, and messages taken apart by an independent implementation.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort, hasProgram, startProgram } from '../../tests/support/programs.ts'
import {
  CounterResetHint,
  decodeSnappy,
  encodeSnappy,
  labelsFromRecord,
  type NativeHistogram,
  type Queryable,
} from '../../model/index.ts'
import { crc32c } from '../../tsdb/index.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'
import { answerRead } from './read-answer.ts'

const SCHEMA = `
syntax = "proto3";
message Matcher { int32 type = 1; string name = 2; string value = 3; }
message Hints { int64 step_ms = 1; string func = 2; }
message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated Matcher matchers = 3; Hints hints = 4; }
message Request { repeated Query queries = 1; repeated int32 accepted_response_types = 2; }
message Label { string name = 1; string value = 2; }
message Sample { double value = 1; int64 timestamp = 2; }
message Series { repeated Label labels = 1; repeated Sample samples = 2; repeated bytes histograms = 4; }
message Result { repeated Series timeseries = 1; }
message Response { repeated Result results = 1; }
message RawResponse { repeated bytes results = 1; }
message Chunk { int64 min_time_ms = 1; int64 max_time_ms = 2; int32 type = 3; bytes data = 4; }
message ChunkedSeries { repeated Label labels = 1; repeated Chunk chunks = 2; }
message Frame { repeated ChunkedSeries chunked_series = 1; int64 query_index = 2; }`
const { root } = protobuf.parse(SCHEMA, { keepCase: true })
const typed = (name: string, bytes: Uint8Array) =>
  root.lookupType(name).toObject(root.lookupType(name).decode(bytes), { longs: Number, defaults: true }) as never

interface Query {
  readonly start_timestamp_ms: number
  readonly end_timestamp_ms: number
  readonly matchers: readonly { readonly type: number; readonly name: string; readonly value: string }[]
}
interface Frame {
  readonly chunked_series: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[]
    readonly chunks: readonly { min_time_ms: number; max_time_ms: number; type: number; data: Uint8Array }[]
  }[]
  readonly query_index: number
}

const NOW = Date.now()
const START = NOW - 300_000
const named = (value: string) => ({ type: 0, name: '__name__', value })
const all = (...matchers: Query['matchers']): Query => ({
  start_timestamp_ms: START,
  end_timestamp_ms: NOW,
  matchers,
})
const HISTOGRAM: NativeHistogram = {
  integer: true,
  counterResetHint: CounterResetHint.UNKNOWN,
  schema: 1,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 9,
  sum: 12.5,
  positiveSpans: [
    { offset: -1, length: 1 },
    { offset: 2, length: 2 },
  ],
  positiveBuckets: Float64Array.of(4, 1, 2),
  negativeSpans: [],
  negativeBuckets: new Float64Array(0),
  customBounds: new Float64Array(0),
}

let server: TestServer

beforeEach(async () => {
  server = await startTestServer()
  const appender = server.stack.tsdb.appender({ stream: 'test' })
  for (const zone of ['b', 'a']) {
    const labels = labelsFromRecord({ __name__: 'm', zone })
    for (let i = 0; i < 300; i++) appender.append(undefined, labels, START + i * 1000, i / 8)
    appender.appendStale(undefined, labels, START + 300_000 - 1)
  }
  const labels = labelsFromRecord({ __name__: 'h', region: 'mars' })
  for (let i = 0; i < 3; i++) appender.appendHistogram(undefined, labels, START + i * 1000, HISTOGRAM)
  await appender.commit()
})

afterEach(() => server.stop())

async function read(queries: readonly Query[], accepted: readonly number[] = []): Promise<Response> {
  const Request = root.lookupType('Request')
  const body = encodeSnappy(Request.encode(Request.fromObject({ queries, accepted_response_types: accepted })).finish())
  return post(server, 'read', body)
}

const post = ({ url }: TestServer, path: string, body: Uint8Array): Promise<Response> =>
  fetch(`${url}/api/v1/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-read-version': '0.1.0',
    },
    body: Buffer.from(body),
  })

const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer())

test('samples: by series in the order of labels, with the external ones, markers bit for bit', async () => {
  const response = await read([all(named('m'), { type: 0, name: 'region', value: 'eu' }), all(named('none'))])
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/x-protobuf')
  expect(response.headers.get('content-encoding')).toBe('snappy')
  const message = decodeSnappy(await bytesOf(response), 1 << 20)
  const { results } = typed('Response', message) as {
    results: { timeseries: { labels: object[]; samples: { value: number; timestamp: number }[] }[] }[]
  }
  expect(results).toHaveLength(2)
  expect(results[1]!.timeseries).toEqual([])
  expect(results[0]!.timeseries.map(({ labels }) => labels)).toEqual(
    ['a', 'b'].map((zone) => [
      { name: '__name__', value: 'm' },
      { name: 'region', value: 'eu' },
      { name: 'zone', value: zone },
    ]),
  )
  const [first] = results[0]!.timeseries
  expect(first!.samples).toHaveLength(301)
  expect(first!.samples[299]).toEqual({ value: 299 / 8, timestamp: START + 299_000 })
  expect(first!.samples[300]!.value).toBeNaN()
  // The bytes of the marker, little-endian, behind the tag of the value.
  expect(Buffer.from(message).includes(Buffer.from([0x09, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f]))).toBe(true)
})

test('another region than ours is asked for: only what says so itself', async () => {
  const response = await read([all({ type: 0, name: 'region', value: 'mars' })])
  const { results } = typed('Response', decodeSnappy(await bytesOf(response), 1 << 20)) as {
    results: { timeseries: { labels: { value: string }[] }[] }[]
  }
  expect(results[0]!.timeseries.map(({ labels }) => labels.map(({ value }) => value))).toEqual([['h', 'mars']])
})

test('what is read can be written: histograms and markers are the same there', async () => {
  const { results } = typed(
    'RawResponse',
    decodeSnappy(await bytesOf(await read([all({ type: 2, name: '__name__', value: 'm|h' })])), 1 << 20),
  ) as { results: Uint8Array[] }
  const other = await startTestServer({ 'web.enable-remote-write-receiver': 'true' }, 'global: {}\n')
  try {
    expect((await post(other, 'write', encodeSnappy(results[0]!))).status).toBe(204)
    const query = `query=${encodeURIComponent('{__name__=~"m|h"}[10m]')}&time=${NOW / 1000}`
    const values = async ({ url }: TestServer) =>
      ((await (await fetch(`${url}/api/v1/query?${query}`)).json()) as { data: { result: Entry[] } }).data.result
    const [here, there] = [await values(server), await values(other)]
    expect(there.map(({ values: floats, histograms }) => [floats, histograms])).toEqual(
      here.map(({ values: floats, histograms }) => [floats, histograms]),
    )
    expect(there.map(({ metric }) => metric.region).sort()).toEqual(['eu', 'eu', 'mars'])
  } finally {
    await other.stop()
  }
})

interface Entry {
  readonly metric: Record<string, string>
  readonly values?: unknown
  readonly histograms?: unknown
}

test('chunks: in frames with a checksum, as long as they may be', async () => {
  const response = await read([all(named('none')), all({ type: 2, name: '__name__', value: 'm|h' })], [1, 0])
  expect(response.headers.get('content-type')).toBe(
    'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
  )
  const frames = framesOf(Buffer.from(await bytesOf(response)))
  const series = frames.flatMap((frame) => frame.chunked_series)
  expect(frames.map((frame) => frame.query_index)).toEqual([1, 1, 1])
  expect(series.map(({ labels }) => labels.map(({ value }) => value).join(' '))).toEqual(['h mars', 'm eu a', 'm eu b'])
  expect(series[0]!.chunks.map(({ type }) => type)).toEqual([2])
  const counts = series[1]!.chunks.map(({ data }) => (data[0]! << 8) | data[1]!)
  expect(counts).toEqual([120, 120, 61])
  expect(series[1]!.chunks[0]).toMatchObject({ type: 1, min_time_ms: START, max_time_ms: START + 119_000 })
})

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const message = bytes.subarray(at + 4, at + 4 + length)
    expect(bytes.readUInt32BE(at)).toBe(crc32c(message))
    frames.push(typed('Frame', message))
    at += 4 + length
  }
  return frames
}

test('bad requests, and one for too much, are told so', async () => {
  const refused = async (response: Response) => [response.status, await response.text()]
  expect(await refused(await post(server, 'read', Uint8Array.of(1, 2, 3)))).toEqual([
    400,
    expect.stringMatching(/snappy/),
  ])
  expect(await refused(await read([all({ type: 9, name: 'a', value: '' })]))).toEqual([
    400,
    'matcher type 9 is not known\n',
  ])
  expect(await refused(await read([all({ type: 2, name: 'a', value: '(' })]))).toEqual([
    400,
    expect.stringMatching(/missing closing \)/),
  ])
  await server.stop()
  server = await startTestServer({ 'storage.remote.read-sample-limit': '2' })
  await server.write([1, 2, 3].map((i) => ({ labels: ['__name__', 'n'], timestampMs: START + i, value: i })))
  expect(await refused(await read([all(named('n'))]))).toEqual([400, 'exceeded sample limit (2)\n'])
})

describe('reads that take long', () => {
  const many = Array.from({ length: 3000 }, (_, i) => ({
    labels: ['__name__', 'many', 'i', String(i)],
    timestampMs: START,
    value: i,
  }))
  const listed = async () => {
    const answer = await fetch(`${server.url}/api/belltower/v1/queries`)
    return ((await answer.json()) as { data: { queries: { id: number; query: string }[] } }).data.queries
  }

  test('are listed among the queries, and can be killed', async () => {
    await server.write(many)
    // One worker takes them one after the other.
    const reads = Array.from({ length: 30 }, () => read([all(named('many')), all(named('n'), named('m'))]))
    await expect.poll(async () => (await listed()).length, { interval: 1 }).toBeGreaterThan(3)
    const { id, query } = (await listed()).at(-1)!
    expect(query).toBe('{__name__="many"} or {__name__="n",__name__="m"}')
    expect((await fetch(`${server.url}/api/belltower/v1/queries/${id}`, { method: 'DELETE' })).status).toBe(204)
    const statuses = (await Promise.all(reads)).map(({ status }) => status)
    expect(statuses.sort((one, other) => one - other)).toEqual([...Array<number>(29).fill(200), 499])
  })

  test('end at the time limit of queries', async () => {
    await server.stop()
    server = await startTestServer({ 'query.timeout': '1ms' })
    await server.write(many)
    const answer = await read([all(named('many'))])
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringMatching(/timed out/)])
  })

  test.each([false, true])('are looked after at each series, in chunks: %s', (wantsChunks) => {
    const timestampsMs = Float64Array.of(START)
    const values = Float64Array.of(1)
    let given = 0
    const queryable = {
      querier: () => ({
        *select() {
          for (; given < 10; given++)
            yield { labels: ['i', String(given)], timestampsMs, values, length: 1, stale: undefined }
        },
        close: () => {},
      }),
    } as unknown as Queryable
    const query = { minTimeMs: 0, maxTimeMs: NOW, matchers: [] }
    const check = (): void => {
      if (given === 3) throw new Error('killed')
    }
    const options = { externalLabels: [], samplesMax: 0, frameBytesMax: 1 << 20, check }
    expect(() => answerRead(queryable, { queries: [query], wantsChunks }, options)).toThrow('killed')
    expect(given).toBe(3)
  })
})

const hasPrometheus = hasProgram('prometheus')
if (!hasPrometheus) console.log('skipped: needs prometheus on PATH (Debian: apt install prometheus)')

test.skipIf(!hasPrometheus)('a real Prometheus reads through us', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-remote-read-'))
  const port = await freePort()
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `remote_read: [{ url: '${server.url}/api/v1/read', read_recent: true }]\n`,
  )
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`]
  const peer = startProgram('prometheus', args, folder)
  try {
    const ask = async (url: string, query: string): Promise<Entry[]> => {
      const path = `/api/v1/query_range?query=${encodeURIComponent(query)}&start=${START / 1000}&end=${NOW / 1000}&step=7`
      const answer = (await (await fetch(url + path)).json()) as { data: { result: Entry[] } }
      return answer.data.result
    }
    const theirs = (query: string) => ask(`http://127.0.0.1:${port}`, query).catch(() => [])
    await expect.poll(async () => (await theirs('m')).length, { timeout: 40_000 }).toBe(2)
    for (const query of ['sum by (zone) (m)', 'max(m{zone="a"}) + 1', 'count({zone!=""})']) {
      expect((await theirs(query)).map(({ values }) => values)).toEqual(
        (await ask(server.url, query)).map(({ values }) => values),
      )
    }
  } finally {
    await peer.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
