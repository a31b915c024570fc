// What heavy queries do to everything else: eight of them at once, again and again, while targets are scraped; then one that
// would hold more than is allowed.
import { quantileOf } from './ask.ts'
import { lagP99Ms } from './loop-lag.ts'
import { type Session, sleepSeconds } from './session.ts'
import type { RunningSystem } from './systems.ts'
import { printTable } from './table.ts'
import { peakBytesOf, resetPeak, usageOf } from './usage.ts'

export interface HeavyRange {
  /** Unix seconds. */
  readonly start: number
  readonly end: number
}

interface HeavyResult {
  readonly name: string
  readonly answers: number
  readonly p50Ms: number
  readonly jitterP99Ms: number
  /** How late the event loop was; ours only. */
  readonly lagP99Ms: number | undefined
  readonly refusal: string
  readonly beforeBytes: number
  readonly peakBytes: number
  readonly afterBytes: number
}

const HEAVY: readonly string[] = [
  'rate(node_cpu_seconds_total[30s])',
  'sum by (instance, mode) (rate(node_cpu_seconds_total[30s]))',
  'quantile by (mode) (0.95, rate(node_cpu_seconds_total[30s]))',
  'histogram_quantile(0.9, sum by (le, route) (rate(http_request_duration_seconds_bucket[30s])))',
  'sum by (instance) (rate({__name__=~"node_(cpu_seconds|network_receive_bytes|disk_read_bytes)_total"}[30s]))',
  'count by (__name__) ({job="node"})',
  'avg by (instance) (last_over_time({__name__=~"node_.+"}[1m]))',
  'max by (instance) ({__name__=~"node_memory_.+"})',
]
const TOO_MUCH = '{job="node"}'
/** The most that the API gives of a series. */
const STEPS_MAX = 11_000
const SETTLE_SECONDS = 10

/** @param seconds how long each system is asked */
export async function runHeavyQueries(session: Session, range: HeavyRange, seconds: number): Promise<HeavyResult[]> {
  const results: HeavyResult[] = []
  for (const system of session.systems) {
    await askAllFor(system, range, 1)
    session.fakeTargets.takeJitterMs()
    await lagP99Ms(system)
    const times = await askAllFor(system, range, seconds)
    const jitterMs = [...session.fakeTargets.takeJitterMs()].find(([scraper]) => isScraper(scraper, system.name))?.[1]
    const lag = await lagP99Ms(system)
    const refused = await askTooMuch(system, range)
    results.push({
      name: system.name,
      answers: times.length,
      p50Ms: quantileOf(times, 0.5),
      jitterP99Ms: quantileOf(jitterMs ?? [], 0.99),
      lagP99Ms: lag,
      ...refused,
    })
  }
  return results
}

export function printHeavyQueries(results: readonly HeavyResult[]): void {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
  const row = (title: string, pick: (result: HeavyResult) => string): string[] => [title, ...results.map(pick)]
  printTable(
    ['while eight heavy queries run', ...results.map(({ name }) => name)],
    [
      row('queries answered', ({ answers }) => String(answers)),
      row('p50 of a query, ms', ({ p50Ms }) => p50Ms.toFixed(1)),
      row('p99 of scrape jitter, ms', ({ jitterP99Ms }) => jitterP99Ms.toFixed(1)),
      row('p99 of event-loop delay, ms', ({ lagP99Ms: lag }) => lag?.toFixed(1) ?? '-'),
      row('resident MB before a query over its limits', ({ beforeBytes }) => megabytes(beforeBytes)),
      row('at its peak', ({ peakBytes }) => megabytes(peakBytes)),
      row(`${SETTLE_SECONDS} s later`, ({ afterBytes }) => megabytes(afterBytes)),
    ],
  )
  for (const { name, refusal } of results) console.log(`over its limits, ${name}: ${refusal}`)
}

const isScraper = (userAgent: string, name: string): boolean =>
  userAgent.toLowerCase().replace('vm_promscrape', 'victoria-metrics') === name

/** Each query by a client of its own, one time after the other. @returns how long each took, in milliseconds */
async function askAllFor(system: RunningSystem, { start, end }: HeavyRange, seconds: number): Promise<number[]> {
  const untilMs = performance.now() + seconds * 1000
  const times: number[] = []
  const askAgain = async (query: string): Promise<void> => {
    while (performance.now() < untilMs) {
      const startMs = performance.now()
      const { status } = await get(system, { query, start, end, step: 1 })
      if (status !== 200) throw new Error(`${system.name} answered ${status} to ${query}`)
      times.push(performance.now() - startMs)
    }
  }
  await Promise.all(HEAVY.map(askAgain))
  return times
}

async function askTooMuch(system: RunningSystem, { start, end }: HeavyRange) {
  const beforeBytes = usageOf(system.pid).residentBytes
  resetPeak(system.pid)
  // Whole milliseconds.
  const step = Math.ceil(((end - start) * 1000) / STEPS_MAX) / 1000
  const { status, text } = await get(system, { query: TOO_MUCH, start, end, step })
  const peakBytes = peakBytesOf(system.pid)
  await sleepSeconds(SETTLE_SECONDS)
  return {
    refusal: `${status} ${text.slice(0, 200)}`,
    beforeBytes,
    peakBytes,
    afterBytes: usageOf(system.pid).residentBytes,
  }
}

/** Bytes are only counted: this thread also is the targets. */
async function get(system: RunningSystem, parameters: Readonly<Record<string, string | number>>) {
  const query = new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
  )
  const answer = await fetch(`${system.url}/api/v1/query_range?${query}&nocache=1`)
  if (!answer.ok) return { status: answer.status, text: await answer.text() }
  for await (const _part of answer.body!) void _part
  return { status: answer.status, text: '' }
}
