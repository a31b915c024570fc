import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { labelsFromRecord, labelsText } from '../../model/index.ts'
import { createScrapeManager, type ScrapeConfig, type ScrapeManager } from '../index.ts'
import { buildTarget, slotOffsetMs } from '../targets/target.ts'
import { type RecordedGroup, RecordingStore } from './recording-store.ts'

// Targets come, go and change their labels a thousand at a time: those that stay are asked once in each interval all the
// same, as they count it themselves.
const STAYING = 40
const CHANGING = 1000
const INTERVAL_MS = 15_000
/** So that some are always under way. */
const ANSWER_MS = 800
const EXTERNAL_LABELS = ['replica', 'a']
const PATIENCE = { timeout: 30_000, interval: 20 }
/** What passes on the test's clock with each turn of its process: on a busy machine time goes as slowly as everything else. */
const TURN_MS = 100

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface World {
  readonly manager: ScrapeManager
  readonly clock: ManualClock
  readonly store: RecordingStore
  /** The job with targets that stay, and `generation` as a label of a thousand others in each of its two lists. */
  job(generation: { inFile: number; inList: number }, more?: Partial<ScrapeConfig>): ScrapeConfig
  apply(config: ScrapeConfig): Promise<void>
  /** When each target that stays was asked since `count`. */
  readonly askedMs: ReadonlyMap<string, number[]>
  /** Begins counting: the start, with its burst of first scrapes, is over. */
  count(): void
  readonly countedFromMs: number
}

async function world(): Promise<World> {
  const askedMs = new Map<string, number[]>()
  let countedFromMs = 0
  const clock = new ManualClock(Date.now())
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path.startsWith('/staying/')) askedMs.set(path, [...(askedMs.get(path) ?? []), clock.nowMs()])
    const answer = (): void =>
      void response.writeHead(200, { 'content-type': 'text/plain' }).end(`a ${clock.nowMs()}\n`)
    if (path.startsWith('/staying/')) clock.schedule(ANSWER_MS, answer)
    else answer()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const folder = mkdtempSync(join(tmpdir(), 'belltower-reload-'))
  const file = join(folder, 'targets.json')
  const store = new RecordingStore()
  const manager = createScrapeManager({
    store,
    clock,
    logger: silentLogger,
    registry: new Registry(),
    inProcess: new Map(),
    version: '0.0.0',
  })
  cleanups.push(
    () => rmSync(folder, { recursive: true }),
    () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
    () => manager.stop(),
    letTimePass(clock),
  )
  const others = (list: string, generation: number) =>
    Array.from({ length: CHANGING }, (_, i) => ({
      targets: [address],
      labels: { __metrics_path__: `/${list}/${i}`, i: `${list}${i}`, generation: String(generation), ...SELDOM },
    }))
  return {
    manager,
    clock,
    store,
    askedMs,
    count() {
      askedMs.clear()
      countedFromMs = clock.nowMs()
    },
    get countedFromMs() {
      return countedFromMs
    },
    job({ inFile, inList }, more = {}) {
      writeFileSync(file, JSON.stringify(others('file', inFile)))
      const staying = Array.from({ length: STAYING }, (_, i) => stayingTarget(address, i))
      return {
        jobName: 'j',
        scrapeIntervalMs: INTERVAL_MS,
        scrapeTimeoutMs: INTERVAL_MS,
        staticConfigs: [...staying, ...others('list', inList)],
        fileSdConfigs: [{ files: [file] }],
        ...more,
      }
    },
    apply: (config) => manager.apply({ global: { externalLabels: EXTERNAL_LABELS }, scrapeConfigs: [config] }),
  }
}

const SELDOM = { __scrape_interval__: '5m', __scrape_timeout__: '100s' }
const stayingTarget = (address: string, i: number) => ({
  targets: [address],
  labels: { __metrics_path__: `/staying/${i}`, i: `staying${i}` },
})

