import type { Clock, Logger } from '../lib/index.ts'
import { Acknowledgements } from './ack/acknowledgements.ts'
import { AlertRegistry } from './alert/alert-registry.ts'
import { GroupTimers } from './dispatch/group-timers.ts'
import { importOriginalsState, isOriginalsFolder } from './migrate/import.ts'
import { PendingDeliveries } from './notify/delivery-progress.ts'
import { NotificationHistory } from './notify/history.ts'
import { NotificationLog } from './notify/notification-log.ts'
import { OutgoingNotifications } from './notify/outgoing.ts'
import { Receipts } from './notify/receipts/receipts.ts'
import { Escalations } from './oncall/escalations.ts'
import { FlapDamper } from './oncall/flap-damper.ts'
import { Heartbeats } from './oncall/heartbeats.ts'
import { Overrides } from './oncall/overrides.ts'
import { type SilenceLimits, Silences } from './silence/silences.ts'
import { memoryLog, openStateLog, type StateLog, type StatePart } from './store/state-log.ts'

/** Who was on call last month may still be asked. */
const OVERRIDES_KEPT_MS = 90 * 86_400_000

/** Everything that outlives a configuration and, with a data folder, the process. */
export class AlertmanagerState {
  readonly alerts: AlertRegistry
  readonly silences: Silences
  readonly notificationLog = new NotificationLog()
  readonly pending = new PendingDeliveries()
  readonly outgoing = new OutgoingNotifications()
  readonly history = new NotificationHistory()
  readonly timers = new GroupTimers()
  readonly acknowledgements = new Acknowledgements()
  readonly overrides = new Overrides()
  readonly escalations = new Escalations()
  readonly flapping = new FlapDamper()
  readonly heartbeats = new Heartbeats()
  readonly receipts = new Receipts()
  /** Integrations that are sending right now, over all configurations. */
  readonly inFlight = new Map<string, Promise<unknown>>()
  log: StateLog = memoryLog
  readonly #retentionMs: number

  constructor(options: { clock: Clock; limits: SilenceLimits; retentionMs: number }) {
    this.alerts = new AlertRegistry(options.clock)
    this.silences = new Silences(options)
    this.#retentionMs = options.retentionMs
  }

  /** @throws {StateLogError} */
  async open(dataDir: string, logger: Logger): Promise<void> {
    const { alerts, silences, notificationLog, pending, outgoing, timers, history, acknowledgements } = this
    const { overrides, escalations, flapping, heartbeats, receipts } = this
    const parts: StatePart[] = [alerts, silences, notificationLog, pending, outgoing, timers, history, acknowledgements]
    parts.push(overrides, escalations, flapping, heartbeats, receipts)
    const isMove = isOriginalsFolder(dataDir)
    this.log = await openStateLog(dataDir, parts, logger)
    if (isMove) await importOriginalsState(dataDir, this, logger)
  }

  /** Forgets what its retention does not cover any more. */
  collectGarbage(nowMs: number): void {
    this.silences.collectGarbage(this.log)
    this.notificationLog.collectGarbage(nowMs, this.log)
    this.acknowledgements.collectGarbage(nowMs, this.log)
    this.overrides.collectGarbage(nowMs - OVERRIDES_KEPT_MS, this.log)
    this.flapping.collectGarbage(nowMs, this.log)
    this.receipts.collectGarbage(nowMs, this.log)
    this.pending.collectGarbage(nowMs - this.#retentionMs, this.log)
  }
}
