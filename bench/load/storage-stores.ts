import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { type GroupWriter, labelsKey, type Labels, parseSampleLine, ROW_ENTRY_BYTES } from '../../model/index.ts'
import { blockSizes, openReader, openTsdb, type Tsdb } from '../../tsdb/index.ts'
import { endsWithBench } from './bench-folder.ts'
import { freePort, type PageSeries, type PageSet, stop } from './storage-pages.ts'

const DAY_MS = 24 * 3_600_000
const MERGE_TIMEOUT_MS = 60_000
const VICTORIA_METRICS = 'victoria-metrics'

/** Timestamps and index are `undefined` where they are not kept apart from the values. */
export interface StoredSizes {
  readonly name: string
  readonly valueBytes: number
  readonly timestampBytes: number | undefined
  readonly indexBytes: number
  readonly totalBytes: number
}

/** Writes the pages as scrapes and reads back every sample. */
export async function loadBelltower(pages: PageSet, folder: string): Promise<StoredSizes> {
  const store = await openTsdb({
    dataDir: folder,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    retentionMs: 3650 * DAY_MS,
  })
  try {
    for (const target of pages.targets) writeTarget(store, target)
    // Samples of much later close the last windows; the newest block is never merged, so theirs is one that does not count.
    const newestMs = Math.max(...pages.targets.map(({ timesMs }) => timesMs.at(-1)!))
    const writer = store.openGroup(['job', 'end'])
    writer.addSeries([['__name__', 'end']])
    for (const days of [1, 2]) writeRow(writer, newestMs + days * DAY_MS, [0], 1)
    await store.maintain()
    compareAll(store, pages)
    const blocks = store.blocks().filter(({ minTime }) => minTime <= newestMs)
    const sizes = blocks.map(({ ulid }) => blockSizes(join(folder, ulid)))
    const sum = (pick: (size: (typeof sizes)[number]) => number): number =>
      sizes.reduce((total, size) => total + pick(size), 0)
    const totalBytes = blocks.reduce((total, { ulid }) => total + folderBytes(join(folder, ulid)), 0)
    return {
      name: 'belltower',
      valueBytes: sum((size) => size.valueBytes),
      timestampBytes: sum((size) => size.timestampBytes),
      indexBytes: totalBytes - sum((size) => size.valueBytes + size.timestampBytes),
      totalBytes,
    }
  } finally {
    await store.close()
  }
}

/** Blocks as promtool writes them, in the range that compaction would have come to. */
export async function loadPrometheus(pages: PageSet, folder: string): Promise<StoredSizes | undefined> {
  const input = join(folder, 'samples.om')
  const output = join(folder, 'data')
  const fd = openSync(input, 'w')
  for (const { instance, timesMs, series } of pages.targets) {
    for (const [key, values] of series) {
      const text = withInstance(key, instance)
      const lines = values.map((value, i) =>
        value === undefined ? '' : `${text} ${valueText(value)} ${(timesMs[i]! / 1000).toFixed(3)}\n`,
      )
      writeSync(fd, lines.join(''))
    }
  }
  writeSync(fd, '# EOF\n')
  closeSync(fd)
  try {
    const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=18h', '--quiet', input, output]
    execFileSync('promtool', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (error) {
    console.log(`prometheus: left out, promtool failed: ${(error as Error).message}`)
    return undefined
  }
  const blocks = readdirSync(output).map((name) => join(output, name))
  const chunks = blocks.reduce((sum, block) => sum + folderBytes(join(block, 'chunks')), 0)
  const all = folderBytes(output)
  return {
    name: 'prometheus',
    valueBytes: chunks,
    timestampBytes: undefined,
    indexBytes: all - chunks,
    totalBytes: all,
  }
}

/** A running VictoriaMetrics that is fed, told to merge, and looked at when it is quiet. */
export async function loadVictoriaMetrics(pages: PageSet, folder: string): Promise<StoredSizes | undefined> {
  const address = `127.0.0.1:${await freePort()}`
  const args = [
    `-storageDataPath=${folder}`,
    `-httpListenAddr=${address}`,
    '-retentionPeriod=100y',
    '-loggerLevel=ERROR',
  ]
  const child = endsWithBench(spawn(VICTORIA_METRICS, args, { stdio: 'ignore' }))
  const isStarted = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true))
    child.once('error', () => resolve(false))
  })
  if (!isStarted) {
    console.log('victoria-metrics: not here, left out')
    return undefined
  }
  try {
    const url = `http://${address}`
    await untilReady(url)
    for (const target of pages.targets) await importTarget(url, target)
    await fetch(`${url}/internal/force_flush`)
    await fetch(`${url}/internal/force_merge`)
    await untilQuiet(folder)
  } finally {
    await stop(child)
  }
  const byName = new Map<string, number>()
  for (const { name, bytes } of filesOf(join(folder, 'data'))) byName.set(name, (byName.get(name) ?? 0) + bytes)
  const valueBytes = byName.get('values.bin') ?? 0
  const timestampBytes = byName.get('timestamps.bin') ?? 0
  const totalBytes = folderBytes(join(folder, 'data')) + folderBytes(join(folder, 'indexdb'))
  const indexBytes = totalBytes - valueBytes - timestampBytes
  return { name: VICTORIA_METRICS, valueBytes, timestampBytes, indexBytes, totalBytes }
}

