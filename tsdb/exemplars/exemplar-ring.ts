import {
  type Exemplar,
  EMPTY_LABELS,
  type Labels,
  labelsKey,
  type Matcher,
  matches,
  labelValue,
  compareLabels,
  type SeriesExemplars,
  type TimeRange,
} from '../../model/index.ts'

/** Most characters of all label names and values of an exemplar together, as OpenMetrics has it. */
const LABEL_CHARACTERS_MAX = 128

export type TimedExemplar = Exemplar & { readonly timestampMs: number }

interface ExemplarSeries {
  readonly labels: Labels
  readonly index: number
  newest: TimedExemplar
  /** Of its exemplars in the ring. */
  count: number
}

export const AddResult = { ADDED: 0, DUPLICATE: 1, OUT_OF_ORDER: 2, REFUSED: 3 } as const
export type AddResult = (typeof AddResult)[keyof typeof AddResult]

/** The newest exemplars of all series, up to a fixed number; the oldest make room for new ones. */
export class ExemplarRing {
  #capacity: number
  #times: Float64Array
  #values: Float64Array
  /** Index of the series of each slot. */
  #seriesOf: Uint32Array
  /** Labels of the exemplar in each slot as JSON: one string takes a fraction of an array. */
  #labels: string[] = []
  readonly #byKey = new Map<string, ExemplarSeries>()
  #series: (ExemplarSeries | undefined)[] = []
  #freeSeries: number[] = []
  #next = 0
  #count = 0

  constructor(capacity: number) {
    this.#capacity = Math.max(0, capacity)
    this.#times = new Float64Array(this.#capacity)
    this.#values = new Float64Array(this.#capacity)
    this.#seriesOf = new Uint32Array(this.#capacity)
  }

  get capacity(): number {
    return this.#capacity
  }

  get count(): number {
    return this.#count
  }

  get seriesCount(): number {
    return this.#byKey.size
  }

  /** Time of the oldest in the ring, Unix milliseconds; 0 while there is none. */
  get oldestMs(): number {
    return this.#count === 0 ? 0 : this.#times[this.#slotOf(0)]!
  }

  /** What `add` would do. */
  check(seriesLabels: Labels, exemplar: TimedExemplar): AddResult {
    if (this.#capacity === 0 || charactersOf(exemplar.labels) > LABEL_CHARACTERS_MAX) return AddResult.REFUSED
    const newest = this.#byKey.get(labelsKey(seriesLabels))?.newest
    if (newest === undefined) return AddResult.ADDED
    const { timestampMs, value } = exemplar
    if (timestampMs < newest.timestampMs) return AddResult.OUT_OF_ORDER
    if (timestampMs > newest.timestampMs) return AddResult.ADDED
    const isSame = Object.is(value, newest.value) && compareLabels(exemplar.labels, newest.labels) === 0
    if (isSame) return AddResult.DUPLICATE
    return value < newest.value ? AddResult.OUT_OF_ORDER : AddResult.ADDED
  }

  add(seriesLabels: Labels, exemplar: TimedExemplar): AddResult {
    const result = this.check(seriesLabels, exemplar)
    if (result === AddResult.ADDED) this.#put(seriesLabels, exemplar)
    return result
  }

  /** Changes the size; of a smaller ring the newest stay. */
  resize(capacity: number): void {
    const kept = Array.from({ length: this.#count }, (_, i) => this.#at(this.#slotOf(i)))
    const fresh = new ExemplarRing(capacity)
    for (const { series, exemplar } of kept.slice(Math.max(0, kept.length - fresh.#capacity))) {
      if (fresh.#capacity > 0) fresh.#put(series.labels, exemplar)
    }
    this.#capacity = fresh.#capacity
    this.#times = fresh.#times
    this.#values = fresh.#values
    this.#seriesOf = fresh.#seriesOf
    this.#labels = fresh.#labels
    this.#series = fresh.#series
    this.#freeSeries = fresh.#freeSeries
    this.#byKey.clear()
    for (const [key, series] of fresh.#byKey) this.#byKey.set(key, series)
    this.#next = fresh.#next
    this.#count = fresh.#count
  }

  /** As `ExemplarQueryable.exemplars`; series sorted by their labels. */
  select(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): SeriesExemplars[] {
    const wanted = new Map<ExemplarSeries, TimedExemplar[]>()
    for (const series of this.#byKey.values()) {
      const isWanted = matcherSets.some((matchers) =>
        matchers.every((matcher) => matches(matcher, labelValue(series.labels, matcher.name))),
      )
      if (isWanted) wanted.set(series, [])
    }
    if (wanted.size === 0) return []
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slotOf(i)
      const timeMs = this.#times[slot]!
      if (timeMs < range.minTimeMs || timeMs > range.maxTimeMs) continue
      wanted.get(this.#series[this.#seriesOf[slot]!]!)?.push(this.#at(slot).exemplar)
    }
    return [...wanted]
      .filter(([, exemplars]) => exemplars.length > 0)
      .map(([series, exemplars]) => ({ seriesLabels: series.labels, exemplars }))
      .sort((a, b) => compareLabels(a.seriesLabels, b.seriesLabels))
  }

  #put(seriesLabels: Labels, exemplar: TimedExemplar): void {
    if (this.#count === this.#capacity) this.#dropOldest()
    const slot = this.#next
    const series = this.#seriesFor(seriesLabels, exemplar)
    series.newest = exemplar
    series.count++
    this.#times[slot] = exemplar.timestampMs
    this.#values[slot] = exemplar.value
    this.#seriesOf[slot] = series.index
    this.#labels[slot] = exemplar.labels.length === 0 ? '' : JSON.stringify(exemplar.labels)
    this.#next = (slot + 1) % this.#capacity
    this.#count++
  }

  #dropOldest(): void {
    const series = this.#series[this.#seriesOf[this.#slotOf(0)]!]!
    this.#count--
    if (--series.count > 0) return
    this.#byKey.delete(labelsKey(series.labels))
    this.#series[series.index] = undefined
    this.#freeSeries.push(series.index)
  }

  #seriesFor(labels: Labels, newest: TimedExemplar): ExemplarSeries {
    const key = labelsKey(labels)
    let series = this.#byKey.get(key)
    if (series === undefined) {
      series = { labels, index: this.#freeSeries.pop() ?? this.#series.length, newest, count: 0 }
      this.#series[series.index] = series
      this.#byKey.set(key, series)
    }
    return series
  }

  /** Slot of the i-th oldest. */
  #slotOf(i: number): number {
    return (this.#next - this.#count + i + 2 * this.#capacity) % this.#capacity
  }

  #at(slot: number): { series: ExemplarSeries; exemplar: TimedExemplar } {
    const text = this.#labels[slot]!
    const labels = text === '' ? EMPTY_LABELS : (JSON.parse(text) as Labels)
    const exemplar = { labels, value: this.#values[slot]!, timestampMs: this.#times[slot]! }
    return { series: this.#series[this.#seriesOf[slot]!]!, exemplar }
  }
}

function charactersOf(labels: Labels): number {
  let count = 0
  for (const text of labels) for (const _ of text) count++
  return count
}
