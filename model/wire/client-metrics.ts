/** Metric families as client libraries send them in protobuf (`io.prometheus.client.MetricFamily`), as plain data. */
import type { Exemplar } from '../exemplar.ts'
import type { Labels } from '../labels.ts'
import type { MetricType } from '../metadata.ts'
import type { NativeHistogram } from '../native-histogram.ts'

export interface ClientMetricFamily {
  readonly name: string
  readonly help: string
  readonly unit: string
  readonly type: MetricType
  readonly metrics: readonly ClientMetric[]
}

/** One metric. Exactly the fields that its family's type asks for are set. */
export interface ClientMetric {
  /** Sorted, without the metric's name. */
  readonly labels: Labels
  /** Given by the page; `undefined`: the time of the scrape. */
  readonly timestampMs: number | undefined
  /** When the counter, histogram or summary began to count. */
  readonly createdMs: number | undefined
  /** Counter, gauge, unknown. */
  readonly value: number | undefined
  /** Of counters. */
  readonly exemplar: Exemplar | undefined
  readonly summary: ClientSummary | undefined
  readonly histogram: ClientHistogram | undefined
}

export interface ClientSummary {
  readonly count: number
  readonly sum: number
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[]
}

export interface ClientHistogram {
  readonly count: number
  readonly sum: number
  /** Classic buckets, ascending, cumulative; +Inf may be missing. */
  readonly buckets: readonly {
    readonly upperBound: number
    readonly cumulativeCount: number
    readonly exemplar: Exemplar | undefined
  }[]
  /** Set when the message holds a native histogram. */
  readonly native: NativeHistogram | undefined
  /** Of the native histogram. */
  readonly exemplars: readonly Exemplar[]
}
