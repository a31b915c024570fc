// The HTTP API end to end: the whole server with a store, over sockets.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeMetricFamilies } from '../../model/index.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const NOW = Date.now()
let server: TestServer

const CONFIG = `
global:
  external_labels: { region: eu, job: outside }
  query_log_file: query.log
scrape_configs:
  - job_name: node
    scrape_interval: 1h
    relabel_configs:
      - { source_labels: [__address__], target_label: host }
      - { source_labels: [host], regex: bad.*, action: drop }
      - { target_label: last, replacement: x }
`

beforeAll(async () => {
  server = await startTestServer({}, CONFIG)
  await server.write([
    { labels: ['__name__', 'a_total', 'job', 'x'], timestampMs: NOW - 61_000, value: 1 },
    { labels: ['__name__', 'a_total', 'job', 'x'], timestampMs: NOW - 1000, value: 1.5 },
    { labels: ['__name__', 'old', 'job', 'x'], timestampMs: NOW - 400_000, value: 1 },
    { labels: ['__name__', 'my.metric', 'instance', 'i1'], timestampMs: NOW - 2000, value: Number.POSITIVE_INFINITY },
  ])
  const appender = server.stack.tsdb.appender({ stream: 'exemplars' })
  const labels = ['__name__', 'h_bucket', 'le', '1']
  appender.append(undefined, labels, NOW - 1000, 3)
  appender.appendExemplar(labels, { labels: ['trace_id', 'abc'], value: 0.5, timestampMs: NOW - 1500 })
  await appender.commit()
})

afterAll(() => server.stop())

async function call(path: string, init: RequestInit = {}) {
  const answer = await fetch(`${server.url}${path}`, init)
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: answer.status, text, headers: answer.headers, json: isJson ? JSON.parse(text) : undefined }
}

