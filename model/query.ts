import type { Labels } from './labels.ts'
import type { NativeHistogram } from './native-histogram.ts'

/** One element of an instant vector, as rules and templates see it. */
export interface VectorSample {
  readonly labels: Labels
  readonly timestampMs: number
  /** NaN where `histogram` is set. */
  readonly value: number
  readonly histogram?: NativeHistogram | undefined
}

/** The answer to an instant query, outside the HTTP API. */
export type InstantValue =
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timestampMs: number; readonly value: string }

/** The rule group that a query is asked for. */
export interface QueryOrigin {
  readonly file: string
  readonly name: string
}

/**
 * Evaluates PromQL at one instant, somewhere else (a query worker). Rules and templates get it by constructor argument.
 *
 * @throws {AppError} parse errors, evaluation errors, timeout; the message is Prometheus'
 */
export type QueryFunction = (expr: string, timeMs: number, origin?: QueryOrigin) => Promise<InstantValue>

/**
 * Samples of `selector` (a plain vector selector) between two times, both inclusive, oldest first; for restoring alert state.
 * A staleness marker is a point whose value is NaN: the end of a series tells that its alert was over.
 */
export type RangeFunction = (
  selector: string,
  range: { readonly startMs: number; readonly endMs: number },
) => Promise<
  readonly { readonly labels: Labels; readonly points: readonly (readonly [timestampMs: number, value: number])[] }[]
>
