import type { Registry } from '../../lib/index.ts'
import { Counter, Gauge, gaugeOf, Summary } from '../../lib/metrics.ts'

/** What the sending of alerts tells about itself, under Prometheus' names. */
export class NotifierMetrics {
  readonly sent: Counter
  readonly errors: Counter
  readonly dropped: Counter
  readonly latency: Summary
  readonly queueLength: Gauge

  constructor(registry: Registry, facts: { readonly queueCapacity: number; readonly alertmanagerCount: () => number }) {
    const perAlertmanager = { labelNames: ['alertmanager'], registers: [registry] }
    this.sent = new Counter({
      name: 'prometheus_notifications_sent_total',
      help: 'Total number of alerts sent.',
      ...perAlertmanager,
    })
    this.errors = new Counter({
      name: 'prometheus_notifications_errors_total',
      help: 'Total number of sent alerts affected by errors.',
      ...perAlertmanager,
    })
    this.dropped = new Counter({
      name: 'prometheus_notifications_dropped_total',
      help: 'Total number of alerts dropped due to errors when sending to Alertmanager.',
      ...perAlertmanager,
    })
    this.latency = new Summary({
      name: 'prometheus_notifications_latency_seconds',
      help: 'Latency quantiles for sending alert notifications.',
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      ...perAlertmanager,
    })
    this.queueLength = new Gauge({
      name: 'prometheus_notifications_queue_length',
      help: 'The number of alert notifications in the queue.',
      ...perAlertmanager,
    })
    gaugeOf(
      registry,
      'prometheus_notifications_queue_capacity',
      'The capacity of the alert notifications queue.',
      () => facts.queueCapacity,
    )
    gaugeOf(
      registry,
      'prometheus_notifications_alertmanagers_discovered',
      'The number of alertmanagers discovered and active.',
      facts.alertmanagerCount,
    )
  }

  add(alertmanager: string): void {
    for (const counter of [this.sent, this.errors, this.dropped]) counter.inc({ alertmanager }, 0)
    this.queueLength.set({ alertmanager }, 0)
  }

  remove(alertmanager: string): void {
    for (const metric of [this.sent, this.errors, this.dropped, this.latency, this.queueLength])
      metric.remove({ alertmanager })
  }
}
