import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import snappy from 'snappyjs'
import { labelsFromRecord, labelsText, type NativeHistogram, writeStaleNaN } from '../../model/index.ts'
import type { BucketSpan } from '../../model/index.ts'
import type { Engine } from '../../promql/index.ts'
import { MemoryStorage } from '../../promql/index.ts'

/** One sample: a float, a histogram of whole numbers, or the end of the series. */
export type TestValue = number | NativeHistogram | 'stale'

export interface TestSeries {
  readonly labels: Record<string, string>
  readonly points: readonly (readonly [timeMs: number, value: TestValue])[]
}

export interface RangeQuery {
  readonly startS: number
  readonly endS: number
  readonly stepS: number
}

/** Series by their labels as text, values by time; histograms as the JSON of the query API. */
export interface Answer {
  readonly series: ReadonlyMap<string, readonly (readonly [timeS: number, value: number | HistogramJson])[]>
  readonly error: string | undefined
}

export interface HistogramJson {
  readonly count: string
  readonly sum: string
  readonly buckets?: readonly (readonly [number, string, string, string])[]
}

export interface SampleStats {
  readonly totalQueryableSamplesPerStep: readonly (readonly [timeS: number, samples: number])[]
  readonly totalQueryableSamples: number
  readonly peakSamples: number
}

/** Whether a real Prometheus can be started here. */
export const hasPrometheus = (): boolean => spawnSync('prometheus', ['--version']).status === 0

/** A real Prometheus on this machine, with samples that were sent to it by remote write. */
export class PrometheusPeer {
  readonly #folder: string
  readonly #process: ChildProcess
  readonly #url: string

  private constructor(folder: string, process: ChildProcess, url: string) {
    this.#folder = folder
    this.#process = process
    this.#url = url
  }

  static async start(): Promise<PrometheusPeer> {
    const folder = mkdtempSync(join(tmpdir(), 'belltower-peer-'))
    writeFileSync(join(folder, 'prometheus.yml'), 'global: {evaluation_interval: 1m}\n')
    const port = await freePort()
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--enable-feature=promql-at-modifier,promql-negative-offset,native-histograms,promql-per-step-stats',
    ]
    const child = spawn('prometheus', flags, { stdio: 'ignore' })
    const peer = new PrometheusPeer(folder, child, `http://127.0.0.1:${port}`)
    await peer.#untilReady()
    return peer
  }

  /** Sends samples in the order of their times, as a store in use gets them. */
  async load(series: readonly TestSeries[]): Promise<void> {
    const times = series.flatMap(({ points }) => points.map(([timeMs]) => timeMs))
    const SLICE_MS = 600_000
    const firstMs = times.reduce((a, b) => Math.min(a, b))
    const lastMs = times.reduce((a, b) => Math.max(a, b))
    for (let fromMs = firstMs; fromMs <= lastMs; fromMs += SLICE_MS) {
      const slice = series
        .map(({ labels, points }) => {
          return { labels, points: points.filter(([timeMs]) => timeMs >= fromMs && timeMs < fromMs + SLICE_MS) }
        })
        .filter(({ points }) => points.length > 0)
      const response = await fetch(`${this.#url}/api/v1/write`, {
        method: 'POST',
        headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
        body: writeRequest(slice),
      })
      if (!response.ok) throw new Error(`remote write: ${response.status} ${await response.text()}`)
    }
  }

  async ask(text: string, { startS, endS, stepS }: RangeQuery): Promise<Answer> {
    const body = new URLSearchParams({
      query: text,
      start: String(startS),
      end: String(endS),
      step: String(stepS),
    })
    const response = await fetch(`${this.#url}/api/v1/query_range`, { method: 'POST', body })
    return readAnswer((await response.json()) as MatrixAnswer)
  }

  /** What `stats=all` says of the samples. */
  async askStats(text: string, { startS, endS, stepS }: RangeQuery): Promise<SampleStats> {
    const times = { start: String(startS), end: String(endS), step: String(stepS) }
    const body = new URLSearchParams({ query: text, stats: 'all', ...times })
    const response = await fetch(`${this.#url}/api/v1/query_range`, { method: 'POST', body })
    return ((await response.json()) as { data: { stats: { samples: SampleStats } } }).data.stats.samples
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGTERM')
      await once(this.#process, 'exit')
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #untilReady(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const ready = await fetch(`${this.#url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      )
      if (ready) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('prometheus did not become ready')
  }
}

/** The same samples in memory. */
export function storageOf(series: readonly TestSeries[]): MemoryStorage {
  const storage = new MemoryStorage()
  for (const { labels, points } of series) {
    const values = Float64Array.from(points, ([, value]) => (typeof value === 'number' ? value : 0))
    points.forEach(([, value], i) => {
      if (value === 'stale') writeStaleNaN(values, i)
    })
    const histograms = points.map(([, value]) => (typeof value === 'object' ? value : undefined))
    const timestampsMs = Float64Array.from(points, ([timeMs]) => timeMs)
    const extras = histograms.some(Boolean) ? { histograms } : {}
    storage.add(labelsFromRecord(labels), timestampsMs, values, extras)
  }
  return storage
}

/** What the engine answers, by way of the bytes that a client would get. */
export function askEngine(
  engine: Engine,
  storage: MemoryStorage,
  writeJson: (result: ReturnType<Engine['range']>['result']) => Uint8Array,
  text: string,
  { startS, endS, stepS }: RangeQuery,
): Answer {
  try {
    const times = { startMs: startS * 1000, endMs: endS * 1000, stepMs: stepS * 1000 }
    const { result } = engine.range(storage, text, times)
    return readAnswer(JSON.parse(new TextDecoder().decode(writeJson(result))) as MatrixAnswer)
  } catch (error) {
    return { series: new Map(), error: (error as Error).message }
  }
}

