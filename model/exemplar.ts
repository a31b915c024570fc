import type { Labels } from './labels.ts'

/** An example of what a series counted, usually with a trace id among its labels. */
export interface Exemplar {
  readonly labels: Labels
  readonly value: number
  /** `undefined`: the page named no time, so the sample's own applies. */
  readonly timestampMs: number | undefined
}

/** The exemplars of one series, oldest first; every one has a time. */
export interface SeriesExemplars {
  readonly seriesLabels: Labels
  readonly exemplars: readonly (Exemplar & { readonly timestampMs: number })[]
}
