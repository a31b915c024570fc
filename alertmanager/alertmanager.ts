import type { Clock, Logger, Registry } from '../lib/index.ts'
import { type Alert, type AlertSink, type Labels, type Matcher } from '../model/index.ts'
import { AlertViews } from './alert-views.ts'
import type { AckDesk } from './ack/desk.ts'
import { Cluster, type ClusterOptions } from './cluster/cluster.ts'
import { sharedState } from './cluster/shared-state.ts'
import type { AlertInput, InvalidAlertError } from './alert/ingest.ts'
import type { StoredAlert } from './alert/stored-alert.ts'
import { defaultConfig } from './config/default-config.ts'
import type { AlertmanagerConfig } from './config/types.ts'
import { explainAlert, type Explanation } from './explain.ts'
import { Intake } from './intake.ts'
import { type AlertmanagerMetrics, createMetrics, hash48, registerStateMetrics } from './metrics.ts'
import type { NotificationEvent, NotificationFilter } from './notify/history.ts'
import { whereOf } from './notify/receipts/receipt-desk.ts'
import { withReceipts } from './notify/receipts/with-receipts.ts'
import type { HttpClientFactory } from './notify/integrations.ts'
import type { OutgoingNotification } from './notify/outgoing.ts'
import { OnCallDesk } from './oncall/desk.ts'
import { findRoutes, groupKeyOf, groupLabelsOf } from './route/route.ts'
import { Runtime, type RuntimeOptions } from './runtime.ts'
import type { Silence, SilenceInput, SilenceLimits } from './silence/silences.ts'
import { AlertmanagerState } from './state.ts'
import {
  type AlertmanagerStatus,
  type AlertView,
  type GroupView,
  type RouteDestination,
  type RouteView,
  routeView,
  type TestOutcome,
} from './views.ts'

export interface AlertmanagerOptions {
  /** Absent: alerts are logged and shown, nobody is notified. */
  readonly config?: AlertmanagerConfig | undefined
  /** Where the state log lives; `undefined` keeps everything in memory. */
  readonly dataDir: string | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Gets the `alertmanager_…` metrics, and is what the component's own `/metrics` shows. */
  readonly registry: Registry
  /** Without a slash at the end; links in notifications start with it. */
  readonly externalUrl: string
  readonly httpClientFactory: HttpClientFactory
  /** Where `ownAlertsApi` is reached by people; default: `/api/belltower/v1` under `externalUrl`. */
  readonly ownApiUrl?: string
  /** Other instances that get the same alerts. */
  readonly cluster?: ClusterOptions
  /** How long ended silences and notification records are kept. Default 120 h. */
  readonly retentionMs?: number
  /** No notification before this long after the start: senders get time to send what inhibits. Default 0. */
  readonly startDelayMs?: number
  readonly silenceLimits?: SilenceLimits
}

const VERSION = '0.34.0'
const HOUR_MS = 3_600_000
const RETENTION_DEFAULT_MS = 120 * HOUR_MS
const ALERT_GC_INTERVAL_MS = HOUR_MS / 2
const MAINTENANCE_INTERVAL_MS = HOUR_MS / 4
const STOP_PATIENCE_MS = 5000
const RESTART_GRACE_MS = 120_000

/**
 * Opens the state, builds what the configuration says, and begins to notify.
 *
 * @throws {StateLogError} @throws {NotificationTemplateError}
 */
export async function createAlertmanager(options: AlertmanagerOptions): Promise<Alertmanager> {
  const alertmanager = new Alertmanager(options)
  await alertmanager.open()
  return alertmanager
}

export class Alertmanager implements AlertSink {
  readonly registry: Registry
  readonly metrics: AlertmanagerMetrics
  readonly #options: AlertmanagerOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #retentionMs: number
  readonly #startedAtMs: number
  readonly acks: AckDesk
  /** Who is on call, escalations, heartbeats, flapping alerts, receipts. */
  readonly onCall: OnCallDesk
  /** `undefined` = this instance is alone. */
  readonly cluster: Cluster | undefined
  readonly #state: AlertmanagerState
  readonly #views: AlertViews
  readonly #intake: Intake
  readonly #cancelJobs: (() => void)[] = []
  #runtime: Runtime | undefined
  #applying: Promise<void> = Promise.resolve()
  #lastReload = { successful: true, atMs: 0 }