interface MatrixAnswer {
  readonly error?: string
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>
      readonly values?: readonly (readonly [number, string])[]
      readonly histograms?: readonly (readonly [number, HistogramJson])[]
    }[]
  }
}

function readAnswer(answer: MatrixAnswer): Answer {
  const series = (answer.data?.result ?? []).map(({ metric, values = [], histograms = [] }) => {
    const points = [...values.map(([t, v]) => [t, goNumber(v)] as const), ...histograms]
    return [labelsText(labelsFromRecord(metric)), points.sort((a, b) => a[0] - b[0])] as const
  })
  return { series: new Map(series), error: answer.error }
}

/** @returns in what two answers differ, or `undefined` */
export function differenceOf(ours: Answer, theirs: Answer, tolerance: number): string | undefined {
  if ((ours.error === undefined) !== (theirs.error === undefined)) {
    return `ours: ${ours.error ?? 'no error'}, theirs: ${theirs.error ?? 'no error'}`
  }
  const [ourLabels, theirLabels] = [ours, theirs].map(({ series }) => [...series.keys()].sort().join(' '))
  if (ourLabels !== theirLabels) return `ours: ${ourLabels}, theirs: ${theirLabels}`
  for (const [labels, wanted] of theirs.series) {
    const points = ours.series.get(labels)!
    if (points.map(([timeS]) => timeS).join() !== wanted.map(([timeS]) => timeS).join()) return `${labels}: other times`
    const at = points.findIndex(([, value], i) => !isSame(value, wanted[i]![1], tolerance))
    if (at < 0) continue
    const [ourText, theirText] = [points[at]![1], wanted[at]![1]].map((value) =>
      typeof value === 'number' ? String(value) : JSON.stringify(value),
    )
    return `${labels}: ours ${ourText}, theirs ${theirText} at ${points[at]![0]}`
  }
  return undefined
}

function isSame(value: number | HistogramJson, wanted: number | HistogramJson, tolerance: number): boolean {
  if (typeof value === 'object' && typeof wanted === 'object') return isSameHistogram(value, wanted, tolerance)
  if (typeof value === 'object' || typeof wanted === 'object') return false
  if (value === wanted || (Number.isNaN(value) && Number.isNaN(wanted))) return true
  return Math.abs(value - wanted) <= tolerance * Math.max(Math.abs(value), Math.abs(wanted), 1e-3)
}

function isSameHistogram(a: HistogramJson, b: HistogramJson, tolerance: number): boolean {
  const same = (x: string, y: string): boolean => isSame(goNumber(x), goNumber(y), tolerance)
  const [ours, theirs] = [a, b].map(({ buckets = [] }) => buckets)
  return (
    same(a.count, b.count) &&
    same(a.sum, b.sum) &&
    ours!.length === theirs!.length &&
    ours!.every(([rule, lower, upper, count], i) => {
      const other = theirs![i]!
      // Borders digit by digit: they come from a table.
      return rule === other[0] && lower === other[1] && upper === other[2] && same(count, other[3])
    })
  )
}

const goNumber = (text: string): number => Number(text.replace('Inf', 'Infinity'))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

// ---- remote write, as little of it as is needed ------------------------------------------------------------------------

const { root } = protobuf.parse(`
  syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Label { string name = 1; string value = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; }
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
  message Histogram {
    uint64 countInt = 1;
    double sum = 3;
    sint32 schema = 4;
    double zeroThreshold = 5;
    uint64 zeroCountInt = 6;
    repeated BucketSpan negativeSpans = 8;
    repeated sint64 negativeDeltas = 9;
    repeated BucketSpan positiveSpans = 11;
    repeated sint64 positiveDeltas = 12;
    int64 timestamp = 15;
  }
`)

function writeRequest(series: readonly TestSeries[]): Uint8Array<ArrayBuffer> {
  const type = root.lookupType('WriteRequest')
  const timeseries = series.map(({ labels, points }) => ({
    labels: Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value })),
    samples: points.flatMap(([timestamp, value]) =>
      typeof value === 'object' ? [] : [{ timestamp, value: floatBits(value) }],
    ),
    histograms: points.flatMap(([timestamp, value]) =>
      typeof value === 'object' ? [{ timestamp, ...wireHistogram(value) }] : [],
    ),
  }))
  const bytes = type.encode(type.fromObject({ timeseries })).finish()
  return new Uint8Array(snappy.compress(bytes))
}

/** The staleness marker is a NaN of its own, which would not survive as a number. */
function floatBits(value: number | 'stale'): { low: number; high: number; unsigned: boolean } {
  const words = new Uint32Array(Float64Array.of(value === 'stale' ? 0 : value).buffer)
  if (value === 'stale') words.set([2, 0x7ff00000])
  if (Number.isNaN(value)) words.set([1, 0x7ff80000])
  return { low: words[0]! | 0, high: words[1]! | 0, unsigned: true }
}

function wireHistogram(h: NativeHistogram): object {
  return {
    countInt: h.count,
    sum: h.sum,
    schema: h.schema,
    zeroThreshold: h.zeroThreshold,
    zeroCountInt: h.zeroCount,
    negativeSpans: h.negativeSpans.map(({ offset, length }: BucketSpan) => ({ offset, length })),
    negativeDeltas: deltasOf(h.negativeBuckets),
    positiveSpans: h.positiveSpans.map(({ offset, length }: BucketSpan) => ({ offset, length })),
    positiveDeltas: deltasOf(h.positiveBuckets),
  }
}

const deltasOf = (counts: Float64Array): number[] => Array.from(counts, (count, i) => count - (counts[i - 1] ?? 0))
