// Scraping: samples stored per second of CPU time, memory, bytes on disk, beside the real systems on the same targets.
// Measures the whole process: sockets, gzip, parsing, storing, log. Does not measure queries, nor compaction of old blocks.
// Run: npm run bench -- ingest [--targets=200] [--interval=2] [--warmup=20] [--seconds=60] [--systems=belltower,prometheus]
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
}

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
    ],
  )
}

async function measure({ systems, fakeTargets }: Session, options: IngestOptions): Promise<IngestResult[]> {
  const { targets, intervalMs, warmupSeconds, seconds } = options
  const wanted = (targets * fakeTargets.seriesPerTarget * 1000) / intervalMs
  console.log(
    `${targets} targets x ${fakeTargets.seriesPerTarget} series every ${intervalMs} ms: ${wanted} samples/s, gzip`,
  )
  await sleepSeconds(warmupSeconds)
  const before = await Promise.all(systems.map(reading))
  await sleepSeconds(seconds)
  const after = await Promise.all(systems.map(reading))
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
    }
  })
}

async function reading(system: RunningSystem) {
  const samples = await system.samplesStored()
  return { samples, ...usageOf(system.pid), atMs: performance.now() }
}