  constructor(options: AlertmanagerOptions) {
    const { clock, registry } = options
    this.#options = options
    this.registry = registry
    this.#clock = clock
    this.#logger = options.logger.child({ module: 'alertmanager' })
    this.#retentionMs = options.retentionMs ?? RETENTION_DEFAULT_MS
    this.#startedAtMs = clock.nowMs()
    const limits = options.silenceLimits ?? { silencesMax: 0, silenceBytesMax: 0 }
    this.#state = new AlertmanagerState({ clock, limits, retentionMs: this.#retentionMs })
    this.#views = new AlertViews({ state: this.#state, clock, current: () => this.#current() })
    this.onCall = new OnCallDesk({
      state: this.#state,
      clock,
      registry,
      ownApiUrl: options.ownApiUrl ?? `${options.externalUrl}/api/belltower/v1`,
      current: () => this.#runtime,
    })
    this.acks = this.onCall.acks
    this.cluster =
      options.cluster &&
      new Cluster(options.cluster, {
        client: options.httpClientFactory({}),
        clock,
        logger: this.#logger,
        state: sharedState(this.#state),
      })
    this.metrics = createMetrics(registry)
    this.#intake = new Intake({ state: this.#state, clock, metrics: this.metrics, current: () => this.#current() })
    registerStateMetrics(registry, this.#facts())
  }

  /** Called once, by `createAlertmanager`. */
  async open(): Promise<void> {
    const { dataDir, config = defaultConfig } = this.#options
    if (dataDir !== undefined) await this.#state.open(dataDir, this.#logger)
    if (this.cluster) {
      this.#state.log = this.cluster.sharing(this.#state.log)
      await this.cluster.start()
    }
    try {
      this.#state.alerts.extendExpiredLeases(RESTART_GRACE_MS)
      const runtime = await Runtime.build(this.#runtimeOptions(config))
      this.#start(runtime, true)
    } catch (error) {
      await this.#state.log.close()
      throw error
    }
    this.#every(ALERT_GC_INTERVAL_MS, () => this.#collectAlerts())
    this.#every(MAINTENANCE_INTERVAL_MS, () => this.#state.collectGarbage(this.#clock.nowMs()))
  }

  /** Takes alerts from rules. A bad one is counted and logged. @throws {StateLogError} when they cannot be kept */
  async send(alerts: readonly Alert[]): Promise<void> {
    const errors = await this.receive(alerts)
    for (const err of errors) this.#logger.warn({ err }, 'Refused an alert')
  }

  /**
   * Takes alerts as they come over the wire: times may be missing. Good ones are durable when it resolves.
   *
   * @returns why the others were refused
   * @throws {StateLogError}
   */
  receive(inputs: Iterable<AlertInput>): Promise<InvalidAlertError[]> {
    return this.#intake.receive(inputs)
  }

  /**
   * Puts another configuration in force; alerts, silences and what has been sent stay. Nothing changes when it fails.
   *
   * @throws {NotificationTemplateError}
   */
  applyConfig(config: AlertmanagerConfig = defaultConfig): Promise<void> {
    const applied = this.#applying.then(async () => {
      const next = await Runtime.build(this.#runtimeOptions(config)).catch((error: unknown) => {
        this.#lastReload = { ...this.#lastReload, successful: false }
        throw error
      })
      const previous = this.#runtime
      await previous?.stop(STOP_PATIENCE_MS)
      this.#start(next, false)
    })
    this.#applying = applied.catch(() => {})
    return applied
  }

  /** To be told of a configuration that did not get as far as `applyConfig`. */
  reloadFailed(): void {
    this.#lastReload = { ...this.#lastReload, successful: false }
  }

  /** Ends attempts to notify; what was not delivered goes out after the next start. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancelJobs) cancel()
    await this.#applying
    await this.cluster?.stop()
    await this.#runtime?.stop(STOP_PATIENCE_MS)
    await this.#state.log.close()
  }

  status(): AlertmanagerStatus {
    return { startedAtMs: this.#startedAtMs, config: this.#current().config.printed, version: VERSION }
  }

  /** Names and labels of the receivers that routes lead to. */
  receivers(): { name: string; labels: Labels }[] {
    const { config, integrations } = this.#current()
    return config.receivers.filter(({ name }) => integrations.has(name)).map(({ name, labels }) => ({ name, labels }))
  }

  /** Alerts that have not ended, by fingerprint. */
  alerts(filter: readonly Matcher[] = []): AlertView[] {
    return [...this.eachAlert(filter)]
  }

  /** Alerts that have not ended when the first one is taken, by fingerprint; each is looked at when it is its turn. */
  eachAlert(filter: readonly Matcher[] = []): Generator<AlertView> {
    return this.#views.alerts(filter)
  }

  /** Groups with alerts that have not ended, by labels and receiver; each is looked at when it is its turn. */
  groups(filter: readonly Matcher[] = []): Generator<GroupView> {
    return this.#views.groups(filter)
  }

