import { wasmLockstep } from '../../kernels/index.ts'
import { PageMemory } from './page-memory.ts'
import { RecordingAppendable } from './recording-appendable.ts'
import { RecordingStore } from './recording-store.ts'
import type { ScrapeReport } from './report-series.ts'
import type { TargetRowsRules } from './target-rules.ts'
import { TargetRows } from './target-rows.ts'

// What the tests of a target's rows share: rules, reports, and a target whose rows and other samples are kept.

/** Nothing limited, nothing relabelled. */
export const RULES: TargetRowsRules = {
  honorLabels: false,
  legacyNames: false,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  relabel: undefined,
  sampleLimit: 0,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  extraScrapeMetrics: false,
  scrapeNativeHistograms: false,
  convertClassicHistograms: false,
  alwaysScrapeClassicHistograms: false,
  histogramBucketLimit: 0,
  histogramSchemaMax: 8,
}

/** Relabelling that drops series with such a label value. */
export const dropping =
  (value: string): NonNullable<TargetRowsRules['relabel']> =>
  (labels) =>
    labels.includes(value) ? undefined : labels

/** Of a scrape that went well. */
export const REPORT: ScrapeReport = {
  up: true,
  durationMs: 1,
  samplesScraped: 0,
  samplesKept: 0,
  seriesAdded: 0,
  timeoutMs: 1000,
  sampleLimit: 0,
  bodyBytes: 0,
}

export interface TargetRig {
  readonly rows: TargetRows
  readonly memory: PageMemory
  readonly store: RecordingStore
  readonly appendable: RecordingAppendable
}

/** The target `{job="j"}`. @param rules as far as they differ from `RULES` */
export function targetRig(rules: Partial<TargetRowsRules> = {}): TargetRig {
  const memory = new PageMemory(wasmLockstep)
  const store = new RecordingStore()
  const appendable = new RecordingAppendable()
  const rows = new TargetRows({ memory, store, appendable }, ['job', 'j'], { ...RULES, ...rules })
  return { rows, memory, store, appendable }
}
