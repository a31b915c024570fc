import { createHash } from 'node:crypto'
import type { Clock, Logger, Registry } from '../lib/index.ts'
import { type Alert, type AlertSink, type Labels, type Matcher } from '../model/index.ts'
import { AlertRegistry } from './alert/alert-registry.ts'
import { type AlertInput, InvalidAlertError, toStoredAlert } from './alert/ingest.ts'
import { compareAlerts, compareLabelSets, isResolved, type StoredAlert } from './alert/stored-alert.ts'
import { defaultConfig } from './config/default-config.ts'
import type { AlertmanagerConfig } from './config/types.ts'
import { GroupTimers } from './dispatch/group-timers.ts'
import { matchesAll } from './matcher/parse.ts'
import { type AlertmanagerMetrics, createMetrics, registerStateMetrics } from './metrics.ts'
import { PendingDeliveries } from './notify/delivery-progress.ts'
import { type NotificationEvent, NotificationHistory } from './notify/history.ts'
import type { HttpClientFactory } from './notify/integrations.ts'
import { NotificationLog } from './notify/notification-log.ts'
import { mutingIntervals } from './notify/pipeline.ts'
import { findRoutes, groupKeyOf, groupLabelsOf } from './route/route.ts'
import { Runtime, type RuntimeOptions } from './runtime.ts'
import { type Silence, type SilenceInput, type SilenceLimits, Silences } from './silence/silences.ts'
import { memoryLog, openStateLog, type StateLog } from './store/state-log.ts'
import type { AlertmanagerStatus, AlertView, GroupView, RouteDestination, TestOutcome } from './views.ts'

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
  readonly #alerts: AlertRegistry
  readonly #silences: Silences
  readonly #notificationLog: NotificationLog
  readonly #pending = new PendingDeliveries()
  readonly #history = new NotificationHistory()
  readonly #timers = new GroupTimers()
  readonly #inFlight = new Map<string, Promise<unknown>>()
  readonly #cancelJobs: (() => void)[] = []
  #log: StateLog = memoryLog
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
    this.#alerts = new AlertRegistry(clock)
    this.#silences = new Silences({
      clock,
      limits: options.silenceLimits ?? { silencesMax: 0, silenceBytesMax: 0 },
      retentionMs: this.#retentionMs,
    })
    this.#notificationLog = new NotificationLog()
    this.metrics = createMetrics(registry)
    registerStateMetrics(registry, this.#facts())
  }

  /** Called once, by `createAlertmanager`. */
  async open(): Promise<void> {
    const { dataDir, config = defaultConfig } = this.#options
    if (dataDir !== undefined) {
      const parts = [this.#alerts, this.#silences, this.#notificationLog, this.#pending, this.#timers, this.#history]
      this.#log = await openStateLog(dataDir, parts, this.#logger)
    }
    try {
      this.#alerts.extendExpiredLeases(RESTART_GRACE_MS)
      const runtime = await Runtime.build(this.#runtimeOptions(config))
      this.#start(runtime, true)
    } catch (error) {
      await this.#log.close()
      throw error
    }
    this.#every(ALERT_GC_INTERVAL_MS, () => this.#collectAlerts())
    this.#every(MAINTENANCE_INTERVAL_MS, () => {
      this.#silences.collectGarbage(this.#log)
      this.#notificationLog.collectGarbage(this.#clock.nowMs(), this.#log)
    })
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
  async receive(inputs: readonly AlertInput[]): Promise<InvalidAlertError[]> {
    const errors: InvalidAlertError[] = []
    const nowMs = this.#clock.nowMs()
    for (const input of inputs) {
      try {
        const alert = toStoredAlert(input, nowMs, this.#current().config.resolveTimeoutMs)
        this.metrics.received.inc({ status: isResolved(alert, nowMs) ? 'resolved' : 'firing', version: 'v2' })
        this.#current().add(this.#alerts.put(alert, this.#log))
      } catch (error) {
        if (!(error instanceof InvalidAlertError)) throw error
        this.metrics.invalid.inc({ version: 'v2' })
        errors.push(error)
      }
    }
    await this.#log.commit()
    return errors
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
    await this.#runtime?.stop(STOP_PATIENCE_MS)
    await this.#log.close()
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
    const { route } = this.#current()
    return this.#liveAlerts(this.#alerts.all(), filter)
      .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
      .map((alert) => {
        const receivers = new Set(findRoutes(route, alert.labels).map(({ receiver }) => receiver))
        return this.#view(alert, [...receivers], [])
      })
  }

  /** Groups with alerts that have not ended, by labels and receiver. */
  groups(filter: readonly Matcher[] = []): GroupView[] {
    const { dispatcher, config } = this.#current()
    const views: GroupView[] = []
    for (const group of dispatcher?.groups() ?? []) {
      const { receiver, labels: routeLabels } = group.route
      const muting = mutingIntervals(group.route, config.timeIntervals, this.#clock.nowMs())?.names ?? []
      const alerts = this.#liveAlerts(group.alerts(), filter).sort(compareAlerts)
      if (alerts.length === 0) continue
      views.push({
        key: group.key,
        labels: group.labels,
        routeLabels,
        receiver,
        nextFlushAtMs: group.timer.nextFlushAtMs,
        alerts: alerts.map((alert) => this.#view(alert, [receiver], muting)),
      })
    }
    return views.sort((a, b) => compareLabelSets(a.labels, b.labels) || (a.receiver < b.receiver ? -1 : 1))
  }

  /** The destinations that alerts with these labels have. */
  routeFor(labels: Labels): RouteDestination[] {
    return findRoutes(this.#current().route, labels).map((route) => {
      const groupLabels = groupLabelsOf(route, labels)
      return { receiver: route.receiver, routeKey: route.key, groupKey: groupKeyOf(route, groupLabels), groupLabels }
    })
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
    return this.#history.all()
  }

  silences(): Silence[] {
    return [...this.#silences.all()]
  }

  silence(id: string): Silence | undefined {
    return this.#silences.get(id)
  }

  /** @returns its id, durable @throws {InvalidSilenceError} @throws {SilenceNotFoundError} */
  setSilence(input: SilenceInput): Promise<string> {
    return this.#silences.set(input, this.#log)
  }

  /** @throws {SilenceNotFoundError} */
  expireSilence(id: string): Promise<void> {
    return this.#silences.expire(id, this.#log)
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
    runtime.start(this.#alerts.all(), {
      holdUntilMs: this.#startedAtMs + (this.#options.startDelayMs ?? 0),
      // A reload starts all timers anew, as the original does.
      resumeTimer: (groupKey) => (isRestart ? this.#timers.get(groupKey) : undefined),
      onTimer: (groupKey, timer) => this.#log.write(this.#timers.set(groupKey, timer)),
      onGroupGone: (groupKey) => this.#log.write(this.#timers.delete(groupKey)),
    })
    const groupKeys = new Set([...(runtime.dispatcher?.groups() ?? [])].map(({ key }) => key))
    for (const key of this.#timers.keys()) if (!groupKeys.has(key)) this.#log.write(this.#timers.delete(key))
  }

  #runtimeOptions(config: AlertmanagerConfig): RuntimeOptions {
    const { externalUrl, httpClientFactory } = this.#options
    return {
      config,
      state: {
        silences: this.#silences,
        notificationLog: this.#notificationLog,
        pending: this.#pending,
        history: this.#history,
        log: this.#log,
        inFlight: this.#inFlight,
      },
      clock: this.#clock,
      logger: this.#logger,
      metrics: this.metrics,
      httpClientFactory,
      externalUrl: externalUrl.replace(/\/+$/, ''),
      userAgent: `Alertmanager/${VERSION}`,
      retentionMs: this.#retentionMs,
    }
  }

  #liveAlerts(alerts: Iterable<StoredAlert>, filter: readonly Matcher[]): StoredAlert[] {
    const nowMs = this.#clock.nowMs()
    return [...alerts].filter((alert) => !isResolved(alert, nowMs) && matchesAll(filter, alert.labels))
  }

  #view(alert: StoredAlert, receivers: readonly string[], mutedBy: readonly string[]): AlertView {
    const inhibitor = this.#current().inhibitor.inhibitedBy(alert.labels, this.#clock.nowMs())
    return {
      alert,
      receivers,
      silencedBy: this.#silences.mutedBy(alert.fingerprint, alert.labels),
      inhibitedBy: inhibitor === undefined ? [] : [inhibitor],
      mutedBy,
    }
  }

  #isSuppressed(alert: StoredAlert): boolean {
    return (
      this.#current().inhibitor.inhibitedBy(alert.labels, this.#clock.nowMs()) !== undefined ||
      this.#silences.mutedBy(alert.fingerprint, alert.labels).length > 0
    )
  }

  #collectAlerts(): void {
    const { dispatcher, inhibitor } = this.#current()
    this.#alerts.collectGarbage(this.#log, dispatcher?.heldFingerprints() ?? new Set())
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
      suppressed: () => this.#liveAlerts(this.#alerts.all(), []).map((alert) => this.#isSuppressed(alert)),
      silences: () => this.#silences,
      notificationLog: () => this.#notificationLog,
      groupCount: () => this.#runtime?.dispatcher?.groupCount ?? 0,
      receiverCount: () => this.#runtime?.integrations.size ?? 0,
      integrations: () => [...(this.#runtime?.integrations.values() ?? [])].flat(),
      inhibitionRuleCount: () => this.#runtime?.inhibitor.ruleCount ?? 0,
      lastReload: () => this.#lastReload,
      configHash: () => hash48(this.#runtime?.config.printed ?? ''),
      nowMs: () => this.#clock.nowMs(),
      version: VERSION,
    }
  }
}

/** A number that fits a float64 without loss. */
const hash48 = (text: string): number => createHash('md5').update(text).digest().readUIntBE(0, 6)
