// What a request of the OpenTelemetry protocol says, however it is written. Times are Unix milliseconds.

/** Values as text. */
export type Attributes = readonly (readonly [name: string, value: string])[]

export interface ResourceMetrics {
  readonly attributes: Attributes
  readonly scopes: readonly ScopeMetrics[]
}

export interface Scope {
  readonly name: string
  readonly version: string
  readonly schemaUrl: string
  readonly attributes: Attributes
}

export interface ScopeMetrics extends Scope {
  readonly metrics: readonly Metric[]
}

export interface Metric {
  readonly name: string
  readonly description: string
  readonly unit: string
  /** `undefined`: of a kind that is not known. */
  readonly data: MetricData | undefined
}

export const Temporality = { UNSPECIFIED: 0, DELTA: 1, CUMULATIVE: 2 } as const

export type MetricData =
  | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
  | {
      readonly kind: 'sum'
      readonly points: readonly NumberPoint[]
      readonly temporality: number
      readonly isMonotonic: boolean
    }
  | { readonly kind: 'histogram'; readonly points: readonly HistogramPoint[]; readonly temporality: number }
  | { readonly kind: 'exponential'; readonly points: readonly ExponentialPoint[]; readonly temporality: number }
  | { readonly kind: 'summary'; readonly points: readonly SummaryPoint[] }

export interface Point {
  readonly attributes: Attributes
  readonly timeMs: number
  /** The series has ended: nothing was recorded. */
  readonly isMissing: boolean
}

export interface NumberPoint extends Point {
  readonly value: number
  readonly exemplars: readonly PointExemplar[]
}

interface Distribution extends Point {
  readonly count: number
  /** `undefined`: not told. */
  readonly sum: number | undefined
  readonly exemplars: readonly PointExemplar[]
}

export interface HistogramPoint extends Distribution {
  /** Upper, ascending; the last bucket has none. */
  readonly bounds: readonly number[]
  /** Of each bucket on its own. */
  readonly bucketCounts: readonly number[]
}

export interface ExponentialPoint extends Distribution {
  readonly scale: number
  readonly zeroCount: number
  readonly zeroThreshold: number
  readonly positive: ExponentialBuckets
  readonly negative: ExponentialBuckets
}

export interface ExponentialBuckets {
  /** Index of the first one: it begins at base ^ offset. */
  readonly offset: number
  readonly counts: readonly number[]
}

export interface SummaryPoint extends Point {
  readonly count: number
  readonly sum: number
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[]
}

export interface PointExemplar {
  readonly attributes: Attributes
  readonly timeMs: number
  readonly value: number
  /** Hexadecimal; '' = none. */
  readonly traceId: string
  readonly spanId: string
}

/** A flag of points. */
export const NO_RECORDED_VALUE = 1
