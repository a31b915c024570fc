import { AppError } from '../../lib/index.ts'
import {
  type Appender,
  CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  formatFloatPlain,
  type Labels,
  labelsFromEntries,
  labelsText,
  type MetricType,
  type NativeHistogram,
} from '../../model/index.ts'
import type { OtlpConfig } from '../config/otlp-schema.ts'
import { histogramFault } from '../remote-write/histogram-check.ts'
import type { RemoteMetadata } from '../remote-write/remote-metadata.ts'
import {
  type HistogramPoint,
  type Metric,
  type Point,
  type PointExemplar,
  type ResourceMetrics,
  Temporality,
} from './messages.ts'
import { metricNameOf } from './names.ts'
import { nativeOfExponential } from './native-of-exponential.ts'
import { SharedLabels } from './series-labels.ts'

export interface TranslateOptions {
  readonly config: OtlpConfig
  readonly metadata: RemoteMetadata
  readonly lookbackMs: number
}

const FAULTS_MAX = 20
/** Of `target_info`, of a resource in a request. */
const INFOS_MAX = 1000

/** Puts what a request says into one batch. */
export class Translation {
  readonly #appender: Appender
  readonly #options: TranslateOptions
  /** What the store refused, the first ones. */
  readonly refused: string[] = []
  /** Metrics that have no meaning here, the first ones. */
  readonly dropped: string[] = []
  /** Of the resource's samples. */
  #timesMs: [oldest: number, newest: number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

  constructor(appender: Appender, options: TranslateOptions) {
    this.#appender = appender
    this.#options = options
  }

  add({ attributes, scopes }: ResourceMetrics): void {
    this.#timesMs = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const shared = new SharedLabels(attributes, this.#options.config)
    for (const scope of scopes) {
      shared.enterScope(scope)
      for (const metric of scope.metrics) this.#metric(metric, shared)
    }
    this.#targetInfo(shared)
  }

  #metric(metric: Metric, shared: SharedLabels): void {
    const { data } = metric
    if (data === undefined || data.points.length === 0) return this.#drop(`${metric.name}: it has no data points`)
    if ('temporality' in data && data.temporality !== Temporality.CUMULATIVE)
      return this.#drop(`${metric.name}: only cumulative temporality is taken`)
    const name = metricNameOf(metric, this.#options.config)
    if (name === '') return this.#drop('a metric without a name')
    this.#options.metadata.set(name, { type: typeOf(metric), help: metric.description, unit: metric.unit })
    switch (data.kind) {
      case 'gauge':
      case 'sum':
        for (const point of data.points) {
          const labels = labelsFromEntries(shared.of(name, point.attributes))
          this.#sample(labels, point, point.value)
          if (data.kind === 'sum' && data.isMonotonic) this.#exemplars(labels, point.exemplars)
        }
        return
      case 'histogram':
        for (const point of data.points) this.#histogram(name, point, shared)
        return
      case 'exponential':
        for (const point of data.points) {
          const native = nativeOfExponential(point)
          if (native === undefined) this.#drop(`${metric.name}: scale ${point.scale} is below -4`)
          else this.#native(labelsFromEntries(shared.of(name, point.attributes)), point, native)
        }
        return
      case 'summary':
        for (const point of data.points) {
          const series = (suffix: string, extra: readonly (readonly [string, string])[] = []) =>
            labelsFromEntries([...shared.of(name + suffix, point.attributes), ...extra])
          this.#sample(series('_sum'), point, point.sum)
          this.#sample(series('_count'), point, point.count)
          for (const { quantile, value } of point.quantiles)
            this.#sample(series('', [['quantile', formatFloatPlain(quantile)]]), point, value)
        }
    }
  }

