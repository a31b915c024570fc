import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { labelsFromRecord, labelsKey, labelsToRecord } from '../../model/index.ts'
import { createScrapeManager, type InProcessTarget, type ScrapeConfig, type ScrapeManager } from '../index.ts'
import { type RecordedGroup, RecordingStore } from './recording-store.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Handler = (req: IncomingMessage, res: ServerResponse) => void

async function serve(handle: Handler): Promise<string> {
  const server: Server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const page =
  (text: () => string, contentType = 'text/plain; version=0.0.4'): Handler =>
  (_req, res) =>
    void res.writeHead(200, { 'Content-Type': contentType }).end(text())

// The clock stands still unless a test waits for something: however long requests take, no slot is missed, nothing times out.
const INTERVAL_MS = 20_000
const clock = new ManualClock(Date.now())

interface Rig {
  readonly manager: ScrapeManager
  readonly store: RecordingStore
  readonly registry: Registry
}

function rig(inProcess: ReadonlyMap<string, InProcessTarget> = new Map()): Rig {
  const store = new RecordingStore()
  const registry = new Registry()
  const manager = createScrapeManager({
    store,
    clock,
    logger: silentLogger,
    registry,
    inProcess,
    version: '0.0.0',
  })
  cleanups.push(() => manager.stop())
  return { manager, store, registry }
}

const job = (address: string, more: Partial<ScrapeConfig> = {}): ScrapeConfig => ({
  jobName: 'j',
  scrapeIntervalMs: INTERVAL_MS,
  scrapeTimeoutMs: INTERVAL_MS - 1000,
  staticConfigs: [{ targets: [address] }],
  ...more,
})

const apply = (manager: ScrapeManager, ...scrapeConfigs: ScrapeConfig[]): Promise<void> =>
  manager.apply({ global: { externalLabels: [] }, scrapeConfigs })

/** Lets an interval pass each time that `read` has nothing yet. */
async function until<T>(read: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 1000; i++) {
    const value = read()
    if (value !== undefined && value !== false) return value as T
    await clock.advance(INTERVAL_MS)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('waited too long')
}

const rowsAfter = (group: () => RecordedGroup | undefined, count: number) =>
  until(() => (group()?.rows.length ?? 0) >= count && group()!.rows)

const value = (
  row: { samples: ReadonlyMap<string, number | 'stale'> } | undefined,
  labels: Record<string, string>,
): number | 'stale' | undefined => row?.samples.get(labelsKey(labelsFromRecord(labels)))

test('scrapes over HTTP, row after row, with up and the report', async () => {
  let n = 0
  const seen: IncomingMessage[] = []
  const address = await serve((req, res) => {
    seen.push(req)
    page(() => `# TYPE a counter\na{x="1"} ${n++}\nb 2.5\n`)(req, res)
  })
  const { manager, store } = rig()
  await apply(manager, job(address, { params: { p: ['1', '2'] } }))
  const rows = await rowsAfter(() => store.groups[0], 3)
  const own = { instance: address, job: 'j' }
  expect(labelsToRecord(store.groups[0]!.labels)).toEqual(own)
  for (const [i, row] of rows.slice(0, 3).entries()) {
    expect(value(row, { __name__: 'a', x: '1', ...own })).toBe(i)
    expect(value(row, { __name__: 'b', ...own })).toBe(2.5)
    expect(value(row, { __name__: 'up', ...own })).toBe(1)
    expect(value(row, { __name__: 'scrape_samples_scraped', ...own })).toBe(2)
    expect(value(row, { __name__: 'scrape_series_added', ...own })).toBe(i === 0 ? 2 : 0)
    expect(value(row, { __name__: 'scrape_duration_seconds', ...own })).toBeGreaterThan(0)
  }
  // Unchanged values are not sent again: a, the duration, and once the count of new series.
  expect(rows[2]!.entryCount).toBeLessThanOrEqual(3)
  const { url, headers } = seen[0]!
  expect(url).toBe('/metrics?p=1&p=2')
  expect(headers['user-agent']).toBe('Belltower/0.0.0')
  expect(headers['x-prometheus-scrape-timeout-seconds']).toBe('19')
  expect(headers['accept-encoding']).toBe('gzip')
  expect(headers.accept).toBe(
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  )
  const [target] = manager.targets()
  expect(target).toMatchObject({
    health: 'up',
    lastError: '',
    scrapePool: 'j',
    scrapeUrl: `http://${address}/metrics?p=1&p=2`,
  })
  expect(labelsToRecord(target!.discoveredLabels)).toEqual({
    __address__: address,
    __metrics_path__: '/metrics',
    __param_p: '1',
    __scheme__: 'http',
    __scrape_interval__: '20s',
    __scrape_timeout__: '19s',
    __always_scrape_classic_histograms__: 'false',
    __convert_classic_histograms_to_nhcb__: 'false',
    __scrape_native_histograms__: 'false',
    job: 'j',
  })
  expect(manager.metadata()[0]!.metadata.get('a')).toEqual({ type: 'counter', help: '', unit: '' })
})

test.each<[string, Handler, string]>([
  ['status', (_req, res) => void res.writeHead(500).end('x'), 'server returned HTTP status 500 Internal Server Error'],
  ['no type', (_req, res) => void res.writeHead(200).end('a 1\n'), 'no Content-Type'],
  ['odd type', page(() => 'a 1\n', 'text/html'), 'unsupported Content-Type "text/html"'],
  ['broken', page(() => 'a 1\nb x\n'), 'line 2: invalid value "x"'],
  ['no EOF', page(() => 'a 1\n', 'application/openmetrics-text'), 'line 2: data does not end with # EOF'],
  ['too long', page(() => `a 1\n${'#'.repeat(2000)}\n`), 'body size limit exceeded'],
  ['too many', page(() => 'a 1\nb 1\nc 1\nd 1\n'), 'sample limit exceeded'],
  [
    'too many labels',
    page(() => 'a{b="1",c="2"} 1\n'),
    'label_limit exceeded (metric: a, number of labels: 5, limit: 4)',
  ],
])('a failed scrape: %s', async (_name, handler, why) => {
  let broken = false
  const address = await serve((req, res) => (broken ? handler : page(() => 'a 1\n'))(req, res))
  const { manager, store } = rig()
  await apply(manager, job(address, { bodyBytesMax: 1000, sampleLimit: 3, labelLimit: 4 }))
  const own = { instance: address, job: 'j' }
  const group = () => store.groups[0]
  await rowsAfter(group, 1)
  broken = true
  const rows = await until(() => value(group()!.rows.at(-1), { __name__: 'up', ...own }) === 0 && group()!.rows)
  expect(value(rows.at(-1), { __name__: 'a', ...own })).toBe('stale')
  expect(manager.targets()[0]).toMatchObject({ health: 'down' })
  expect(manager.targets()[0]!.lastError).toContain(why)
  // One marker only, then nothing.
  const after = await rowsAfter(group, rows.length + 1)
  expect(value(after.at(-1), { __name__: 'a', ...own })).toBeUndefined()
  broken = false
  await until(() => value(group()!.rows.at(-1), { __name__: 'a', ...own }) === 1)
})

test('follows a target that sends elsewhere, if it may', async () => {
  let asked = 0
  const there = await serve(page(() => 'a 1\n'))
  const here = await serve((_req, res) => {
    asked++
    res.writeHead(302, { Location: `http://${there}/metrics` }).end()
  })
  const { manager, store } = rig()
  const config = job(here)
  await apply(manager, config)
  const own = { instance: here, job: 'j' }
  const rows = await rowsAfter(() => store.groups[0], 3)
  expect(rows.map((row) => value(row, { __name__: 'a', ...own }))).toEqual(rows.map(() => 1))
  // After the first time one request is enough.
  expect(asked).toBeLessThanOrEqual(rows.length + 2)
  await apply(manager, { ...config, http: { followRedirects: false } })
  await until(() => manager.targets()[0]!.lastError === 'server returned HTTP status 302 Found')
})

test('carries credentials and headers of the job', async () => {
  const seen: IncomingMessage[] = []
  const address = await serve((req, res) => {
    seen.push(req)
    page(() => 'a 1\n')(req, res)
  })
  const { manager, store } = rig()
  const http = { basicAuth: { username: 'u', password: 'p' }, headers: { 'X-Key': 'k' } }
  await apply(manager, job(address, { http, enableCompression: false }))
  await rowsAfter(() => store.groups[0], 1)
  expect(seen[0]!.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
    'x-key': 'k',
    'accept-encoding': 'identity',
    host: address,
  })
})

