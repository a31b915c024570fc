import type { Clock, Logger } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { FlushedAlert, GroupFlush } from '../dispatch/alert-group.ts'
import type { Inhibitor } from '../inhibit/inhibitor.ts'
import type { AlertmanagerMetrics } from '../metrics.ts'
import { alertHashOf } from '../migrate/alert-hash.ts'
import type { Route } from '../route/route.ts'
import { intervalsContain, type TimeInterval } from '../route/time-interval.ts'
import type { AlertmanagerState } from '../state.ts'
import { type NotificationReason, notificationReason } from './notification-log.ts'
import type { DeliveryResult, Integration, Notification, ReceiverData } from './notifier.ts'
import { type Pause, type RetryOutcome, sendWithRetry, sleepUntil } from './retry.ts'

export interface PipelineOptions {
  readonly state: AlertmanagerState
  readonly inhibitor: Inhibitor
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  readonly integrations: ReadonlyMap<string, readonly Integration[]>
  /** Fills in the templates in a route's labels. */
  readonly renderRouteLabels: (flush: GroupFlush, alerts: readonly FlushedAlert[]) => Promise<Labels>
  readonly retentionMs: number
  /** How long to wait for other instances to notify. */
  readonly clusterWaitMs: () => number
  /** Where a person acknowledges the group. */
  readonly ackUrlOf: (groupKey: string) => string
  readonly externalUrl: string
  readonly clock: Clock
  readonly metrics: AlertmanagerMetrics
  readonly logger: Logger
}

/** From a group's tick to sent messages: inhibition, times, silences, then each integration of the receiver by itself. */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #pauses = new Map<Integration, Pause>()

  constructor(options: PipelineOptions) {
    this.#options = options
    const { notifications, requests, requestsFailed } = options.metrics
    // A counter that is there from the start has no gap before its first increase.
    for (const { name } of [...options.integrations.values()].flat())
      for (const counter of [notifications, requests, requestsFailed]) counter.inc({ integration: name }, 0)
  }

  /** Resolves to whether the group has nothing left to tell for now. Never rejects. */
  async flush(flush: GroupFlush): Promise<boolean> {
    const { logger, integrations } = this.#options
    try {
      await this.#letOthersGoFirst(flush)
      const alerts = this.#unmuted(flush)
      if (alerts.length === 0) return true
      const targets = integrations.get(flush.route.receiver) ?? []
      const delivered = await Promise.all(targets.map((target) => this.#exclusively(flush, alerts, target)))
      return delivered.every(Boolean)
    } catch (err) {
      logger.error({ err, groupKey: flush.groupKey }, 'Notification pipeline failed')
      return false
    }
  }

  /** What they tell until then stands in the notification log and is not told again. */
  async #letOthersGoFirst({ signal }: GroupFlush): Promise<void> {
    const { clock, clusterWaitMs } = this.#options
    const waitMs = clusterWaitMs()
    if (waitMs > 0) await sleepUntil(clock, clock.nowMs() + waitMs, signal)
  }

  #unmuted(flush: GroupFlush): readonly FlushedAlert[] {
    const { inhibitor, state, metrics, clock } = this.#options
    const suppressed = (reason: string, count: number): void => metrics.suppressed.inc({ reason }, count)
    const free = flush.alerts.filter(({ alert }) => !inhibitor.inhibitedBy(alert.labels, clock.nowMs()))
    if (free.length < flush.alerts.length) suppressed('inhibition', flush.alerts.length - free.length)
    if (free.length === 0) return free
    const muting = mutingIntervals(flush.route, this.#options.timeIntervals, flush.tickAtMs)
    if (muting) {
      suppressed(muting.reason, free.length)
      return []
    }
    const heard = free.filter(({ alert }) => state.silences.mutedBy(alert.fingerprint, alert.labels).length === 0)
    if (heard.length < free.length) suppressed('silence', free.length - heard.length)
    return heard
  }

  async #exclusively(flush: GroupFlush, alerts: readonly FlushedAlert[], target: Integration): Promise<boolean> {
    const { inFlight } = this.#options.state
    const key = entryKey(flush.groupKey, target)
    while (inFlight.has(key)) await inFlight.get(key)
    const sending = this.#notify(flush, alerts, target, key)
    inFlight.set(key, sending)
    try {
      return await sending
    } catch (err) {
      // Not a failure to deliver, which is an outcome, but one of ours, for example to keep the record of it.
      this.#options.logger.error({ err, key }, 'Notification could not be completed')
      return false
    } finally {
      inFlight.delete(key)
    }
  }

  async #notify(
    flush: GroupFlush,
    alerts: readonly FlushedAlert[],
    target: Integration,
    key: string,
  ): Promise<boolean> {
    const { state, retentionMs } = this.#options
    const firing = fingerprints(alerts, false)
    const resolved = fingerprints(alerts, true)
    const { repeatIntervalMs } = flush.route
    const last = state.notificationLog.get(key)
    const known = last?.knowsBy
      ? { firing: hashes(alerts, false), resolved: hashes(alerts, true) }
      : { firing, resolved }
    const reason = notificationReason(
      last,
      { ...known, atMs: flush.tickAtMs },
      { sendResolved: target.sendResolved, repeatIntervalMs },
    )
    if (firing.size === 0) state.acknowledgements.remove(flush.groupKey, state.log)
    const isTakenOn = state.acknowledgements.get(flush.groupKey, flush.tickAtMs) !== undefined
    if (!reason || (isTakenOn && reason === 'repeat interval elapsed')) {
      state.outgoing.done(key, state.log)
      return true
    }
    const told = target.sendResolved ? alerts : alerts.filter((alert) => !alert.resolved)
    let receiverData = last?.receiverData ?? {}
    if (told.length > 0) {
      const result = await this.#deliver(flush, told, target, key, reason, receiverData)
      if (!result) {
        state.outgoing.postpone(key, flush.tickAtMs + flush.route.groupIntervalMs)
        return false
      }
      receiverData = result.receiverData ?? receiverData
    }
    const expiresAtMs = flush.tickAtMs + Math.min(retentionMs, 2 * repeatIntervalMs)
    const entry = { firing, resolved, atMs: flush.tickAtMs, expiresAtMs, receiverData }
    state.pending.clear(key, state.log)
    state.outgoing.done(key, state.log)
    await state.notificationLog.set(key, entry, state.log)
    return true
  }

  async #deliver(
    flush: GroupFlush,
    alerts: readonly FlushedAlert[],
    target: Integration,
    key: string,
    reason: NotificationReason,
    receiverData: ReceiverData,
  ): Promise<DeliveryResult | undefined> {
    const { state, clock, metrics } = this.#options
    const notification: Omit<Notification, 'routeLabels'> = {
      receiver: target.receiver,
      groupKey: flush.groupKey,
      groupLabels: flush.groupLabels,
      alerts,
      reason,
      externalUrl: this.#options.externalUrl,
      receiverData,
      extra: { AckURL: this.#options.ackUrlOf(flush.groupKey) },
      deadlineMs: flush.deadlineMs + this.#options.clusterWaitMs(),
    }
    const progress = state.pending.progress(key, contentId(alerts, reason), state.log)
    const startedAtMs = clock.nowMs()
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
    const outcome = await sendWithRetry({
      attempt: async () => {
        const routeLabels = await this.#options.renderRouteLabels(flush, alerts)
        return target.notifier.send({ ...notification, routeLabels }, progress)
      },
      onAttempt: (error, nextAttemptAtMs) => {
        metrics.requests.inc(labels)
        if (!error) return
        metrics.requestsFailed.inc(labels)
        state.outgoing.failed(key, error.message, nextAttemptAtMs, state.log)
      },
      clock,
      deadlineMs: flush.deadlineMs + this.#options.clusterWaitMs(),
      signal: flush.signal,
      pause: this.#pauseOf(target),
    })
    const durationMs = clock.nowMs() - startedAtMs
    metrics.latency.observe(labels, durationMs / 1000)
    if (outcome.error) metrics.failed.inc({ ...labels, reason: outcome.error.reason })
    this.#record(notification, target, outcome, durationMs)
    return outcome.result
  }

  #record(
    notification: Omit<Notification, 'routeLabels'>,
    target: Integration,
    outcome: RetryOutcome,
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
    }
    state.history.add(event, state.log)
    if (outcome.error) logger.error(event, 'Notification failed')
    else if (event.error !== '') logger.warn(event, 'Notification reached only some recipients')
    else logger.debug(event, 'Notification delivered')
  }

  #pauseOf(target: Integration): Pause {
    let pause = this.#pauses.get(target)
    if (!pause) this.#pauses.set(target, (pause = { untilMs: 0 }))
    return pause
  }
}

