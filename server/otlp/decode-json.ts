import { WireFormatError } from '../../model/index.ts'
import { type AnyValue, DEPTH_MAX, textOf } from './any-value.ts'
import {
  type Attributes,
  type ExponentialBuckets,
  type Metric,
  type MetricData,
  NO_RECORDED_VALUE,
  type PointExemplar,
  type ResourceMetrics,
  type ScopeMetrics,
} from './messages.ts'

type Json = Readonly<Record<string, unknown>>

/** The request as JSON: names in camelCase, 64-bit numbers as text or number. @throws {WireFormatError} */
export function decodeOtlpJson(text: string): ResourceMetrics[] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new WireFormatError(`not JSON: ${(cause as Error).message}`, { cause })
  }
  return list(body, 'resourceMetrics').map((one) => ({
    attributes: attributesOf(object(one['resource'])),
    scopes: list(one, 'scopeMetrics').map(scopeOf),
  }))
}

function scopeOf(one: Json): ScopeMetrics {
  const scope = object(one['scope'])
  return {
    name: text(scope['name']),
    version: text(scope['version']),
    schemaUrl: text(one['schemaUrl']),
    attributes: attributesOf(scope),
    metrics: list(one, 'metrics').map(metricOf),
  }
}

function metricOf(one: Json): Metric {
  return { name: text(one['name']), description: text(one['description']), unit: text(one['unit']), data: dataOf(one) }
}

function dataOf(metric: Json): MetricData | undefined {
  const points = (kind: string) => list(object(metric[kind]), 'dataPoints')
  const temporality = (kind: string) => temporalityOf(object(metric[kind])['aggregationTemporality'])
  if ('gauge' in metric) return { kind: 'gauge', points: points('gauge').map(numberPoint) }
  if ('sum' in metric) {
    const isMonotonic = object(metric['sum'])['isMonotonic'] === true
    return { kind: 'sum', points: points('sum').map(numberPoint), temporality: temporality('sum'), isMonotonic }
  }
  if ('histogram' in metric)
    return { kind: 'histogram', points: points('histogram').map(histogramPoint), temporality: temporality('histogram') }
  if ('exponentialHistogram' in metric) {
    return {
      kind: 'exponential',
      points: points('exponentialHistogram').map(exponentialPoint),
      temporality: temporality('exponentialHistogram'),
    }
  }
  if ('summary' in metric) return { kind: 'summary', points: points('summary').map(summaryPoint) }
  return undefined
}

const numberPoint = (point: Json) => ({ ...pointFacts(point), value: valueOf(point), exemplars: exemplarsOf(point) })

const histogramPoint = (point: Json) => ({
  ...pointFacts(point),
  count: number(point['count']),
  sum: optionalNumber(point['sum']),
  bounds: numbers(point['explicitBounds']),
  bucketCounts: numbers(point['bucketCounts']),
  exemplars: exemplarsOf(point),
})

const exponentialPoint = (point: Json) => ({
  ...pointFacts(point),
  count: number(point['count']),
  sum: optionalNumber(point['sum']),
  scale: int32(point['scale']),
  zeroCount: number(point['zeroCount']),
  zeroThreshold: number(point['zeroThreshold']),
  positive: bucketsOf(point['positive']),
  negative: bucketsOf(point['negative']),
  exemplars: exemplarsOf(point),
})

function bucketsOf(value: unknown): ExponentialBuckets {
  const buckets = object(value)
  return { offset: int32(buckets['offset']), counts: numbers(buckets['bucketCounts']) }
}

const summaryPoint = (point: Json) => ({
  ...pointFacts(point),
  count: number(point['count']),
  sum: number(point['sum']),
  quantiles: list(point, 'quantileValues').map((one) => ({
    quantile: number(one['quantile']),
    value: number(one['value']),
  })),
})

const pointFacts = (point: Json) => ({
  attributes: attributesOf(point),
  timeMs: timeOf(point),
  isMissing: (number(point['flags']) & NO_RECORDED_VALUE) !== 0,
})

const exemplarsOf = (point: Json): PointExemplar[] =>
  list(point, 'exemplars').map((one) => ({
    attributes: attributesOf({ attributes: one['filteredAttributes'] }),
    timeMs: timeOf(one),
    value: valueOf(one),
    traceId: text(one['traceId']).toLowerCase(),
    spanId: text(one['spanId']).toLowerCase(),
  }))

const valueOf = (one: Json): number => number(one['asDouble'] ?? one['asInt'])

const TEMPORALITIES = [
  'AGGREGATION_TEMPORALITY_UNSPECIFIED',
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
]

const temporalityOf = (value: unknown): number =>
  typeof value === 'string' ? TEMPORALITIES.indexOf(value) : number(value)

const attributesOf = (owner: Json): Attributes =>
  list(owner, 'attributes').map((one) => [text(one['key']), textOf(anyValue(object(one['value'])))])

function anyValue(value: Json, depth = 0): AnyValue {
  if (depth > DEPTH_MAX) throw new WireFormatError('values too deep inside each other')
  const inner = (one: Json): AnyValue => anyValue(one, depth + 1)
  if ('stringValue' in value) return text(value['stringValue'])
  if ('boolValue' in value) return value['boolValue'] === true
  if ('intValue' in value) return bigint(value['intValue'])
  if ('doubleValue' in value) return number(value['doubleValue'])
  if ('bytesValue' in value) return Buffer.from(text(value['bytesValue']), 'base64')
  if ('arrayValue' in value) return list(object(value['arrayValue']), 'values').map(inner)
  if ('kvlistValue' in value) {
    const pairs = list(object(value['kvlistValue']), 'values')
    return { entries: pairs.map((one) => [text(one['key']), inner(object(one['value']))]) }
  }
  return undefined
}

/** Nanoseconds since 1970, mostly as text: beyond what a number holds exactly. */
const timeOf = (one: Json): number => Number(bigint(one['timeUnixNano']) / 1_000_000n)

/** Of 64 bits and more; reading a number takes longer than its length. */
const DIGITS_MAX = 40

function bigint(value: unknown): bigint {
  if (value === undefined || value === null) return 0n
  try {
    if (typeof value === 'number' || (typeof value === 'string' && value.length <= DIGITS_MAX)) return BigInt(value)
  } catch {
    // Told below.
  }
  throw new WireFormatError(`no whole number: ${shown(value)}`)
}

/** Whoever sent it need not read all of it again. */
const shown = (value: unknown): string =>
  typeof value === 'object' ? 'a list or an object' : JSON.stringify(value).slice(0, 60)

/** `NaN` and the infinities are text in JSON. */
function number(value: unknown): number {
  if (value === undefined || value === null) return 0
  if (value === 'NaN') return Number.NaN
  const read = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN
  if (Number.isNaN(read)) throw new WireFormatError(`no number: ${shown(value)}`)
  return read
}

function int32(value: unknown): number {
  const read = number(value)
  if (read !== (read | 0)) throw new WireFormatError(`no whole number of 32 bits: ${shown(value)}`)
  return read
}

const optionalNumber = (value: unknown): number | undefined =>
  value === undefined || value === null ? undefined : number(value)

const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map(number) : [])

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})

function list(owner: unknown, name: string): Json[] {
  const found = object(owner)[name]
  if (found === undefined || found === null) return []
  if (!Array.isArray(found)) throw new WireFormatError(`${name} is no list`)
  return found.map(object)
}