describe('/federate', () => {
  test('newest samples with their times, external labels where missing, an instance in any case', async () => {
    const { status, text, headers } = await call(`/federate?match[]={__name__=~".%2B"}`)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8; escaping=underscores')
    expect(text).toBe(
      [
        '# TYPE a_total untyped',
        `a_total{job="x",region="eu",instance=""} 1.5 ${NOW - 1000}`,
        '# TYPE h_bucket untyped',
        `h_bucket{job="outside",le="1",region="eu",instance=""} 3 ${NOW - 1000}`,
        '# TYPE my_metric untyped',
        `my_metric{instance="i1",job="outside",region="eu"} +Inf ${NOW - 2000}`,
        '',
      ].join('\n'),
    )
  })

  test('names of any kind for readers that take them, and protobuf', async () => {
    const utf8 = await call('/federate?match[]={instance="i1"}', {
      headers: { accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' },
    })
    expect(utf8.text).toContain('{"my.metric",instance="i1"')
    const answer = await fetch(`${server.url}/federate?match[]=a_total`, {
      headers: { accept: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited' },
    })
    const families = [...decodeMetricFamilies(new Uint8Array(await answer.arrayBuffer()))]
    expect(families).toMatchObject([
      {
        name: 'a_total',
        type: 'unknown',
        metrics: [{ labels: ['job', 'x', 'region', 'eu'], value: 1.5, timestampMs: NOW - 1000 }],
      },
    ])
  })

  test('no selector is an empty page, a bad one 400', async () => {
    expect(await call('/federate')).toMatchObject({ status: 200, text: '' })
    const wrong = await call('/federate?match[]=a{')
    expect(wrong).toMatchObject({ status: 400, text: '1:3: parse error: unexpected end of input inside braces\n' })
    expect(await call('/federate?match[]={}')).toMatchObject({ status: 200, text: '' })
    // Who federates may well want everything.
    const all = await call('/federate?match[]={__name__=~".%2B"}')
    for (const selector of ['{__name__=~".*"}', '{job=~".*"}', '{nonsense=""}']) {
      expect((await call(`/federate?match[]=${encodeURIComponent(selector)}`)).text).toBe(all.text)
    }
  })
})

describe('/query_exemplars', () => {
  test('exemplars of the series that selectors match', async () => {
    const { json } = await call(
      `/api/v1/query_exemplars?query=rate(h_bucket[5m])&start=${NOW / 1000 - 60}&end=${NOW / 1000}`,
    )
    expect(json.data).toEqual([
      {
        seriesLabels: { __name__: 'h_bucket', le: '1' },
        exemplars: [{ labels: { trace_id: 'abc' }, value: '0.5', timestamp: (NOW - 1500) / 1000 }],
      },
    ])
  })

  test('the probe of clients that send milliseconds is answered', async () => {
    const { json } = await call(`/api/v1/query_exemplars?query=test&start=${NOW - 60_000}&end=${NOW}`)
    expect(json).toEqual({ status: 'success', data: [] })
  })
})

test.each([
  ['/api/v1/series', 400, 'bad_data', 'no match[] parameter provided'],
  [
    '/api/v1/series?match[]={a=""}',
    400,
    'bad_data',
    'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
  ],
  ['/api/v1/series?match[]=a{', 400, 'bad_data', 'invalid parameter "match[]": 1:'],
  ['/api/v1/query?query=(', 400, 'bad_data', 'invalid parameter "query": 1:'],
  ['/api/v1/query?query=1&limit=-1', 400, 'bad_data', 'limit must be non-negative'],
  ['/api/v1/query?query=1&time=x', 400, 'bad_data', 'cannot parse "x" to a valid timestamp'],
  ['/api/v1/query_range?query=1&start=2&end=1&step=1', 400, 'bad_data', 'end timestamp must not be before start time'],
  [
    '/api/v1/query_range?query=1&start=0&end=11001&step=1',
    400,
    'bad_data',
    'exceeded maximum resolution of 11,000 points',
  ],
  ['/api/v1/targets/relabel_steps', 400, 'bad_data', 'no scrapePool'],
  ['/api/v1/targets/relabel_steps?scrapePool=none&labels={}', 404, 'not_found', 'scrape pool "none" not found'],
  ['/api/v1/status/tsdb?limit=0', 400, 'bad_data', 'limit must be a positive number'],
  ['/api/v1/status/self_metrics?metric_name_pattern=(', 400, 'bad_data', 'invalid metric_name_pattern'],
  ['/api/belltower/v1/queries', 200, undefined, undefined],
  ['/api/v1/nonsense', 404, undefined, undefined],
])('GET %s is %i', async (path, status, errorType, error) => {
  const answer = await call(path)
  expect(answer.status).toBe(status)
  expect(answer.json?.errorType).toBe(errorType)
  if (error !== undefined) expect(answer.json.error).toContain(error)
})

test.each([
  ['POST', '/api/v1/admin/tsdb/snapshot', 500, 'unavailable'],
  ['PUT', '/api/v1/admin/tsdb/clean_tombstones', 500, 'unavailable'],
  ['GET', '/api/v1/admin/tsdb/snapshot', 405, undefined],
  ['POST', '/api/v1/write', 404, undefined],
  ['DELETE', '/api/v1/series?match[]=a', 500, 'internal'],
  ['DELETE', '/api/belltower/v1/queries/77', 404, 'not_found'],
  ['OPTIONS', '/api/v1/anything', 204, undefined],
])('%s %s is %i', async (method, path, status, errorType) => {
  const answer = await call(path, { method, headers: { origin: 'http://elsewhere' } })
  expect(answer.status).toBe(status)
  expect(answer.json?.errorType).toBe(errorType)
})

test('other origins may read; a body of an unknown kind is not looked at', async () => {
  const answer = await call('/api/v1/query?query=1', {
    method: 'POST',
    body: '<x/>',
    headers: { origin: 'http://elsewhere', 'content-type': 'text/xml' },
  })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  expect(answer.headers.get('access-control-expose-headers')).toBe('Date')
  expect(answer.headers.get('vary')).toMatch(/Origin/)
})

test('relabelling step by step', async () => {
  const steps = async (address: string) => {
    const labels = encodeURIComponent(JSON.stringify({ __address__: address }))
    return (await call(`/api/v1/targets/relabel_steps?scrapePool=node&labels=${labels}`)).json.data.steps
  }
  const good = await steps('h:1')
  expect(good.map((step: { keep: boolean }) => step.keep)).toEqual([true, true, true])
  expect(good[2].output).toEqual({ __address__: 'h:1', host: 'h:1', last: 'x' })
  expect(good[1].rule).toEqual({
    source_labels: ['host'],
    separator: ';',
    regex: 'bad.*',
    replacement: '$1',
    action: 'drop',
  })
  expect((await steps('bad:1')).map((step: { keep: boolean }) => step.keep)).toEqual([true, false])
})

test('scrape pools, features, own metrics, notifications', async () => {
  expect((await call('/api/v1/scrape_pools')).json.data).toEqual({ scrapePools: ['node'] })
  expect((await call('/api/v1/scrape_pools/config?scrapePool=node')).json.data.yaml).toContain('job_name: node')
  const features = (await call('/api/v1/features')).json.data
  expect(features.promql_functions).toMatchObject({ rate: true, info: false })
  expect(features.api).toMatchObject({ admin: false, remote_write_receiver: false })
  const metrics = (await call('/api/v1/status/self_metrics?metric_name_pattern=prometheus_build.*')).json.data
  expect(metrics.map(({ name }: { name: string }) => name)).toEqual(['prometheus_build_info'])
  expect((await call('/api/v1/notifications')).json).toEqual({ status: 'success', data: [] })
})

test('explain: the plan, and with run=true what it did', async () => {
  const { data } = (await call('/api/belltower/v1/explain?query=sum(a_total)')).json
  expect(data.plan).toMatchObject({ kind: 'aggregation', name: 'sum', children: [{ kind: 'vectorSelector' }] })
  expect(data.plan.measured).toBeUndefined()
  const range = `start=${NOW / 1000 - 60}&end=${NOW / 1000}&step=15`
  const ran = (await call(`/api/belltower/v1/explain?query=sum(a_total)&run=true&${range}`)).json.data
  expect(ran.plan.measured.series).toBe(1)
  expect(ran.stats.timings.evalTotalTime).toBeGreaterThan(0)
  expect((await call('/api/belltower/v1/explain?query=(')).json.errorType).toBe('bad_data')
})

test('the description names every address, and each exists', async () => {
  const { status, text } = await call('/api/v1/openapi.yaml?openapi_version=3.2')
  expect(status).toBe(200)
  const { openapi, paths } = parse(text) as { openapi: string; paths: Record<string, Record<string, object>> }
  expect(openapi).toBe('3.2.0')
  expect(Object.keys(paths).length).toBeGreaterThan(30)
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations)) {
      const controller = new AbortController()
      const url = `${server.url}${path.replace('{name}', 'job').replace('{id}', '0')}`
      const answer = await fetch(url, { method: method.toUpperCase(), signal: controller.signal })
      const isUnknown = answer.headers.get('content-type')?.startsWith('text/plain') && answer.status === 404
      // The receivers are off unless a flag says otherwise.
      if (!/\/(?:write|metrics)$/.test(path)) expect(isUnknown, path).toBe(false)
      expect(answer.status, path).not.toBe(405)
      controller.abort()
    }
  }
})

