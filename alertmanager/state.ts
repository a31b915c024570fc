import type { Clock, Logger } from '../lib/index.ts'
import { Acknowledgements } from './ack/acknowledgements.ts'
import { AlertRegistry } from './alert/alert-registry.ts'
import { GroupTimers } from './dispatch/group-timers.ts'
import { importOriginalsState, isOriginalsFolder } from './migrate/import.ts'
import { PendingDeliveries } from './notify/delivery-progress.ts'
import { NotificationHistory } from './notify/history.ts'
import { NotificationLog } from './notify/notification-log.ts'
import { OutgoingNotifications } from './notify/outgoing.ts'
import { type SilenceLimits, Silences } from './silence/silences.ts'
import { memoryLog, openStateLog, type StateLog } from './store/state-log.ts'

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
  /** Integrations that are sending right now, over all configurations. */
  readonly inFlight = new Map<string, Promise<unknown>>()
  log: StateLog = memoryLog

  constructor(options: { clock: Clock; limits: SilenceLimits; retentionMs: number }) {
    this.alerts = new AlertRegistry(options.clock)
    this.silences = new Silences(options)
  }

  /** @throws {StateLogError} */
  async open(dataDir: string, logger: Logger): Promise<void> {
    const { alerts, silences, notificationLog, pending, outgoing, timers, history, acknowledgements } = this
    const parts = [alerts, silences, notificationLog, pending, outgoing, timers, history, acknowledgements]
    const isMove = isOriginalsFolder(dataDir)
    this.log = await openStateLog(dataDir, parts, logger)
    if (isMove) await importOriginalsState(dataDir, this, logger)
  }

  /** Forgets what its retention does not cover any more. */
  collectGarbage(nowMs: number): void {
    this.silences.collectGarbage(this.log)
    this.notificationLog.collectGarbage(nowMs, this.log)
    this.acknowledgements.collectGarbage(nowMs, this.log)
  }
}
