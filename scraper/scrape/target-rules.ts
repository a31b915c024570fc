import { ScrapeLimitError, type SeriesLabelRules } from './series-labels.ts'
import type { HistogramRules } from './split-page.ts'

/** How the pages of one target are understood: what of the job's configuration matters to them. */
export interface TargetRowsRules extends SeriesLabelRules, HistogramRules {
  /** 0 = none; counts samples left by relabelling. */
  readonly sampleLimit: number
  readonly honorTimestamps: boolean
  readonly trackTimestampsStaleness: boolean
  readonly extraScrapeMetrics: boolean
  /** Most buckets of a native histogram, 0 = no limit. */
  readonly histogramBucketLimit: number
  /** Finest resolution of native histograms. */
  readonly histogramSchemaMax: number
}

/** What a page held; for the report. */
export interface PageCounts {
  readonly samplesScraped: number
  /** Left by relabelling. */
  readonly samplesKept: number
  readonly seriesAdded: number
}

/** More samples than `sample_limit`. */
export class SampleLimitError extends ScrapeLimitError {
  readonly counts: PageCounts

  constructor(counts: PageCounts) {
    super('sample limit exceeded')
    this.counts = counts
  }
}

/** @throws {SampleLimitError} @param sampleLimit 0 = none */
export function checkSampleLimit(counts: PageCounts, sampleLimit: number): void {
  if (sampleLimit > 0 && counts.samplesKept > sampleLimit) throw new SampleLimitError(counts)
}

export const addCounts = (a: PageCounts, b: PageCounts): PageCounts => ({
  samplesScraped: a.samplesScraped + b.samplesScraped,
  samplesKept: a.samplesKept + b.samplesKept,
  seriesAdded: a.seriesAdded + b.seriesAdded,
})
