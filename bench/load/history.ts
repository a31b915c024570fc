// Instant and range queries over hours of the same history, beside the real systems, from small to heavy ones; then
// aggregations over very many series at one time. The history is sent to all of them by remote write.
// Range queries are asked twice: with caches of answers switched off, and as a panel asks them that is looked at for longer,
// the range moving on by a step each time, with every system's own cache (Prometheus has none).
// Measures the whole way over HTTP, warm, one query at a time. Does not measure old blocks, nor many users at once.
// Run: npm run bench -- query [--targets=20] [--samples=690] [--rounds=15] [--systems=belltower,prometheus]
import { loadavg } from 'node:os'
import { encodeSnappy, labelsFromRecord, ProtoWriter, writeLabelPairs } from '../../model/index.ts'
import { makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { ask, differenceOf, differenceOfValues, geometricMean, pointsOf, type Question, quantileOf } from './ask.ts'
import { post, Sender } from './remote-write.ts'
import { sleepSeconds } from './session.ts'
import { isInstalled, type RunningSystem, startSystem, type SystemName } from './systems.ts'
import { printTable, ratioText } from './table.ts'
import { peakBytesOf, resetPeak } from './usage.ts'

export interface HistoryOptions {
  readonly systems: readonly SystemName[]
  /** Each has 546 series. */
  readonly targets: number
  /** Of each series, 15 s apart. */
  readonly samples: number
  /** Series of the last part. */
  readonly manySeries: number
  readonly rounds: number
  /** How long a query is asked before it is measured; default 1.5 s. */
  readonly warmupMs?: number
  /** For what a system does after the last request; default 5 s. */
  readonly settleSeconds?: number
}

export interface HistoryResult {
  readonly kind: QueryKind
  readonly query: string
  /** By system. */
  readonly answers: Readonly<
    Record<
      string,
      { readonly p50Ms: number; readonly p99Ms: number; readonly series: number; readonly peakBytes: number }
    >
  >
  /** How our answer and Prometheus' differ. */
  readonly difference: string | undefined
}

/** When a query is asked: at one time, over the history (always the same part, or moving on), or at one time over very many series. */
type QueryKind = 'instant' | 'range' | 'moving range' | 'many series'
const KINDS: readonly QueryKind[] = ['instant', 'range', 'moving range', 'many series']

const INTERVAL_SECONDS = 15
const STEP_SECONDS = 15
/** Compiled code that is not warm yet is a matter of a server's first minute; the other systems come compiled. */
const WARMUP_MS = 1500
const WARMUP_ROUNDS_MIN = 3
/** The client's own code becomes warm as well, which must not count for the system that is asked first. */
const CLIENT_WARMUPS = 3
const SETTLE_SECONDS = 5
const SETTLED_SECONDS = 1800
const BATCH = 2000

const INSTANT: readonly string[] = [
  'node_load1',
  'node_cpu_seconds_total{instance="host3:9100"}',
  'topk(5, node_memory_MemFree_bytes)',
  'sum by (mode) (rate(node_cpu_seconds_total[5m]))',
  'avg_over_time(node_load1[1h])',
  'count by (instance) ({job="node"})',
  'sum by (instance) (rate({__name__=~"node_(cpu_seconds|network_receive_bytes|disk_read_bytes)_total"}[5m]))',
]

const RANGE: readonly string[] = [
  'node_load1',
  'rate(node_cpu_seconds_total{instance="host3:9100"}[5m])',
  'sum by (mode) (rate(node_cpu_seconds_total[5m]))',
  'rate(node_cpu_seconds_total[5m])',
  'sum(rate(node_network_receive_bytes_total[5m]))',
  '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
  'node_filesystem_avail_bytes{fstype="ext4"} / on (instance, device, mountpoint) node_filesystem_size_bytes > 0',
  'max_over_time(node_memory_MemFree_bytes[1h])',
  'quantile_over_time(0.95, node_load5[30m])',
  'histogram_quantile(0.9, sum by (le, route) (rate(http_request_duration_seconds_bucket[5m])))',
  'topk(5, sum by (instance) (rate(node_disk_read_bytes_total[5m])))',
  'quantile by (mode) (0.95, rate(node_cpu_seconds_total{mode=~"user|system|idle"}[5m]))',
  'sum by (instance) (rate({__name__=~"node_(cpu_seconds|network_receive_bytes|disk_read_bytes)_total"}[5m]))',
]

const MANY_SERIES: readonly string[] = ['count({job="many"})', 'sum by (zone) (many_requests_total)']

export async function runHistoryBench(options: HistoryOptions): Promise<HistoryResult[]> {
  const present = options.systems.filter(isInstalled)
  for (const name of options.systems) if (!present.includes(name)) console.log(`${name}: not here, left out`)
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const folder = makeBenchFolder()
  const systems: RunningSystem[] = []
  try {
    for (const name of present) {
      systems.push(await startSystem(name, folder, 'scrape_configs: []\n', { takesRemoteWrite: true }))
    }
    const endSeconds = await loadHistory(systems, options)
    const results = await askAll(systems, questionsOf(endSeconds, options), options)
    await loadManySeries(systems, endSeconds, options)
    const many = MANY_SERIES.map((query) => ({ kind: 'many series', ask: { query, time: endSeconds + 1 } }) as const)
    return [...results, ...(await askAll(systems, many, options))]
  } finally {
    await Promise.all(systems.map((system) => system.stop()))
    removeBenchFolder(folder)
  }
}

export function printHistoryResults(results: readonly HistoryResult[]): void {
  const names = Object.keys(results[0]?.answers ?? {})
  const others = names.filter((name) => name !== 'belltower')
  const ratio = ({ answers }: HistoryResult, other: string): number => answers[other]!.p50Ms / answers.belltower!.p50Ms
  for (const kind of KINDS) {
    const own = results.filter((result) => result.kind === kind)
    const rows = own.map((result) => [
      result.query.length > 60 ? `${result.query.slice(0, 57)}...` : result.query,
      ...names.flatMap((name) => {
        const { p50Ms, p99Ms, peakBytes } = result.answers[name]!
        return [p50Ms.toFixed(2), p99Ms.toFixed(2), (peakBytes / 1e6).toFixed(0)]
      }),
      ...others.map((name) => (result.answers.belltower ? ratioText(ratio(result, name), 1) : '-')),
    ])
    if (own[0]?.answers.belltower !== undefined) {
      const means = others.map((name) => ratioText(geometricMean(own.map((result) => ratio(result, name))), 1))
      rows.push(['geometric mean', ...names.flatMap(() => ['', '', '']), ...means])
    }
    const columns = names.flatMap((name) => [`${name} p50 ms`, 'p99 ms', 'peak MB'])
    printTable([kind, ...columns, ...others.map((name) => `${name} / belltower`)], rows)
    console.log()
  }
  for (const { kind, query, difference } of results) {
    if (difference !== undefined) console.log(`answers differ, ${kind} ${query}: ${difference}`)
  }
}

/** Sends the history to all systems. @returns the time of its newest samples */
async function loadHistory(systems: readonly RunningSystem[], options: HistoryOptions): Promise<number> {
  const sender = new Sender({ targets: options.targets, batch: BATCH, withHistograms: true })
  const samples = sender.seriesCount * options.samples
  console.log(`${samples} samples of ${sender.seriesCount} series, ${INTERVAL_SECONDS} s apart`)
  const endSeconds = Math.floor(Date.now() / 1000)
  const startSeconds = endSeconds - (options.samples - 1) * INTERVAL_SECONDS
  for (let i = 0; i < options.samples; i++) {
    for (const body of sender.requests((startSeconds + i * INTERVAL_SECONDS) * 1000)) {
      await Promise.all(systems.map((system) => post(system, body)))
    }
  }
  await sleepSeconds(options.settleSeconds ?? SETTLE_SECONDS)
  for (const system of systems) {
    const stored = await system.samplesStored()
    if (stored < samples) throw new Error(`${system.name} stored ${stored} of ${samples} samples`)
  }
  return endSeconds
}

/**
 * All steps lie between two samples, since Prometheus 2 counts a sample at the very start of a window, and Prometheus 3 does not.
 * The first ones lie well behind the first sample: in windows that samples only begin in, the two extrapolate differently.
 */
function questionsOf(endSeconds: number, options: HistoryOptions): Asked[] {
  const time = endSeconds + INTERVAL_SECONDS / 2
  const span = (options.samples - 1) * INTERVAL_SECONDS
  const start = time - span + Math.min(SETTLED_SECONDS, Math.floor(span / 2 / STEP_SECONDS) * STEP_SECONDS)
  const step = STEP_SECONDS
  const moved = options.rounds * step
  return [
    ...INSTANT.map((query) => ({ kind: 'instant', ask: { query, time } }) as const),
    ...RANGE.map((query) => ({ kind: 'range', ask: { query, start, end: time, step, nocache: 1 } }) as const),
    ...RANGE.map((query) => {
      const ask = { query, start: start - moved, end: time - moved, step, nocache: 0 } as const
      return { kind: 'moving range', ask } as const
    }),
  ]
}

/** Two samples of each of very many series, which only differ in one label. */
async function loadManySeries(
  systems: readonly RunningSystem[],
  endSeconds: number,
  { manySeries: count, settleSeconds = SETTLE_SECONDS }: HistoryOptions,
): Promise<void> {
  const writer = new ProtoWriter(1 << 20)
  for (const seconds of [endSeconds - INTERVAL_SECONDS, endSeconds]) {
    for (let from = 0; from < count; from += BATCH) {
      writer.reset()
      for (let i = from; i < Math.min(from + BATCH, count); i++) writeManySeries(writer, i, seconds * 1000)
      const body = encodeSnappy(writer.finish())
      await Promise.all(systems.map((system) => post(system, body)))
    }
  }
  await sleepSeconds(settleSeconds)
}

function writeManySeries(writer: ProtoWriter, i: number, timestampMs: number): void {
  const labels = { __name__: 'many_requests_total', client: `client-${i}`, job: 'many', zone: `zone-${i % 10}` }
  const series = writer.open(1)
  writeLabelPairs(writer, labelsFromRecord(labels))
  const sample = writer.open(2)
  writer.double(1, i)
  writer.int64(2, timestampMs)
  writer.close(sample)
  writer.close(series)
}

interface Asked {
  readonly kind: QueryKind
  readonly ask: Question
}

async function askAll(
  systems: readonly RunningSystem[],
  questions: readonly Asked[],
  { rounds, warmupMs = WARMUP_MS }: HistoryOptions,
): Promise<HistoryResult[]> {
  const results: HistoryResult[] = []
  // On the last of them, so that the first (ours) gets nothing of it; the last one is no worse off for being asked more.
  await warmUp(systems.at(-1)!, questions[0]!.ask, CLIENT_WARMUPS * warmupMs)
  for (const { kind, ask: question } of questions) {
    const answers: Record<string, HistoryResult['answers'][string]> = {}
    const bodies = new Map<SystemName, Buffer>()
    for (const system of systems) {
      resetPeak(system.pid)
      await warmUp(system, question, warmupMs)
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        const { ms, body } = await ask(system, kind === 'moving range' ? movedOn(question, round + 1) : question)
        times.push(ms)
        bodies.set(system.name, body)
      }
      answers[system.name] = {
        p50Ms: quantileOf(times, 0.5),
        p99Ms: quantileOf(times, 0.99),
        series: pointsOf(bodies.get(system.name)!).size,
        peakBytes: peakBytesOf(system.pid),
      }
    }
    const [ours, theirs] = [bodies.get('belltower'), bodies.get('prometheus')]
    // Of equal values either may be among the first: which of them is nobody's promise.
    const compare = /^(?:top|bottom)k\b/.test(question.query) ? differenceOfValues : differenceOf
    const difference = ours && theirs && compare(ours, theirs)
    results.push({ kind, query: question.query, answers, difference })
  }
  return results
}

function movedOn(question: Question, steps: number): Question {
  if ('time' in question) return question
  const seconds = steps * question.step
  return { ...question, start: question.start + seconds, end: question.end + seconds }
}

async function warmUp(system: RunningSystem, question: Question, warmupMs: number): Promise<void> {
  let spentMs = 0
  for (let round = 0; round < WARMUP_ROUNDS_MIN || spentMs < warmupMs; round++) {
    spentMs += (await ask(system, question)).ms
  }
}
