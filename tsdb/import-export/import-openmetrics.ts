import { createReadStream, existsSync } from 'node:fs'
import { type Logger, systemClock } from '../../lib/index.ts'
import {
  ExpositionError,
  type ExpositionSample,
  labelsKey,
  LineError,
  type MetricType,
  parseCommentLine,
  parseSampleLine,
  projectLabels,
} from '../../model/index.ts'
import { BlockImport, type ImportSummary } from './block-import.ts'
import { ImportError } from './errors.ts'
import { IMPORT_WINDOW_MS } from './make-blocks.ts'
import type { OnProgress } from './store-walk.ts'
import { type SeriesSamples, TARGET_LABELS, writeTarget } from './window-samples.ts'

// Held in memory at a time; the file is read once for every so many.
const SAMPLES_MAX = 2_000_000

// As an appender allows.
const FUTURE_MAX_MS = 10 * 60_000
const FUTURE = 'the sample is of the future, until when the store would take no others; times are in seconds'

/**
 * Brings a file of OpenMetrics text, every sample with its time, into a data folder that no server has open.
 *
 * @throws {ImportError} @throws {ExpositionError} and nothing was imported then
 */
export async function importOpenMetrics(
  dataDir: string,
  file: string,
  options: { readonly logger: Logger; readonly onProgress?: OnProgress | undefined },
): Promise<ImportSummary> {
  if (!existsSync(file)) throw new ImportError(`there is no file ${file}`)
  const counts = new Map<number, number>()
  const endMs = systemClock.nowMs() + FUTURE_MAX_MS
  await readSamples(file, ({ timestampMs }, line) => {
    if (timestampMs === undefined) throw new ExpositionError(line, 'a sample that is to be imported needs a time')
    // The head takes nothing that is older than the newest block.
    if (timestampMs > endMs) throw new ExpositionError(line, FUTURE)
    const window = windowOf(timestampMs)
    counts.set(window, (counts.get(window) ?? 0) + 1)
  })
  if (counts.size === 0) throw new ImportError(`there is no sample in ${file}`)
  const job = await BlockImport.start(dataDir, options.logger)
  try {
    let done = 0
    for (const batch of batches(counts)) {
      options.onProgress?.(done, counts.size)
      for (const series of await collect(file, batch)) {
        await job.window(async (store) => {
          for (const target of series.values()) await writeTarget(store, target[0]!.target, target)
        })
        for (const target of series.values()) for (const one of target) job.samples += one.timestampsMs.length
        options.onProgress?.(++done, counts.size)
      }
    }
  } catch (error) {
    await job.discard()
    throw error
  }
  return job.finish()
}

const windowOf = (timestampMs: number): number => Math.floor(timestampMs / IMPORT_WINDOW_MS)

/** Windows that fit into memory together, by time. */
function batches(counts: ReadonlyMap<number, number>): number[][] {
  const result: number[][] = [[]]
  let samples = 0
  for (const [window, count] of [...counts].sort(([a], [b]) => a - b)) {
    if (samples > 0 && samples + count > SAMPLES_MAX) {
      result.push([])
      samples = 0
    }
    result.at(-1)!.push(window)
    samples += count
  }
  return result
}

interface Collected extends SeriesSamples {
  readonly target: readonly string[]
  readonly timestampsMs: number[]
  readonly words: number[]
}

/** The samples of some windows: by window, then by target. */
async function collect(file: string, windows: readonly number[]): Promise<Map<string, Collected[]>[]> {
  const series = new Map(windows.map((window) => [window, new Map<string, Collected>()]))
  const value = new Float64Array(1)
  const bits = new Uint32Array(value.buffer)
  await readSamples(file, ({ labels, timestampMs, value: number }) => {
    const own = series.get(windowOf(timestampMs!))
    if (own === undefined) return
    const key = labelsKey(labels)
    let one = own.get(key)
    if (one === undefined) {
      const target = projectLabels(labels, TARGET_LABELS, true)
      one = { labels, target, timestampsMs: [], words: [], histograms: new Map() }
      own.set(key, one)
    }
    value[0] = number
    one.timestampsMs.push(timestampMs!)
    one.words.push(bits[0]!, bits[1]!)
  })
  return windows.map((window) => {
    const targets = new Map<string, Collected[]>()
    for (const one of series.get(window)!.values()) {
      const key = labelsKey(one.target)
      const ordered = inOrder(one)
      const target = targets.get(key)
      if (target) target.push(ordered)
      else targets.set(key, [ordered])
    }
    return targets
  })
}

/** By time; of several samples at one time the last in the file counts. */
function inOrder(series: Collected): Collected {
  const { timestampsMs, words } = series
  if (timestampsMs.every((time, i) => i === 0 || time > timestampsMs[i - 1]!)) return series
  const last = new Map(timestampsMs.map((time, i) => [time, i]))
  const order = [...last].sort(([a], [b]) => a - b)
  return {
    ...series,
    timestampsMs: order.map(([time]) => time),
    words: order.flatMap(([, i]) => [words[2 * i]!, words[2 * i + 1]!]),
  }
}

const NEWLINE = 10

async function readSamples(file: string, onSample: (sample: ExpositionSample, line: number) => void): Promise<void> {
  let number = 0
  let type: MetricType = 'unknown'
  let isOver = false
  const onLine = (bytes: Buffer): void => {
    number++
    const line = bytes.toString('utf8')
    try {
      if (isOver) throw new LineError('unexpected data after # EOF')
      if (bytes[0] !== 35) return onSample(parseSampleLine(line, 'openmetrics', type), number)
      const comment = parseCommentLine(line, 'openmetrics')
      if (comment.kind === 'eof') isOver = true
      else if (comment.kind === 'type') type = comment.type
    } catch (cause) {
      if (cause instanceof LineError) throw new ExpositionError(number, cause.message, { cause })
      throw cause
    }
  }
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      onLine(bytes.subarray(start, end))
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > LINE_BYTES_MAX) throw new ExpositionError(number + 1, 'the line is too long')
  }
  if (rest.length > 0) onLine(rest)
  if (!isOver) throw new ExpositionError(number + 1, 'data does not end with # EOF')
}

const LINE_BYTES_MAX = 1 << 20