  #histogram(name: string, point: HistogramPoint, shared: SharedLabels): void {
    if (this.#options.config.convertHistogramsToNhcb)
      return this.#native(labelsFromEntries(shared.of(name, point.attributes)), point, customOf(point))
    const series = (suffix: string, extra: readonly (readonly [string, string])[] = []) =>
      labelsFromEntries([...shared.of(name + suffix, point.attributes), ...extra])
    if (point.sum !== undefined) this.#sample(series('_sum'), point, point.sum)
    this.#sample(series('_count'), point, point.count)
    let below = 0
    let from = Number.NEGATIVE_INFINITY
    const bucket = (bound: number, count: number): void => {
      const labels = series('_bucket', [['le', formatFloatPlain(bound)]])
      this.#sample(labels, point, count)
      const lower = from
      this.#exemplars(
        labels,
        point.exemplars.filter(({ value }) => value > lower && value <= bound),
      )
      from = bound
    }
    for (const [i, bound] of point.bounds.entries()) bucket(bound, (below += point.bucketCounts[i] ?? 0))
    bucket(Number.POSITIVE_INFINITY, point.count)
  }

  #native(
    labels: Labels,
    point: Point & { readonly exemplars: readonly PointExemplar[] },
    native: NativeHistogram,
  ): void {
    const fault = point.isMissing ? undefined : histogramFault(native)
    if (fault !== undefined) return this.#refuse(`${labelsText(labels)}: invalid histogram: ${fault}`)
    this.#write(point.timeMs, () => {
      if (point.isMissing) this.#appender.appendStale(undefined, labels, point.timeMs)
      else this.#appender.appendHistogram(undefined, labels, point.timeMs, native)
    })
    this.#exemplars(labels, point.exemplars)
  }

  #sample(labels: Labels, { timeMs, isMissing }: Point, value: number): void {
    this.#write(timeMs, () => {
      if (isMissing) this.#appender.appendStale(undefined, labels, timeMs)
      else this.#appender.append(undefined, labels, timeMs, value)
    })
  }

  #write(timeMs: number, write: () => void): void {
    this.#timesMs = [Math.min(this.#timesMs[0], timeMs), Math.max(this.#timesMs[1], timeMs)]
    try {
      write()
    } catch (error) {
      if (!(error instanceof AppError) || error.httpStatus >= 500) throw error
      this.#refuse(error.message)
    }
  }

  /** One that the store does not want fails nothing. */
  #exemplars(labels: Labels, exemplars: readonly PointExemplar[]): void {
    for (const { attributes, traceId, spanId, timeMs, value } of exemplars) {
      const told = labelsFromEntries([...attributes, ['trace_id', traceId], ['span_id', spanId]])
      try {
        this.#appender.appendExemplar(labels, { labels: told, value, timestampMs: timeMs })
      } catch (error) {
        if (!(error instanceof AppError)) throw error
      }
    }
  }

  /** Often enough that a look back always finds it. */
  #targetInfo(shared: SharedLabels): void {
    const [oldestMs, newestMs] = this.#timesMs
    const labels = newestMs > 0 ? shared.ofTargetInfo() : undefined
    if (labels === undefined) return
    const everyMs = Math.max(1, this.#options.lookbackMs / 2)
    // A point without a time, or of another age, is no reason to write the years in between.
    const fromMs = Math.max(oldestMs, newestMs - INFOS_MAX * everyMs)
    for (let atMs = fromMs; atMs < newestMs; atMs += everyMs) this.#info(labels, atMs)
    this.#info(labels, newestMs)
  }

  /** Requests overlap: what is there already, or is older, says the same. */
  #info(labels: Labels, timeMs: number): void {
    try {
      this.#appender.append(undefined, labels, timeMs, 1)
    } catch (error) {
      if (!(error instanceof AppError) || error.httpStatus >= 500) throw error
    }
  }

  #refuse(why: string): void {
    if (this.refused.length < FAULTS_MAX) this.refused.push(why)
  }

  #drop(why: string): void {
    if (this.dropped.length < FAULTS_MAX) this.dropped.push(why)
  }
}

function typeOf({ data }: Metric): MetricType {
  if (data?.kind === 'sum') return data.isMonotonic ? 'counter' : 'gauge'
  if (data?.kind === 'gauge' || data?.kind === 'summary') return data.kind
  return 'histogram'
}

function customOf({ bounds, bucketCounts, count, sum }: HistogramPoint): NativeHistogram {
  const filled = [...bounds, Number.POSITIVE_INFINITY].map((_, i) => bucketCounts[i] ?? 0)
  return {
    integer: true,
    counterResetHint: CounterResetHint.UNKNOWN,
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count,
    sum: sum ?? 0,
    positiveSpans: [{ offset: 0, length: filled.length }],
    positiveBuckets: Float64Array.from(filled),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customBounds: Float64Array.from(bounds),
  }
}