test('serves targets inside the process', async () => {
  let n = 0
  const self: InProcessTarget = {
    scrape: () => Promise.resolve({ contentType: 'text/plain', body: Buffer.from(`a ${n++}`) }),
  }
  const { manager, store } = rig(new Map([['belltower:self', self]]))
  await apply(
    manager,
    job('belltower:self', { staticConfigs: [{ targets: ['belltower:self'], labels: { instance: 'me' } }] }),
  )
  const rows = await rowsAfter(() => store.groups[0], 2)
  expect(rows.slice(0, 2).map((row) => value(row, { __name__: 'a', instance: 'me', job: 'j' }))).toEqual([0, 1])
})

test('relabels targets and samples, renames collisions, shows what was dropped', async () => {
  const address = await serve(page(() => 'a{job="theirs",x="1"} 1\nb{y="2"} 2\nup 7\n'))
  const { manager, store } = rig()
  await apply(
    manager,
    job(address, {
      staticConfigs: [{ targets: [address, 'gone:1'], labels: { env: 'test' } }],
      relabelConfigs: [
        { sourceLabels: ['__address__'], regex: 'gone.*', action: 'drop' },
        { targetLabel: 'zone', replacement: 'z' },
      ],
      metricRelabelConfigs: [
        { sourceLabels: ['__name__'], regex: 'b', action: 'drop' },
        { sourceLabels: ['__name__'], regex: 'a', targetLabel: 'zone', replacement: '' },
      ],
    }),
  )
  const [row] = await rowsAfter(() => store.groups[0], 1)
  const own = { instance: address, job: 'j', env: 'test' }
  expect(value(row, { __name__: 'a', exported_job: 'theirs', x: '1', ...own })).toBe(1)
  // A target's own `up` comes before ours.
  expect(value(row, { __name__: 'up', zone: 'z', ...own })).toBe(7)
  expect(row!.samples.size).toBe(6)
  expect(value(row, { __name__: 'scrape_samples_post_metric_relabeling', zone: 'z', ...own })).toBe(2)
  expect(manager.droppedTargets().map((one) => labelsToRecord(one.discoveredLabels)['__address__'])).toEqual(['gone:1'])
  expect(manager.droppedTargetCounts()).toEqual({ j: 1 })
})

