import type { Logger } from '../../../lib/index.ts'
import { labelsToRecord } from '../../../model/index.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'

/** Tells our own log, one line for each alert. */
export class LogNotifier implements Notifier {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    for (const { alert, resolved } of notification.alerts) {
      const facts = { labels: labelsToRecord(alert.labels), annotations: labelsToRecord(alert.annotations) }
      if (resolved) this.#logger.info(facts, 'Alert resolved')
      else this.#logger.warn(facts, 'Alert firing')
    }
    return { detail: 'logged' }
  }

  async close(): Promise<void> {
    // The logger belongs to the caller.
  }
}
