import { AppError } from '../../lib/errors.ts'
import {
  type Appender,
  type Labels,
  type NativeHistogram,
  type SeriesRef,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  type TimeRange,
} from '../../model/index.ts'
import { MalformedBytesError } from '../bytes.ts'
import { CorruptionError } from '../errors.ts'
import type { Tsdb } from '../tsdb-interface.ts'
import { listWalSegments, readWalRecords } from './prometheus-wal-reader.ts'
import { readWalRecord, type WalSink } from './prometheus-wal-record.ts'

const SAMPLES_PER_COMMIT = 10_000

interface WalSeries {
  readonly labels: Labels
  ref: SeriesRef | undefined
  /** Ranges of deleted samples. */
  readonly deleted: TimeRange[]
}

/**
 * Writes what is in the log of a Prometheus into a store: what it has not made a block of yet. Behind damage it goes on with the
 * next segment.
 *
 * @param onWarning hears of what had to be left out
 * @returns how many samples it has written
 */
export async function importWal(
  store: Tsdb,
  folder: string,
  range: TimeRange,
  onWarning: (why: string) => void,
): Promise<number> {
  const segments = listWalSegments(folder)
  const series = new Map<number, WalSeries>()
  // Deletions come behind the samples they are about.
  for (const segment of segments) {
    for (const record of intact(segment, onWarning)) {
      read(record, segment, onWarning, {
        series: (reference, labels) => {
          // Told again after a restart, or in a checkpoint.
          if (!series.has(reference)) series.set(reference, { labels, ref: undefined, deleted: [] })
        },
        deletion: (reference, deleted) => series.get(reference)?.deleted.push(deleted),
      })
    }
  }
  const writer = new LogWriter(store.appender({ stream: 'import' }), series, range)
  for (const segment of segments) {
    // What is wrong was said in the first round.
    for (const record of intact(segment, () => undefined)) {
      read(record, segment, () => undefined, writer)
      if (writer.waiting >= SAMPLES_PER_COMMIT) await writer.commit()
    }
  }
  await writer.commit()
  if (writer.left > 0) onWarning(`${writer.left} samples of unknown series or out of order`)
  return writer.written
}

/** The records up to the first damage. */
function* intact(segment: string, onWarning: (why: string) => void): Generator<Buffer> {
  try {
    yield* readWalRecords(segment)
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    onWarning(error.message)
  }
}

function read(record: Buffer, segment: string, onWarning: (why: string) => void, sink: WalSink): void {
  try {
    readWalRecord(record, sink)
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error
    onWarning(`${segment}: ${error.message}`)
  }
}

const value = new Float64Array(1)
const words = new Uint32Array(value.buffer)

class LogWriter implements WalSink {
  waiting = 0
  written = 0
  /** Samples that could not be taken. */
  left = 0
  readonly #appender: Appender
  readonly #series: ReadonlyMap<number, WalSeries>
  readonly #range: TimeRange

  constructor(appender: Appender, series: ReadonlyMap<number, WalSeries>, range: TimeRange) {
    this.#appender = appender
    this.#series = series
    this.#range = range
  }

  float(reference: number, timestampMs: number, low: number, high: number): void {
    this.#append(reference, timestampMs, ({ labels, ref }) => {
      if (low === STALE_NAN_LOW && high === STALE_NAN_HIGH) return this.#appender.appendStale(ref, labels, timestampMs)
      words[0] = low
      words[1] = high
      return this.#appender.append(ref, labels, timestampMs, value[0]!)
    })
  }

  histogram(reference: number, timestampMs: number, histogram: NativeHistogram): void {
    this.#append(reference, timestampMs, ({ labels, ref }) =>
      this.#appender.appendHistogram(ref, labels, timestampMs, histogram),
    )
  }

  async commit(): Promise<void> {
    this.waiting = 0
    await this.#appender.commit()
  }

  #append(reference: number, timestampMs: number, append: (series: WalSeries) => SeriesRef): void {
    if (timestampMs < this.#range.minTimeMs || timestampMs > this.#range.maxTimeMs) return
    const series = this.#series.get(reference)
    if (series === undefined) {
      this.left++
      return
    }
    if (series.deleted.some(({ minTimeMs, maxTimeMs }) => timestampMs >= minTimeMs && timestampMs <= maxTimeMs)) return
    try {
      series.ref = append(series)
      this.waiting++
      this.written++
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.left++
    }
  }
}