test('honours labels, scraped ones win', async () => {
  const address = await serve(page(() => 'a{job="theirs"} 1\nb{job=""} 2\n'))
  const { manager, store } = rig()
  await apply(manager, job(address, { honorLabels: true }))
  const [row] = await rowsAfter(() => store.groups[0], 1)
  expect(value(row, { __name__: 'a', instance: address, job: 'theirs' })).toBe(1)
  expect(value(row, { __name__: 'b', instance: address })).toBe(2)
})

test('normalises le and quantile where the type says so', async () => {
  const text =
    '# TYPE h histogram\nh_bucket{le="1"} 1\n# TYPE s summary\ns{quantile="1"} 1\n# TYPE g gauge\ng{le="1"} 1\n'
  const address = await serve(page(() => text))
  const { manager, store } = rig()
  await apply(manager, job(address))
  const [row] = await rowsAfter(() => store.groups[0], 1)
  const own = { instance: address, job: 'j' }
  expect(value(row, { __name__: 'h_bucket', le: '1.0', ...own })).toBe(1)
  expect(value(row, { __name__: 's', quantile: '1.0', ...own })).toBe(1)
  expect(value(row, { __name__: 'g', le: '1', ...own })).toBe(1)
})

test('an unchanged pool keeps its loop; a changed one keeps its series; a removed target goes stale later', async () => {
  let n = 0
  const address = await serve(page(() => `a ${n++}\n`))
  const other = await serve(page(() => 'b 1\n'))
  const { manager, store } = rig()
  const config = job(address, { staticConfigs: [{ targets: [address, other] }] })
  await apply(manager, config)
  await until(() => store.groups.length === 2 && store.groups.every((group) => group.rows.length >= 2))
  await apply(manager, { ...config, staticConfigs: [{ targets: [address, other] }] })
  expect(manager.targets().map((one) => one.health)).toEqual(['up', 'up'])
  const changed = {
    ...config,
    staticConfigs: [{ targets: [address] }],
    metricRelabelConfigs: [{ targetLabel: 'x', replacement: 'y' }],
  }
  await apply(manager, changed)
  expect(store.groups.length).toBe(2)
  const first = store.groups.find((group) => group.labels.includes(address))!
  const second = store.groups.find((group) => group.labels.includes(other))!
  const own = { instance: address, job: 'j' }
  const turn = await until(() => first.rows.find((row) => value(row, { __name__: 'a', ...own }) === 'stale'))
  expect(value(turn, { __name__: 'a', x: 'y', ...own })).toBeTypeOf('number')
  await until(() => second.closed)
  const last = second.rows.at(-1)!
  expect(value(last, { __name__: 'b', instance: other, job: 'j' })).toBe('stale')
  expect(value(last, { __name__: 'up', instance: other, job: 'j' })).toBe('stale')
  expect(manager.scrapePools()).toEqual(['j'])
  await manager.stop()
  expect(first.closed).toBe(true)
  expect([...first.rows.at(-1)!.samples.values()].includes('stale')).toBe(false)
})

