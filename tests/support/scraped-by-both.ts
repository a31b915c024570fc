/** The same pages scraped by the real Prometheus and by this scraper, each page a target of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createScrapeManager } from '../../scraper/index.ts'
import { RecordingStore } from '../../scraper/scrape/recording-store.ts'
import { freePort } from './programs.ts'

export interface ServedPage {
  readonly contentType: string
  readonly body: Uint8Array
}

export interface ScrapedPage {
  readonly up: boolean
  /** Why it was refused. */
  readonly lastError: string
  /** Values by series, without what the scrape says about itself. */
  readonly series: ReadonlyMap<string, number>
}

const REPORT = /^(up|scrape_\w+)$/
const WAIT_MS_MAX = 100_000
/** A busy machine, not a verdict: the next scrape will tell. */
const TOO_LATE = /deadline|timeout|ECONNRESET|reset by peer/i

/** `undefined` = refused by neither side; index by page. */
export async function scrapedByBoth(
  pages: readonly ServedPage[],
): Promise<{ readonly theirs: readonly ScrapedPage[]; readonly ours: readonly ScrapedPage[] }> {
  const server = createServer((request, response) => {
    const page = pages[Number(request.url!.slice('/page/'.length))]!
    response.writeHead(200, { 'content-type': page.contentType }).end(page.body)
  })
  // Idle connections stay: one that is closed just when it is used again says nothing of its page.
  server.keepAliveTimeout = 2 * WAIT_MS_MAX
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const [theirs, ours] = await Promise.all([byPrometheus(address, pages.length), byBelltower(address, pages.length)])
    return { theirs, ours }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const isJudged = ({ health, lastError }: { readonly health: string; readonly lastError: string }): boolean =>
  health !== 'unknown' && !TOO_LATE.test(lastError)

const groups = (address: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    targets: [address],
    labels: { page: String(i), __metrics_path__: `/page/${i}`, instance: 'x' },
  }))

async function byPrometheus(address: string, count: number): Promise<ScrapedPage[]> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-peer-'))
  writeFileSync(join(folder, 'targets.json'), JSON.stringify(groups(address, count)))
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `scrape_configs:
  - job_name: j
    scrape_interval: 4s
    scrape_timeout: 3s
    honor_timestamps: false
    file_sd_configs: [{ files: [targets.json] }]
`,
  )
  const listen = `127.0.0.1:${await freePort()}`
  const flags = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = spawn('prometheus', [...flags, `--web.listen-address=${listen}`], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  try {
    const ask = async (path: string): Promise<unknown> => {
      const answer = (await (await fetch(`http://${listen}/api/v1/${path}`)).json()) as { data: unknown }
      return answer.data
    }
    type Target = { health: string; lastError: string; labels: { page: string } }
    const targets = await until(async () => {
      const { activeTargets } = (await ask('targets?state=active')) as { activeTargets: Target[] }
      return activeTargets.length === count && activeTargets.every(isJudged) && activeTargets
    })
    const query = encodeURIComponent('{page!=""}')
    const { result } = (await ask(`query?query=${query}`)) as {
      result: { metric: Record<string, string>; value: [number, string] }[]
    }
    const found = new Map(targets.map((target) => [Number(target.labels.page), target]))
    const series = Array.from({ length: count }, () => new Map<string, number>())
    for (const { metric, value } of result) {
      if (REPORT.test(metric['__name__'] ?? '')) continue
      series[Number(metric['page'])]!.set(keyOf(Object.entries(metric)), numberOf(value[1]))
    }
    return series.map((of, i) => ({
      up: found.get(i)!.health === 'up',
      lastError: found.get(i)!.lastError,
      series: of,
    }))
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true })
  }
}

async function byBelltower(address: string, count: number): Promise<ScrapedPage[]> {
  const store = new RecordingStore()
  const parts = { clock: systemClock, logger: silentLogger, registry: new Registry(), inProcess: new Map() }
  const manager = createScrapeManager({ store, ...parts, version: '0' })
  try {
    await manager.apply({
      global: { externalLabels: [] },
      scrapeConfigs: [
        {
          jobName: 'j',
          // Each page is asked for soon after the start: long enough that no busy machine is too late.
          scrapeIntervalMs: 20_000,
          scrapeTimeoutMs: 20_000,
          honorTimestamps: false,
          staticConfigs: groups(address, count),
        },
      ],
    })
    const pageOf = (labels: readonly string[]): number => Number(labels[labels.indexOf('page') + 1])
    const targets = await until(async () => {
      const all = manager.targets()
      return all.length === count && all.every(isJudged) && all
    })
    const byPage = new Map(targets.map((target) => [pageOf(target.labels), target]))
    const rows = new Map(store.groups.map((group) => [pageOf(group.labels), group.rows.at(-1)!]))
    return Array.from({ length: count }, (_, i) => {
      const series = new Map<string, number>()
      for (const [key, value] of rows.get(i)!.samples) {
        const parts = key.split('\u00ff')
        const pairs = Array.from({ length: parts.length / 2 }, (_, j) => [parts[j * 2]!, parts[j * 2 + 1]!] as const)
        const name = pairs.find(([label]) => label === '__name__')?.[1] ?? ''
        if (!REPORT.test(name) && value !== 'stale') series.set(keyOf(pairs), value)
      }
      return { up: byPage.get(i)!.health === 'up', lastError: byPage.get(i)!.lastError, series }
    })
  } finally {
    await manager.stop()
  }
}

/** Labels that both sides set are left out. */
const keyOf = (pairs: Iterable<readonly [string, string]>): string =>
  JSON.stringify([...pairs].filter(([name]) => !['page', 'job', 'instance'].includes(name)).sort(byName))
const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0)

function numberOf(text: string): number {
  if (text === 'NaN') return Number.NaN
  if (text.endsWith('Inf')) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return Number(text)
}

async function until<T>(read: () => Promise<T | false>): Promise<T> {
  const endMs = Date.now() + WAIT_MS_MAX
  for (;;) {
    const value = await read().catch(() => false as const)
    if (value !== false) return value
    if (Date.now() > endMs) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
