import {
  CounterResetHint,
  compareStrings,
  isStaleNaN,
  type Labels,
  labelsKey,
  labelValue,
  type Matcher,
  matches,
  type NativeHistogram,
  type Querier,
  type Queryable,
  type SelectHints,
  type SeriesColumn,
  type TimeRange,
} from '../../model/index.ts'
import { withHint } from '../histogram/arithmetic.ts'
import { detectReset } from '../histogram/resets.ts'

/** What samples may carry beside their values; one entry for each sample. */
export type SampleExtras = Pick<SeriesColumn, 'histograms' | 'startTimesMs'>

interface Columns {
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  readonly histograms?: readonly (NativeHistogram | undefined)[] | undefined
  readonly startTimesMs?: Float64Array | undefined
}

interface StoredSeries {
  readonly labels: Labels
  columns: Columns
}

export interface MemoryStorageOptions {
  /** Hand out only the samples asked for, as a store on disk may, instead of whole columns. */
  readonly cutsToHints?: boolean
}

/** Samples in plain arrays: the `Queryable` of tests and of rule tests. */
export class MemoryStorage implements Queryable {
  readonly #cutsToHints: boolean
  readonly #series = new Map<string, StoredSeries>()
  readonly #timestampColumns = new Map<string, Float64Array>()

  constructor({ cutsToHints = false }: MemoryStorageOptions = {}) {
    this.#cutsToHints = cutsToHints
  }

  /**
   * Adds samples, merging them by time with what the series has (a repeated time takes the new value). Staleness markers are
   * given by their NaN bits, histograms and start times as in `SeriesColumn`. Series with equal times share one
   * `timestampsMs` object.
   */
  add(labels: Labels, timestampsMs: Float64Array, values: Float64Array, extras: SampleExtras = {}): void {
    const key = labelsKey(labels)
    const known = this.#series.get(key)
    const added: Columns = { timestampsMs, values, ...extras }
    const columns = known === undefined ? added : mergeColumns(known.columns, added)
    const stored = {
      ...columns,
      timestampsMs: this.#intern(columns.timestampsMs),
      histograms: columns.histograms && hintedAsStored(columns.histograms),
    }
    if (known === undefined) this.#series.set(key, { labels, columns: stored })
    else known.columns = stored
  }

  clear(): void {
    this.#series.clear()
    this.#timestampColumns.clear()
  }

  querier(_range: TimeRange): Querier {
    const all = [...this.#series.values()]
    return {
      select: (matchers, hints) => selectSeries(all, matchers, hints, this.#cutsToHints),
      series: (sets, range) => matching(all, sets, range).map((series) => series.labels),
      labelNames: (sets, range) => sortedUnique(matching(all, sets, range).flatMap((s) => evenItems(s.labels))),
      labelValues: (name, sets, range) =>
        sortedUnique(matching(all, sets, range).map((s) => labelValue(s.labels, name))).filter((value) => value !== ''),
      close: () => undefined,
    }
  }

  #intern(timestampsMs: Float64Array): Float64Array {
    const key = timestampsMs.join()
    const known = this.#timestampColumns.get(key)
    if (known !== undefined) return known
    this.#timestampColumns.set(key, timestampsMs)
    return timestampsMs
  }
}

function* selectSeries(
  all: readonly StoredSeries[],
  matchers: readonly Matcher[],
  hints: SelectHints,
  cutsToHints: boolean,
): Iterable<SeriesColumn> {
  let left = hints.limit ? hints.limit : Number.POSITIVE_INFINITY
  for (const series of all) {
    if (left <= 0) return
    if (!matchesAll(series.labels, matchers) || !hasSampleIn(series, hints)) continue
    left--
    // The whole column is handed out: the reader finds its own window, and columns keep their identity.
    const columns = cutsToHints ? cut(series.columns, hints) : series.columns
    const { timestampsMs, values } = columns
    yield { ...columns, labels: series.labels, length: timestampsMs.length, stale: staleFlags(values) }
  }
}

function cut(columns: Columns, { minTimeMs, maxTimeMs, newestOnly }: SelectHints): Columns {
  const { timestampsMs, values, histograms, startTimesMs } = columns
  const end = timestampsMs.filter((timeMs) => timeMs <= maxTimeMs).length
  const from = newestOnly ? end - 1 : timestampsMs.filter((timeMs) => timeMs < minTimeMs).length
  return {
    timestampsMs: timestampsMs.slice(from, end),
    // Copies of bits, so that staleness markers survive.
    values: values.slice(from, end),
    histograms: histograms?.slice(from, end),
    startTimesMs: startTimesMs?.slice(from, end),
  }
}

function staleFlags(values: Float64Array): Uint8Array | undefined {
  let flags: Uint8Array | undefined
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]) || !isStaleNaN(values, i)) continue
    flags ??= new Uint8Array(values.length)
    flags[i] = 1
  }
  return flags
}

