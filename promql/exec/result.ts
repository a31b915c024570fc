import type { Labels, NativeHistogram, ResolutionUse, VectorSample } from '../../model/index.ts'

/** Points of one series, oldest first; only steps that have a value. The arrays may be shared between series: do not write. */
export interface MatrixSeries {
  readonly labels: Labels
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  /** Set at the points that are native histograms; absent when there is none. */
  readonly histograms?: readonly (NativeHistogram | undefined)[] | undefined
}

/** What an expression evaluates to. Matrices of range queries are sorted by labels; vectors keep the evaluation's order. */
export type QueryResult =
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] }
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timestampMs: number; readonly value: string }

/** Seconds spent, and samples read and held, by one evaluation. */
export interface EvaluationStats {
  readonly timings: {
    readonly evalTotalTime: number
    readonly resultSortTime: number
    readonly queryPreparationTime: number
    readonly innerEvalTime: number
    /** Before the evaluation began; where there was a queue. */
    readonly execQueueTime?: number
  }
  readonly samples: {
    /** Samples looked at, counted once per step that saw them. */
    readonly totalQueryableSamples: number
    /** The same for each step; only where it was asked for. */
    readonly totalQueryableSamplesPerStep?: readonly (readonly [timestampMs: number, samples: number])[]
    /** The most samples held in memory at one time. */
    readonly peakSamples: number
  }
  /** Where summaries stood for samples that are gone, or could not; absent where there were samples all over. */
  readonly resolutions?: readonly ResolutionUse[]
}

export interface Evaluation {
  readonly result: QueryResult
  /** Rendered with prefix and `(line:column)`, without duplicates. */
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
  readonly stats: EvaluationStats
}
