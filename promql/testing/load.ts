import {
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  parseGoFloat,
  withLabels,
  writeStaleNaN,
} from '../../model/index.ts'
import { CounterResetHint, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'
import type { MemoryStorage } from './memory-storage.ts'
import type { LoadCommand } from './script.ts'
import type { ScriptSeries, ScriptValue } from './script-values.ts'

/** Puts the series of a `load` command into a store. */
export function loadSeries(storage: MemoryStorage, { series, stepMs, withCustomBuckets }: LoadCommand): void {
  for (const one of series) store(storage, one, stepMs)
  if (withCustomBuckets) for (const one of customBucketSeries(series)) store(storage, one, stepMs)
}

function store(storage: MemoryStorage, { labels, values, startOffsetsMs }: ScriptSeries, stepMs: number): void {
  const kept = values.map((value, index) => ({ value, index })).filter(({ value }) => value.kind !== 'missing')
  if (kept.length === 0) return
  const floats = new Float64Array(kept.length)
  kept.forEach(({ value }, at) => {
    if (value.kind === 'float') floats[at] = value.value
    else if (value.kind === 'stale') writeStaleNaN(floats, at)
  })
  const histograms = kept.map(({ value }) => (value.kind === 'histogram' ? value.histogram : undefined))
  const timestampsMs = Float64Array.from(kept, ({ index }) => index * stepMs)
  const startTimesMs =
    startOffsetsMs &&
    Float64Array.from(kept, ({ index }, at) => {
      const offsetMs = startOffsetsMs[index]
      return offsetMs === undefined ? 0 : timestampsMs[at]! + offsetMs
    })
  storage.add(labels, timestampsMs, floats, {
    histograms: histograms.some(Boolean) ? histograms : undefined,
    startTimesMs,
  })
}

/** The series of one classic histogram. */
interface ClassicHistogram {
  readonly labels: Labels
  readonly buckets: { readonly bound: number; readonly values: readonly ScriptValue[] }[]
  count: readonly ScriptValue[] | undefined
  sum: readonly ScriptValue[] | undefined
}

/** Native histograms with custom buckets made of the classic ones among the series. */
function customBucketSeries(series: readonly ScriptSeries[]): ScriptSeries[] {
  const classics = new Map<string, ClassicHistogram>()
  for (const { labels, values } of series) {
    const match = /^(.*)_(bucket|count|sum)$/.exec(labelValue(labels, METRIC_NAME))
    if (!match) continue
    const base = withLabels(labels, [
      [METRIC_NAME, match[1]!],
      ['le', ''],
    ])
    const key = labelsKey(base)
    const classic = classics.get(key) ?? { labels: base, buckets: [], count: undefined, sum: undefined }
    const bound = parseGoFloat(labelValue(labels, 'le'))
    if (match[2] !== 'bucket') classic[match[2] as 'count' | 'sum'] = values
    else if (bound === undefined || Number.isNaN(bound)) continue
    else classic.buckets.push({ bound, values })
    classics.set(key, classic)
  }
  return [...classics.values()].map(toCustomBuckets)
}

function toCustomBuckets({ labels, buckets, count, sum }: ClassicHistogram): ScriptSeries {
  const sorted = buckets.toSorted((a, b) => a.bound - b.bound)
  const length = Math.max(0, ...[count ?? [], ...buckets.map(({ values }) => values)].map((values) => values.length))
  const values = Array.from({ length }, (_, at): ScriptValue => {
    const histogram = histogramAt(
      sorted.flatMap(({ bound, values: counts }) => {
        const value = floatAt(counts, at)
        return value === undefined ? [] : [{ bound, count: value }]
      }),
      floatAt(count, at),
      floatAt(sum, at) ?? 0,
    )
    return histogram === undefined ? { kind: 'missing' } : { kind: 'histogram', histogram, hasHint: false }
  })
  return { labels, values }
}

function floatAt(values: readonly ScriptValue[] | undefined, at: number): number | undefined {
  const value = values?.[at]
  return value?.kind === 'float' ? value.value : undefined
}

/** `undefined` where the buckets contradict each other. */
function histogramAt(
  buckets: readonly { readonly bound: number; readonly count: number }[],
  countGiven: number | undefined,
  sum: number,
): NativeHistogram | undefined {
  const count = countGiven ?? buckets[buckets.length - 1]?.count
  if (count === undefined) return undefined
  const bounds: number[] = []
  const counts: number[] = []
  let before = 0
  for (const { bound, count: upTo } of [...buckets, { bound: Number.POSITIVE_INFINITY, count }]) {
    if (bounds[bounds.length - 1] === bound && upTo === before) continue
    if (upTo < before || bounds[bounds.length - 1] === bound) return undefined
    bounds.push(bound)
    counts.push(upTo - before)
    before = upTo
  }
  return {
    integer: false,
    counterResetHint: CounterResetHint.UNKNOWN,
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count,
    sum,
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: Float64Array.from(counts),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customBounds: Float64Array.from(bounds.slice(0, -1)),
  }
}