test('more targets than target_limit: all of them fail', async () => {
  const { manager, registry } = rig()
  await apply(manager, job('a:1', { targetLimit: 1, staticConfigs: [{ targets: ['a:1', 'b:1'] }] }))
  const targets = await until(() => manager.targets().every((one) => one.health === 'down') && manager.targets())
  expect(targets.map((one) => one.lastError)).toEqual(
    Array(2).fill('target_limit exceeded (number of targets: 2, limit: 1)'),
  )
  expect(await registry.metrics()).toContain('prometheus_target_scrape_pool_exceeded_target_limit_total 1')
})

test('a rule that cannot work changes nothing', async () => {
  const { manager } = rig()
  await apply(manager, job('a:1'))
  await expect(apply(manager, job('a:1', { relabelConfigs: [{ regex: '(' }] }))).rejects.toMatchObject({
    code: 'ERR_RELABEL',
  })
  expect(manager.targets().length).toBe(1)
})

test('tells about its discoveries and limits under the names that alerts ask for', async () => {
  const address = await serve(page(() => 'a{b="c"} 1\n'))
  const { manager, registry } = rig()
  const value = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> => {
    const { values } = (await registry.getSingleMetric(name)!.get()) as {
      values: { labels: object; value: number; metricName?: string }[]
    }
    return values.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels))?.value
  }
  const failures = { mechanism: 'http', config: 'j' }
  const lists = {
    staticConfigs: [{ targets: [address] }, { targets: ['x:1'] }],
    fileSdConfigs: [{ files: ['/no/*.yml'] }],
  }
  const first = job(address, { labelLimit: 2, ...lists, httpSdConfigs: [{ url: `http://${address}/list` }] })
  await apply(manager, first)
  expect(await value('prometheus_sd_refresh_failures_total', failures)).toBe(0)
  expect(await value('prometheus_target_sync_failed_total', { scrape_job: 'j' })).toBe(0)
  expect(await value('prometheus_sd_kubernetes_failures_total')).toBe(0)
  expect(await value('prometheus_sd_discovered_targets', { name: 'scrape', config: 'j' })).toBe(2)
  await until(() => manager.targets().find((target) => target.lastError.startsWith('label_limit')))
  expect(await value('prometheus_target_scrape_pool_exceeded_label_limits_total')).toBeGreaterThan(0)
  for (let i = 0; (await value('prometheus_sd_http_failures_total')) === 0; i++) {
    expect(i).toBeLessThan(1000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(await value('prometheus_sd_refresh_failures_total', failures)).toBeGreaterThan(0)
  await apply(manager)
  expect(await value('prometheus_sd_refresh_failures_total', failures)).toBeUndefined()
  expect(await value('prometheus_sd_discovered_targets', { name: 'scrape', config: 'j' })).toBeUndefined()
})

