import {
  compareStrings,
  isStaleNaN,
  type Labels,
  labelsKey,
  labelValue,
  type Matcher,
  matches,
  type Querier,
  type Queryable,
  type SelectHints,
  type SeriesColumn,
  type TimeRange,
} from '../../model/index.ts'

interface StoredSeries {
  readonly labels: Labels
  timestampsMs: Float64Array
  values: Float64Array
}

/** Samples in plain arrays: the `Queryable` of tests and of rule tests. */
export class MemoryStorage implements Queryable {
  readonly #series = new Map<string, StoredSeries>()
  readonly #timestampColumns = new Map<string, Float64Array>()

  /**
   * Adds samples, merging them by time with what the series has (a repeated time takes the new value). Staleness markers are
   * given by their NaN bits. Series with equal times share one `timestampsMs` object.
   */
  add(labels: Labels, timestampsMs: Float64Array, values: Float64Array): void {
    const key = labelsKey(labels)
    const known = this.#series.get(key)
    if (known === undefined) {
      this.#series.set(key, { labels, timestampsMs: this.#intern(timestampsMs), values })
      return
    }
    const merged = mergeColumns(known, { labels, timestampsMs, values })
    known.timestampsMs = this.#intern(merged.timestampsMs)
    known.values = merged.values
  }

  clear(): void {
    this.#series.clear()
    this.#timestampColumns.clear()
  }

  querier(_range: TimeRange): Querier {
    const all = [...this.#series.values()]
    return {
      select: (matchers, hints) => selectSeries(all, matchers, hints),
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
): Iterable<SeriesColumn> {
  let left = hints.limit ? hints.limit : Number.POSITIVE_INFINITY
  for (const series of all) {
    if (left <= 0) return
    if (!matchesAll(series.labels, matchers) || !hasSampleIn(series, hints)) continue
    left--
    // The whole column is handed out: the reader finds its own window, and columns keep their identity.
    yield {
      labels: series.labels,
      timestampsMs: series.timestampsMs,
      values: series.values,
      length: series.timestampsMs.length,
      stale: staleFlags(series.values),
    }
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
  series.timestampsMs.some((timeMs) => timeMs >= range.minTimeMs && timeMs <= range.maxTimeMs)

const evenItems = (items: readonly string[]): string[] => items.filter((_, index) => index % 2 === 0)

const sortedUnique = (items: readonly string[]): string[] => [...new Set(items)].sort(compareStrings)

function mergeColumns(a: StoredSeries, b: StoredSeries): { timestampsMs: Float64Array; values: Float64Array } {
  const rows = new Map<number, { of: StoredSeries; index: number }>()
  for (const of of [a, b]) of.timestampsMs.forEach((timeMs, index) => rows.set(timeMs, { of, index }))
  const timestampsMs = Float64Array.from([...rows.keys()].sort((x, y) => x - y))
  const values = new Float64Array(timestampsMs.length)
  timestampsMs.forEach((timeMs, at) => {
    const { of, index } = rows.get(timeMs)!
    // set() copies bits, so that staleness markers survive.
    values.set(of.values.subarray(index, index + 1), at)
  })
  return { timestampsMs, values }
}