  /** The destinations that alerts with these labels have. */
  routeFor(labels: Labels): RouteDestination[] {
    return findRoutes(this.#current().route, labels).map((route) => {
      const groupLabels = groupLabelsOf(route, labels)
      return { receiver: route.receiver, routeKey: route.key, groupKey: groupKeyOf(route, groupLabels), groupLabels }
    })
  }

  /** The routes as a tree. */
  routeTree(): RouteView {
    return routeView(this.#current().route)
  }

  /** An alert whose fingerprint begins with these 32 bits; its labels show whether it is the one that is meant. */
  candidate(highHalf: number): StoredAlert | undefined {
    return this.#state.alerts.candidate(highHalf)
  }

  /** Of an alert that is known. */
  labelsOf(fingerprint: string): Labels | undefined {
    return this.#state.alerts.get(fingerprint)?.labels
  }

  /**
   * Sends a marked test message through the real integrations of a receiver that a route uses.
   *
   * @returns what each answered; empty when there is no such receiver
   */
  sendTest(receiver: string): Promise<TestOutcome[]> {
    return this.#current().sendTest(receiver)
  }

  /** The latest notifications, oldest first; bounded. */
  notifications(): readonly NotificationEvent[] {
    return this.#state.history.all()
  }

  /** The latest notifications that fit, newest first. */
  searchNotifications(filter: NotificationFilter): NotificationEvent[] {
    return this.#state.history.search(filter, (event) => withReceipts(event, this.#state.receipts))
  }

  /** What is on its way and has not arrived, oldest first. */
  outgoing(): OutgoingNotification[] {
    return this.#state.outgoing.all()
  }

  /** Why an alert with these labels does, or does not, reach anybody. */
  explain(labels: Labels): Explanation {
    const facts = { runtime: this.#current(), state: this.#state, nowMs: this.#clock.nowMs(), desk: this.onCall }
    return explainAlert(labels, facts)
  }

  silences(): Silence[] {
    return [...this.#state.silences.all()]
  }

  silence(id: string): Silence | undefined {
    return this.#state.silences.get(id)
  }

  /** @returns its id, durable @throws {InvalidSilenceError} @throws {SilenceNotFoundError} */
  setSilence(input: SilenceInput): Promise<string> {
    return this.#state.silences.set(input, this.#state.log)
  }

  /** @throws {SilenceNotFoundError} */
  expireSilence(id: string): Promise<void> {
    return this.#state.silences.expire(id, this.#state.log)
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  #current(): Runtime {
    if (!this.#runtime) throw new Error('alertmanager is not open')
    return this.#runtime
  }

  #start(runtime: Runtime, isRestart: boolean): void {
    this.#runtime = runtime
    this.#lastReload = { successful: true, atMs: this.#clock.nowMs() }
    runtime.start(this.#state.alerts.all(), {
      holdUntilMs: this.#startedAtMs + (this.#options.startDelayMs ?? 0),
      // A reload starts all timers anew, as the original does.
      resumeTimer: (groupKey) => (isRestart ? this.#state.timers.get(groupKey) : undefined),
      onTimer: (groupKey, timer) => this.#state.log.write(this.#state.timers.set(groupKey, timer)),
      onGroupGone: (groupKey) => this.#state.log.write(this.#state.timers.delete(groupKey)),
    })
    const wheres = new Set([...runtime.integrations.values()].flat().map(whereOf))
    this.#state.outgoing.keepOnly(
      (one) => wheres.has(`${one.receiver}/${one.integration}/${one.index}`),
      this.#state.log,
    )
    const groupKeys = new Set([...(runtime.dispatcher?.groups() ?? [])].map(({ key }) => key))
    for (const key of this.#state.timers.keys())
      if (!groupKeys.has(key)) this.#state.log.write(this.#state.timers.delete(key))
  }

  #runtimeOptions(config: AlertmanagerConfig): RuntimeOptions {
    const { externalUrl, httpClientFactory } = this.#options
    return {
      config,
      state: this.#state,
      clusterWaitMs: () => this.cluster?.waitMs ?? 0,
      ackUrlOf: (groupKey) => this.acks.urlOf(groupKey),
      ackCodeOf: (groupKey) => this.acks.codeOf(groupKey),
      receiptUrlOf: (where) => this.onCall.receiptUrlOf(where),
      clock: this.#clock,
      logger: this.#logger,
      metrics: this.metrics,
      httpClientFactory,
      externalUrl: externalUrl.replace(/\/+$/, ''),
      userAgent: `Alertmanager/${VERSION}`,
      retentionMs: this.#retentionMs,
      roster: this.onCall.roster,
      onCallMetrics: this.onCall.metrics,
      receive: (alerts) => this.receive(alerts),
    }
  }

  #collectAlerts(): void {
    const { dispatcher, inhibitor } = this.#current()
    this.#state.alerts.collectGarbage(this.#state.log, dispatcher?.heldFingerprints() ?? new Set())
    inhibitor.collectGarbage(this.#clock.nowMs())
  }

  #every(intervalMs: number, run: () => void): void {
    let cancel = (): void => {}
    const arm = (): void => {
      cancel = this.#clock.schedule(intervalMs, () => {
        run()
        arm()
      })
    }
    arm()
    this.#cancelJobs.push(() => cancel())
  }

  #facts() {
    return {
      alertCounts: () => this.#views.counts(),
      silences: () => this.#state.silences,
      notificationLog: () => this.#state.notificationLog,
      groupCount: () => this.#runtime?.dispatcher?.groupCount ?? 0,
      receiverCount: () => this.#runtime?.integrations.size ?? 0,
      integrations: () => [...(this.#runtime?.integrations.values() ?? [])].flat(),
      inhibitionRuleCount: () => this.#runtime?.inhibitor.ruleCount ?? 0,
      peerCount: () => this.cluster?.status.peers.filter(({ isAlive }) => isAlive).length ?? 0,
      lastReload: () => this.#lastReload,
      configHash: () => hash48(this.#runtime?.config.printed ?? ''),
      nowMs: () => this.#clock.nowMs(),
      version: VERSION,
    }
  }
}
