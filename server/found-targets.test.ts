// What the server finds while it runs: Alertmanagers by discovery, jobs and rules in a cluster, zeros where counters began.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startTestServer } from './testing/server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function start(config: string, flags: Record<string, string> = {}) {
  const server = await startTestServer(flags, config)
  cleanups.push(() => server.stop())
  const api = async (path: string) => {
    const response = await fetch(`${server.url}/api/v1${path}`)
    return ((await response.json()) as { data: unknown }).data
  }
  return { ...server, api }
}

async function until<T>(read: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 1500; i++) {
    const value = await read()
    if (value !== undefined && value !== false) return value as T
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('waited too long')
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

test('Alertmanagers come from a file, relabelled, and get the alerts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-am-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const posted: string[] = []
  const address = await serve((request, response) => {
    void bodyOf(request).then((body) => posted.push(`${request.url} ${body}`))
    response.end('{}')
  })
  const file = join(folder, 'am.json')
  writeFileSync(file, JSON.stringify([{ targets: [address, 'drop.example.org:1'] }]))
  const rules = join(folder, 'rules.yml')
  writeFileSync(rules, 'groups: [{ name: g, interval: 1s, rules: [{ alert: Always, expr: vector(1) }] }]')
  const { api } = await start(`
rule_files: ['${rules}']
alerting:
  alertmanagers:
    - path_prefix: /prefix
      file_sd_configs: [{ files: ['${file}'] }]
      relabel_configs: [{ source_labels: [__address__], regex: 'drop.*', action: drop }]
`)
  await until(async () => posted.some((line) => line.includes('Always')))
  expect(posted[0]).toMatch(/^\/prefix\/api\/v2\/alerts /)
  expect(await api('/alertmanagers')).toEqual({
    activeAlertmanagers: [{ url: `http://${address}/prefix/api/v2/alerts` }],
    droppedAlertmanagers: [{ url: 'http://drop.example.org:1/prefix/api/v2/alerts' }],
  })
})

test('monitors and rules of a cluster join those of the file', async () => {
  const target = await serve((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end('found 1\n')
  })
  const [ip, port] = target.split(':')
  const metadata = (name: string) => ({ name, namespace: 'shop', uid: name })
  const endpoints = {
    metadata: metadata('web'),
    subsets: [{ addresses: [{ ip }], ports: [{ name: 'metrics', port: Number(port) }] }],
  }
  const service = {
    metadata: { ...metadata('web'), labels: { app: 'web' } },
    spec: { ports: [{ name: 'metrics', port: 80 }] },
  }
  const monitor = {
    metadata: metadata('web'),
    spec: { selector: { matchLabels: { app: 'web' } }, endpoints: [{ port: 'metrics', interval: '1s' }] },
  }
  const rule = {
    metadata: metadata('rules'),
    spec: { groups: [{ name: 'found', interval: '1s', rules: [{ record: 'found:sum', expr: 'sum(found)' }] }] },
  }
  const lists: Record<string, object[]> = {
    '/apis/monitoring.coreos.com/v1/servicemonitors': [monitor],
    '/apis/monitoring.coreos.com/v1/prometheusrules': [rule],
    '/api/v1/namespaces/shop/endpoints': [endpoints],
    '/api/v1/namespaces/shop/services': [service],
    '/api/v1/namespaces/shop/pods': [],
  }
  const cluster = await serve((request, response) => {
    const url = new URL(request.url!, 'http://cluster')
    const items = lists[url.pathname]
    if (items === undefined) response.statusCode = 404
    // A watch without news stays open.
    else if (url.searchParams.has('watch')) return response.flushHeaders()
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items }))
    return undefined
  })
  const { api, stack } = await start(`belltower: { operator: { api_server: 'http://${cluster}' } }`)
  const found = await until(async () => {
    const { result } = (await api('/query?query=found:sum')) as { result: { value: [number, string] }[] }
    return result[0]
  })
  expect(found.value[1]).toBe('1')
  const { activeTargets } = (await api('/targets')) as { activeTargets: { labels: object; scrapePool: string }[] }
  expect(activeTargets).toMatchObject([
    {
      scrapePool: 'serviceMonitor/shop/web/0',
      labels: { job: 'web', namespace: 'shop', service: 'web', endpoint: 'metrics' },
    },
  ])
  // Reading the configuration again loses nothing of it.
  await stack.reload()
  expect(stack.scrapes.scrapePools()).toEqual(['serviceMonitor/shop/web/0'])
})

test('a counter that says when it began has counted from zero', async () => {
  const createdMs = Date.now() - 3000
  const accepted: string[] = []
  const target = await serve((request, response) => {
    accepted.push(String(request.headers.accept))
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0')
    response.end(`# TYPE hits counter\nhits_total 7\nhits_created ${createdMs / 1000}\n# EOF\n`)
  })
  const config = `
global: { scrape_interval: 1s }
scrape_configs: [{ job_name: a, static_configs: [{ targets: ['${target}'] }] }]
`
  const { api } = await start(config, { 'enable-feature': 'created-timestamp-zero-ingestion' })
  const values = await until(async () => {
    const { result } = (await api('/query?query=hits_total[1m]')) as { result: { values: [number, string][] }[] }
    return result[0] && result[0].values.length > 2 && result[0].values
  })
  expect(values[0]).toEqual([createdMs / 1000, '0'])
  expect(values.slice(1).every(([, value]) => value === '7')).toBe(true)
  expect(await api('/query?query=hits_created')).toMatchObject({ result: [] })
  expect(accepted[0]).toMatch(/^application\/vnd\.google\.protobuf/)
})
