import type { Clock } from '../../lib/index.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { StateRecord } from '../store/frame.ts'
import { type AlertFields, alertOf, AlertRecords, PUT, TOUCH, type TouchRecord } from './alert-records.ts'
import { highHalfOf } from './fingerprint.ts'
import { type IncomingAlert, isResolved, mergeAlerts, type StoredAlert, storedAlert } from './stored-alert.ts'

const GONE = 'alert-gone'
/** Of one alert each, as logs have them that were written before the above. */
const PUT_ONE = 'alert'
const TOUCH_ONE = 'alert-touch'

/** All alerts known, firing or lately resolved, by fingerprint. Every change goes to the log. */
export class AlertRegistry implements StatePart {
  readonly kinds = [PUT, TOUCH, GONE, PUT_ONE, TOUCH_ONE]
  readonly #clock: Clock
  readonly #alerts = new Map<string, StoredAlert>()
  /** Fingerprints by their upper halves. Of two with the same the later; what is not there is only found more slowly. */
  readonly #byHighHalf = new Map<number, string>()
  /** Changes that are not in the log yet. */
  readonly #changes = new AlertRecords()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  all(): IterableIterator<StoredAlert> {
    return this.#alerts.values()
  }

  get(fingerprint: string): StoredAlert | undefined {
    return this.#alerts.get(fingerprint)
  }

  /** An alert whose fingerprint begins with these 32 bits; its labels show whether it is the one that is meant. */
  candidate(highHalf: number): StoredAlert | undefined {
    const fingerprint = this.#byHighHalf.get(highHalf)
    return fingerprint === undefined ? undefined : this.#alerts.get(fingerprint)
  }

  /**
   * Merges the alert with what is known of it. Others may have a turn when `logChanges` has been called.
   *
   * @param old what `get` says
   * @returns what is known now
   */
  put(alert: IncomingAlert, old: StoredAlert | undefined): StoredAlert {
    const merged = old ? mergeAlerts(old, alert, this.#clock.nowMs()) : storedAlert(alert)
    this.#set(merged)
    if (old?.annotations === merged.annotations && old.generatorUrl === merged.generatorUrl) this.#changes.touch(merged)
    else this.#changes.put(merged)
    return merged
  }

  /** Gives the log what has changed; the caller commits. */
  logChanges(log: StateLog): void {
    for (const record of this.#changes.take()) log.write(record)
  }

  /**
   * A firing alert lives on a lease that its sender renews. Leases that ran out while nobody could receive the renewal
   * get `graceMs` from now, so that a restart does not announce resolves that never happened.
   */
  extendExpiredLeases(graceMs: number): void {
    const nowMs = this.#clock.nowMs()
    let lastAliveMs = 0
    for (const alert of this.#alerts.values()) lastAliveMs = Math.max(lastAliveMs, alert.updatedAtMs)
    for (const alert of this.#alerts.values()) {
      const leaseMs = alert.endsAtMs - alert.updatedAtMs
      if (leaseMs <= 0 || alert.endsAtMs <= lastAliveMs || alert.endsAtMs > nowMs) continue
      this.#alerts.set(alert.fingerprint, { ...alert, endsAtMs: nowMs + Math.min(leaseMs, graceMs) })
    }
  }

  /** Forgets resolved alerts but those that are still needed. */
  collectGarbage(log: StateLog, needed: ReadonlySet<string>): void {
    const nowMs = this.#clock.nowMs()
    for (const alert of this.#alerts.values()) {
      if (!isResolved(alert, nowMs) || needed.has(alert.fingerprint)) continue
      this.#delete(alert.fingerprint)
      log.write([GONE, alert.fingerprint])
    }
  }

  apply(record: StateRecord): void {
    const [kind, ...items] = record
    if (kind === GONE) this.#delete(items[0] as string)
    else if (kind === PUT) for (const fields of items as AlertFields[]) this.#set(alertOf(fields))
    else if (kind === PUT_ONE) this.#set(alertOf(items as unknown as AlertFields))
    else if (kind === TOUCH) this.#touchAll(record as TouchRecord)
    else this.#touch(...(items as [string, number, number, number, boolean]))
  }

  *snapshot(): Iterable<StateRecord> {
    const records = new AlertRecords()
    for (const alert of this.#alerts.values()) {
      records.put(alert)
      yield* records.takeFull()
    }
    yield* records.take()
  }

  #touchAll([, fingerprints, timesMs]: TouchRecord): void {
    for (const [i, fingerprint] of fingerprints.entries()) {
      const [startsAtMs, endsAtMs, updatedAtMs, timeout] = timesMs.slice(4 * i, 4 * i + 4)
      this.#touch(fingerprint, startsAtMs!, endsAtMs!, updatedAtMs!, timeout === 1)
    }
  }

  #touch(fingerprint: string, startsAtMs: number, endsAtMs: number, updatedAtMs: number, timeout: boolean): void {
    const old = this.#alerts.get(fingerprint)
    if (old) this.#alerts.set(fingerprint, { ...old, startsAtMs, endsAtMs, updatedAtMs, timeout })
  }

  #set(alert: StoredAlert): void {
    const { size } = this.#alerts
    this.#alerts.set(alert.fingerprint, alert)
    if (this.#alerts.size > size) this.#byHighHalf.set(highHalfOf(alert.fingerprint), alert.fingerprint)
  }

  #delete(fingerprint: string): void {
    this.#alerts.delete(fingerprint)
    this.#byHighHalf.delete(highHalfOf(fingerprint))
  }
}
