// Goal: data folders change hands between Prometheus and us, and both answer the same on them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { CounterResetHint, type NativeHistogram } from '../../model/index.ts'
import { exportPrometheus, importPrometheus } from '../../tsdb/index.ts'
import { openStore } from '../../tsdb/library.ts'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'
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

interface RealPrometheus {
  readonly url: string
  readonly ask: Ask
  readonly dataDir: string
  /** Ends it without a chance to tidy up. */
  kill(): Promise<void>
}

/** A real Prometheus on a data folder, which is made if missing. */
async function startPrometheus(folder: string, config: string): Promise<RealPrometheus> {
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
  return { url, ask, dataDir, kill: stop }
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

/** Every file but the lock, with what is in it. */
function contentsOf(folder: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name)
    const isOurs = name === 'belltower' || /^(belltower|alertmanager|pushgateway|dashboards)\b/.test(name)
    if (!isOurs && name !== 'lock' && statSync(path).isFile()) files.set(name, readFileSync(path, 'latin1'))
  }
  return files
}

test.skipIf(!hasProgram('prometheus'))(
  "started in a Prometheus' data folder it goes on with its history, and leaves its files as they are",
  { timeout: 180_000 },
  async () => {
    const folder = ownFolder()
    const data = join(folder, 'data')
    // Blocks as Prometheus has them, of the day before.
    const startMs = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 24 * 3_600_000
    const { tsdb, close } = await openStore({ dataDir: join(folder, 'source') })
    const appender = tsdb.appender()
    for (let i = 0; i < 720; i++) {
      for (let k = 0; k < 6; k++) {
        const labels = ['__name__', 'counter', 'instance', String(k % 2), 'job', 'j', 'x', String(k)]
        appender.append(undefined, labels, startMs + i * 60_000, i * (k + 1))
      }
      if (i % 20 === 19) await appender.commit()
    }
    await exportPrometheus(tsdb, data)
    await close()
    expect(readdirSync(data)).toHaveLength(6)
    // A log of its own, of the last seconds, that it is killed with; some of it deleted.
    let scrapes = 0
    const target = createServer((_request, response) => {
      scrapes++
      const gone = scrapes > 15 ? '' : `gone{a="b"} ${scrapes / 7}\n`
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      response.end(`scrapes ${scrapes}\nnan NaN\nhuge 1.7e308\nsecret ${scrapes}\n${gone}`)
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => {
      target.closeAllConnections()
      target.close()
    })
    const { port } = target.address() as AddressInfo
    const config = `global: { scrape_interval: 200ms, scrape_timeout: 200ms }\nscrape_configs: [{ job_name: t, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`
    const prometheus = await startPrometheus(folder, config)
    await waitFor('scrapes', async () => (scrapes > 25 ? true : undefined))
    const deletion = `${prometheus.url}/api/v1/admin/tsdb/delete_series?match[]=secret`
    expect((await fetch(deletion, { method: 'POST' })).status).toBe(204)
    const nowMs = Date.now() - 500
    const questions = [
      ...[2, 7, 11].map((hours) => queryPath('sum by (x) (increase(counter[1h]))', startMs + hours * 3_600_000 + 7)),
      queryPath('count_over_time(counter[12h1m])', startMs + 12 * 3_600_000 + 30_000),
      ...['{__name__=~"scrapes|nan|huge|gone|up"}[20s]', 'max_over_time(scrapes[4s])', 'secret'].map((expr) =>
        queryPath(expr, nowMs),
      ),
    ]
    const want: unknown[] = []
    for (const question of questions) want.push(comparable(await prometheus.ask(question)))
    expect(JSON.stringify(want).length).toBeGreaterThan(2000)

    writeFileSync(join(folder, 'belltower.yml'), 'scrape_configs: []\n')
    const flags = ['--storage.tsdb.retention.time=100y', '--query.workers=1']
    const start = async (): Promise<Belltower> => {
      const server = await startBelltower(folder, flags)
      cleanups.push(() => server.kill())
      return server
    }
    await expect(start()).rejects.toThrow(/in use by a Prometheus/)
    await prometheus.kill()
    const before = contentsOf(data)
    expect([...before.keys()].some((name) => name.startsWith('wal'))).toBe(true)

    const isDone = async (): Promise<true | undefined> => {
      const state = readFileSync(join(data, 'belltower/adoption.json'), 'utf8')
      return (JSON.parse(state) as { isFinished: boolean }).isFinished ? true : undefined
    }
    // Killed while it imports, wherever it is; the last time it may finish.
    for (let kill = 0; kill < 3; kill++) {
      const server = await start()
      await waitFor('a part', async () => (server.lines.some((line) => line.includes('part of the')) ? true : isDone()))
      await server.kill()
    }
    const server = await start()
    await waitFor('the whole history', isDone, 60_000)
    for (const [i, question] of questions.entries()) {
      expect(comparable(await server.api(question)), question).toEqual(want[i])
    }
    expect(server.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    expect(contentsOf(data)).toEqual(before)

    // Once it is in, nothing is looked for again.
    await server.stop()
    const again = await start()
    expect(comparable(await again.api(questions[0]!))).toEqual(want[0])
    expect(again.lines.some((line) => line.includes('importing'))).toBe(false)
    expect(existsSync(join(data, 'belltower/adoption'))).toBe(false)
  },
)
