import { type Labels, METRIC_NAME, ROW_ENTRY_BYTES, SampleKind } from '../../model/index.ts'

/** What a scrape says about itself, success or not. */
export interface ScrapeReport {
  readonly up: boolean
  readonly durationMs: number
  readonly samplesScraped: number
  readonly samplesKept: number
  readonly seriesAdded: number
  readonly timeoutMs: number
  readonly sampleLimit: number
  /** -1: over the limit; 0: failed otherwise. */
  readonly bodyBytes: number
}

interface ReportSeries {
  readonly name: string
  /** Decimal places kept; `valueOf` gives the value without its point. */
  readonly exponent: number
  valueOf(report: ScrapeReport): number
}

const SERIES: readonly ReportSeries[] = [
  { name: 'up', exponent: 0, valueOf: (report) => (report.up ? 1 : 0) },
  // Microseconds: enough to see, and few digits to store.
  { name: 'scrape_duration_seconds', exponent: 6, valueOf: (report) => Math.round(report.durationMs * 1000) },
  { name: 'scrape_samples_scraped', exponent: 0, valueOf: (report) => report.samplesScraped },
  { name: 'scrape_samples_post_metric_relabeling', exponent: 0, valueOf: (report) => report.samplesKept },
  { name: 'scrape_series_added', exponent: 0, valueOf: (report) => report.seriesAdded },
  { name: 'scrape_timeout_seconds', exponent: 3, valueOf: (report) => report.timeoutMs },
  { name: 'scrape_sample_limit', exponent: 0, valueOf: (report) => report.sampleLimit },
  { name: 'scrape_body_size_bytes', exponent: 0, valueOf: (report) => report.bodyBytes },
]
const PLAIN_COUNT = 5

/** The series about the scrape itself: the first positions of a target's rows. */
export class ReportSeriesWriter {
  readonly count: number
  /** Last mantissa written, NaN where the next one must be written whatever it is. */
  readonly #last: Float64Array

  constructor(withExtra: boolean) {
    this.count = withExtra ? SERIES.length : PLAIN_COUNT
    this.#last = new Float64Array(this.count).fill(Number.NaN)
  }

  labels(): Labels[] {
    return SERIES.slice(0, this.count).map(({ name }) => [METRIC_NAME, name])
  }

  /** The next row states every value again. */
  forget(): void {
    this.#last.fill(Number.NaN)
  }

  /**
   * Writes entries for values that changed, so that the last one ends at `endAt`.
   *
   * @param basePosition position of the first of these series
   * @param isShadowed tells series that the target itself exposes: those are not ours to write
   * @returns number of entries
   */
  write(
    words: Int32Array,
    endAt: number,
    basePosition: number,
    report: ScrapeReport,
    isShadowed: (position: number) => boolean,
  ): number {
    let count = 0
    for (let i = this.count - 1; i >= 0; i--) {
      const position = basePosition + i
      if (isShadowed(position)) {
        this.#last[i] = Number.NaN
        continue
      }
      const { exponent, valueOf } = SERIES[i]!
      const mantissa = valueOf(report)
      if (mantissa === this.#last[i]) continue
      this.#last[i] = mantissa
      count++
      const at = (endAt - count * ROW_ENTRY_BYTES) / 4
      words[at] = position
      words[at + 1] = SampleKind.DECIMAL | (exponent << 8)
      words[at + 2] = mantissa
      words[at + 3] = Math.floor(mantissa / 2 ** 32)
    }
    return count
  }
}
