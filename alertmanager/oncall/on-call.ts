import type { Clock, Logger } from '../../lib/index.ts'
import type { AlertInput } from '../alert/ingest.ts'
import { isResolved } from '../alert/stored-alert.ts'
import type { AlertmanagerConfig } from '../config/types.ts'
import type { AlertGroup, GroupFlush } from '../dispatch/alert-group.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { Duty, FlushFacts, StepErrand } from '../notify/duty.ts'
import type { HttpClientFactory } from '../notify/integrations.ts'
import type { Integration, SentMessage } from '../notify/notifier.ts'
import type { OutgoingNotification } from '../notify/outgoing.ts'
import { ReceiptDesk } from '../notify/receipts/receipt-desk.ts'
import type { Receipt } from '../notify/receipts/receipts.ts'
import type { RouteSettings } from '../route/route.ts'
import type { AlertmanagerState } from '../state.ts'
import { Escalator, type StepNotice, type StepOutcome } from './escalator.ts'
import { HeartbeatMonitor } from './heartbeat-monitor.ts'
import { HeartbeatSender } from './heartbeat-sender.ts'
import type { OnCallMetrics } from './metrics.ts'
import type { Roster } from './roster.ts'
import type { EscalationPolicy, MutedResolved, Person } from './types.ts'

export interface OnCallOptions {
  readonly config: AlertmanagerConfig
  readonly state: AlertmanagerState
  readonly roster: Roster
  readonly onCallMetrics: OnCallMetrics
  readonly dispatcher: () => Dispatcher | undefined
  readonly integrations: () => readonly Integration[]
  /** `Pipeline.tellStep`. */
  readonly tellStep: (flush: GroupFlush, receiver: string, errand: StepErrand) => Promise<StepOutcome>
  readonly receive: (alerts: readonly AlertInput[]) => Promise<unknown>
  readonly httpClientFactory: HttpClientFactory
  readonly clock: Clock
  readonly logger: Logger
  readonly userAgent: string
}

/** Messages through one integration about one group that were sent this close are taken for one notification's. */
const TOGETHER_MS = 300_000

/** What follows from `on_call` in one configuration: escalations, heartbeats, receipts, and who is told in whose place. */
export class OnCall implements Duty {
  readonly mutedResolved: MutedResolved
  readonly escalator: Escalator
  readonly monitor: HeartbeatMonitor
  readonly heartbeats: readonly HeartbeatSender[]
  readonly receipts: ReceiptDesk
  readonly #options: OnCallOptions

  constructor(options: OnCallOptions) {
    const { config, state, clock, onCallMetrics, httpClientFactory, userAgent } = options
    const logger = options.logger.child({ module: 'on-call' })
    const { onCall } = config
    const log = () => state.log
    this.#options = options
    this.mutedResolved = onCall?.mutedResolved ?? 'drop'
    this.escalator = new Escalator({
      policyOf: (receiver) => this.policyOf(receiver),
      groupOf: (groupKey, receiver) => this.#groupOf(groupKey, receiver),
      tell: (notice) => this.#tell(notice),
      escalations: state.escalations,
      acknowledgements: state.acknowledgements,
      log,
      clock,
      logger,
      onStep: (receiver, outcome) => onCallMetrics.steps.inc({ receiver, outcome }),
    })
    this.monitor = new HeartbeatMonitor({
      expected: onCall?.expectedHeartbeats ?? [],
      heartbeats: state.heartbeats,
      receive: options.receive,
      log,
      clock,
      logger,
    })
    this.heartbeats = (onCall?.heartbeats ?? []).map(
      (heartbeat) =>
        new HeartbeatSender({
          config: heartbeat,
          client: httpClientFactory(heartbeat.http),
          alerts: () => state.alerts.all(),
          outgoing: () => this.#outgoing(),
          clock,
          logger,
          userAgent,
          onBeat: (outcome) => onCallMetrics.heartbeats.inc({ heartbeat: heartbeat.name, outcome }),
        }),
    )
    this.receipts = new ReceiptDesk({
      state,
      integrations: options.integrations,
      clock,
      logger,
      onSettled: (receipt) => this.#settled(receipt),
    })
  }

  /** After the dispatcher has its groups. */
  start(holdUntilMs: number): void {
    const { config, state } = this.#options
    state.flapping.rules = config.onCall?.flapDamping ?? []
    this.escalator.start(holdUntilMs)
    this.monitor.start(state.alerts.all())
    this.receipts.start()
    const groupIntervalMs = slowestInterval(config.route)
    for (const heartbeat of this.heartbeats) heartbeat.start(groupIntervalMs)
  }

