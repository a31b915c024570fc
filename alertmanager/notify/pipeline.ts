import { type Clock, errorMessage, type Logger } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { FlushedAlert, FlushOutcome, GroupFlush } from '../dispatch/alert-group.ts'
import { StartLimiter } from '../dispatch/start-limiter.ts'
import type { Inhibitor } from '../inhibit/inhibitor.ts'
import type { AlertmanagerMetrics } from '../metrics.ts'
import { contactKindOf } from '../oncall/contacts.ts'
import type { StepOutcome } from '../oncall/escalator.ts'
import type { Person } from '../oncall/types.ts'
import type { TimeInterval } from '../route/time-interval.ts'
import type { AlertmanagerState } from '../state.ts'
import { type Audible, audibleOf } from './audience.ts'
import type { Delivery } from './delivery-progress.ts'
import { Destination } from './destination.ts'
import type { Duty, Errand, StepErrand } from './duty.ts'
import type { NotificationReason } from './notification-log.ts'
import type { DeliveryResult, Integration, Notification, ReceiverData, SentMessage } from './notifier.ts'
import { whereOf } from './receipts/receipt-desk.ts'
import { contentId, entryKey, fingerprintsOf, reasonFor } from './reason.ts'
import { type RetryOutcome, sendWithRetry } from './retry.ts'
import { sleepUntil } from './sleep.ts'
import { dataAfter, namesTold, recipientsOf } from './told.ts'

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