test('targets behind Unix sockets, several under one address', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'belltower-sockets-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  const hosts: (string | undefined)[] = []
  for (const name of ['a', 'b']) {
    const server = createServer((req, res) => {
      hosts.push(req.headers.host)
      page(() => `from{socket="${name}"} 1\n`)(req, res)
    })
    await new Promise<void>((resolve) => server.listen(join(folder, name), resolve))
    cleanups.push(() => (server.closeAllConnections(), server.close()))
  }
  const { manager, store } = rig()
  const socketOf = (name: string) => ({
    targets: ['localhost'],
    labels: { __unix_socket__: join(folder, name), ['of']: name },
  })
  // A proxy is for what is elsewhere; a password in a file takes the general client.
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, 'p')
  await apply(
    manager,
    job('', { staticConfigs: ['a', 'b', 'none'].map(socketOf), http: { proxyUrl: 'http://127.0.0.1:1' } }),
    job('', { jobName: 'k', staticConfigs: [socketOf('b')], http: { basicAuth: { username: 'u', passwordFile } } }),
  )
  await until(() => manager.targets().every(({ health }) => health !== 'unknown'))
  expect(
    manager.targets().map(({ scrapePool, labels, health }) => [scrapePool, labelsToRecord(labels)['of'], health]),
  ).toEqual([
    ['j', 'a', 'up'],
    ['j', 'b', 'up'],
    ['j', 'none', 'down'],
    ['k', 'b', 'up'],
  ])
  expect(new Set(hosts)).toEqual(new Set(['localhost']))
  const seen = store.groups.flatMap((group) => [...(group.rows.at(-1)?.samples.keys() ?? [])])
  const sockets = seen.flatMap((key) => /of\W+(\w)\W+socket\W+(\w)/.exec(key)?.slice(1).join('') ?? [])
  expect(sockets.sort()).toEqual(['aa', 'bb', 'bb'])
})

test('a target may have its own say about histograms', async () => {
  const asked = new Map<string, string | undefined>()
  const address = await serve((req, res) => {
    asked.set(req.url!, req.headers.accept)
    page(() => 'a 1\n')(req, res)
  })
  const { manager } = rig()
  const own = (path: string, native: string) => ({
    targets: [address],
    labels: { __metrics_path__: path, __scrape_native_histograms__: native },
  })
  await apply(manager, job('', { staticConfigs: [own('/job', ''), own('/native', 'true'), own('/wrong', 'yes')] }))
  await until(() => asked.size === 2)
  expect(asked.get('/job')).toMatch(/^application\/openmetrics-text/)
  expect(asked.get('/native')).toMatch(/^application\/vnd\.google\.protobuf/)
})
