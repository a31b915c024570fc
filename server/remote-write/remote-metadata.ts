import type { MetricMetadata } from '../../model/index.ts'

const METRICS_MAX = 100_000

/** What senders say of their metrics: the newest statement of each, of so many metrics at most. */
export class RemoteMetadata {
  readonly #byMetric = new Map<string, MetricMetadata>()

  set(metricName: string, metadata: MetricMetadata): void {
    if (metricName === '' || (this.#byMetric.size >= METRICS_MAX && !this.#byMetric.has(metricName))) return
    this.#byMetric.set(metricName, metadata)
  }

  get entries(): ReadonlyMap<string, MetricMetadata> {
    return this.#byMetric
  }
}
