// Range queries end to end over HTTP, beside the real systems on data scraped from the same targets at the same time; then
// what eight heavy queries at once do to scrapes, and one that is over its limits to memory.
// Measures parsing, evaluating and writing the answer on recent data; does not measure old blocks, nor many users at once.
// Run: npm run bench -- query [--targets=100] [--interval=1] [--seconds=150] [--rounds=15] [--systems=belltower,prometheus]
import { geometricMean, quantileOf } from './ask.ts'
import { printHeavyQueries, runHeavyQueries } from './heavy-queries.ts'
import { type Session, type SessionOptions, sleepSeconds, withSession } from './session.ts'
import type { RunningSystem } from './systems.ts'
import { printTable, ratioText } from './table.ts'

export interface QueryOptions extends Omit<SessionOptions, 'withHistograms'> {
  /** How long the systems scrape before they are asked. */
  readonly seconds: number
  readonly rounds: number
  /** How long each system answers heavy queries; absent: not at all. */
  readonly heavySeconds?: number
}

export interface QueryResult {
  readonly query: string
  /** By system; p50 in milliseconds and how many series came back. */
  readonly answers: Readonly<Record<string, { readonly p50Ms: number; readonly series: number }>>
}

// Compiled code that is not warm yet is a matter of a server's first minute; the other systems come compiled.
const WARMUP_ROUNDS = 20
const STEP_SECONDS = 1

const QUERIES: readonly string[] = [
  'rate(node_cpu_seconds_total[30s])',
  'sum by (instance, mode) (rate(node_cpu_seconds_total[30s]))',
  'sum(rate(node_network_receive_bytes_total[30s]))',
  '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
  'node_filesystem_avail_bytes{fstype="ext4"} / on (instance, device, mountpoint) node_filesystem_size_bytes > 0',
  'avg_over_time(node_load1[1m])',
  'max_over_time(node_memory_MemFree_bytes[1m])',
  'histogram_quantile(0.9, sum by (le, route) (rate(http_request_duration_seconds_bucket[30s])))',
  'topk(5, sum by (instance) (rate(node_disk_read_bytes_total[30s])))',
  'quantile by (mode) (0.95, rate(node_cpu_seconds_total{mode=~"user|system|idle"}[30s]))',
]

export async function runQueryBench(options: QueryOptions): Promise<QueryResult[]> {
  return withSession({ ...options, withHistograms: true }, (session) => measure(session, options))
}

export function printQueryResults(results: readonly QueryResult[]): void {
  const names = Object.keys(results[0]?.answers ?? {})
  const others = names.filter((name) => name !== 'belltower')
  const rows = results.map(({ query, answers }) => [
    query.length > 70 ? `${query.slice(0, 67)}...` : query,
    ...names.map((name) => answers[name]!.p50Ms.toFixed(2)),
    ...others.map((name) => ratioText(answers[name]!.p50Ms, answers.belltower?.p50Ms)),
  ])
  const means = others.map((name) =>
    ratioText(geometricMean(results.map(({ answers }) => answers[name]!.p50Ms / answers.belltower!.p50Ms)), 1),
  )
  rows.push(['geometric mean', ...names.map(() => ''), ...means])
  printTable(['p50 in ms', ...names, ...others.map((name) => `${name} / belltower`)], rows)
  for (const { query, answers } of results) {
    const counts = new Set(Object.values(answers).map(({ series }) => series))
    if (counts.size > 1) console.log(`answers differ: ${query}: ${seriesCounts(answers)}`)
  }
}

const seriesCounts = (answers: QueryResult['answers']): string =>
  Object.entries(answers)
    .map(([name, { series }]) => `${name} ${series} series`)
    .join(', ')

async function measure(session: Session, options: QueryOptions): Promise<QueryResult[]> {
  const { systems } = session
  console.log(`scraping ${options.targets} targets every ${options.intervalMs} ms for ${options.seconds} s`)
  const startSeconds = Math.ceil(Date.now() / 1000)
  await sleepSeconds(options.seconds)
  const range = { start: startSeconds, end: Math.floor(Date.now() / 1000) - 1 }
  const results: QueryResult[] = []
  for (const query of QUERIES) {
    const times = new Map(systems.map(({ name }) => [name, [] as number[]]))
    const series = new Map<string, number>()
    for (let round = -WARMUP_ROUNDS; round < options.rounds; round++)
      for (const system of systems) {
        const answer = await ask(system, query, range)
        series.set(system.name, answer.series)
        if (round >= 0) times.get(system.name)!.push(answer.ms)
      }
    const entries = systems.map(({ name }) => [
      name,
      { p50Ms: quantileOf(times.get(name)!, 0.5), series: series.get(name)! },
    ])
    results.push({ query, answers: Object.fromEntries(entries) as QueryResult['answers'] })
  }
  if (options.heavySeconds !== undefined) {
    printHeavyQueries(await runHeavyQueries(session, range, options.heavySeconds))
  }
  return results
}

async function ask(system: RunningSystem, query: string, range: { start: number; end: number }) {
  const parameters = new URLSearchParams({
    query,
    start: String(range.start),
    end: String(range.end),
    step: String(STEP_SECONDS),
    // VictoriaMetrics would also move the ends of the range to multiples of the step.
    nocache: '1',
  })
  const startMs = performance.now()
  const answer = await fetch(`${system.url}/api/v1/query_range?${parameters}`)
  const text = await answer.text()
  const ms = performance.now() - startMs
  if (!answer.ok) throw new Error(`${system.name} answered ${answer.status} to ${query}: ${text.slice(0, 200)}`)
  return { ms, series: (JSON.parse(text) as { data: { result: unknown[] } }).data.result.length }
}
