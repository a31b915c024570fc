// A real Prometheus scrapes the same targets beside us; answers to the same queries must agree. The two scrape at different
// instants, so counters may differ by what happened in between: rates are compared with a tolerance, structure exactly.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'
import { freePort, hasProgram, startProgram } from '../support/programs.ts'

const peers = ['prometheus', 'promtool', 'prometheus-node-exporter']
const SCRAPES_SECONDS = 25

/** Expressions whose values are settled enough to compare, and how far they may be apart (relative). */
const QUERIES: readonly (readonly [expr: string, tolerance: number])[] = [
  ['up', 0],
  ['count by (job) (up)', 0],
  ['node_uname_info', 0],
  ['count(node_cpu_seconds_total)', 0],
  ['count by (mode) (node_cpu_seconds_total)', 0],
  ['node_memory_MemTotal_bytes', 0],
  ['node_memory_MemTotal_bytes / 1024 / 1024', 0],
  ['sum without (cpu) (node_cpu_seconds_total)', 0.05],
  ['sum by (mode) (rate(node_cpu_seconds_total{mode="idle"}[10s]))', 0.5],
  ['node_boot_time_seconds', 1e-6],
  ['node_filesystem_size_bytes', 0],
  ['node_disk_info or node_network_info', 0],
  ['node_network_mtu_bytes > 1000', 0],
  ['absent(nonexistent_metric)', 0],
  ['app_requests_total', 0.2],
  ['rate(app_requests_total[15s])', 0.5],
  ['sum(rate(app_requests_total[15s])) by (route)', 0.5],
  ['increase(app_requests_total[20s])', 0.5],
  ['histogram_quantile(0.9, sum by (le) (rate(app_duration_seconds_bucket[20s])))', 0.3],
  ['app_duration_seconds_sum / app_duration_seconds_count', 0.2],
  ['label_replace(up, "host", "$1", "instance", "(.*):.*")', 0],
  ['topk(1, count by (mode) (node_cpu_seconds_total{mode="idle"}))', 0],
  ['max_over_time(up[15s])', 0],
  ['count_values("v", up)', 0],
  ['up * on (instance) group_left (nodename) node_uname_info', 0],
  ['up == bool 1', 0],
  ['-up', 0],
  ['vector(1) + 1', 0],
  ['scalar(count(up))', 0],
  ['min_over_time(up[10s:2s])', 0],
  ['stddev(up)', 0],
]

