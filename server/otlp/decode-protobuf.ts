import { ProtoReader, readDoubles, WireFormatError } from '../../model/index.ts'
import { type AnyMap, type AnyValue, DEPTH_MAX, textOf } from './any-value.ts'
import {
  type Attributes,
  type ExponentialBuckets,
  type ExponentialPoint,
  type HistogramPoint,
  type Metric,
  type MetricData,
  NO_RECORDED_VALUE,
  type NumberPoint,
  type PointExemplar,
  type ResourceMetrics,
  type ScopeMetrics,
  type SummaryPoint,
} from './messages.ts'

const NANOSECONDS = 1_000_000n

/** `opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`. @throws {WireFormatError} */
export function decodeOtlpProtobuf(bytes: Uint8Array): ResourceMetrics[] {
  const reader = new ProtoReader(bytes)
  const found: ResourceMetrics[] = []
  fields(reader, { 10: () => void found.push(nested(reader, readResourceMetrics)) })
  return found
}

/** Reads the open message; what has no reader by its tag is passed over. */
function fields(reader: ProtoReader, readers: Readonly<Record<number, () => void>>): void {
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const read = readers[tag]
    if (read === undefined) reader.skip(tag)
    else read()
  }
}

function nested<T>(reader: ProtoReader, read: (reader: ProtoReader) => T): T {
  const outer = reader.open()
  const value = read(reader)
  reader.close(outer)
  return value
}

function readResourceMetrics(reader: ProtoReader): ResourceMetrics {
  let attributes: Attributes = []
  const scopes: ScopeMetrics[] = []
  fields(reader, {
    10: () => void (attributes = nested(reader, (inner) => readAttributes(inner, 10))),
    18: () => void scopes.push(nested(reader, readScopeMetrics)),
  })
  return { attributes, scopes }
}

function readScopeMetrics(reader: ProtoReader): ScopeMetrics {
  let [name, version, schemaUrl] = ['', '', '']
  const attributes: [string, string][] = []
  const metrics: Metric[] = []
  const readScope = (): void =>
    fields(reader, {
      10: () => void (name = reader.string()),
      18: () => void (version = reader.string()),
      26: () => void attributes.push(nested(reader, readAttribute)),
    })
  fields(reader, {
    10: () => nested(reader, readScope),
    18: () => void metrics.push(nested(reader, readMetric)),
    26: () => void (schemaUrl = reader.string()),
  })
  return { name, version, schemaUrl, attributes, metrics }
}

function readMetric(reader: ProtoReader): Metric {
  let [name, description, unit] = ['', '', '']
  let data: MetricData | undefined
  const of = (make: () => MetricData) => () => void (data = nested(reader, make))
  fields(reader, {
    10: () => void (name = reader.string()),
    18: () => void (description = reader.string()),
    26: () => void (unit = reader.string()),
    42: of(() => ({ kind: 'gauge', points: readData(reader, readNumberPoint).points })),
    58: of(() => ({ kind: 'sum', ...readData(reader, readNumberPoint) })),
    74: of(() => ({ kind: 'histogram', ...readData(reader, readHistogramPoint) })),
    82: of(() => ({ kind: 'exponential', ...readData(reader, readExponentialPoint) })),
    90: of(() => ({ kind: 'summary', points: readData(reader, readSummaryPoint).points })),
  })
  return { name, description, unit, data }
}

function readData<T>(reader: ProtoReader, readPoint: (reader: ProtoReader) => T) {
  const points: T[] = []
  let temporality = 0
  let isMonotonic = false
  fields(reader, {
    10: () => void points.push(nested(reader, readPoint)),
    16: () => void (temporality = reader.uint32()),
    24: () => void (isMonotonic = reader.uint32() !== 0),
  })
  return { points, temporality, isMonotonic }
}

function readNumberPoint(reader: ProtoReader): NumberPoint {
  const attributes: [string, string][] = []
  const exemplars: PointExemplar[] = []
  let [timeMs, value, flags] = [0, 0, 0]
  fields(reader, {
    58: () => void attributes.push(nested(reader, readAttribute)),
    25: () => void (timeMs = timeOf(reader)),
    33: () => void (value = reader.double()),
    49: () => void (value = Number(fixed64(reader, true))),
    42: () => void exemplars.push(nested(reader, readExemplar)),
    64: () => void (flags = reader.uint32()),
  })
  return { attributes, timeMs, value, isMissing: isMissing(flags), exemplars }
}

function readHistogramPoint(reader: ProtoReader): HistogramPoint {
  const attributes: [string, string][] = []
  const exemplars: PointExemplar[] = []
  const bounds: number[] = []
  const bucketCounts: number[] = []
  let [timeMs, count, flags] = [0, 0, 0]
  let sum: number | undefined
  fields(reader, {
    74: () => void attributes.push(nested(reader, readAttribute)),
    25: () => void (timeMs = timeOf(reader)),
    33: () => void (count = Number(fixed64(reader))),
    41: () => void (sum = reader.double()),
    49: () => void bucketCounts.push(Number(fixed64(reader))),
    50: () => nested(reader, () => whole(reader, () => bucketCounts.push(Number(fixed64(reader))))),
    57: () => readDoubles(reader, 57, bounds),
    58: () => readDoubles(reader, 58, bounds),
    66: () => void exemplars.push(nested(reader, readExemplar)),
    80: () => void (flags = reader.uint32()),
  })
  return { attributes, timeMs, count, sum, isMissing: isMissing(flags), bounds, bucketCounts, exemplars }
}

