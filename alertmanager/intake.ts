// Covered by bench/load/alerts.ts: a hundred thousand alerts may come at once.
import { type Clock, Turns } from '../lib/index.ts'
import { type AlertInput, InvalidAlertError, toStoredAlert } from './alert/ingest.ts'
import { isResolved } from './alert/stored-alert.ts'
import type { AlertmanagerMetrics } from './metrics.ts'
import type { Runtime } from './runtime.ts'
import type { AlertmanagerState } from './state.ts'

/** So many alerts are taken between looks at the time. */
const TURN_ALERTS = 32

export interface IntakeOptions {
  readonly state: AlertmanagerState
  readonly clock: Clock
  readonly metrics: AlertmanagerMetrics
  readonly current: () => Runtime
}

/** The way of every alert into the state, to its groups, and to whoever else is to know of it. */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Good ones are durable when it resolves. @returns why the others were refused @throws {StateLogError} */
  async receive(inputs: Iterable<AlertInput>): Promise<InvalidAlertError[]> {
    const { state, clock, metrics } = this.#options
    const errors: InvalidAlertError[] = []
    const counts = { firing: 0, resolved: 0 }
    const nowMs = clock.nowMs()
    const turns = new Turns()
    let taken = 0
    for (const input of inputs) {
      if (++taken % TURN_ALERTS === 0 && turns.isOver) {
        state.alerts.logChanges(state.log)
        await turns.next()
      }
      try {
        counts[this.#take(input, nowMs)]++
      } catch (error) {
        if (!(error instanceof InvalidAlertError)) throw error
        metrics.invalid.inc({ version: 'v2' })
        errors.push(error)
      }
    }
    state.alerts.logChanges(state.log)
    for (const [status, count] of Object.entries(counts))
      if (count > 0) metrics.received.inc({ status, version: 'v2' }, count)
    await state.log.commit()
    return errors
  }

  /** @throws {InvalidAlertError} */
  #take(input: AlertInput, nowMs: number): 'firing' | 'resolved' {
    const { alerts, flapping, log } = this.#options.state
    const runtime = this.#options.current()
    const alert = toStoredAlert(input, nowMs, runtime.config.resolveTimeoutMs)
    const old = alerts.get(alert.fingerprint)
    const known = alerts.put(alert, old)
    flapping.observe(old, known, nowMs, log)
    runtime.add(known)
    runtime.onCall.monitor.observe(known)
    return isResolved(alert, nowMs) ? 'resolved' : 'firing'
  }
}
