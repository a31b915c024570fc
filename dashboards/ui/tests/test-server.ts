// The server of the browser test: built pages under a route prefix, and an API whose answers are made up from the question,
// with label values as hostile as the outside world.
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { pack } from 'msgpackr'
import { uiContentSecurityPolicy, uiIndexHtml } from '../../assets.ts'

export const HOSTILE = '"><img src=x onerror="document.title=\'owned\'">'
const MIME: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
}
const FAULT = 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'
const METRICS = [
  'node_cpu_seconds_total',
  'node_load1',
  'node_memory_MemTotal_bytes',
  'node_filesystem_size_bytes',
  'node_network_receive_bytes_total',
  'prometheus_tsdb_head_series',
  'prometheus_tsdb_head_samples_appended_total',
  'scrape_duration_seconds',
  'http_request_duration_seconds_bucket',
  'http_request_duration_seconds_count',
  'nodejs_version_info',
  'process_cpu_seconds_total',
]

export interface TestServer {
  readonly origin: string
  /** Bodies of silences that were posted. */
  readonly silences: unknown[]
  close(): Promise<void>
}

export async function startTestServer(prefix: string, assetsDir: URL): Promise<TestServer> {
  const silences: unknown[] = []
  const running: unknown[] = [
    { id: 7, query: HOSTILE, class: 'ui', state: 'running', waitedSeconds: 0, ranSeconds: 12.5 },
  ]
  const server: Server = createServer((request, response) => {
    answer(request, response, { prefix, assetsDir, silences, running }).catch((thrown: unknown) => {
      response.writeHead(500).end(String(thrown))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    silences,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

interface Site {
  prefix: string
  assetsDir: URL
  silences: unknown[]
  /** Queries that run until they are ended. */
  running: unknown[]
}

async function answer(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://x')
  if (!url.pathname.startsWith(`${site.prefix}/`)) return void response.writeHead(404).end()
  const path = url.pathname.slice(site.prefix.length)
  if (path.includes('/api/')) return api(request, response, path, url.searchParams, site)
  const security = { 'content-security-policy': uiContentSecurityPolicy }
  const type = MIME[extname(path)]
  if (type === undefined) {
    const html = await uiIndexHtml(site.prefix, site.assetsDir)
    return void response.writeHead(200, { ...security, 'content-type': 'text/html; charset=utf-8' }).end(html)
  }
  const bytes = await readFile(new URL(`.${path}`, site.assetsDir))
  response.writeHead(200, { ...security, 'content-type': type }).end(bytes)
}

async function api(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  params: URLSearchParams,
  { silences, running }: Site,
): Promise<void> {
  const send = (body: unknown, status = 200) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const body = request.method === 'POST' ? await readBody(request) : ''
  if (path.startsWith('/alertmanager/api/v2/')) {
    if (request.method !== 'POST') return send(alertmanagerAnswer(path.slice('/alertmanager/api/v2/'.length)))
    silences.push(JSON.parse(body))
    return send({ silenceID: 'c0ffee' })
  }
  if (path === '/pushgateway/api/v1/metrics') return send({ status: 'success', data: [] })
  if (path === '/api/belltower/v1/push/groups') return send({ status: 'success', data: [] })
  if (path.startsWith('/api/belltower/v1/alerting/')) return send([])
  if (path === '/api/v1/notifications') return send({ status: 'success', data: [] })
  if (path === '/api/belltower/v1/queries') return send({ status: 'success', data: { queries: running } })
  if (request.method === 'DELETE' && path.startsWith('/api/belltower/v1/queries/')) {
    running.splice(0)
    return void response.writeHead(204).end()
  }
  if (path === '/api/belltower/v1/explain')
    return send({ status: 'success', data: { plan: plan(params.get('run') === 'true') } })
  if (path === '/api/belltower/v1/query_range_columns') {
    const bytes = pack(columnsAnswer(JSON.parse(body) as AskedColumns))
    return void response.writeHead(200, { 'content-type': 'application/vnd.msgpack' }).end(bytes)
  }
  if (path.startsWith('/api/belltower/v1/')) return send({ status: 'success', data: [] })
  const asked = body === '' ? params : new URLSearchParams(body)
  const query = asked.get('query') ?? ''
  if (isBroken(query)) return send({ status: 'error', errorType: 'bad_data', error: FAULT }, 400)
  send({ status: 'success', data: prometheusAnswer(path.slice('/api/v1/'.length), query, asked) })
}

function prometheusAnswer(endpoint: string, query: string, params: URLSearchParams): unknown {
  if (endpoint === 'query_range') return { resultType: 'matrix', result: [{ metric: {}, values: ends(params) }] }
  if (endpoint === 'query') return { resultType: 'vector', result: vector(query) }
  if (endpoint.startsWith('label/')) return METRICS
  if (endpoint === 'labels') return ['__name__', 'instance', 'job', 'le', 'method', 'route', 'status_code']
  if (endpoint === 'metadata') return { http_request_duration_seconds: [{ type: 'histogram', help: 'Duration.' }] }
  if (endpoint === 'targets') return { activeTargets: [target('up'), target('down')], droppedTargets: [] }
  if (endpoint === 'rules') return { groups: [ruleGroup()] }
  if (endpoint === 'status/flags') return { 'web.listen-address': '127.0.0.1:9090' }
  if (endpoint === 'status/config') return { yaml: `global:\n  # ${HOSTILE}\n` }
  if (endpoint === 'status/tsdb') {
    return {
      headStats: { numSeries: 12, chunkCount: 3, minTime: 0, maxTime: Date.now() },
      seriesCountByMetricName: [{ name: HOSTILE, value: 7 }],
    }
  }
  return { version: '0.1.0' }
}

function plan(isMeasured: boolean): unknown {
  const facts = {
    expected: { series: 3, samples: 47 },
    ...(isMeasured ? { measured: { series: 3, samples: 47, seconds: 0.002, selfSeconds: 0.001 } } : {}),
  }
  const child = { kind: 'vectorSelector', name: 'rate of hostile', text: HOSTILE, ...facts, children: [] }
  return { kind: 'aggregation', name: 'sum', text: HOSTILE, ...facts, children: [child] }
}

function ends(params: URLSearchParams): [number, string][] {
  return ['start', 'end'].map((name) => [Number(params.get(name)), '1'])
}

interface AskedColumns {
  readonly queries: readonly { readonly expr: string }[]
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

/** As docs/formats/query-columns.md has it. */
function columnsAnswer({ queries, startMs, endMs, stepMs }: AskedColumns): unknown[] {
  const count = Math.floor((endMs - startMs) / stepMs) + 1
  const values = (phase: number) => {
    const column = Float64Array.from({ length: count }, (_, i) => 2 + Math.sin((startMs + i * stepMs) / 60_000 + phase))
    return new Uint8Array(column.buffer)
  }
  const series = [
    { labels: ['job', 'shop', 'instance', HOSTILE, 'device', HOSTILE], values: values(0) },
    { labels: ['job', 'shop', 'instance', 'b:1', 'device', 'vda'], values: values(2) },
  ]
  return [
    { startMs, stepMs, count },
    ...queries.map(({ expr }) =>
      isBroken(expr) ? { errorType: 'bad_data', error: FAULT } : { series, warnings: [], infos: [] },
    ),
  ]
}

function isBroken(query: string): boolean {
  return query.includes('sum(rate(') && !query.endsWith(')')
}

function vector(query: string): unknown[] {
  const now = Date.now() / 1000
  const labels = {
    job: 'shop',
    instance: '127.0.0.1:9100',
    nodename: HOSTILE,
    mountpoint: HOSTILE,
    method: 'GET',
    route: HOSTILE,
  }
  return [{ metric: labels, value: [now, query.includes('node_filesystem') ? '0.91' : '0.42'] }]
}

function target(health: 'up' | 'down') {
  return {
    labels: { job: 'shop', instance: `${health}:1` },
    discoveredLabels: { __address__: `${health}:1` },
    scrapePool: 'shop',
    scrapeUrl: 'http://127.0.0.1:1/metrics',
    lastError: health === 'up' ? '' : HOSTILE,
    lastScrape: new Date().toISOString(),
    lastScrapeDuration: 0.01,
    health,
    scrapeInterval: '5s',
    scrapeTimeout: '5s',
  }
}

function ruleGroup() {
  const alert = {
    labels: { alertname: 'Down', job: 'shop' },
    annotations: { summary: HOSTILE, runbook_url: 'javascript:document.title="owned"' },
    state: 'firing',
    activeAt: new Date().toISOString(),
    value: '1e+00',
  }
  const rule = {
    name: 'Down',
    type: 'alerting',
    query: 'up == 0',
    state: 'firing',
    duration: 60,
    alerts: [alert],
    health: 'ok',
    evaluationTime: 0,
    lastEvaluation: '',
  }
  return { name: 'group', file: 'rules.yml', interval: 15, evaluationTime: 0, lastEvaluation: '', rules: [rule] }
}

function alertmanagerAnswer(endpoint: string): unknown {
  const alert = {
    labels: { alertname: 'Down', job: 'shop' },
    annotations: { summary: HOSTILE },
    fingerprint: 'f00d',
    startsAt: new Date().toISOString(),
    endsAt: new Date().toISOString(),
    generatorURL: 'javascript:document.title="owned"',
    receivers: [{ name: 'pager' }],
    status: { state: 'active', silencedBy: [], inhibitedBy: [] },
  }
  if (endpoint.startsWith('alerts/groups'))
    return [{ labels: { alertname: 'Down' }, receiver: { name: 'pager' }, alerts: [alert] }]
  if (endpoint.startsWith('alerts')) return [alert]
  return endpoint.startsWith('receivers') ? [{ name: 'pager' }] : []
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}
