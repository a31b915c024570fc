import { AppError } from '../../lib/errors.ts'
import type { Exemplar } from '../exemplar.ts'
import type { Labels } from '../labels.ts'
import type { MetricMetadata } from '../metadata.ts'

/** `text` is Prometheus' text format (0.0.4 and 1.0.0), `openmetrics` is OpenMetrics text (0.0.1 and 1.0.0). */
export type ExpositionFormat = 'text' | 'openmetrics'

/** The page breaks the format's rules; nothing of it may be used. */
export class ExpositionError extends AppError {
  override readonly code = 'ERR_EXPOSITION'
  override readonly httpStatus = 400
  /** Counted from 1. */
  readonly line: number
  readonly reason: string

  constructor(line: number, reason: string, options?: ErrorOptions) {
    super(`line ${line}: ${reason}`, options)
    this.line = line
    this.reason = reason
  }
}

export interface ExpositionSample {
  /** With `__name__`; sorted, empty values dropped, `le` of histograms and `quantile` of summaries in Go's form. */
  readonly labels: Labels
  readonly value: number
  /** Where the page states a time. Unix milliseconds. */
  readonly timestampMs: number | undefined
  readonly exemplar: Exemplar | undefined
  /** Names of labels written with an empty value. To honour labels they matter: they take the target's label away. */
  readonly emptyLabels: readonly string[]
}

/** Samples under the family their name belongs to (`x_bucket`, `x_sum`, `x_count` to histogram `x`), in page order. */
export interface MetricFamily extends MetricMetadata {
  readonly name: string
  readonly samples: readonly ExpositionSample[]
}

const MEDIA_TYPES: ReadonlyMap<string, ExpositionFormat> = new Map([
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
])

/** The format a Content-Type names, `undefined` where it is missing or not one of ours. Parameters do not matter. */
export function formatOfContentType(contentType: string): ExpositionFormat | undefined {
  return MEDIA_TYPES.get(contentType.split(';', 1)[0]!.trim().toLowerCase())
}
