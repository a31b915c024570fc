// Goal: data folders change hands between Prometheus and us, and both answer the same on them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import { exportPrometheus, importPrometheus } from '../../tsdb/index.ts'
import { openStore } from '../../tsdb/library.ts'
import { startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'
import { freePort, hasProgram, startProgram } from '../support/programs.ts'

const cleanups: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function ownFolder(): string {
  const { path, remove } = temporaryFolder()
  cleanups.push(remove)
  return path
}

type Ask = (path: string) => Promise<unknown>

/** A real Prometheus on a data folder, which is made if missing. */
async function startPrometheus(folder: string, config: string): Promise<{ url: string; ask: Ask; dataDir: string }> {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir, { recursive: true })
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, config)
  const listen = `127.0.0.1:${await freePort()}`
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${dataDir}`, `--web.listen-address=${listen}`]
  const features = [
    '--web.enable-admin-api',
    '--enable-feature=native-histograms',
    '--storage.tsdb.retention.time=100y',
  ]
  const { stop } = startProgram('prometheus', [...flags, ...features], folder)
  cleanups.push(stop)
  const url = `http://${listen}`
  await waitFor('prometheus', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined))
  const ask: Ask = async (path) => {
    const body = (await (await fetch(`${url}${path}`)).json()) as { data: unknown; error?: string }
    if (body.error !== undefined) throw new Error(`${path}: ${body.error}`)
    return body.data
  }
  return { url, ask, dataDir }
}

async function askBelltower(folder: string): Promise<Ask> {
  writeFileSync(join(folder, 'belltower.yml'), 'scrape_configs: []\n')
  const server = await startBelltower(folder, ['--storage.tsdb.retention.time=100y', '--query.workers=1'])
  cleanups.push(() => server.kill())
  return (path) => server.api(path)
}

type Answer = { result: { metric: Record<string, string> }[] }

/** Series in one order, numbers to the last digits but one: sums may be taken in another order. */
function comparable(answer: unknown): unknown {
  const numbers = (value: unknown): unknown =>
    typeof value === 'string' && /^-?[\d.]+(e[+-]?\d+)?$/.test(value) ? Number(Number(value).toPrecision(13)) : value
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return numbers(value)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, walk(inner)]))
  }
  const { result } = answer as Answer
  const key = ({ metric }: Answer['result'][number]): string => JSON.stringify(Object.entries(metric).sort())
  return walk([...result].sort((a, b) => (key(a) < key(b) ? -1 : 1)))
}

const queryPath = (expr: string, timeMs: number): string =>
  `/api/v1/query?query=${encodeURIComponent(expr)}&time=${timeMs / 1000}`

const START_MS = 1_700_006_400_000

const histogram = (i: number, integer: boolean): NativeHistogram => ({
  integer,
  counterResetHint: CounterResetHint.UNKNOWN,
  schema: 1,
  zeroThreshold: 2 ** -128,
  zeroCount: i,
  count: 5 * i,
  sum: i * 1.25,
  positiveSpans: [
    { offset: -3, length: 2 },
    { offset: i > 150 ? 5 : 4, length: 1 },
  ],
  positiveBuckets: Float64Array.of(i, i, i),
  negativeSpans: [{ offset: 0, length: 1 }],
  negativeBuckets: Float64Array.of(i),
  customBounds: new Float64Array(),
})

const EXPRESSIONS = [
  'counter',
  'gauge[10m]',
  'h_int[30m]',
  'h_float[30m]',
  'histogram_count(h_int)',
  'sum by (mode) (increase(counter[1h]))',
  'quantile(0.9, gauge)',
  'max_over_time(gauge[20m]) - min_over_time(gauge[20m])',
  'count by (__name__) ({__name__=~".+"})',
  'changes(gone[30m]) or absent(gone)',
]

test.skipIf(!hasProgram('prometheus'))(
  'a Prometheus opened on our export answers 100 queries as we do',
  { timeout: 120_000 },
  async () => {
    const folder = ownFolder()
    const theirs = join(folder, 'prometheus')
    const { tsdb, close } = await openStore({ dataDir: join(folder, 'data') })
    const appender = tsdb.appender()
    for (let i = 0; i < 300; i++) {
      const timeMs = START_MS + i * 30_000
      for (let k = 0; k < 6; k++) {
        const labels = ['mode', `m${k % 3}`, 'x', String(k)]
        appender.append(undefined, ['__name__', 'counter', ...labels], timeMs, (i % 100) * (k + 1))
        appender.append(undefined, ['__name__', 'gauge', ...labels], timeMs + k, Math.sin(i * k) / 3)
      }
      if (i % 40 === 20) appender.appendStale(undefined, ['__name__', 'gone'], timeMs)
      else if (i % 40 < 20) appender.append(undefined, ['__name__', 'gone'], timeMs, i)
      appender.appendHistogram(undefined, ['__name__', 'h_int'], timeMs, histogram(i % 120, true))
      appender.appendHistogram(undefined, ['__name__', 'h_float'], timeMs, histogram(i + 0.5, false))
      if (i % 20 === 19) await appender.commit()
    }
    await exportPrometheus(tsdb, join(theirs, 'data'))
    await close()
    const { ask } = await startPrometheus(theirs, 'scrape_configs: []\n')
    const ours = await askBelltower(folder)
    let samples = 0
    for (const expr of EXPRESSIONS) {
      for (let k = 0; k < 10; k++) {
        const path = queryPath(expr, START_MS + 15 * 60_000 + k * 14 * 60_000 + 7)
        const answer = comparable(await ours(path))
        expect(answer, `${expr} ${k}`).toEqual(comparable(await ask(path)))
        samples += (answer as unknown[]).length
      }
    }
    expect(samples).toBeGreaterThan(200)
  },
)

test.skipIf(!hasProgram('prometheus'))(
  'what a Prometheus has scraped is imported and answers the same',
  { timeout: 120_000 },
  async () => {
    let scrapes = 0
    const target = createServer((_request, response) => {
      scrapes++
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      const gone = scrapes % 3 === 0 ? '' : `gone{a="b"} ${scrapes / 7}\n`
      response.end(`# TYPE scrapes counter\nscrapes ${scrapes}\nnan NaN\nhuge 1.7e308\n${gone}`)
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => {
      target.closeAllConnections()
      target.close()
    })
    const { port } = target.address() as AddressInfo
    const folder = ownFolder()
    const config = `global: { scrape_interval: 200ms, scrape_timeout: 200ms }\nscrape_configs: [{ job_name: t, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`
    const prometheus = await startPrometheus(join(folder, 'prometheus'), config)
    await waitFor('scrapes', async () => (scrapes > 20 ? true : undefined))
    const taken = await fetch(`${prometheus.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })
    const { data } = (await taken.json()) as { data: { name: string } }
    const nowMs = Date.now() - 1000
    const imported = await importPrometheus(join(folder, 'data'), join(prometheus.dataDir, 'snapshots', data.name), {
      logger: silentLogger,
    })
    expect(imported.samples).toBeGreaterThan(100)
    const ours = await askBelltower(folder)
    for (const expr of [
      '{__name__=~".+"}[20s]',
      'scrapes',
      'max_over_time(scrapes[4s])',
      'gone',
      'count_over_time(gone[10s])',
    ]) {
      const answer = comparable(await ours(queryPath(expr, nowMs)))
      expect(answer, expr).toEqual(comparable(await prometheus.ask(queryPath(expr, nowMs))))
    }
  },
)
