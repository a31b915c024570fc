import type { Clock, Logger } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { FlushedAlert, GroupFlush } from '../dispatch/alert-group.ts'
import { StartLimiter } from '../dispatch/start-limiter.ts'
import type { AlertmanagerMetrics } from '../metrics.ts'
import type { Person } from '../oncall/types.ts'
import type { AlertmanagerState } from '../state.ts'
import type { Delivery } from './delivery-progress.ts'
import { Destination } from './destination.ts'
import type { Duty, Errand } from './duty.ts'
import type { NotificationReason } from './notification-log.ts'
import type { DeliveryResult, Integration, Notification, ReceiverData, SentMessage } from './notifier.ts'
import { whereOf } from './receipts/receipt-desk.ts'
import { contentId, fingerprintsOf } from './reason.ts'
import { type RetryOutcome, sendWithRetry } from './retry.ts'
import { recipientsOf } from './told.ts'

export interface SenderOptions {
  readonly state: AlertmanagerState
  /** Fills in the templates in a route's labels. */
  readonly renderRouteLabels: (flush: GroupFlush, alerts: readonly FlushedAlert[]) => Promise<Labels>
  /** How long to wait for other instances to notify. */
  readonly clusterWaitMs: () => number
  readonly duty: Duty
  /** Where a person acknowledges the group. */
  readonly ackUrlOf: (groupKey: string) => string
  /** What a reply acknowledges the group by. */
  readonly ackCodeOf: (groupKey: string) => string
  readonly externalUrl: string
  readonly clock: Clock
  readonly metrics: AlertmanagerMetrics
  readonly logger: Logger
}

/** One message to be sent. */
interface Sending {
  readonly flush: GroupFlush
  readonly alerts: readonly FlushedAlert[]
  readonly target: Integration
  readonly key: string
  readonly reason: NotificationReason
  readonly receiverData: ReceiverData
  readonly people: readonly Person[] | undefined
  readonly errand: Errand
}

/** Sends messages, each until it is taken or its time is over, and keeps on record that it was begun and how it ended. */
export class Sender {
  readonly #options: SenderOptions
  readonly #destinations = new Map<Integration, Destination>()
  readonly #starts = new StartLimiter()

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** `undefined` = nobody has taken it. */
  async send(sending: Sending): Promise<DeliveryResult | undefined> {
    const { flush, alerts, target, key, reason, receiverData, people, errand } = sending
    const { state, clock, metrics } = this.#options
    const messages: SentMessage[] = []
    const notification: Omit<Notification, 'routeLabels'> = {
      receiver: target.receiver,
      groupKey: flush.groupKey,
      groupLabels: flush.groupLabels,
      alerts,
      reason,
      externalUrl: this.#options.externalUrl,
      receiverData,
      ...recipientsOf(target, people),
      onTaken: (message) => {
        messages.push(message)
        this.#options.duty.sent(target, flush.groupKey, message)
      },
      extra: {
        AckURL: this.#options.ackUrlOf(flush.groupKey),
        AckCode: this.#options.ackCodeOf(flush.groupKey),
        OnCall: (people ?? []).map(({ name }) => name).join(', '),
      },
      deadlineMs: flush.deadlineMs + this.#options.clusterWaitMs(),
    }
    const startedAtMs = clock.nowMs()
    const delivery = await this.#begin(sending, startedAtMs)
    const labels = { integration: target.name }
    metrics.notifications.inc(labels)
    state.outgoing.begin(key, {
      groupKey: flush.groupKey,
      groupLabels: flush.groupLabels,
      receiver: target.receiver,
      integration: target.name,
      index: target.index,
      reason,
      alertCount: alerts.length,
      sinceMs: startedAtMs,
    })
    // Whether the last attempt failed because we stop: nobody knows whether it was heard.
    let isBrokenOff = false
    const outcome = await sendWithRetry({
      attempt: async () => {
        const routeLabels = await this.#options.renderRouteLabels(flush, alerts)
        if (notification.recipients?.length === 0) return { detail: 'nobody on call is reached this way' }
        return target.notifier.send({ ...notification, routeLabels }, delivery)
      },
      onWait: (failure) => state.outgoing.waits(key, failure),
      onAttempt: (error, nextAttemptAtMs) => {
        metrics.requests.inc(labels)
        if (!error) return
        isBrokenOff = flush.signal.aborted
        metrics.requestsFailed.inc(labels)
        state.outgoing.failed(key, error.message, nextAttemptAtMs, state.log)
      },
      clock,
      deadlineMs: flush.deadlineMs + this.#options.clusterWaitMs(),
      signal: flush.signal,
      // Nothing is sent to nobody: it neither waits in line nor shows that the service answers.
      destination: notification.recipients?.length === 0 ? new Destination() : this.#destinationOf(target),
      starts: this.#starts,
    })
    const durationMs = clock.nowMs() - startedAtMs
    metrics.latency.observe(labels, durationMs / 1000)
    if (outcome.error && !isBrokenOff) delivery.failed()
    if (outcome.error) metrics.failed.inc({ ...labels, reason: outcome.error.reason })
    if (errand.kind === 'step' && outcome.error) errand.errors.push(`${whereOf(target)}: ${outcome.error.message}`)
    this.#record(notification, target, { ...outcome, messages }, durationMs)
    return outcome.result
  }

  /** Resolves when it is on disk that the message may have been heard; a disk that fails must not keep anybody from being told. */
  async #begin({ alerts, key, reason, errand }: Sending, atMs: number): Promise<Delivery> {
    const { state, logger } = this.#options
    const content = { contentId: contentId(alerts, reason, errand), firing: [...fingerprintsOf(alerts, false)] }
    const delivery = state.pending.begin(key, content, atMs, state.log)
    try {
      await state.log.commit()
    } catch (err) {
      logger.error({ err, key }, 'Notification goes out without a record that it was begun')
    }
    return delivery
  }

  #record(
    notification: Omit<Notification, 'routeLabels'>,
    target: Integration,
    outcome: RetryOutcome & { readonly messages: readonly SentMessage[] },
    durationMs: number,
  ): void {
    const { state, clock, logger } = this.#options
    const resolvedCount = notification.alerts.filter((alert) => alert.resolved).length
    const event = {
      atMs: clock.nowMs(),
      groupKey: notification.groupKey,
      groupLabels: notification.groupLabels,
      receiver: target.receiver,
      integration: target.name,
      index: target.index,
      reason: notification.reason,
      firingCount: notification.alerts.length - resolvedCount,
      resolvedCount,
      attempts: outcome.attempts,
      durationMs,
      outcome: outcome.error ? ('failed' as const) : ('delivered' as const),
      detail: outcome.result?.detail ?? '',
      error: outcome.error?.message ?? outcome.result?.warning ?? '',
      ...(notification.extra?.['OnCall'] && { people: notification.extra['OnCall'] }),
      ...(outcome.messages.length > 0 && { messageIds: outcome.messages.map(({ id }) => id) }),
    }
    state.history.add(event, state.log)
    if (outcome.error) logger.error(event, 'Notification failed')
    else if (event.error !== '') logger.warn(event, 'Notification reached only some recipients')
    else logger.debug(event, 'Notification delivered')
  }

  #destinationOf(target: Integration): Destination {
    let destination = this.#destinations.get(target)
    if (!destination) this.#destinations.set(target, (destination = new Destination()))
    return destination
  }
}
