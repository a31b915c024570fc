import type { Clock, Logger, Registry } from '../../lib/index.ts'
import type { Alert, AlertSink } from '../../model/index.ts'
import { AlertmanagerSender, type AlertmanagerTarget } from './alertmanager-sender.ts'
import { NotifierMetrics } from './notifier-metrics.ts'

export interface ExternalNotifierOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Alerts waiting for one Alertmanager. Default 10 000. */
  readonly queueCapacity?: number
  /** Alerts in one request. Default 256. */
  readonly batchSize?: number
}

/** Sends alerts to every external Alertmanager; which of them counts is their cluster's matter. */
export interface ExternalNotifier extends AlertSink {
  /** Resolves at once: delivery goes on behind. */
  send(alerts: readonly Alert[]): Promise<void>
  /** The Alertmanagers from now on. One whose URL stays keeps its queue. The clients stay the caller's to close. */
  setAlertmanagers(targets: readonly AlertmanagerTarget[]): void
  /** URLs of `/api/v2/alerts`, for `/api/v1/alertmanagers`. */
  alertmanagerUrls(): readonly string[]
  /** Sends what is queued, for at most `drainMs`. */
  stop(drainMs: number): Promise<void>
}

export function createExternalNotifier(options: ExternalNotifierOptions): ExternalNotifier {
  return new Notifier(options)
}

class Notifier implements ExternalNotifier {
  readonly #clock: Clock
  readonly #senderOptions: ConstructorParameters<typeof AlertmanagerSender>[1]
  #senders = new Map<string, AlertmanagerSender>()
  #isStopped = false

  constructor(options: ExternalNotifierOptions) {
    const queueCapacity = options.queueCapacity ?? 10_000
    this.#clock = options.clock
    this.#senderOptions = {
      queueCapacity,
      batchSize: options.batchSize ?? 256,
      clock: options.clock,
      logger: options.logger.child({ module: 'notifier' }),
      metrics: new NotifierMetrics(options.registry, { queueCapacity, alertmanagerCount: () => this.#senders.size }),
    }
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    if (this.#isStopped) return
    for (const sender of this.#senders.values()) sender.push(alerts)
  }

  setAlertmanagers(targets: readonly AlertmanagerTarget[]): void {
    const next = new Map<string, AlertmanagerSender>()
    for (const target of targets) {
      const sender = this.#senders.get(target.url) ?? next.get(target.url)
      if (sender) sender.target = target
      next.set(target.url, sender ?? new AlertmanagerSender(target, this.#senderOptions))
    }
    for (const [url, sender] of this.#senders) if (!next.has(url)) sender.discard()
    this.#senders = next
  }

  alertmanagerUrls(): readonly string[] {
    return [...this.#senders.keys()].map((url) => `${url}/api/v2/alerts`)
  }

  async stop(drainMs: number): Promise<void> {
    this.#isStopped = true
    let cancel = (): void => undefined
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(drainMs, resolve)
    })
    await Promise.all([...this.#senders.values()].map((sender) => sender.close(deadline)))
    cancel()
  }
}
