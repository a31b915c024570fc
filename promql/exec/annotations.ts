import { quoteGo } from '../../model/index.ts'
import type { Span } from '../parse/ast.ts'
import { positionOf } from '../parse/parse-error.ts'

type Level = 'warning' | 'info'

/** Collects what a query's author should know; equal messages are kept once, with the first position. */
export class Annotations {
  readonly #warnings = new Map<string, Span | undefined>()
  readonly #infos = new Map<string, Span | undefined>()

  warn(message: string, span: Span | undefined): void {
    if (!this.#warnings.has(message)) this.#warnings.set(message, span)
  }

  info(message: string, span: Span | undefined): void {
    if (!this.#infos.has(message)) this.#infos.set(message, span)
  }

  /** @param text the expression, for line and column; '' leaves positions away */
  render(level: Level, text: string): string[] {
    const entries = level === 'warning' ? this.#warnings : this.#infos
    // A message without a position is about the answer, not about the expression, and carries no prefix.
    return [...entries].map(([message, span]) =>
      span === undefined
        ? message
        : `PromQL ${level}: ${message}${text === '' ? '' : ` (${placeOf(text, span.start)})`}`,
    )
  }
}

function placeOf(text: string, offset: number): string {
  const { line, column } = positionOf(text, offset)
  return `${line}:${column}`
}

/** ` for metric name "x"`, or nothing where the name is not known. */
export const forMetric = (metricName: string): string =>
  metricName === '' ? '' : ` for metric name ${quoteGo(metricName)}`

/** What may be said about the histograms of one metric, each with its exact text. */
export interface HistogramNotes {
  mixedWithFloats(): void
  mixedSchemas(): void
  notCounter(): void
  notGauge(): void
  /** Histograms were left out of a range that also has floats. */
  ignoredInRange(): void
  boundsReconciled(during: 'addition' | 'subtraction' | 'aggregation'): void
  resetsConflict(during: 'addition' | 'subtraction' | 'aggregation'): void
  overlappingStart(): void
}

export function histogramNotes(to: Annotations, metricName: string, span: Span): HistogramNotes {
  const quoted = quoteGo(metricName)
  // Told also where it is not known, as in Prometheus.
  const metric = ` for metric name ${quoted}`
  return {
    mixedWithFloats: () => to.warn(`encountered a mix of histograms and floats${metric}`, span),
    mixedSchemas: () => to.warn(`${MIXED_SCHEMAS}${metric}`, span),
    notCounter: () => to.warn(`this native histogram metric is not a counter: ${quoted}`, span),
    notGauge: () => to.warn(`this native histogram metric is not a gauge: ${quoted}`, span),
    ignoredInRange: () => to.info(`ignored histograms in a range containing both floats and histograms${metric}`, span),
    boundsReconciled: (during) => to.info(boundsReconciledText(during), span),
    resetsConflict: (during) => to.warn(resetsConflictText(during), span),
    overlappingStart: () =>
      to.warn(`sample has start time that overlaps with previous sample timestamp for metric ${quoted}`, span),
  }
}

const MIXED_SCHEMAS = 'vector contains a mix of histograms with exponential and custom buckets schemas'
const boundsReconciledText = (during: string): string => `mismatched custom buckets were reconciled during ${during}`
const resetsConflictText = (during: string): string => `conflicting counter resets during histogram ${during}`
