import {
  type GroupWriter,
  type Labels,
  type NativeHistogram,
  ROW_ENTRY_BYTES,
  SampleKind,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts'
import { writeEntry, writeStaleEntry } from '../head/decimal.ts'
import type { Tsdb } from '../tsdb.ts'

/** What tells the targets of a Prometheus apart. */
export const TARGET_LABELS: ReadonlySet<string> = new Set(['instance', 'job'])

/** The samples of one series in a stretch of time. */
export interface SeriesSamples {
  readonly labels: Labels
  readonly timestampsMs: readonly number[]
  /** By sample: low, high. Those of a histogram say nothing. */
  readonly words: readonly number[]
  /** By the number of the sample. */
  readonly histograms: ReadonlyMap<number, NativeHistogram>
}

// Rows and samples after which the log gets its turn.
const ROWS_PER_TURN = 500
const SAMPLES_PER_COMMIT = 5000

/**
 * Writes the samples of one target. Series that share most of their times become rows of a group, as if they were being
 * scraped; the others, and those with histograms, go one by one.
 *
 * @param series by any order; times ascending
 */
export async function writeTarget(store: Tsdb, target: Labels, series: readonly SeriesSamples[]): Promise<void> {
  const { aligned, single, times } = sortOut(series)
  if (aligned.length > 0) await writeRows(store, target, aligned, times)
  if (single.length > 0) await writeSingly(store, single)
}

function sortOut(series: readonly SeriesSamples[]): {
  aligned: SeriesSamples[]
  single: SeriesSamples[]
  times: number[]
} {
  const floats = series.filter(({ histograms }) => histograms.size === 0)
  const longest = floats.reduce((most, one) => Math.max(most, one.timestampsMs.length), 0)
  const first = floats.find(({ timestampsMs }) => timestampsMs.length === longest)
  const times = new Set(first?.timestampsMs)
  const aligned: SeriesSamples[] = []
  const single = series.filter(({ histograms }) => histograms.size > 0)
  for (const one of floats) {
    const strange = one.timestampsMs.reduce((count, time) => count + (times.has(time) ? 0 : 1), 0)
    // Every time of any series is a row of all: they must stay few.
    if (strange * 2 > one.timestampsMs.length || times.size + strange > 2 * longest) single.push(one)
    else {
      if (strange > 0) for (const time of one.timestampsMs) times.add(time)
      aligned.push(one)
    }
  }
  return { aligned, single, times: [...times].sort((a, b) => a - b) }
}

async function writeRows(
  store: Tsdb,
  target: Labels,
  series: readonly SeriesSamples[],
  times: readonly number[],
): Promise<void> {
  const writer = store.openGroup(target)
  writer.addSeries(series.map(({ labels }) => overlayOf(labels, target)))
  const rows = new RowMaker(series)
  for (const [i, time] of times.entries()) {
    rows.write(writer, time)
    if (i % ROWS_PER_TURN === 0) await store.flushed()
  }
  writer.close()
  await store.flushed()
}

/** A series' labels without its target's. */
function overlayOf(labels: Labels, target: Labels): Labels {
  const own: string[] = []
  for (let i = 0; i < labels.length; i += 2) {
    if (!target.some((name, k) => k % 2 === 0 && name === labels[i])) own.push(labels[i]!, labels[i + 1]!)
  }
  return own
}

const value = new Float64Array(1)
const bits = new Uint32Array(value.buffer)
// What a position held last: nothing, a number, a marker.
const ABSENT = 0
const NUMBER = 1
const STALE = 2

/** Turns columns into rows of what changed. */
class RowMaker {
  readonly #series: readonly SeriesSamples[]
  readonly #next: Uint32Array
  readonly #kinds: Uint8Array
  readonly #words: Uint32Array
  readonly #entries: Uint8Array
  readonly #view: DataView

  constructor(series: readonly SeriesSamples[]) {
    this.#series = series
    this.#next = new Uint32Array(series.length)
    this.#kinds = new Uint8Array(series.length)
    this.#words = new Uint32Array(2 * series.length)
    this.#entries = new Uint8Array(series.length * ROW_ENTRY_BYTES)
    this.#view = new DataView(this.#entries.buffer)
  }

  write(writer: GroupWriter, time: number): void {
    let count = 0
    for (const [p, { timestampsMs, words }] of this.#series.entries()) {
      const i = this.#next[p]!
      const isPresent = timestampsMs[i] === time
      if (isPresent) this.#next[p] = i + 1
      if (this.#put(count * ROW_ENTRY_BYTES, p, isPresent, words[2 * i]!, words[2 * i + 1]!)) count++
    }
    writer.writeRow(time, this.#entries, count)
  }

  /** @returns whether there was something to say */
  #put(at: number, position: number, isPresent: boolean, low: number, high: number): boolean {
    const before = this.#kinds[position]!
    if (!isPresent) {
      this.#kinds[position] = ABSENT
      if (before === ABSENT) return false
      this.#entries.fill(0, at, at + ROW_ENTRY_BYTES)
      this.#view.setUint32(at, position, true)
      this.#view.setUint8(at + 4, SampleKind.ABSENT)
      return true
    }
    const kind = low === STALE_NAN_LOW && high === STALE_NAN_HIGH ? STALE : NUMBER
    const isSame = this.#words[2 * position] === low && this.#words[2 * position + 1] === high
    this.#kinds[position] = kind
    if (kind === before && (kind === STALE || isSame)) return false
    this.#words[2 * position] = low
    this.#words[2 * position + 1] = high
    if (kind === STALE) writeStaleEntry(this.#view, at, position)
    else {
      bits[0] = low
      bits[1] = high
      writeEntry(this.#view, at, position, value[0]!)
      // The bits once more: a NaN's may have changed on their way through a number.
      if (Number.isNaN(value[0])) {
        this.#view.setUint32(at + 8, low, true)
        this.#view.setUint32(at + 12, high, true)
      }
    }
    return true
  }
}

async function writeSingly(store: Tsdb, series: readonly SeriesSamples[]): Promise<void> {
  const samples: { timeMs: number; series: SeriesSamples; i: number }[] = []
  for (const one of series)
    for (const [i, timeMs] of one.timestampsMs.entries()) samples.push({ timeMs, series: one, i })
  samples.sort((a, b) => a.timeMs - b.timeMs)
  const appender = store.appender({ stream: 'import' })
  for (const [n, { timeMs, series: one, i }] of samples.entries()) {
    const histogram = one.histograms.get(i)
    const low = one.words[2 * i]!
    const high = one.words[2 * i + 1]!
    bits[0] = low
    bits[1] = high
    if (histogram !== undefined) appender.appendHistogram(undefined, one.labels, timeMs, histogram)
    else if (low === STALE_NAN_LOW && high === STALE_NAN_HIGH) appender.appendStale(undefined, one.labels, timeMs)
    else appender.append(undefined, one.labels, timeMs, value[0]!)
    if (n % SAMPLES_PER_COMMIT === SAMPLES_PER_COMMIT - 1) await appender.commit()
  }
  await appender.commit()
}
