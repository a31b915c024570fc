import type { Clock } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { StateRecord } from '../store/frame.ts'
import { isResolved, mergeAlerts, type StoredAlert } from './stored-alert.ts'

const PUT = 'alert'
const TOUCH = 'alert-touch'
const GONE = 'alert-gone'

/** All alerts known, firing or lately resolved, by fingerprint. Every change goes to the log. */
export class AlertRegistry implements StatePart {
  readonly kinds = [PUT, TOUCH, GONE]
  readonly #clock: Clock
  readonly #alerts = new Map<string, StoredAlert>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  all(): IterableIterator<StoredAlert> {
    return this.#alerts.values()
  }

  get(fingerprint: string): StoredAlert | undefined {
    return this.#alerts.get(fingerprint)
  }

  /** Merges the alert with what is known of it and logs the change; the caller commits. Returns what is known now. */
  put(alert: StoredAlert, log: StateLog): StoredAlert {
    const old = this.#alerts.get(alert.fingerprint)
    // The labels of one fingerprint are one object, by which others remember what they found out about them.
    const merged = old ? mergeAlerts(old, { ...alert, labels: old.labels }, this.#clock.nowMs()) : alert
    this.#alerts.set(merged.fingerprint, merged)
    log.write(old && sameTexts(old, merged) ? touchRecord(merged) : putRecord(merged))
    return merged
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
      this.#alerts.delete(alert.fingerprint)
      log.write([GONE, alert.fingerprint])
    }
  }

  apply(record: StateRecord): void {
    const [kind, fingerprint] = record as [string, string]
    if (kind === GONE) this.#alerts.delete(fingerprint)
    else if (kind === PUT) this.#alerts.set(fingerprint, alertOf(record))
    else {
      const old = this.#alerts.get(fingerprint)
      const [, , startsAtMs, endsAtMs, updatedAtMs, timeout] = record as TouchRecord
      if (old) this.#alerts.set(fingerprint, { ...old, startsAtMs, endsAtMs, updatedAtMs, timeout })
    }
  }

  *snapshot(): Iterable<StateRecord> {
    for (const alert of this.#alerts.values()) yield putRecord(alert)
  }
}

type PutRecord = readonly [string, string, Labels, Labels, number, number, number, string, boolean]
type TouchRecord = readonly [string, string, number, number, number, boolean]

const putRecord = (a: StoredAlert): PutRecord => [
  PUT,
  a.fingerprint,
  a.labels,
  a.annotations,
  a.startsAtMs,
  a.endsAtMs,
  a.updatedAtMs,
  a.generatorUrl,
  a.timeout,
]

/** The usual case, a renewal: only times changed. */
const touchRecord = (a: StoredAlert): TouchRecord => [
  TOUCH,
  a.fingerprint,
  a.startsAtMs,
  a.endsAtMs,
  a.updatedAtMs,
  a.timeout,
]

function alertOf(record: StateRecord): StoredAlert {
  const [, fingerprint, labels, annotations, startsAtMs, endsAtMs, updatedAtMs, generatorUrl, timeout] =
    record as unknown as PutRecord
  return { fingerprint, labels, annotations, startsAtMs, endsAtMs, updatedAtMs, generatorUrl, timeout }
}

const sameTexts = (a: StoredAlert, b: StoredAlert): boolean =>
  a.generatorUrl === b.generatorUrl &&
  a.annotations.length === b.annotations.length &&
  a.annotations.every((text, i) => text === b.annotations[i])
