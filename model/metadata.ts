export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown'

/** What TYPE, HELP and UNIT lines say of a metric family. */
export interface MetricMetadata {
  readonly type: MetricType
  readonly help: string
  readonly unit: string
}
