/** The page of `/federate`: the newest sample of each chosen series, for another server to scrape. */
import { ByteBuffer } from '../../lib/byte-buffer.ts'
import {
  classicBuckets,
  type ClientMetric,
  type ClientMetricFamily,
  compareLabels,
  compareStrings,
  CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  encodeMetricFamilies,
  expositionLines,
  formatFloatGeneral,
  type Labels,
  labelsKey,
  labelValue,
  type Matcher,
  METRIC_NAME,
  type NativeHistogram,
  type Queryable,
  withLabels,
} from '../../model/index.ts'

/** At first: it grows. */
const PAGE_BYTES = 1 << 16

export interface FederationRequest {
  readonly nowMs: number
  readonly lookbackMs: number
  readonly externalLabels: Labels
  readonly format: 'text' | 'protobuf'
  /** Names that old readers do not take are rewritten with underscores. */
  readonly escapesNames: boolean
}

interface Newest {
  readonly name: string
  /** With the name. */
  readonly labels: Labels
  readonly timestampMs: number
  readonly value: number
  readonly histogram: NativeHistogram | undefined
}

export function federationPage(
  queryable: Queryable,
  matcherSets: readonly (readonly Matcher[])[],
  request: FederationRequest,
): Uint8Array {
  const samples = newestSamples(queryable, matcherSets, request)
  if (request.format === 'protobuf') return encodeMetricFamilies(families(samples))
  const page = new ByteBuffer(PAGE_BYTES)
  for (const line of expositionLines(textFamilies(samples.flatMap(expanded)))) page.utf8(line)
  return page.toBytes()
}

function newestSamples(
  queryable: Queryable,
  matcherSets: readonly (readonly Matcher[])[],
  request: FederationRequest,
): Newest[] {
  const range = { minTimeMs: request.nowMs - request.lookbackMs + 1, maxTimeMs: request.nowMs }
  const found = new Map<string, Newest>()
  const querier = queryable.querier(range)
  try {
    for (const matchers of matcherSets) {
      // As in Prometheus, `{}` is nobody.
      if (matchers.length === 0) continue
      for (const column of querier.select(matchers, { ...range, newestOnly: true })) {
        const last = column.length - 1
        if (last < 0 || column.stale?.[last] === 1) continue
        const labels = federatedLabels(column.labels, request)
        found.set(labelsKey(labels), {
          name: labelValue(labels, METRIC_NAME),
          labels,
          timestampMs: column.timestampsMs[last]!,
          value: column.values[last]!,
          histogram: column.histograms?.[last],
        })
      }
    }
  } finally {
    querier.close()
  }
  return [...found.values()].sort((a, b) => compareStrings(a.name, b.name) || compareLabels(a.labels, b.labels))
}

/** External labels where there is none of that name; an instance in any case, so that the reader adds none of its own. */
function federatedLabels(labels: Labels, { externalLabels, escapesNames }: FederationRequest): Labels {
  const flat = escapesNames
    ? labels.map((text, i) => (i % 2 === 0 || labels[i - 1] === METRIC_NAME ? legacy(text) : text))
    : labels
  const missing: [string, string][] = []
  for (let i = 0; i < externalLabels.length; i += 2) {
    if (!hasName(flat, externalLabels[i]!)) missing.push([externalLabels[i]!, externalLabels[i + 1]!])
  }
  return missing.length === 0 && flat === labels ? labels : withLabels(flat, missing)
}

/** As `underscores` escapes names: every character that old readers do not know becomes `_`. */
const legacy = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/gu, '_').replace(/^(?=\d)/, '_')

function hasName(labels: Labels, name: string): boolean {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return true
  return false
}

/** Label values may be empty on a page: `instance=""` keeps the reader's own instance away. */
const withInstance = (labels: Labels): Labels => (hasName(labels, 'instance') ? labels : [...labels, 'instance', ''])

function textFamilies(samples: readonly Newest[]) {
  return [...groupByName(samples)].map(([name, own]) => ({
    name,
    type: 'unknown' as const,
    help: '',
    samples: own.map((sample) => ({ ...sample, labels: withInstance(sample.labels) })),
  }))
}

function groupByName(samples: readonly Newest[]): Map<string, Newest[]> {
  const byName = new Map<string, Newest[]>()
  for (const sample of samples) {
    const list = byName.get(sample.name)
    if (list) list.push(sample)
    else byName.set(sample.name, [sample])
  }
  return byName
}

/** The text format has no native histograms; those with custom bounds become classic ones, others are left out. */
function expanded(sample: Newest): Newest[] {
  const { histogram, name, labels } = sample
  if (histogram === undefined) return [sample]
  if (histogram.schema !== CUSTOM_BUCKETS_SCHEMA) return []
  const part = (suffix: string, value: number, le?: string): Newest => ({
    ...sample,
    name: name + suffix,
    labels: withLabels(labels, [[METRIC_NAME, name + suffix], ...(le === undefined ? [] : [['le', le] as const])]),
    value,
    histogram: undefined,
  })
  const buckets = classicBuckets(histogram).map(({ upperBound, cumulativeCount }) =>
    part('_bucket', cumulativeCount, formatFloatGeneral(upperBound)),
  )
  return [...buckets, part('_sum', histogram.sum), part('_count', histogram.count)]
}

/** Floats and histograms of one name are families of their own, because a family has one type. */
function families(samples: readonly Newest[]): ClientMetricFamily[] {
  const families: (ClientMetricFamily & { metrics: ClientMetric[] })[] = []
  for (const sample of samples) {
    const type =
      sample.histogram === undefined
        ? 'unknown'
        : sample.histogram.counterResetHint === CounterResetHint.GAUGE
          ? 'gaugehistogram'
          : 'histogram'
    let family = families.at(-1)
    if (family?.name !== sample.name || family.type !== type) {
      family = { name: sample.name, help: '', unit: '', type, metrics: [] }
      families.push(family)
    }
    family.metrics.push(clientMetric(sample))
  }
  return families
}

function clientMetric({ labels, timestampMs, value, histogram }: Newest): ClientMetric {
  const without = withInstance(labels)
  const nameAt = without.indexOf(METRIC_NAME)
  return {
    labels: without.filter((_, i) => i !== nameAt && i !== nameAt + 1),
    timestampMs,
    createdMs: undefined,
    value: histogram === undefined ? value : undefined,
    exemplar: undefined,
    summary: undefined,
    histogram: histogram && {
      count: histogram.count,
      sum: histogram.sum,
      buckets: [],
      native: histogram,
      exemplars: [],
    },
  }
}
