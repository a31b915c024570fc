// Scraping: samples stored per second of CPU time, memory, bytes on disk, beside the real systems on the same targets.
// Measures the whole process: sockets, gzip, parsing, storing, log. Does not measure queries, nor compaction of old blocks.
// Run: npm run bench -- ingest [--warmup=20] [--seconds=60] [--systems=belltower,prometheus] [--all]
// Of its own choosing: [--targets=200] [--interval=2] [--series=507] [--identity]. `--all`: all of the cases below.
import { lagP99Ms } from './loop-lag.ts'
import { type Session, type SessionOptions, sleepSeconds, withSession } from './session.ts'
import type { RunningSystem } from './systems.ts'
import { printTable, ratioText } from './table.ts'
import { diskBytes, usageOf } from './usage.ts'

export interface IngestOptions extends Omit<SessionOptions, 'withHistograms'> {
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface IngestResult {
  readonly name: string
  readonly samplesPerSecond: number
  readonly samplesPerCpuSecond: number
  readonly cpuCores: number
  readonly residentBytes: number
  /** Of everything stored since the start, the log included. */
  readonly diskBytesPerSample: number
  /** Of the time between two scrapes of a target. */
  readonly jitterP99Ms: number
  /** Ours only. */
  readonly lagP99Ms: number | undefined
}

export interface IngestCase {
  readonly targets: number
  readonly intervalMs: number
  readonly isPacked: boolean
  readonly seriesMax?: number
}

/** The first is what runs without `--all`. */
export const INGEST_CASES: readonly [IngestCase, ...IngestCase[]] = [
  { targets: 200, intervalMs: 2000, isPacked: true },
  { targets: 200, intervalMs: 2000, isPacked: false },
  { targets: 200, intervalMs: 1000, isPacked: true },
  { targets: 200, intervalMs: 1000, isPacked: false },
  { targets: 400, intervalMs: 5000, isPacked: true },
  { targets: 400, intervalMs: 5000, isPacked: false },
  { targets: 5000, intervalMs: 15_000, isPacked: true, seriesMax: 20 },
]

/** What each calls itself when it scrapes, in small letters. */
const SCRAPERS: Readonly<Record<string, string>> = { 'victoria-metrics': 'vm_promscrape' }

export async function runIngestBench(options: IngestOptions): Promise<IngestResult[]> {
  return withSession({ ...options, withHistograms: false }, (session) => measure(session, options))
}

export function printIngestResults(results: readonly IngestResult[]): void {
  const base = results.find(({ name }) => name === 'belltower')
  const row = (title: string, pick: (result: IngestResult) => number, digits: number): string[] => [
    title,
    ...results.map((result) => pick(result).toFixed(digits)),
    ...results.filter((result) => result !== base).map((result) => ratioText(base && pick(base), pick(result))),
  ]
  const others = results.filter((result) => result !== base).map(({ name }) => `belltower / ${name}`)
  printTable(
    ['', ...results.map(({ name }) => name), ...others],
    [
      row('samples per second', (r) => r.samplesPerSecond, 0),
      row('samples per CPU-second', (r) => r.samplesPerCpuSecond, 0),
      row('CPU cores', (r) => r.cpuCores, 3),
      row('resident MB', (r) => r.residentBytes / 1e6, 1),
      row('bytes on disk per sample', (r) => r.diskBytesPerSample, 2),
      row('p99 of scrape jitter, ms', (r) => r.jitterP99Ms, 1),
      [
        'p99 of event-loop delay, ms',
        ...results.map(({ lagP99Ms: lag }) => lag?.toFixed(1) ?? '-'),
        ...others.map(() => ''),
      ],
    ],
  )
}

async function measure({ systems, fakeTargets }: Session, options: IngestOptions): Promise<IngestResult[]> {
  const { targets, intervalMs, warmupSeconds, seconds, isPacked = true } = options
  const wanted = (targets * fakeTargets.seriesPerTarget * 1000) / intervalMs
  console.log(
    `${targets} targets x ${fakeTargets.seriesPerTarget} series every ${intervalMs} ms: ${Math.round(wanted)} samples/s, ${isPacked ? 'gzip' : 'identity'}`,
  )
  await sleepSeconds(warmupSeconds)
  fakeTargets.takeJitterMs()
  await Promise.all(systems.map(lagP99Ms))
  const before = await Promise.all(systems.map(reading))
  await sleepSeconds(seconds)
  const after = await Promise.all(systems.map(reading))
  const lags = await Promise.all(systems.map(lagP99Ms))
  const jitterMs = new Map([...fakeTargets.takeJitterMs()].map(([scraper, each]) => [scraper.toLowerCase(), each]))
  return systems.map((system, i) => {
    const [from, to] = [before[i]!, after[i]!]
    const samples = to.samples - from.samples
    const cpuSeconds = to.cpuSeconds - from.cpuSeconds
    const elapsedSeconds = (to.atMs - from.atMs) / 1000
    return {
      name: system.name,
      samplesPerSecond: samples / elapsedSeconds,
      samplesPerCpuSecond: samples / cpuSeconds,
      cpuCores: cpuSeconds / elapsedSeconds,
      residentBytes: to.residentBytes,
      diskBytesPerSample: diskBytes(system.dataFolder) / to.samples,
      jitterP99Ms: p99(jitterMs.get(SCRAPERS[system.name] ?? system.name) ?? []),
      lagP99Ms: lags[i],
    }
  })
}

async function reading(system: RunningSystem) {
  const samples = await system.samplesStored()
  return { samples, ...usageOf(system.pid), atMs: performance.now() }
}

function p99(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN
}