test('a reload that fails is a notification, live and listed, until one goes well', async () => {
  const live = await fetch(`${server.url}/api/v1/notifications/live`)
  const events = live.body!.pipeThrough(new TextDecoderStream()).getReader()
  const next = async () => JSON.parse((await events.read()).value!.replace(/^data: /, ''))
  const path = join(server.folder, 'prometheus.yml')
  writeFileSync(path, 'nonsense: 1\n')
  await expect(server.stack.reload()).rejects.toThrow()
  expect(await next()).toMatchObject({ text: expect.stringContaining('could not be reloaded'), active: true })
  expect((await call('/api/v1/notifications')).json.data).toHaveLength(1)
  writeFileSync(path, CONFIG)
  await server.stack.reload()
  expect(await next()).toMatchObject({ active: false })
  expect((await call('/api/v1/notifications')).json.data).toEqual([])
  await events.cancel()
})

test('the query log has a line for each query, well or not', async () => {
  await call('/api/v1/query?query=a_total%2B41&time=100')
  await call('/api/v1/query_range?query=rate(a_total[1m])&start=100&end=160&step=15', { method: 'POST' })
  await server.stack.reload()
  await expect.poll(() => readFileSync(join(server.folder, 'query.log'), 'utf8')).toContain('rate(a_total[1m])')
  const lines = readFileSync(join(server.folder, 'query.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const instant = lines.find(({ params }) => params.query === 'a_total+41')
  expect(instant).toMatchObject({
    params: { start: '1970-01-01T00:01:40.000Z', end: '1970-01-01T00:01:40.000Z', step: 0 },
    httpRequest: { clientIP: '127.0.0.1', method: 'GET', path: '/api/v1/query' },
    stats: { samples: { peakSamples: expect.any(Number) } },
  })
  expect(lines.find(({ params }) => params.query === 'rate(a_total[1m])').params.step).toBe(15)
})

test('a running query is listed and can be killed', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => ({
    labels: ['__name__', 'many', 'i', `${i}`],
    timestampMs: NOW,
    value: i,
  }))
  await server.write(many)
  const query = 'sum(quantile_over_time(0.5, many[1d])) + sum(quantile_over_time(0.7, many[1d]))'
  const times = `start=${NOW / 1000}&end=${NOW / 1000 + 10_000}&step=1`
  const pending = call(`/api/v1/query_range?query=${encodeURIComponent(query)}&${times}`)
  const queries = async () => (await call('/api/belltower/v1/queries')).json.data.queries
  await expect.poll(queries).toMatchObject([{ query, state: 'running', class: 'interactive' }])
  expect(readFileSync(join(server.folder, 'data/queries.active'), 'utf8')).toContain('0.7, many[1d]')
  const [{ id }] = await queries()
  expect((await call(`/api/belltower/v1/queries/${id}`, { method: 'DELETE' })).status).toBe(204)
  expect(await pending).toMatchObject({ status: 499, json: { errorType: 'canceled' } })
  expect(await queries()).toEqual([])
})
