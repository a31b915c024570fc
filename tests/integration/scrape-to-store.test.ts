import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createMatcher, isStaleNaN, labelsToRecord } from '../../model/index.ts'
import { createScrapeManager, type InProcessTarget } from '../../scraper/index.ts'
import { openReader, openTsdb, type Tsdb } from '../../tsdb/index.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function openStore(): Promise<Tsdb> {
  const dataDir = await mkdtemp(join(tmpdir(), 'belltower-'))
  cleanups.push(() => rm(dataDir, { recursive: true }))
  const tsdb = await openTsdb({
    dataDir,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    retentionMs: 3_600_000,
  })
  cleanups.push(() => tsdb.close())
  return tsdb
}

/** Samples of every series of the metric, oldest first, by the value of label `x`. */
function readBack(tsdb: Tsdb, metric: string): Record<string, string[]> {
  const { handle, detach } = tsdb.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: 0, maxTimeMs: Date.now() + 3_600_000 }
  const querier = reader.querier(range)
  const found: Record<string, string[]> = {}
  for (const column of querier.select([createMatcher('=', '__name__', metric)], range)) {
    found[labelsToRecord(column.labels)['x'] ?? ''] = Array.from({ length: column.length }, (_, i) =>
      isStaleNaN(column.values, i) ? 'stale' : String(column.values[i]),
    )
  }
  querier.close()
  reader.close()
  detach()
  return found
}

test('what a target shows, scrape by scrape, is what queries read', async () => {
  // 'fail' is a scrape that goes wrong. Series come, go, move, and take every kind of number.
  const pages = [
    'a{x="1"} 1\na{x="2"} 0.1\n',
    'a{x="1"} 2\na{x="2"} 0.30000000000000004\n',
    'a{x="2"} NaN\na{x="3"} -0\na{x="1"} +Inf\n',
    'a{x="3"} 1e+06\na{x="1"} 7\n',
    'fail',
    'a{x="1"} 7\na{x="3"} 1e-300\n',
    'a{x="1"} 7\na{x="3"} 9007199254740993\n',
  ]
  let next = 0
  const target: InProcessTarget = {
    scrape: async () => {
      const page = pages[Math.min(next, pages.length - 1)]!
      next++
      if (page === 'fail') throw new Error('no answer')
      return { contentType: 'text/plain', body: Buffer.from(page) }
    },
  }
  const tsdb = await openStore()
  const manager = createScrapeManager({
    store: tsdb,
    appendable: tsdb,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    inProcess: new Map([['inside:1', target]]),
    version: '0.0.0',
  })
  cleanups.push(() => manager.stop())
  const scrapeConfigs = [
    { jobName: 'j', scrapeIntervalMs: 50, scrapeTimeoutMs: 50, staticConfigs: [{ targets: ['inside:1'] }] },
  ]
  await manager.apply({ global: { externalLabels: [] }, scrapeConfigs })
  while (next <= pages.length) await new Promise((resolve) => setTimeout(resolve, 10))
  await manager.stop()
  await tsdb.flushed()

  const first = (series: string[] | undefined, count: number): string[] => (series ?? []).slice(0, count)
  const a = readBack(tsdb, 'a')
  expect(first(a['1'], 7)).toEqual(['1', '2', 'Infinity', '7', 'stale', '7', '7'])
  expect(a['2']).toEqual(['0.1', '0.30000000000000004', 'NaN', 'stale'])
  expect(first(a['3'], 5)).toEqual(['0', '1000000', 'stale', '1e-300', '9007199254740992'])
  expect(first(readBack(tsdb, 'up')[''], 7)).toEqual(['1', '1', '1', '1', '0', '1', '1'])
  expect(first(readBack(tsdb, 'scrape_samples_scraped')[''], 7)).toEqual(['2', '2', '3', '2', '0', '2', '2'])
})
