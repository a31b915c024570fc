import type { ClientMetric, ClientMetricFamily, Exemplar } from '../model/index.ts'
import { isHistogram, type PushedFamily, type PushedMetric, type PushedType } from './family.ts'

/** A family as clients send it in protobuf. */
export function fromClientFamily(family: ClientMetricFamily): PushedFamily {
  const { name, help } = family
  const type = pushedType(family.type)
  return { name, help, type, metrics: family.metrics.map((metric) => fromClientMetric(metric, type)) }
}

/** A family as readers take it in protobuf, without its metrics. */
export function toClientHeader({ name, help, type }: PushedFamily): Omit<ClientMetricFamily, 'metrics'> {
  return { name, help, unit: '', type: type === 'untyped' ? 'unknown' : type }
}

export function toClientMetrics({ metrics, type }: PushedFamily): ClientMetric[] {
  return metrics.map((metric) => toClientMetric(metric, type))
}

function pushedType(type: ClientMetricFamily['type']): PushedType {
  return type === 'unknown' || type === 'info' || type === 'stateset' ? 'untyped' : type
}

function fromClientMetric(metric: ClientMetric, type: PushedType): PushedMetric {
  const { labels } = metric
  const created = metric.createdMs === undefined ? {} : { createdMs: metric.createdMs }
  if (isHistogram(type)) {
    const { count = 0, sum = 0, buckets = [], native, exemplars = [] } = metric.histogram ?? {}
    const bucketExemplars = buckets.map((bucket) => bucket.exemplar)
    return {
      labels,
      points: buckets.map(({ upperBound, cumulativeCount }) => [upperBound, cumulativeCount]),
      sum,
      count,
      ...(bucketExemplars.some((exemplar) => exemplar !== undefined) ? { bucketExemplars } : {}),
      ...(native === undefined ? {} : { native }),
      ...(exemplars.length === 0 ? {} : { nativeExemplars: exemplars }),
      ...created,
    }
  }
  if (type === 'summary') {
    const { count = 0, sum = 0, quantiles = [] } = metric.summary ?? {}
    return { labels, points: quantiles.map(({ quantile, value }) => [quantile, value]), sum, count, ...created }
  }
  const exemplar = metric.exemplar === undefined ? {} : { exemplar: metric.exemplar }
  return { labels, value: metric.value ?? 0, ...exemplar, ...created }
}

const NO_EXEMPLARS: readonly Exemplar[] = []

function toClientMetric(metric: PushedMetric, type: PushedType): ClientMetric {
  const base = {
    labels: metric.labels,
    timestampMs: undefined,
    createdMs: metric.createdMs,
    value: undefined,
    exemplar: undefined,
    summary: undefined,
    histogram: undefined,
  }
  if ('value' in metric) return { ...base, value: metric.value, exemplar: metric.exemplar }
  const { count, sum, points } = metric
  if (type === 'summary')
    return { ...base, summary: { count, sum, quantiles: points.map(([quantile, value]) => ({ quantile, value })) } }
  const buckets = points.map(([upperBound, cumulativeCount], i) => ({
    upperBound,
    cumulativeCount,
    exemplar: metric.bucketExemplars?.[i],
  }))
  const exemplars = metric.nativeExemplars ?? NO_EXEMPLARS
  return { ...base, histogram: { count, sum, buckets, native: metric.native, exemplars } }
}