describe.skipIf(!peers.every(hasProgram))('beside a real Prometheus', () => {
  const folder = temporaryFolder()
  const stops: (() => Promise<void>)[] = []
  let app: Server
  let server: Belltower
  let prometheusUrl: string

  beforeAll(async () => {
    app = await startApp()
    const [nodePort, prometheusPort] = [await freePort(), await freePort()]
    stops.push(
      startProgram('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${nodePort}`], folder.path).stop,
    )
    prometheusUrl = `http://127.0.0.1:${prometheusPort}`
    const appPort = (app.address() as AddressInfo).port
    writeFileSync(
      join(folder.path, 'prometheus.yml'),
      `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - { job_name: node, static_configs: [{ targets: ['127.0.0.1:${nodePort}'] }] }
  - { job_name: prometheus, static_configs: [{ targets: ['127.0.0.1:${prometheusPort}'] }] }
  - { job_name: app, static_configs: [{ targets: ['127.0.0.1:${appPort}'] }] }
`,
    )
    stops.push(
      startProgram(
        'prometheus',
        [
          '--config.file=prometheus.yml',
          `--web.listen-address=127.0.0.1:${prometheusPort}`,
          '--storage.tsdb.path=reference-data',
        ],
        folder.path,
      ).stop,
    )
    server = await startBelltower(folder.path, ['--config.file=prometheus.yml'])
    const ready = async (): Promise<true | undefined> =>
      (await instant(prometheusUrl, 'min(min_over_time(up[1m])) == 1 and count(up) == 3')).length === 1
        ? true
        : undefined
    await waitFor('the real Prometheus to scrape everything', ready, 30_000)
    await new Promise((resolve) => setTimeout(resolve, SCRAPES_SECONDS * 1000))
  }, 90_000)

  afterAll(async () => {
    await server?.stop()
    for (const stop of stops) await stop()
    app?.closeAllConnections()
    app?.close()
    folder.remove()
  })

  test('thirty queries have the same answers', async () => {
    const timeSeconds = Date.now() / 1000 - 2
    for (const [expr, tolerance] of QUERIES) {
      const [ours, theirs] = await Promise.all([
        instant(server.url, expr, timeSeconds),
        instant(prometheusUrl, expr, timeSeconds),
      ])
      expect(
        ours.map(([labels]) => labels),
        expr,
      ).toEqual(theirs.map(([labels]) => labels))
      ours.forEach(([labels, value], i) => {
        const reference = theirs[i]![1]
        const distance = Math.abs(value - reference) / Math.max(Math.abs(value), Math.abs(reference), 1e-12)
        if (!Object.is(value, reference) && value !== reference) {
          expect(distance, `${expr} ${labels}: ${value} against ${reference}`).toBeLessThanOrEqual(tolerance)
        }
      })
    }
  })

  test('promtool queries us, instant and range', () => {
    const promtool = (...args: string[]): string => execFileSync('promtool', ['query', ...args], { encoding: 'utf8' })
    const lines = promtool('instant', server.url, 'sum by (mode) (rate(node_cpu_seconds_total[10s]))')
      .trim()
      .split('\n')
    expect(lines.length).toBeGreaterThan(5)
    expect(lines[0]).toMatch(/^\{mode="[a-z]+"\} => [0-9.e-]+ @\[[0-9.]+\]$/)
    const range = promtool('range', '--step=1s', server.url, 'rate(node_cpu_seconds_total{mode="idle"}[10s])')
    expect(range).toMatch(/node_cpu_seconds_total|\{cpu="0"/)
    const quantile = promtool(
      'instant',
      server.url,
      'histogram_quantile(0.9, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[20s])))',
    )
    expect(quantile).toMatch(/^\{\} => /)
    expect(promtool('series', '--match=up', server.url).trim().split('\n')).toHaveLength(3)
    expect(promtool('labels', server.url, 'job').trim().split('\n')).toEqual(['app', 'node', 'prometheus'])
  })
})

async function startApp(): Promise<Server> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'app_requests_total',
    help: 'Requests.',
    labelNames: ['route'],
    registers: [registry],
  })
  const durations = new Histogram({ name: 'app_duration_seconds', help: 'Durations.', registers: [registry] })
  let n = 0
  const timer = setInterval(() => {
    n++
    requests.inc({ route: n % 3 === 0 ? '/pay' : '/cart' })
    durations.observe((n % 10) / 20)
  }, 50)
  const server = createServer((_request, response) => {
    void registry.metrics().then((text) => {
      response.setHeader('content-type', registry.contentType)
      response.end(text)
    })
  })
  server.once('close', () => clearInterval(timer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Series as sorted label text and value. */
async function instant(url: string, expr: string, timeSeconds?: number): Promise<[string, number][]> {
  const params = new URLSearchParams({
    query: expr,
    ...(timeSeconds === undefined ? {} : { time: String(timeSeconds) }),
  })
  const body = (await (await fetch(`${url}/api/v1/query?${params}`)).json()) as {
    data?: { resultType: string; result: unknown }
    error?: string
  }
  if (!body.data) throw new Error(`${expr}: ${body.error}`)
  if (body.data.resultType === 'scalar') return [['scalar', Number((body.data.result as [number, string])[1])]]
  return (body.data.result as { metric: Record<string, string>; value: [number, string] }[])
    .map(({ metric, value }): [string, number] => [
      JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))),
      Number(value[1]),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
