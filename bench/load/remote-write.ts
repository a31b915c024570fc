// Remote write: CPU time for taking the same samples, beside the real systems, each request sent to all of them in turn.
// Measures the whole process: HTTP, snappy, protobuf, storing, log, and what is tidied up in the seconds after. Every request
// holds one sample of each of many series, as a Prometheus sends them. Does not measure many connections at once, nor queries.
// Run: npm run bench -- remote-write [--targets=20] [--samples=690] [--batch=2000] [--systems=belltower,prometheus]
import { loadavg } from 'node:os'
import {
  encodeSnappy,
  type Labels,
  labelsFromEntries,
  ProtoWriter,
  readExposition,
  writeLabelPairs,
} from '../../model/index.ts'
import { makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { NodePage } from './node-page.ts'
import { sleepSeconds } from './session.ts'
import { isInstalled, type RunningSystem, startSystem, type SystemName } from './systems.ts'
import { printTable, ratioText } from './table.ts'
import { diskBytes, usageOf } from './usage.ts'

export interface RemoteWriteOptions {
  readonly systems: readonly SystemName[]
  /** Each has 507 series. */
  readonly targets: number
  /** Of each series. */
  readonly samples: number
  /** Series in a request. */
  readonly batch: number
}

export interface RemoteWriteResult {
  readonly name: string
  readonly samples: number
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly diskBytes: number
}

const INTERVAL_MS = 15_000
/** For what a system does after the last request. */
const SETTLE_SECONDS = 5

export async function runRemoteWriteBench(options: RemoteWriteOptions): Promise<RemoteWriteResult[]> {
  const present = options.systems.filter(isInstalled)
  for (const name of options.systems) if (!present.includes(name)) console.log(`${name}: not here, left out`)
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const folder = makeBenchFolder()
  const systems: RunningSystem[] = []
  try {
    for (const name of present) {
      systems.push(await startSystem(name, folder, 'scrape_configs: []\n', { takesRemoteWrite: true }))
    }
    return await measure(systems, options)
  } finally {
    await Promise.all(systems.map((system) => system.stop()))
    removeBenchFolder(folder)
  }
}

export function printRemoteWriteResults(results: readonly RemoteWriteResult[]): void {
  const base = results.find(({ name }) => name === 'belltower')
  const others = results.filter((result) => result !== base)
  const row = (title: string, pick: (result: RemoteWriteResult) => number, digits: number): string[] => [
    title,
    ...results.map((result) => pick(result).toFixed(digits)),
    ...others.map((result) => ratioText(pick(result), base && pick(base))),
  ]
  printTable(
    ['', ...results.map(({ name }) => name), ...others.map(({ name }) => `${name} / belltower`)],
    [
      row('CPU seconds', (r) => r.cpuSeconds, 2),
      row('CPU microseconds per sample', (r) => (r.cpuSeconds / r.samples) * 1e6, 3),
      row('resident MB', (r) => r.residentBytes / 1e6, 1),
      row('bytes on disk per sample', (r) => r.diskBytes / r.samples, 2),
    ],
  )
}

async function measure(systems: readonly RunningSystem[], options: RemoteWriteOptions): Promise<RemoteWriteResult[]> {
  const sender = new Sender(options)
  const samples = sender.seriesCount * options.samples
  console.log(`${samples} samples of ${sender.seriesCount} series, ${options.batch} in a request`)
  const before = systems.map((system) => usageOf(system.pid).cpuSeconds)
  const startMs = Date.now() - options.samples * INTERVAL_MS
  for (let i = 0; i < options.samples; i++) {
    for (const body of sender.requests(startMs + i * INTERVAL_MS)) {
      for (const system of systems) await post(system, body)
    }
  }
  await sleepSeconds(SETTLE_SECONDS)
  return Promise.all(
    systems.map(async (system, i) => {
      const usage = usageOf(system.pid)
      const stored = await system.samplesStored()
      if (stored < samples) throw new Error(`${system.name} stored ${stored} of ${samples} samples`)
      const cpuSeconds = usage.cpuSeconds - before[i]!
      const { residentBytes } = usage
      return { name: system.name, samples, cpuSeconds, residentBytes, diskBytes: diskBytes(system.dataFolder) }
    }),
  )
}

/** Sends one request. @throws {Error} when it is refused */
export async function post(system: RunningSystem, body: Uint8Array): Promise<void> {
  const answer = await fetch(`${system.url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    },
    body,
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${system.name} answered ${answer.status}: ${text.slice(0, 300)}`)
}

/** Writes the requests of one sender that scrapes node exporters. */
export class Sender {
  readonly #pages: readonly NodePage[]
  /** Label messages of every series, ready to be copied. */
  readonly #labelBytes: Uint8Array[] = []
  readonly #writer = new ProtoWriter(1 << 20)
  readonly #batch: number

  constructor(options: { readonly targets: number; readonly batch: number; readonly withHistograms?: boolean }) {
    const { targets, batch, withHistograms = false } = options
    this.#batch = batch
    this.#pages = Array.from({ length: targets }, (_, seed) => new NodePage({ seed, withHistograms }))
    for (const [i, page] of this.#pages.entries()) {
      for (const { labels } of samplesOf(page)) this.#labelBytes.push(labelMessages(labels, `host${i}:9100`))
    }
  }

  get seriesCount(): number {
    return this.#labelBytes.length
  }

  *requests(timestampMs: number): Iterable<Uint8Array> {
    const values = this.#pages.flatMap((page) => samplesOf(page).map(({ value }) => value))
    for (let from = 0; from < values.length; from += this.#batch) {
      this.#writer.reset()
      const end = Math.min(from + this.#batch, values.length)
      for (let i = from; i < end; i++) this.#writeSeries(i, values[i]!, timestampMs)
      yield encodeSnappy(this.#writer.finish())
    }
  }

  #writeSeries(index: number, value: number, timestampMs: number): void {
    const writer = this.#writer
    const series = writer.open(1)
    writer.raw(this.#labelBytes[index]!)
    const sample = writer.open(2)
    writer.double(1, value)
    writer.int64(2, timestampMs)
    writer.close(sample)
    writer.close(series)
  }
}

const samplesOf = (page: NodePage) => readExposition(Buffer.from(page.next()), 'text').flatMap(({ samples }) => samples)

function labelMessages(labels: Labels, instance: string): Uint8Array {
  const entries: [string, string][] = [
    ['instance', instance],
    ['job', 'node'],
  ]
  for (let i = 0; i < labels.length; i += 2) entries.push([labels[i]!, labels[i + 1]!])
  const all = labelsFromEntries(entries)
  const writer = new ProtoWriter()
  writeLabelPairs(writer, all)
  return writer.finish()
}
