import type { Exemplar, NativeHistogram } from '../model/index.ts'

/** Flat `[name, value, …]` sorted by name. Unlike `Labels` of the model, an empty value is kept: it is exposed as `e=""`. */
export type PushedLabels = readonly string[]

export type PushedType = 'counter' | 'gauge' | 'untyped' | 'summary' | 'histogram' | 'gaugehistogram'

/** One number, or one distribution. What is optional is absent unless the push says it; text of 0.0.4 cannot. */
export type PushedMetric = PushedNumber | PushedDistribution

export interface PushedNumber {
  readonly labels: PushedLabels
  readonly value: number
  readonly exemplar?: Exemplar
  readonly createdMs?: number
}

export interface PushedDistribution {
  readonly labels: PushedLabels
  /** Quantiles with values, or upper bounds with cumulative counts. */
  readonly points: readonly Point[]
  readonly sum: number
  readonly count: number
  /** At the index of the bucket in `points`. */
  readonly bucketExemplars?: readonly (Exemplar | undefined)[]
  readonly native?: NativeHistogram
  readonly nativeExemplars?: readonly Exemplar[]
  readonly createdMs?: number
}

export type Point = readonly [at: number, value: number]

export interface PushedFamily {
  readonly name: string
  readonly type: PushedType
  /** '' when the push had no HELP line. */
  readonly help: string
  readonly metrics: readonly PushedMetric[]
}

export const isHistogram = (type: PushedType): boolean => type === 'histogram' || type === 'gaugehistogram'

/** Whether text format 0.0.4 says all that the metric says. */
export function fitsText(metric: PushedMetric): boolean {
  if (metric.createdMs !== undefined) return false
  if ('value' in metric) return metric.exemplar === undefined
  return metric.native === undefined && metric.bucketExemplars === undefined && metric.nativeExemplars === undefined
}

/** `[name, value]` of each label. */
export function* labelPairs(labels: PushedLabels): Generator<readonly [name: string, value: string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i]!, labels[i + 1]!]
}
