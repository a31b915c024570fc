import {
  type Appendable,
  type Appender,
  DuplicateSampleError,
  type Exemplar,
  isStaleNaN,
  type Labels,
  labelsKey,
  labelValue,
  type Matcher,
  matches,
  type NativeHistogram,
  OutOfOrderSampleError,
  type Querier,
  type Queryable,
  type SelectHints,
  type SeriesColumn,
  type SeriesRef,
  type TimeRange,
  writeStaleNaN,
} from '../../model/index.ts'
import { MemoryStorage, type ScriptSeries } from '../../promql/index.ts'

/** A series that rules write; grows at its end. */
interface Recorded {
  readonly labels: Labels
  timestampsMs: Float64Array
  values: Float64Array
  histograms: (NativeHistogram | undefined)[] | undefined
  length: number
}

interface Sample {
  readonly labels: Labels
  readonly timestampMs: number
  /** `undefined`: a staleness marker. */
  readonly value: number | NativeHistogram | undefined
}

const CAPACITY_MIN = 16

/** What a unit test's rules read and write: its input series, given once, and what the rules record. */
export class TestStore implements Queryable, Appendable {
  readonly #input = new MemoryStorage()
  /** Newest time of each input series: rules cannot write before it, as in a real store. */
  readonly #inputEndsMs = new Map<string, number>()
  readonly #recorded = new Map<string, Recorded>()

  addInput({ labels, values }: ScriptSeries, startMs: number, intervalMs: number): void {
    const kept = values.map((value, index) => ({ value, index })).filter(({ value }) => value.kind !== 'missing')
    if (kept.length === 0) return
    const timestampsMs = Float64Array.from(kept, ({ index }) => startMs + index * intervalMs)
    const floats = new Float64Array(kept.length)
    for (const [at, { value }] of kept.entries()) {
      if (value.kind === 'float') floats[at] = value.value
      else if (value.kind === 'stale') writeStaleNaN(floats, at)
    }
    const histograms = kept.map(({ value }) => (value.kind === 'histogram' ? value.histogram : undefined))
    this.#input.add(labels, timestampsMs, floats, histograms.some(Boolean) ? { histograms } : {})
    this.#inputEndsMs.set(labelsKey(labels), timestampsMs.at(-1)!)
  }

  appender(): Appender {
    const staged: Sample[] = []
    const stage = (sample: Sample): SeriesRef => {
      this.#checkOrder(sample)
      staged.push(sample)
      return 0 as SeriesRef
    }
    return {
      append: (_, labels, timestampMs, value) => stage({ labels, timestampMs, value }),
      appendStale: (_, labels, timestampMs) => stage({ labels, timestampMs, value: undefined }),
      appendHistogram: (_, labels, timestampMs, value) => stage({ labels, timestampMs, value }),
      appendExemplar: (_labels: Labels, _exemplar: Exemplar) => undefined,
      commit: async () => {
        for (const sample of staged.splice(0)) this.#write(sample)
      },
      rollback: () => {
        staged.length = 0
      },
    }
  }

  querier(range: TimeRange): Querier {
    const input = this.#input.querier(range)
    const recorded = (): Recorded[] => [...this.#recorded.values()]
    const matching = (sets: readonly (readonly Matcher[])[]): Labels[] =>
      recorded()
        .filter(({ labels }) => sets.length === 0 || sets.some((set) => matchesAll(labels, set)))
        .map(({ labels }) => labels)
    const sorted = (values: readonly string[]): string[] => [...new Set(values)].sort()
    return {
      *select(matchers, hints) {
        yield* input.select(matchers, hints)
        for (const series of recorded()) if (matchesAll(series.labels, matchers)) yield* columnOf(series, hints)
      },
      series: (sets, within) => [...input.series(sets, within), ...matching(sets)],
      labelNames: (sets, within) =>
        sorted([
          ...input.labelNames(sets, within),
          ...matching(sets).flatMap((labels) => labels.filter((_, i) => i % 2 === 0)),
        ]),
      labelValues: (name, sets, within) =>
        sorted([...input.labelValues(name, sets, within), ...matching(sets).map((labels) => labelValue(labels, name))]),
      close: () => input.close(),
    }
  }

  #checkOrder({ labels, timestampMs }: Sample): void {
    const key = labelsKey(labels)
    const series = this.#recorded.get(key)
    const newestMs = series === undefined ? this.#inputEndsMs.get(key) : series.timestampsMs[series.length - 1]
    if (newestMs === undefined || timestampMs > newestMs) return
    if (timestampMs === newestMs) throw new DuplicateSampleError('duplicate sample for timestamp')
    throw new OutOfOrderSampleError('out of order sample')
  }

  #write({ labels, timestampMs, value }: Sample): void {
    const key = labelsKey(labels)
    if (this.#inputEndsMs.has(key)) return this.#writeBehindInput(labels, timestampMs, value)
    let series = this.#recorded.get(key)
    if (series === undefined) {
      const [timestampsMs, values] = [new Float64Array(CAPACITY_MIN), new Float64Array(CAPACITY_MIN)]
      this.#recorded.set(key, (series = { labels, timestampsMs, values, histograms: undefined, length: 0 }))
    }
    if (series.length === series.timestampsMs.length) grow(series)
    const at = series.length++
    series.timestampsMs[at] = timestampMs
    setValue(series, at, value)
  }

  #writeBehindInput(labels: Labels, timestampMs: number, value: Sample['value']): void {
    const one = {
      labels,
      timestampsMs: Float64Array.of(timestampMs),
      values: new Float64Array(1),
      histograms: undefined,
      length: 1,
    }
    const series: Recorded = one
    setValue(series, 0, value)
    const { timestampsMs, values, histograms } = series
    this.#input.add(labels, timestampsMs, values, histograms === undefined ? {} : { histograms })
    this.#inputEndsMs.set(labelsKey(labels), timestampMs)
  }
}

function setValue(series: Recorded, at: number, value: Sample['value']): void {
  if (value === undefined) writeStaleNaN(series.values, at)
  else if (typeof value === 'number') series.values[at] = value
  else {
    series.histograms ??= []
    series.histograms[at] = value
  }
}

function grow(series: Recorded): void {
  const [timestampsMs, values] = [new Float64Array(series.length * 2), new Float64Array(series.length * 2)]
  timestampsMs.set(series.timestampsMs)
  values.set(series.values) // Copies bits, so that staleness markers survive.
  series.timestampsMs = timestampsMs
  series.values = values
}

function* columnOf(series: Recorded, hints: SelectHints): Generator<SeriesColumn> {
  const { labels, timestampsMs, values, histograms, length } = series
  if (length === 0 || timestampsMs[0]! > hints.maxTimeMs || timestampsMs[length - 1]! < hints.minTimeMs) return
  let stale: Uint8Array | undefined
  for (let i = 0; i < length; i++) {
    if (!Number.isNaN(values[i]) || !isStaleNaN(values, i)) continue
    stale ??= new Uint8Array(length)
    stale[i] = 1
  }
  yield {
    labels,
    timestampsMs: timestampsMs.subarray(0, length),
    values: values.subarray(0, length),
    length,
    stale,
    histograms: histograms && Array.from({ length }, (_, i) => histograms[i]),
  }
}

const matchesAll = (labels: Labels, matchers: readonly Matcher[]): boolean =>
  matchers.every((matcher) => matches(matcher, labelValue(labels, matcher.name)))
