import type { Labels } from './labels.ts'

/** One element of an instant vector, as rules and templates see it. */
export interface VectorSample {
  readonly labels: Labels
  readonly timestampMs: number
  readonly value: number
}

/** The answer to an instant query, outside the HTTP API. */
export type InstantValue =
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timestampMs: number; readonly value: string }

/**
 * Evaluates PromQL at one instant, somewhere else (a query worker). Rules and templates get it by constructor argument.
 *
 * @throws {AppError} parse errors, evaluation errors, timeout; the message is Prometheus'
 */
export type QueryFunction = (expr: string, timeMs: number) => Promise<InstantValue>

/** Samples of `selector` (a plain vector selector) between two times, oldest first; for restoring alert state. */
export type RangeFunction = (
  selector: string,
  range: { readonly startMs: number; readonly endMs: number },
) => Promise<
  readonly { readonly labels: Labels; readonly points: readonly (readonly [timestampMs: number, value: number])[] }[]
>
