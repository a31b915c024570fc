import {
  type Appendable,
  type Appender,
  type Exemplar,
  type Labels,
  labelsKey,
  type NativeHistogram,
  type SeriesRef,
} from '../../model/index.ts'
import { countRefusal, FUTURE_MAX_MS, type RefusedSamples } from './external-samples.ts'

interface HistogramSeries {
  readonly labels: Labels
  ref: SeriesRef | undefined
}

interface StagedHistogram {
  readonly series: HistogramSeries
  readonly timestampMs: number | undefined
  readonly histogram: NativeHistogram
}

interface StagedExemplar {
  readonly labels: Labels
  /** The sample's own; `undefined` = the scrape's. */
  readonly timestampMs: number | undefined
  readonly exemplar: Exemplar
}

/** What a row of floats cannot hold: native histograms and exemplars of one target, appended at the row's time. */
export class ExtraSamples {
  readonly #appendable: Appendable
  readonly #series = new Map<string, HistogramSeries>()
  #histograms: StagedHistogram[] = []
  #exemplars: StagedExemplar[] = []
  #live = new Set<HistogramSeries>()

  constructor(appendable: Appendable) {
    this.#appendable = appendable
  }

  /** @returns whether the series has not been there in the scrape before */
  stageHistogram(labels: Labels, timestampMs: number | undefined, histogram: NativeHistogram): boolean {
    const key = labelsKey(labels)
    let series = this.#series.get(key)
    if (!series) this.#series.set(key, (series = { labels, ref: undefined }))
    this.#histograms.push({ series, timestampMs, histogram })
    return !this.#live.has(series)
  }

  stageExemplar(labels: Labels, timestampMs: number | undefined, exemplar: Exemplar): void {
    this.#exemplars.push({ labels, timestampMs, exemplar })
  }

  discard(): void {
    if (this.#histograms.length > 0) this.#histograms = []
    if (this.#exemplars.length > 0) this.#exemplars = []
  }

  /**
   * Appends what was staged; histogram series that were there last time and are not now get a stale marker. Those that carry
   * times of their own are none of ours to end, unless `trackStaleness`.
   *
   * @returns `undefined` if there is nothing to do
   */
  flush(scrapeMs: number, trackStaleness: boolean, refused: RefusedSamples): Promise<void> | undefined {
    if (this.#histograms.length === 0 && this.#exemplars.length === 0 && this.#live.size === 0) return undefined
    const histograms = this.#histograms
    const exemplars = this.#exemplars
    this.discard()
    const present = new Set(histograms.map(({ series }) => series))
    const gone = [...this.#live].filter((series) => !present.has(series))
    this.#live = new Set(
      histograms.filter(({ timestampMs }) => trackStaleness || timestampMs === undefined).map(({ series }) => series),
    )
    const appender = this.#appendable.appender()
    for (const { series, timestampMs = scrapeMs, histogram } of histograms) {
      if (timestampMs > scrapeMs + FUTURE_MAX_MS) refused.outOfBounds++
      else {
        countRefusal(refused, () => {
          series.ref = appender.appendHistogram(series.ref, series.labels, timestampMs, histogram)
        })
      }
    }
    this.#appendStale(appender, gone, scrapeMs, refused)
    for (const { labels, timestampMs, exemplar } of exemplars) {
      appender.appendExemplar(labels, { ...exemplar, timestampMs: exemplar.timestampMs ?? timestampMs ?? scrapeMs })
    }
    return appender.commit()
  }

  #appendStale(appender: Appender, gone: readonly HistogramSeries[], scrapeMs: number, refused: RefusedSamples): void {
    for (const series of gone) {
      countRefusal(refused, () => (series.ref = appender.appendStale(series.ref, series.labels, scrapeMs)))
      this.#series.delete(labelsKey(series.labels))
    }
  }
}