  async stop(): Promise<void> {
    this.monitor.stop()
    this.receipts.stop()
    await Promise.all([this.escalator.stop(), ...this.heartbeats.map((heartbeat) => heartbeat.stop())])
  }

  policyOf(receiver: string): EscalationPolicy | undefined {
    return this.#options.config.onCall?.receivers.get(receiver)?.escalation
  }

  /** The schedule whose people replace the receiver's recipients. */
  scheduleOf(receiver: string): string | undefined {
    return this.#options.config.onCall?.receivers.get(receiver)?.schedule
  }

  peopleFor(receiver: string, atMs: number): readonly Person[] | undefined {
    const schedule = this.scheduleOf(receiver)
    return schedule === undefined ? undefined : this.#options.roster.peopleOn(schedule, atMs)
  }

  people(names: readonly string[]): readonly Person[] {
    return this.#options.roster.people(names)
  }

  toldBySteps(groupKey: string, receiver: string): readonly string[] {
    return this.#options.state.escalations.get(groupKey, receiver)?.told ?? []
  }

  flushed(flush: GroupFlush, facts: FlushFacts): void {
    this.escalator.flushed(flush, facts)
    for (const heartbeat of this.heartbeats) heartbeat.flushed(flush)
  }

  sent(target: Integration, groupKey: string, message: SentMessage): void {
    this.receipts.expect(target, groupKey, message)
  }

  /** After an acknowledgement was given or withdrawn. */
  acknowledgementChanged(groupKey: string): void {
    for (const one of this.#options.state.escalations.all())
      if (one.groupKey === groupKey) this.escalator.wake(groupKey, one.receiver)
  }

  #tell({ group, step, mark, sinceMs, deadlineMs, signal }: StepNotice): Promise<StepOutcome> {
    const { clock, roster, tellStep } = this.#options
    const tickAtMs = clock.nowMs()
    const alerts = group.alerts().map((alert) => ({ alert, resolved: isResolved(alert, tickAtMs) }))
    const { key: groupKey, labels: groupLabels, route } = group
    const flush = { groupKey, groupLabels, route, alerts, tickAtMs, deadlineMs, signal }
    const people =
      step.schedule !== undefined
        ? roster.peopleOn(step.schedule, tickAtMs)
        : step.people.length > 0
          ? roster.people(step.people)
          : undefined
    return tellStep(flush, step.receiver, { kind: 'step', mark, sinceMs, people, errors: [] })
  }

  #settled({ id, outcome, groupKey, receiver, where, sentAtMs }: Receipt): void {
    const { state, onCallMetrics } = this.#options
    onCallMetrics.receipts.inc({ integration: where.split('/').at(-2) ?? '', outcome })
    if (outcome !== 'undelivered') return
    // One whom the same notification reached is enough; it may not be on record yet, or be on that of another instance.
    const event = state.history.search({ receiver, groupKey }).find(({ messageIds }) => messageIds?.includes(id))
    const isOfIt = (other: Receipt): boolean =>
      event?.messageIds?.includes(other.id) ?? Math.abs(other.sentAtMs - sentAtMs) <= TOGETHER_MS
    if (state.receipts.of(where, groupKey).some((other) => isOfIt(other) && other.outcome !== 'undelivered')) return
    for (const one of state.escalations.all())
      if (one.groupKey === groupKey) this.escalator.unreached(groupKey, one.receiver, receiver)
  }

  #groupOf(groupKey: string, receiver: string): AlertGroup | undefined {
    for (const group of this.#options.dispatcher()?.groups() ?? [])
      if (group.key === groupKey && group.route.receiver === receiver) return group
    return undefined
  }

  /** Of groups that there still are. */
  #outgoing(): OutgoingNotification[] {
    const all = this.#options.state.outgoing.all()
    if (all.length === 0) return all
    const keys = new Set([...(this.#options.dispatcher()?.groups() ?? [])].map(({ key }) => key))
    return all.filter(({ groupKey }) => keys.has(groupKey))
  }
}

function slowestInterval(route: RouteSettings & { readonly routes: readonly RouteSettings[] }): number {
  const children = route.routes as readonly Parameters<typeof slowestInterval>[0][]
  return Math.max(route.groupIntervalMs, ...children.map(slowestInterval))
}