function readExponentialPoint(reader: ProtoReader): ExponentialPoint {
  const attributes: [string, string][] = []
  const exemplars: PointExemplar[] = []
  let [timeMs, count, flags, scale, zeroCount, zeroThreshold] = [0, 0, 0, 0, 0, 0]
  let positive: ExponentialBuckets = { offset: 0, counts: [] }
  let negative = positive
  let sum: number | undefined
  fields(reader, {
    10: () => void attributes.push(nested(reader, readAttribute)),
    25: () => void (timeMs = timeOf(reader)),
    33: () => void (count = Number(fixed64(reader))),
    41: () => void (sum = reader.double()),
    48: () => void (scale = reader.sint32()),
    57: () => void (zeroCount = Number(fixed64(reader))),
    66: () => void (positive = nested(reader, readBuckets)),
    74: () => void (negative = nested(reader, readBuckets)),
    80: () => void (flags = reader.uint32()),
    90: () => void exemplars.push(nested(reader, readExemplar)),
    113: () => void (zeroThreshold = reader.double()),
  })
  const facts = { attributes, timeMs, count, sum, isMissing: isMissing(flags), exemplars }
  return { ...facts, scale, zeroCount, zeroThreshold, positive, negative }
}

function readBuckets(reader: ProtoReader): ExponentialBuckets {
  let offset = 0
  const counts: number[] = []
  fields(reader, {
    8: () => void (offset = reader.sint32()),
    16: () => void counts.push(reader.uint64()),
    18: () => nested(reader, () => whole(reader, () => counts.push(reader.uint64()))),
  })
  return { offset, counts }
}

function readSummaryPoint(reader: ProtoReader): SummaryPoint {
  const attributes: [string, string][] = []
  const quantiles: { quantile: number; value: number }[] = []
  let [timeMs, count, sum, flags] = [0, 0, 0, 0]
  const readQuantile = (): void => {
    let [quantile, value] = [0, 0]
    fields(reader, { 9: () => void (quantile = reader.double()), 17: () => void (value = reader.double()) })
    quantiles.push({ quantile, value })
  }
  fields(reader, {
    58: () => void attributes.push(nested(reader, readAttribute)),
    25: () => void (timeMs = timeOf(reader)),
    33: () => void (count = Number(fixed64(reader))),
    41: () => void (sum = reader.double()),
    50: () => nested(reader, readQuantile),
    64: () => void (flags = reader.uint32()),
  })
  return { attributes, timeMs, count, sum, isMissing: isMissing(flags), quantiles }
}

function readExemplar(reader: ProtoReader): PointExemplar {
  const attributes: [string, string][] = []
  let [timeMs, value] = [0, 0]
  let [traceId, spanId] = ['', '']
  fields(reader, {
    17: () => void (timeMs = timeOf(reader)),
    25: () => void (value = reader.double()),
    34: () => void (spanId = Buffer.from(bytesOf(reader)).toString('hex')),
    42: () => void (traceId = Buffer.from(bytesOf(reader)).toString('hex')),
    49: () => void (value = Number(fixed64(reader, true))),
    58: () => void attributes.push(nested(reader, readAttribute)),
  })
  return { attributes, timeMs, value, traceId, spanId }
}

/** The open message's attributes; the rest of it is passed over. */
function readAttributes(reader: ProtoReader, tag: number): Attributes {
  const found: [string, string][] = []
  fields(reader, { [tag]: () => void found.push(nested(reader, readAttribute)) })
  return found
}

function readAttribute(reader: ProtoReader): [string, string] {
  const [name, value] = readPair(reader, 0)
  return [name, textOf(value)]
}

function readPair(reader: ProtoReader, depth: number): [string, AnyValue] {
  let name = ''
  let value: AnyValue
  fields(reader, {
    10: () => void (name = reader.string()),
    18: () => void (value = nested(reader, () => readAnyValue(reader, depth))),
  })
  return [name, value]
}

function readAnyValue(reader: ProtoReader, depth: number): AnyValue {
  if (depth > DEPTH_MAX) throw new WireFormatError('protobuf: values too deep inside each other')
  let value: AnyValue
  const readList = (): AnyValue[] => {
    const list: AnyValue[] = []
    fields(reader, { 10: () => void list.push(nested(reader, () => readAnyValue(reader, depth + 1))) })
    return list
  }
  const readMap = (): AnyMap => {
    const entries: [string, AnyValue][] = []
    fields(reader, { 10: () => void entries.push(nested(reader, () => readPair(reader, depth + 1))) })
    return { entries }
  }
  fields(reader, {
    10: () => void (value = reader.string()),
    16: () => void (value = reader.uint32() !== 0),
    24: () => void (value = reader.int64()),
    33: () => void (value = reader.double()),
    42: () => void (value = nested(reader, readList)),
    50: () => void (value = nested(reader, readMap)),
    58: () => void (value = bytesOf(reader)),
  })
  return value
}

/** Until the open list ends. */
function whole(reader: ProtoReader, read: () => void): void {
  while (reader.pos < reader.end) read()
}

function bytesOf(reader: ProtoReader): Uint8Array {
  const outer = reader.open()
  const bytes = reader.bytes.slice(reader.pos, reader.end)
  reader.close(outer)
  return bytes
}

function fixed64(reader: ProtoReader, isSigned = false): bigint {
  const at = reader.pos
  if (at + 8 > reader.end) throw new WireFormatError('protobuf: the message ends early')
  reader.pos = at + 8
  return isSigned ? reader.view.getBigInt64(at, true) : reader.view.getBigUint64(at, true)
}

const timeOf = (reader: ProtoReader): number => Number(fixed64(reader) / NANOSECONDS)

const isMissing = (flags: number): boolean => (flags & NO_RECORDED_VALUE) !== 0
