import type { Exemplar } from '../exemplar.ts'
import type { MetricType } from '../metadata.ts'
import type { ClientMetric, ClientMetricFamily, ClientSummary } from './client-metrics.ts'
import { LabelPairs, readExemplar, readTimestampMs } from './decode-exemplar.ts'
import { readHistogram } from './decode-histogram.ts'
import { ProtoReader } from './proto-reader.ts'

/** By number in the protobuf enumeration. */
const TYPES: readonly MetricType[] = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram']

/** What a metric of each type lies in: the field's tag in `Metric`. */
const GAUGE = 18
const COUNTER = 26
const SUMMARY = 34
const UNTYPED = 42
const HISTOGRAM = 58

/**
 * Families of a page in protobuf: `io.prometheus.client.MetricFamily` messages, each with its length in front. They are read
 * one by one as they are taken.
 *
 * @param metricsMax a family with more comes in several parts, each with its name and type; default: in one
 * @throws {WireFormatError} while iterating
 */
export function* decodeMetricFamilies(
  body: Uint8Array,
  metricsMax = Number.POSITIVE_INFINITY,
): Iterable<ClientMetricFamily> {
  const reader = new ProtoReader(body)
  while (reader.pos < reader.end) {
    const outer = reader.open()
    yield* readFamily(reader, metricsMax)
    reader.close(outer)
  }
}

function* readFamily(reader: ProtoReader, metricsMax: number): Iterable<ClientMetricFamily> {
  const start = reader.pos
  const family = { name: '', help: '', unit: '', type: 0 }
  // Metrics come second: how one is read depends on the type, which a sender may write behind them.
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) family.name = reader.string()
    else if (tag === 18) family.help = reader.string()
    else if (tag === 24) family.type = reader.uint32()
    else if (tag === 42) family.unit = reader.string()
    else reader.skip(tag)
  }
  const type = TYPES[family.type] ?? 'unknown'
  let metrics: ClientMetric[] = []
  let partCount = 0
  reader.pos = start
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== 34) {
      reader.skip(tag)
      continue
    }
    metrics.push(readMetric(reader, type))
    if (metrics.length < metricsMax) continue
    yield { ...family, type, metrics }
    metrics = []
    partCount++
  }
  if (metrics.length > 0 || partCount === 0) yield { ...family, type, metrics }
}

interface Draft {
  value: number | undefined
  createdMs: number | undefined
  exemplar: Exemplar | undefined
  summary: ClientSummary | undefined
  histogram: ClientMetric['histogram']
}

function readMetric(reader: ProtoReader, type: MetricType): ClientMetric {
  const outer = reader.open()
  const draft: Draft = {
    value: undefined,
    createdMs: undefined,
    exemplar: undefined,
    summary: undefined,
    histogram: undefined,
  }
  const labels = new LabelPairs()
  let timestampMs: number | undefined
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) labels.read(reader)
    else if (tag === 48) timestampMs = reader.int64()
    else if (tag === fieldOf(type)) readContent(reader, tag, type, draft)
    else reader.skip(tag)
  }
  reader.close(outer)
  return { labels: labels.finish(), timestampMs, ...draft }
}

function fieldOf(type: MetricType): number {
  if (type === 'counter') return COUNTER
  if (type === 'gauge') return GAUGE
  if (type === 'summary') return SUMMARY
  return type === 'unknown' ? UNTYPED : HISTOGRAM
}

function readContent(reader: ProtoReader, tag: number, type: MetricType, draft: Draft): void {
  const outer = reader.open()
  if (tag === HISTOGRAM) readHistogram(reader, type === 'gaugehistogram', draft)
  else if (tag === SUMMARY) readSummary(reader, draft)
  else readValue(reader, tag === COUNTER, draft)
  reader.close(outer)
}

/** `Counter`, `Gauge` and `Untyped` have their value in field 1. */
function readValue(reader: ProtoReader, isCounter: boolean, draft: Draft): void {
  draft.value = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 9) draft.value = reader.double()
    else if (tag === 18 && isCounter) draft.exemplar = readExemplar(reader)
    else if (tag === 26 && isCounter) draft.createdMs = readTimestampMs(reader)
    else reader.skip(tag)
  }
}

function readSummary(reader: ProtoReader, draft: Draft): void {
  let count = 0
  let sum = 0
  const quantiles: { quantile: number; value: number }[] = []
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) count = reader.uint64()
    else if (tag === 17) sum = reader.double()
    else if (tag === 26) quantiles.push(readQuantile(reader))
    else if (tag === 34) draft.createdMs = readTimestampMs(reader)
    else reader.skip(tag)
  }
  draft.summary = { count, sum, quantiles }
}

function readQuantile(reader: ProtoReader): { quantile: number; value: number } {
  const outer = reader.open()
  const read = { quantile: 0, value: 0 }
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 9) read.quantile = reader.double()
    else if (tag === 17) read.value = reader.double()
    else reader.skip(tag)
  }
  reader.close(outer)
  return read
}
