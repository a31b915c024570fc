import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { NodePage } from './node-page.ts'

const SEED = 20_260_401
/** Targets show the same history, each this many versions ahead of the one before, and the last joins the first again. */
const STAGGER = 7
const VERSIONS_KEPT = 64

interface Version {
  readonly plain: Buffer
  readonly gzip: Buffer
}

export interface FakeTargetsOptions {
  readonly intervalMs: number
  readonly withHistograms: boolean
  /** Whether pages are packed for those who take them so; default true. */
  readonly isPacked?: boolean
  /** A page holds at most so many series; default all of a host. */
  readonly seriesMax?: number
}

export interface FakeTargets {
  readonly seriesPerTarget: number
  /** Where target `index` is scraped. */
  address(index: number): { readonly host: string; readonly path: string }
  /**
   * How far the time between two scrapes of a target was off the interval, of each two since the last call; by the first
   * word of the scraper's User-Agent.
   */
  takeJitterMs(): Map<string, number[]>
  close(): Promise<void>
}

/**
 * Serves the pages of many exporters on one port of this machine, `/t/<index>/metrics` each. A page is made once for each
 * interval and served to all, so that the load comes from those who scrape, not from here.
 */
export async function startFakeTargets(options: FakeTargetsOptions): Promise<FakeTargets> {
  const { withHistograms, intervalMs, isPacked = true, seriesMax } = options
  const page = new NodePage({ seed: SEED, withHistograms })
  const scrapes = new ScrapeTimes(intervalMs)
  const versions: Version[] = []
  const startMs = Date.now()
  let newest = -1
  const versionAt = (number: number): Version => {
    while (newest < number) {
      const plain = Buffer.from(firstSeries(page.next(), seriesMax))
      versions[++newest % VERSIONS_KEPT] = { plain, gzip: gzipSync(plain, { level: 6 }) }
    }
    return versions[number % VERSIONS_KEPT]!
  }
  const server = createServer((request, response) => {
    const index = Number(/^\/t\/(\d+)\/metrics/.exec(request.url ?? '')?.[1] ?? Number.NaN)
    if (Number.isNaN(index)) {
      response.writeHead(404).end()
      return
    }
    scrapes.note(request.headers['user-agent'] ?? '', index)
    const tick = Math.floor((Date.now() - startMs) / intervalMs)
    const version = versionAt(tick + ((index * STAGGER) % VERSIONS_KEPT))
    const packed = isPacked && /\bgzip\b/.test(String(request.headers['accept-encoding']))
    const body = packed ? version.gzip : version.plain
    response.writeHead(200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': body.length,
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
    })
    response.end(body)
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    seriesPerTarget: Math.min(page.seriesCount, seriesMax ?? Number.POSITIVE_INFINITY),
    address: (index) => ({ host, path: `/t/${index}/metrics` }),
    takeJitterMs: () => scrapes.take(),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** When each target was last scraped by whom. */
class ScrapeTimes {
  readonly #intervalMs: number
  readonly #lastMs = new Map<string, number>()
  #jitterMs = new Map<string, number[]>()

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  note(userAgent: string, index: number): void {
    const scraper = /^[^/ ]*/.exec(userAgent)![0]
    const key = `${scraper} ${index}`
    const nowMs = performance.now()
    const lastMs = this.#lastMs.get(key)
    this.#lastMs.set(key, nowMs)
    if (lastMs === undefined) return
    const jitterMs = this.#jitterMs.get(scraper) ?? []
    this.#jitterMs.set(scraper, jitterMs)
    jitterMs.push(Math.abs(nowMs - lastMs - this.#intervalMs))
  }

  take(): Map<string, number[]> {
    const taken = this.#jitterMs
    this.#jitterMs = new Map()
    return taken
  }
}

function firstSeries(page: string, max: number | undefined): string {
  if (max === undefined) return page
  let count = 0
  const lines: string[] = []
  for (const line of page.split('\n')) {
    if (line !== '' && !line.startsWith('#') && ++count > max) break
    lines.push(line)
  }
  return `${lines.join('\n')}\n`
}