function matching(
  all: readonly StoredSeries[],
  sets: readonly (readonly Matcher[])[],
  range: TimeRange,
): StoredSeries[] {
  return all.filter(
    (series) => (sets.length === 0 || sets.some((set) => matchesAll(series.labels, set))) && hasSampleIn(series, range),
  )
}

const matchesAll = (labels: Labels, matchers: readonly Matcher[]): boolean =>
  matchers.every((matcher) => matches(matcher, labelValue(labels, matcher.name)))

const hasSampleIn = (series: StoredSeries, range: TimeRange): boolean =>
  series.columns.timestampsMs.some((timeMs) => timeMs >= range.minTimeMs && timeMs <= range.maxTimeMs)

const evenItems = (items: readonly string[]): string[] => items.filter((_, index) => index % 2 === 0)

const sortedUnique = (items: readonly string[]): string[] => [...new Set(items)].sort(compareStrings)

function mergeColumns(a: Columns, b: Columns): Columns {
  const rows = new Map<number, { of: Columns; index: number }>()
  for (const of of [a, b]) of.timestampsMs.forEach((timeMs, index) => rows.set(timeMs, { of, index }))
  const timestampsMs = Float64Array.from([...rows.keys()].sort((x, y) => x - y))
  const sources = Array.from(timestampsMs, (timeMs) => rows.get(timeMs)!)
  const values = new Float64Array(timestampsMs.length)
  // set() copies bits, so that staleness markers survive.
  sources.forEach(({ of, index }, at) => values.set(of.values.subarray(index, index + 1), at))
  const hasHistograms = a.histograms !== undefined || b.histograms !== undefined
  const hasStartTimes = a.startTimesMs !== undefined || b.startTimesMs !== undefined
  return {
    timestampsMs,
    values,
    histograms: hasHistograms ? sources.map(({ of, index }) => of.histograms?.[index]) : undefined,
    startTimesMs: hasStartTimes
      ? Float64Array.from(sources, ({ of, index }) => of.startTimesMs?.[index] ?? 0)
      : undefined,
  }
}

/** What a store knows about counter resets: it has compared each histogram with the one it followed, and keeps only a "no". */
function hintedAsStored(histograms: readonly (NativeHistogram | undefined)[]): (NativeHistogram | undefined)[] {
  return histograms.map((histogram, i) => {
    if (histogram === undefined || histogram.counterResetHint === CounterResetHint.GAUGE) return histogram
    const before = histograms[i - 1]
    return withHint(histogram, continues(histogram, before) ? CounterResetHint.NOT_RESET : CounterResetHint.UNKNOWN)
  })
}

function continues(histogram: NativeHistogram, before: NativeHistogram | undefined): boolean {
  if (before === undefined || before.counterResetHint === CounterResetHint.GAUGE) return false
  if (histogram.schema !== before.schema || histogram.zeroThreshold !== before.zeroThreshold) return false
  if (histogram.customBounds.join() !== before.customBounds.join()) return false
  const isReset = histogram.counterResetHint === CounterResetHint.RESET
  return !isReset && !detectReset(withHint(histogram, CounterResetHint.UNKNOWN), before)
}