async function importTarget(url: string, { instance, timesMs, series }: PageSeries): Promise<void> {
  let body = ''
  const send = async (): Promise<void> => {
    const answer = await fetch(`${url}/api/v1/import/prometheus`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`victoria-metrics answers ${answer.status}: ${await answer.text()}`)
    body = ''
  }
  for (const [key, values] of series) {
    const text = withInstance(key, instance)
    for (const [i, value] of values.entries()) {
      if (value !== undefined) body += `${text} ${valueText(value)} ${timesMs[i]!}\n`
    }
    if (body.length > 4 << 20) await send()
  }
  await send()
}

async function untilReady(url: string): Promise<void> {
  for (const deadlineMs = Date.now() + MERGE_TIMEOUT_MS; ; ) {
    const isReady = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    if (Date.now() > deadlineMs) throw new Error('victoria-metrics does not get ready')
    await sleep(100)
  }
}

/** Merges are over when the files stay as they are. */
async function untilQuiet(folder: string): Promise<void> {
  let before = -1
  for (const deadlineMs = Date.now() + MERGE_TIMEOUT_MS; Date.now() < deadlineMs; ) {
    await sleep(3000)
    const bytes = folderBytes(folder)
    if (bytes === before) return
    before = bytes
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function labelsOf(key: string): Labels {
  return parseSampleLine(`${key} 0`, 'text', 'unknown').labels
}

function writeTarget(store: Tsdb, { instance, timesMs, series }: PageSeries): void {
  const writer = store.openGroup(['instance', instance, 'job', 'bench'])
  writer.addSeries([...series.keys()].map(labelsOf))
  const columns = [...series.values()]
  for (const [row, timeMs] of timesMs.entries()) {
    const values = columns.map((column) => column[row])
    writeRow(writer, timeMs, values, values.length)
  }
  writer.close()
}

/** A row as the scraper writes it: plain decimals by mantissa and exponent, other numbers by their bits. */
function writeRow(writer: GroupWriter, timeMs: number, values: readonly (number | undefined)[], count: number): void {
  const entries = new Uint8Array(count * ROW_ENTRY_BYTES)
  const view = new DataView(entries.buffer)
  for (const [position, value] of values.entries()) {
    const at = position * ROW_ENTRY_BYTES
    view.setUint32(at, position, true)
    if (value === undefined) continue
    const exponent = exponentOf(value)
    if (exponent === undefined) {
      view.setUint8(at + 4, 2)
      view.setFloat64(at + 8, value, true)
    } else {
      view.setUint8(at + 4, 1)
      view.setInt8(at + 5, exponent)
      view.setBigInt64(at + 8, BigInt(Math.round(value * 10 ** exponent)), true)
    }
  }
  writer.writeRow(timeMs, entries, count)
}

function exponentOf(value: number): number | undefined {
  if (!Number.isFinite(value) || Object.is(value, -0)) return undefined
  for (let exponent = 0; exponent <= 15; exponent++) {
    const mantissa = Math.round(value * 10 ** exponent)
    if (Math.abs(mantissa) > 2 ** 53) return undefined
    if (mantissa / 10 ** exponent === value) return exponent
  }
  return undefined
}

/** @throws {Error} at the first sample that is missing or differs in a bit */
function compareAll(store: Tsdb, pages: PageSet): void {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: 0, maxTimeMs: Number.MAX_SAFE_INTEGER }
  const querier = reader.querier(range)
  const found = new Map<string, { timesMs: Float64Array; values: Float64Array }>()
  for (const { labels, timestampsMs, values, length } of querier.select([], range)) {
    found.set(labelsKey(labels), { timesMs: timestampsMs.slice(0, length), values: values.slice(0, length) })
  }
  querier.close()
  reader.close()
  detach()
  for (const { instance, timesMs, series } of pages.targets) {
    for (const [key, values] of series) {
      const pairs = [...pairsOf(labelsOf(key)), ['instance', instance], ['job', 'bench']] as [string, string][]
      const stored = found.get(labelsKey(pairs.sort(([a], [b]) => (a < b ? -1 : 1)).flat()))
      const wanted = values.flatMap((value, i) => (value === undefined ? [] : [[timesMs[i]!, value] as const]))
      const isSame =
        stored !== undefined &&
        stored.timesMs.length === wanted.length &&
        wanted.every(([timeMs, value], i) => stored.timesMs[i] === timeMs && Object.is(stored.values[i], value))
      if (!isSame) throw new Error(`${key} of ${instance} was not read back as it was written`)
    }
  }
}

function pairsOf(labels: Labels): [string, string][] {
  return Array.from({ length: labels.length / 2 }, (_, i) => [labels[2 * i]!, labels[2 * i + 1]!])
}

/** The key with the target's labels. */
function withInstance(key: string, instance: string): string {
  const own = `instance="${instance}",job="bench"`
  return key.endsWith('}') ? `${key.slice(0, -1).replace(/,$/, '')},${own}}` : `${key}{${own}}`
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function filesOf(folder: string): { name: string; bytes: number }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesOf(path) : [{ name: entry.name, bytes: statSync(path).size }]
  })
}

const folderBytes = (folder: string): number => filesOf(folder).reduce((sum, { bytes }) => sum + bytes, 0)
