/** Flat `[name, value, …]` sorted by name. Unlike `Labels` of the model, an empty value is kept: it is exposed as `e=""`. */
export type PushedLabels = readonly string[]

export type PushedType = 'counter' | 'gauge' | 'untyped' | 'summary' | 'histogram'

/** One number, or one distribution: `points` are quantiles with values, or upper bounds with cumulative counts. */
export type PushedMetric =
  | { readonly labels: PushedLabels; readonly value: number }
  | { readonly labels: PushedLabels; readonly points: readonly Point[]; readonly sum: number; readonly count: number }

export type Point = readonly [at: number, value: number]

export interface PushedFamily {
  readonly name: string
  readonly type: PushedType
  /** '' when the push had no HELP line. */
  readonly help: string
  readonly metrics: readonly PushedMetric[]
}
