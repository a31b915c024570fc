import { type Clock, errorMessage, type HttpClient, type Logger } from '../../lib/index.ts'
import type { Alert } from '../../model/index.ts'
import { alertsJson } from './alert-json.ts'
import type { NotifierMetrics } from './notifier-metrics.ts'
import { SendQueue } from './send-queue.ts'
import { type RelabelFunction, relabelAlerts } from './sinks.ts'

/** An Alertmanager to send to. */
export interface AlertmanagerTarget {
  /** Up to and without `/api/v2/alerts`; its identity. */
  readonly url: string
  readonly client: HttpClient
  readonly timeoutMs: number
  /** The `alert_relabel_configs` of its own configuration. */
  readonly relabel?: RelabelFunction
}

/** The loop of one Alertmanager: one batch at a time, so that a slow one holds up nobody else. */
export class AlertmanagerSender {
  target: AlertmanagerTarget
  readonly #queue: SendQueue
  readonly #batchSize: number
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #metrics: NotifierMetrics
  #loop: Promise<void> | undefined
  #isClosed = false

  constructor(
    target: AlertmanagerTarget,
    options: {
      readonly queueCapacity: number
      readonly batchSize: number
      readonly clock: Clock
      readonly logger: Logger
      readonly metrics: NotifierMetrics
    },
  ) {
    this.target = target
    this.#queue = new SendQueue(options.queueCapacity)
    this.#batchSize = options.batchSize
    this.#clock = options.clock
    this.#logger = options.logger
    this.#metrics = options.metrics
    this.#metrics.add(target.url)
  }

  push(alerts: readonly Alert[]): void {
    const { relabel, url } = this.target
    const dropped = this.#queue.push(relabel ? relabelAlerts(alerts, relabel) : alerts)
    if (dropped > 0) {
      this.#metrics.dropped.inc({ alertmanager: url }, dropped)
      this.#logger.warn({ alertmanager: url, dropped }, 'alert queue is full, the oldest alerts are dropped')
    }
    this.#setLength()
    this.#loop ??= this.#run()
  }

  /** Sends what is queued, or gives it up when `deadline` resolves. */
  async close(deadline: Promise<void>): Promise<void> {
    const drained = this.#loop ?? Promise.resolve()
    await Promise.race([drained, deadline])
    this.#isClosed = true
    const left = this.#queue.clear()
    if (left > 0) this.#logger.warn({ alertmanager: this.target.url, left }, 'stopped with alerts not sent')
  }

  /** No longer wanted: what is queued is dropped. */
  discard(): void {
    this.#isClosed = true
    this.#queue.clear()
    this.#metrics.remove(this.target.url)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#post(this.#queue.take(this.#batchSize))
      this.#setLength()
    }
    this.#loop = undefined
  }

  /** Without a second try: the rules send again what still holds. */
  async #post(alerts: readonly Alert[]): Promise<void> {
    const { client, timeoutMs, url } = this.target
    const startMs = this.#clock.nowMs()
    let failure: string | undefined
    try {
      const { status } = await client.request({
        url: `${url}/api/v2/alerts`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: alertsJson(alerts),
        timeoutMs,
      })
      if (status < 200 || status > 299) failure = `bad response status ${status}`
    } catch (error) {
      failure = errorMessage(error)
    }
    if (this.#isClosed) return // Its metrics may be gone.
    const labels = { alertmanager: url }
    this.#metrics.latency.observe(labels, (this.#clock.nowMs() - startMs) / 1000)
    this.#metrics.sent.inc(labels, alerts.length)
    if (failure === undefined) return
    this.#metrics.errors.inc(labels, alerts.length)
    this.#metrics.dropped.inc(labels, alerts.length)
    this.#logger.error({ alertmanager: url, alertCount: alerts.length, reason: failure }, 'sending alerts failed')
  }

  #setLength(): void {
    if (!this.#isClosed) this.#metrics.queueLength.set({ alertmanager: this.target.url }, this.#queue.length)
  }
}