/** The time intervals of a route that keep it quiet at an instant: inside a mute one, or outside all active ones. */
export function mutingIntervals(
  route: Route,
  timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>,
  atMs: number,
): { reason: 'active_time_interval' | 'mute_time_interval'; names: readonly string[] } | undefined {
  const contains = (name: string): boolean => intervalsContain(timeIntervals.get(name) ?? [], atMs)
  const active = route.activeTimeIntervals
  if (active.length > 0 && !active.some(contains)) return { reason: 'active_time_interval', names: active }
  const names = route.muteTimeIntervals.filter(contains)
  return names.length > 0 ? { reason: 'mute_time_interval', names } : undefined
}

/** Of the notification log. */
export const entryKey = (groupKey: string, target: Integration): string =>
  `${groupKey}:${target.receiver}/${target.name}/${target.index}`

const fingerprints = (alerts: readonly FlushedAlert[], resolved: boolean): Set<string> =>
  new Set(alerts.filter((a) => a.resolved === resolved).map((a) => a.alert.fingerprint))

/** What entries that were taken over from the original know alerts by. */
const hashes = (alerts: readonly FlushedAlert[], resolved: boolean): Set<string> =>
  new Set(alerts.filter((a) => a.resolved === resolved).map((a) => alertHashOf(a.alert.labels)))

/** The same for retries of one message, another for the next message. */
const contentId = (alerts: readonly FlushedAlert[], reason: string): string =>
  [reason, ...alerts.map((a) => `${a.alert.fingerprint}${a.resolved ? '-' : '+'}${a.alert.startsAtMs}`)].join(' ')