/** @returns makes it stand still again */
function letTimePass(clock: ManualClock): () => Promise<void> {
  let isOver = false
  const passing = (async () => {
    while (!isOver) {
      await clock.advance(TURN_MS)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })()
  return () => {
    isOver = true
    return passing
  }
}

const intervals = ({ clock }: World, count: number): Promise<void> =>
  new Promise((resolve) => void clock.schedule(count * INTERVAL_MS, resolve))

/** Interval by interval, how often a target that stays was asked, and how many rows it got. */
function bySlot(
  { askedMs, countedFromMs, store }: World,
  config: ScrapeConfig,
  i: number,
): { asked: number[]; rows: number[] } {
  const { targets, labels } = config.staticConfigs![i]!
  const discovered = labelsFromRecord({ __address__: targets[0]!, ...labels })
  const built = buildTarget(discovered, config, (same) => same)
  if (built.kind !== 'active') throw new Error(built.kind)
  const offsetMs = slotOffsetMs(built.target, `${hostname()}\0${labelsText(EXTERNAL_LABELS)}`)
  const counted = (timesMs: readonly number[]): number[] => {
    const slots = timesMs.map((timeMs) => Math.floor((timeMs - offsetMs) / INTERVAL_MS))
    const [first, last] = [slots[0]!, slots.at(-1)!]
    return Array.from({ length: last - first + 1 }, (_, slot) => slots.filter((one) => one === first + slot).length)
  }
  return {
    asked: counted(askedMs.get(`/staying/${i}`)!),
    rows: counted(
      groupOf(store, i)
        .rows.map(({ timestampMs }) => timestampMs)
        .filter((timeMs) => timeMs >= countedFromMs),
    ),
  }
}

const groupOf = (store: RecordingStore, i: number): RecordedGroup => {
  const groups = store.groups.filter(({ labels }) => labels.includes(`staying${i}`))
  expect(groups.length).toBe(1)
  return groups[0]!
}

const isStale = ({ samples }: RecordedGroup['rows'][number]): boolean => [...samples.values()].includes('stale')
const generations = ({ manager }: World): string[] =>
  [
    ...new Set(
      manager.targets().map(({ labels }) => labelsText(labels).replace(/.*generation="(\d+)".*i="([a-z]+).*/, '$2 $1')),
    ),
  ].filter((text) => !text.includes('staying'))

test('a thousand targets change in a file, and a thousand in the configuration: no other scrape is missed, none is doubled', {
  timeout: 60_000,
}, async () => {
  const one = await world()
  const first = one.job({ inFile: 1, inList: 1 })
  await one.apply(first)
  await vi.waitFor(() => expect(generations(one).sort()).toEqual(['file 1', 'list 1']), PATIENCE)
  await intervals(one, 2)
  one.count()
  one.job({ inFile: 2, inList: 1 })
  await vi.waitFor(() => expect(generations(one).sort()).toEqual(['file 2', 'list 1']), PATIENCE)
  await intervals(one, 1.5)
  await one.apply(one.job({ inFile: 2, inList: 3 }))
  expect(generations(one).sort()).toEqual(['file 2', 'list 3'])
  await intervals(one, 1.5)
  expect(generations(one).sort()).toEqual(['file 2', 'list 3'])
  expect(one.manager.targets().length).toBe(STAYING + 2 * CHANGING)
  for (let i = 0; i < STAYING; i++) {
    const { asked, rows } = bySlot(one, first, i)
    expect(asked.length).toBeGreaterThanOrEqual(2)
    for (const counts of [asked, rows]) expect(counts).toEqual(counts.map(() => 1))
    expect(groupOf(one.store, i).rows.some(isStale)).toBe(false)
  }
})

test('a job that changes otherwise owes its targets no scrape either', { timeout: 60_000 }, async () => {
  const one = await world()
  const first = one.job({ inFile: 1, inList: 1 })
  await one.apply(first)
  await intervals(one, 2)
  one.count()
  for (const sampleLimit of [1000, 2000, 3000]) {
    await one.apply({ ...first, sampleLimit })
    await intervals(one, 0.25)
  }
  await intervals(one, 1.5)
  for (let i = 0; i < STAYING; i++) {
    const { asked, rows } = bySlot(one, first, i)
    expect(rows.length).toBeGreaterThanOrEqual(2)
    expect(rows).toEqual(rows.map(() => 1))
    // One that was under way has been asked again.
    expect(Math.min(...asked)).toBe(1)
    expect(groupOf(one.store, i).rows.some(isStale)).toBe(false)
  }
})

test('others get their turns while a long list is taken over, and the end may come meanwhile', async () => {
  const one = await world()
  const applied = one.apply(one.job({ inFile: 1, inList: 1 }))
  expect(one.manager.targets()).toEqual([])
  await applied
  expect(one.manager.targets().length).toBeGreaterThanOrEqual(STAYING + CHANGING)
  const changed = one.apply(one.job({ inFile: 1, inList: 2 }))
  await new Promise((resolve) => setImmediate(resolve))
  await one.manager.stop()
  await changed
  expect(one.manager.targets()).toEqual([])
})
