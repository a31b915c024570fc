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

export interface FakeTargets {
  readonly seriesPerTarget: number
  /** Where target `index` is scraped. */
  address(index: number): { readonly host: string; readonly path: string }
  close(): Promise<void>
}

/**
 * Serves the pages of many exporters on one port of this machine, `/t/<index>/metrics` each. A page is made once for each
 * interval and served to all, so that the load comes from those who scrape, not from here.
 */
export async function startFakeTargets(options: {
  readonly intervalMs: number
  readonly withHistograms: boolean
}): Promise<FakeTargets> {
  const page = new NodePage({ seed: SEED, withHistograms: options.withHistograms })
  const versions: Version[] = []
  const startMs = Date.now()
  let newest = -1
  const versionAt = (number: number): Version => {
    while (newest < number) {
      const plain = Buffer.from(page.next())
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
    const tick = Math.floor((Date.now() - startMs) / options.intervalMs)
    const version = versionAt(tick + ((index * STAGGER) % VERSIONS_KEPT))
    const packed = /\bgzip\b/.test(String(request.headers['accept-encoding']))
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
    seriesPerTarget: page.seriesCount,
    address: (index) => ({ host, path: `/t/${index}/metrics` }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
