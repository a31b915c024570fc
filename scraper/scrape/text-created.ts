import {
  type ExpositionSample,
  labelsKey,
  labelValue,
  METRIC_NAME,
  type MetricMetadata,
  withLabels,
} from '../../model/index.ts'
import type { CreatedSample } from './split-page.ts'

const COUNTING: ReadonlySet<string> = new Set(['counter', 'histogram', 'summary'])
const SUFFIX = '_created'

/** `_created` lines of an OpenMetrics page: they are about the other lines of their metric. */
export class TextCreated {
  /** Seconds by metric. */
  readonly #created = new Map<string, number>()
  readonly #counting: { readonly metric: string; readonly sample: ExpositionSample }[] = []

  /** Whether the line says when a metric was created: it is no sample then. */
  take(sample: ExpositionSample, metadata: ReadonlyMap<string, MetricMetadata>): boolean {
    const name = labelValue(sample.labels, METRIC_NAME)
    if (name.endsWith(SUFFIX)) {
      const family = name.slice(0, -SUFFIX.length)
      if (!COUNTING.has(metadata.get(family)?.type ?? '')) return false
      this.#created.set(metricKey(sample, family), sample.value)
      return true
    }
    const family = name.replace(/(_total|_bucket|_sum|_count)$/, '')
    const counted = [name, family].find((one) => COUNTING.has(metadata.get(one)?.type ?? ''))
    if (counted !== undefined) this.#counting.push({ metric: metricKey(sample, counted), sample })
    return false
  }

  *samples(): Iterable<CreatedSample> {
    for (const { metric, sample } of this.#counting) {
      const seconds = this.#created.get(metric)
      if (seconds === undefined) continue
      const { labels, emptyLabels, timestampMs } = sample
      yield { labels, emptyLabels, timestampMs, createdMs: Math.round(seconds * 1000), histogram: undefined }
    }
  }
}

/** Lines of one metric differ in nothing else. */
const metricKey = ({ labels }: ExpositionSample, family: string): string =>
  labelsKey(
    withLabels(labels, [
      [METRIC_NAME, family],
      ['le', ''],
      ['quantile', ''],
    ]),
  )