/** From a group's tick to sent messages: inhibition, times, silences, then each integration of the receiver by itself. */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #destinations = new Map<Integration, Destination>()
  readonly #starts = new StartLimiter()

  constructor(options: PipelineOptions) {
    this.#options = options
    const { notifications, requests, requestsFailed } = options.metrics
    // A counter that is there from the start has no gap before its first increase.
    for (const { name } of [...options.integrations.values()].flat())
      for (const counter of [notifications, requests, requestsFailed]) counter.inc({ integration: name }, 0)
  }

  /** Tells what is to be told. Never rejects. */
  async flush(flush: GroupFlush): Promise<FlushOutcome> {
    const { logger, state, duty, clock } = this.#options
    try {
      await this.#letOthersGoFirst(flush)
      if (flush.alerts.every(({ resolved }) => resolved)) state.acknowledgements.remove(flush.groupKey, state.log)
      const { own, escalated } = this.#targetsOf(flush)
      const audible = this.#audible(flush, own, escalated)
      const isNoticed = await this.#noticeFlapping(flush, audible, own)
      const { alerts, kept } = audible
      this.#keepMemory(flush, audible, own, escalated)
      const tellAll = (targets: readonly Integration[], errand: Errand): Promise<boolean[]> =>
        Promise.all(alerts.length === 0 ? [] : targets.map((one) => this.#exclusively(flush, audible, one, errand)))
      const [outcomes, others] = await Promise.all([
        tellAll(own, { kind: 'tick', anew: audible.anew }),
        tellAll(escalated, { kind: 'over' }),
      ])
      const delivered = outcomes.every(Boolean) && others.every(Boolean)
      if (delivered) {
        for (const fingerprint of audible.released)
          for (const target of own)
            state.flapping.setNoticed(fingerprint, entryKey(flush.groupKey, target), false, state.log)
      }
      const audibleCount = alerts.filter(({ resolved }) => !resolved).length
      const reached =
        outcomes.length === 0 ? undefined : outcomes.some((is, i) => is && this.#reaches(own[i]!, flush.tickAtMs))
      // Those who do not run any more have no timers to set either.
      const isDone = delivered && isNoticed && kept.size === 0
      if (!flush.signal.aborted) duty.flushed(flush, { audibleCount, reached, isDone })
      return { delivered: delivered && isNoticed, kept }
    } catch (err) {
      logger.error({ err, groupKey: flush.groupKey, atMs: clock.nowMs() }, 'Notification pipeline failed')
      return { delivered: false, kept: new Set() }
    }
  }

  /** Tells of what fires now through another receiver, whatever it has told before. Never rejects. */
  async tellStep(flush: GroupFlush, receiver: string, errand: StepErrand): Promise<StepOutcome> {
    try {
      await this.#letOthersGoFirst(flush)
      const { own, escalated } = this.#targetsOf(flush)
      const audible = this.#audible(flush, own, escalated)
      const firing = audible.alerts.filter(({ resolved }) => !resolved)
      if (firing.length === 0) return 'muted'
      const targets = this.#options.integrations.get(receiver) ?? []
      const told = await Promise.all(
        targets.map((target) => this.#exclusively(flush, { ...audible, alerts: firing }, target, errand)),
      )
      if (told.some((is, i) => is && this.#reaches(targets[i]!, flush.tickAtMs, errand))) return 'told'
      const none =
        targets.length === 0 ? `receiver ${receiver} has no integration` : 'nobody on call is reached this way'
      return { error: errand.errors.join('; ') || none }
    } catch (err) {
      this.#options.logger.error({ err, groupKey: flush.groupKey }, 'Escalation step failed')
      return { error: errorMessage(err) }
    }
  }

  /** They tell until then stands in the notification log and is not told again. */
  async #letOthersGoFirst({ signal }: Pick<GroupFlush, 'signal'>): Promise<void> {
    const { clock, clusterWaitMs } = this.#options
    const waitMs = clusterWaitMs()
    if (waitMs > 0) await sleepUntil(clock, clock.nowMs() + waitMs, signal)
  }

  #targetsOf({ route, groupKey }: GroupFlush): { own: readonly Integration[]; escalated: readonly Integration[] } {
    const { integrations, duty } = this.#options
    const others = duty.toldBySteps(groupKey, route.receiver).filter((name) => name !== route.receiver)
    return {
      own: integrations.get(route.receiver) ?? [],
      escalated: others.flatMap((name) => integrations.get(name) ?? []),
    }
  }

  /** For whoever is to hear of the end although nothing is told to them meanwhile. What is muted is not on its way any more. */
  #keepMemory(
    flush: GroupFlush,
    { alerts }: Audible,
    own: readonly Integration[],
    escalated: readonly Integration[],
  ): void {
    const { state, duty, retentionMs } = this.#options
    const { groupKey, tickAtMs, route } = flush
    const isMuted = alerts.length === 0
    const isQuiet =
      state.acknowledgements.get(groupKey, tickAtMs) !== undefined || (isMuted && duty.mutedResolved !== 'drop')
    const expiresAtMs = tickAtMs + Math.min(retentionMs, 2 * route.repeatIntervalMs)
    for (const target of isQuiet ? [...own, ...escalated] : escalated)
      state.notificationLog.keep(entryKey(groupKey, target), expiresAtMs, state.log)
    if (!isMuted) return
    for (const target of [...own, ...escalated]) {
      const key = entryKey(groupKey, target)
      if (!state.inFlight.has(key)) state.outgoing.done(key, state.log)
    }
  }

  #audible(flush: GroupFlush, own: readonly Integration[], escalated: readonly Integration[]): Audible {
    const { state, clock, duty } = this.#options
    const keys =
      duty.mutedResolved === 'drop' ? [] : [...own, ...escalated].map((target) => entryKey(flush.groupKey, target))
    const entries = keys.map((key) => state.notificationLog.get(key))
    return audibleOf(flush, {
      ...this.#options,
      nowMs: clock.nowMs(),
      mutedResolved: duty.mutedResolved,
      ownKeys: own.map((target) => entryKey(flush.groupKey, target)),
      entries,
      perhapsTold: keys.map((key, i) => state.pending.perhapsTold(key, entries[i]?.atMs)),
    })
  }

  /** Once for each time that an alert is held. */
  async #noticeFlapping(flush: GroupFlush, audible: Audible, own: readonly Integration[]): Promise<boolean> {
    const { notices } = audible
    const { state } = this.#options
    if (notices.length === 0) return true
    const told = await Promise.all(
      own.map(async (target) => {
        const key = entryKey(flush.groupKey, target)
        const open = notices.filter(({ alert }) => !state.flapping.isNoticed(alert.fingerprint, key))
        if (open.length === 0) return true
        const isTold = await this.#exclusively(flush, { ...audible, alerts: open }, target, { kind: 'flapping' })
        for (const { alert } of isTold ? open : []) state.flapping.setNoticed(alert.fingerprint, key, true, state.log)
        return isTold
      }),
    )
    await state.log.commit()
    return told.every(Boolean)
  }

  async #exclusively(flush: GroupFlush, audible: Audible, target: Integration, errand: Errand): Promise<boolean> {
    const { inFlight } = this.#options.state
    const key = entryKey(flush.groupKey, target)
    // How the other one fares is its own matter.
    while (inFlight.has(key)) await inFlight.get(key)!.catch(() => {})
    const sending = this.#notify(flush, audible, target, key, errand)
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
    { alerts, remembered }: Audible,
    target: Integration,
    key: string,
    errand: Errand,
  ): Promise<boolean> {
    const { state, retentionMs } = this.#options
    const firing = fingerprintsOf(alerts, false)
    const resolved = fingerprintsOf(alerts, true)
    const { repeatIntervalMs } = flush.route
    const last = state.notificationLog.get(key)
    const perhapsTold = state.pending.perhapsTold(key, last?.atMs)
    const reason = reasonFor(errand, { flush, alerts, target, last, perhapsTold })
    const isTakenOn = state.acknowledgements.get(flush.groupKey, flush.tickAtMs) !== undefined
    if (!reason || (isTakenOn && reason === 'repeat interval elapsed')) {
      state.outgoing.done(key, state.log)
      return true
    }
    const told = target.sendResolved ? alerts : alerts.filter((alert) => !alert.resolved)
    let receiverData = last?.receiverData ?? {}
    if (told.length > 0) {
      const people = this.#peopleFor(errand, target, reason, receiverData, flush.tickAtMs)
      const result = await this.#deliver({ flush, alerts: told, target, key, reason, receiverData, people, errand })
      if (!result) {
        // A step is not repeated: the next one is what comes instead.
        if (errand.kind === 'step') state.outgoing.done(key, state.log)
        else state.outgoing.postpone(key, flush.tickAtMs + flush.route.groupIntervalMs)
        return false
      }
      receiverData = dataAfter(result.receiverData ?? receiverData, receiverData, { errand, people, reason })
    }
    const expiresAtMs = flush.tickAtMs + Math.min(retentionMs, 2 * repeatIntervalMs)
    // What is said beside the ticks adds to what was told; a tick replaces it.
    const isBeside = errand.kind === 'step' || errand.kind === 'flapping'
    for (const known of last?.firing ?? []) if (isBeside || remembered.has(known)) firing.add(known)
    if (isBeside) for (const known of last?.resolved ?? []) resolved.add(known)
    const entry = { firing, resolved, atMs: flush.tickAtMs, expiresAtMs, receiverData }
    state.pending.clear(key, state.log)
    state.outgoing.done(key, state.log)
    await state.notificationLog.set(key, entry, state.log)
    return true
  }

  /** Who is told in place of the integration's own recipients. */
  #peopleFor(
    errand: Errand,
    target: Integration,
    reason: NotificationReason,
    data: ReceiverData,
    atMs: number,
  ): readonly Person[] | undefined {
    const { duty } = this.#options
    if (contactKindOf(target.name) === undefined) return undefined
    const toldNames = namesTold(data)
    // The shift may have changed since; those who were woken want to know that it is over.
    if (reason === 'all alerts resolved' && toldNames.length > 0) return duty.people(toldNames)
    return errand.kind === 'step' && errand.people ? errand.people : duty.peopleFor(target.receiver, atMs)
  }

  /** Whether there is anybody to whom an integration would tell what fires. */
  #reaches(target: Integration, atMs: number, errand?: StepErrand): boolean {
    const people = errand?.people ?? this.#options.duty.peopleFor(target.receiver, atMs)
    return recipientsOf(target, people).recipients?.length !== 0
  }

  async #deliver(sending: Sending): Promise<DeliveryResult | undefined> {
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
      destination: this.#destinationOf(target),
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
