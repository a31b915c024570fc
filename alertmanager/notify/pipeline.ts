import { errorMessage } from '../../lib/index.ts'
import type { FlushOutcome, GroupFlush } from '../dispatch/alert-group.ts'
import type { Inhibitor } from '../inhibit/inhibitor.ts'
import { contactKindOf } from '../oncall/contacts.ts'
import type { StepOutcome } from '../oncall/escalator.ts'
import type { Person } from '../oncall/types.ts'
import type { TimeInterval } from '../route/time-interval.ts'
import { type Audible, audibleOf } from './audience.ts'
import type { Errand, StepErrand } from './duty.ts'
import type { NotificationReason } from './notification-log.ts'
import type { Integration, ReceiverData } from './notifier.ts'
import { entryKey, fingerprintsOf, reasonFor } from './reason.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { sleepUntil } from './sleep.ts'
import { dataAfter, namesTold, recipientsOf } from './told.ts'

export interface PipelineOptions extends SenderOptions {
  readonly inhibitor: Inhibitor
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  readonly integrations: ReadonlyMap<string, readonly Integration[]>
  readonly retentionMs: number
}

/** From a group's tick to sent messages: inhibition, times, silences, then each integration of the receiver by itself. */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #sender: Sender

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#sender = new Sender(options)
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
      if (flush.alerts.every(({ resolved }) => resolved))
        state.acknowledgements.end(flush.groupKey, clock.nowMs(), state.log)
      const { own, escalated } = this.#targetsOf(flush)
      const audible = this.#audible(flush, own, escalated)
      const isNoticed = await this.#noticeFlapping(flush, audible, own)
      const { alerts, kept } = audible
      this.#keepMemory(flush, audible, { own, escalated, isNoticed })
      const tellAll = (targets: readonly Integration[], tell: (one: Integration) => Promise<boolean>) =>
        Promise.all(alerts.length === 0 ? [] : targets.map(tell))
      const [outcomes, others] = await Promise.all([
        tellAll(own, (one) => this.#tellTick(flush, audible, one)),
        tellAll(escalated, (one) => this.#exclusively(flush, audible, one, { kind: 'over' })),
      ])
      const delivered = outcomes.every(Boolean) && others.every(Boolean)
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
    { alerts, remembered }: Audible,
    {
      own,
      escalated,
      isNoticed,
    }: { own: readonly Integration[]; escalated: readonly Integration[]; isNoticed: boolean },
  ): void {
    const { state } = this.#options
    const { groupKey, tickAtMs, route } = flush
    const isMuted = alerts.length === 0
    const isQuiet = state.acknowledgements.get(groupKey, tickAtMs) !== undefined || remembered.size > 0
    const span = { atMs: tickAtMs, lifeMs: this.#memoryMs(route) }
    for (const target of isQuiet ? [...own, ...escalated] : escalated)
      state.notificationLog.keep(entryKey(groupKey, target), span, state.log)
    // A notice that failed goes out again at the next tick.
    if (!isMuted || !isNoticed) return
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

  /** What was held counts as new for whoever was given the notice, until it is told; how others fare is their own matter. */
  async #tellTick(flush: GroupFlush, audible: Audible, target: Integration): Promise<boolean> {
    const { flapping, log } = this.#options.state
    const key = entryKey(flush.groupKey, target)
    const released = audible.alerts.filter(({ alert }) => flapping.isNoticed(alert.fingerprint, key))
    const isTold = await this.#exclusively(flush, audible, target, {
      kind: 'tick',
      anew: fingerprintsOf(released, false),
    })
    for (const { alert } of isTold ? released : []) flapping.setNoticed(alert.fingerprint, key, false, log)
    return isTold
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
    const { state } = this.#options
    const firing = fingerprintsOf(alerts, false)
    const resolved = fingerprintsOf(alerts, true)
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
      const result = await this.#sender.send({ flush, alerts: told, target, key, reason, receiverData, people, errand })
      if (!result) {
        // A step is not repeated: the next one is what comes instead.
        if (errand.kind === 'step') state.outgoing.done(key, state.log)
        else state.outgoing.postpone(key, flush.tickAtMs + flush.route.groupIntervalMs)
        return false
      }
      receiverData = dataAfter(result.receiverData ?? receiverData, receiverData, { errand, people, reason })
    }
    const expiresAtMs = flush.tickAtMs + this.#memoryMs(flush.route)
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

  /** How long it is remembered what was told: until the next tick may tell something at least. */
  #memoryMs({ repeatIntervalMs, groupIntervalMs }: GroupFlush['route']): number {
    return Math.min(this.#options.retentionMs, 2 * Math.max(repeatIntervalMs, groupIntervalMs))
  }

  /** Who is told in place of the integration's own recipients. */
  #peopleFor(
    errand: Errand,
    target: Integration,
    reason: NotificationReason,
    data: ReceiverData,
    atMs: number,
  ): readonly Person[] | undefined {
    const { duty, logger } = this.#options
    if (contactKindOf(target.name) === undefined) return undefined
    const toldNames = namesTold(data)
    // The shift may have changed since; those who were woken want to know that it is over.
    if (reason === 'all alerts resolved' && toldNames.length > 0) return duty.people(toldNames)
    if (errand.kind === 'step' && errand.people) return errand.people
    const people = duty.peopleFor(target.receiver, atMs)
    if (people?.length === 0) logger.warn({ receiver: target.receiver }, 'Nobody is on call')
    return people
  }

  /** Whether there is anybody to whom an integration would tell what fires. */
  #reaches(target: Integration, atMs: number, errand?: StepErrand): boolean {
    const people = errand?.people ?? this.#options.duty.peopleFor(target.receiver, atMs)
    return recipientsOf(target, people).recipients?.length !== 0
  }
}
