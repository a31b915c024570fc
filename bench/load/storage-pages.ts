import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { endsWithBench, makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { NodePage } from './node-page.ts'

const INTERVAL_MS = 15_000
const RECORDING_INTERVAL_MS = 1000
const ANSWER_TIMEOUT_MS = 15_000
const NODE_EXPORTER = 'prometheus-node-exporter'

/** The samples of some targets, as they would have been scraped every 15 seconds. */
export interface PageSet {
  readonly name: string
  readonly targets: readonly PageSeries[]
}

/** The series of one target over its scrapes. */
export interface PageSeries {
  readonly instance: string
  readonly timesMs: readonly number[]
  /** By `name{labels}` as the page spells it; `undefined` where the series is missing. */
  readonly series: ReadonlyMap<string, (number | undefined)[]>
}

interface Scrape {
  readonly atMs: number
  readonly body: string
}

/**
 * Pages of a real node_exporter and a real Prometheus, scraped each second. What lies between two scrapes is stretched to 15
 * seconds, the jitter is kept as it was.
 *
 * @param folder where an earlier recording is read from, or this one written to
 */
export async function recordPages(startMs: number, seconds: number, folder: string | undefined): Promise<PageSet> {
  const names = ['node_exporter', 'prometheus'] as const
  const files = names.map((name) => folder && join(folder, `${name}.json`))
  let recordings: Scrape[][]
  if (files.every((file) => file !== undefined && existsSync(file))) {
    recordings = files.map((file) => JSON.parse(readFileSync(file!, 'utf8')) as Scrape[])
  } else {
    recordings = await record(seconds)
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true })
      for (const [i, file] of files.entries()) writeFileSync(file!, JSON.stringify(recordings[i]))
    }
  }
  return {
    name: 'recorded node_exporter and Prometheus',
    targets: names.map((name, i) => seriesOf(`${name}:1`, startMs, recordings[i]!)),
  }
}

/** The same samples at exact multiples of the interval. */
export function withoutJitter(pages: PageSet): PageSet {
  const targets = pages.targets.map((target) => {
    const startMs = target.timesMs[0]!
    return { ...target, timesMs: target.timesMs.map((_, i) => startMs + i * INTERVAL_MS) }
  })
  return { name: `${pages.name}, timestamps aligned`, targets }
}

/** Invented pages of busy hosts, alike but each with a life of its own. */
export function inventPages(startMs: number, hosts: number, scrapes: number): PageSet {
  const targets = Array.from({ length: hosts }, (_, host) => {
    const page = new NodePage({ seed: host + 1, withHistograms: true })
    // Up to 5 ms late, as timers are.
    const recording = Array.from({ length: scrapes }, (_, i) => ({
      atMs: i * RECORDING_INTERVAL_MS + ((i * 7919 + host * 104_729) % 6),
      body: page.next(),
    }))
    return seriesOf(`host${host}:9100`, startMs, recording)
  })
  return { name: `${hosts} invented hosts`, targets }
}

function seriesOf(instance: string, startMs: number, scrapes: readonly Scrape[]): PageSeries {
  const series = new Map<string, (number | undefined)[]>()
  const firstMs = scrapes[0]!.atMs
  const timesMs = scrapes.map(({ atMs }, i) => startMs + i * INTERVAL_MS + (atMs - firstMs - i * RECORDING_INTERVAL_MS))
  for (const [i, { body }] of scrapes.entries()) {
    for (const line of body.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const cut = line.lastIndexOf(' ')
      const key = line.slice(0, cut)
      let values = series.get(key)
      if (values === undefined) series.set(key, (values = Array<undefined>(scrapes.length).fill(undefined)))
      values[i] = Number(line.slice(cut + 1).replace('Inf', 'Infinity'))
    }
  }
  return { instance, timesMs, series }
}

async function record(seconds: number): Promise<Scrape[][]> {
  const folder = makeBenchFolder()
  const children: ChildProcess[] = []
  try {
    const [node, prometheus] = [await freePort(), await freePort()]
    const config = join(folder, 'prometheus.yml')
    const targets = `["127.0.0.1:${node}", "127.0.0.1:${prometheus}"]`
    writeFileSync(
      config,
      `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: all, static_configs: [{ targets: ${targets} }] }]\n`,
    )
    children.push(endsWithBench(spawn(NODE_EXPORTER, [`--web.listen-address=127.0.0.1:${node}`], { stdio: 'ignore' })))
    const listen = `--web.listen-address=127.0.0.1:${prometheus}`
    const data = `--storage.tsdb.path=${join(folder, 'data')}`
    children.push(endsWithBench(spawn('prometheus', [`--config.file=${config}`, data, listen], { stdio: 'ignore' })))
    const urls = [node, prometheus].map((port) => `http://127.0.0.1:${port}/metrics`)
    await Promise.all(urls.map(untilAnswered))
    console.log(`recording for ${seconds} s`)
    return await scrapeAll(urls, seconds)
  } finally {
    await Promise.all(children.map(stop))
    removeBenchFolder(folder)
  }
}

async function scrapeAll(urls: readonly string[], seconds: number): Promise<Scrape[][]> {
  const recordings: Scrape[][] = urls.map(() => [])
  const startMs = Date.now()
  for (let i = 0; i < seconds; i++) {
    const waitMs = startMs + i * RECORDING_INTERVAL_MS - Date.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    for (const [u, url] of urls.entries()) {
      recordings[u]!.push({ atMs: Date.now(), body: await (await fetch(url)).text() })
    }
  }
  return recordings
}

async function untilAnswered(url: string): Promise<void> {
  for (const deadlineMs = Date.now() + ANSWER_TIMEOUT_MS; ; ) {
    const isThere = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isThere) return
    if (Date.now() > deadlineMs) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
