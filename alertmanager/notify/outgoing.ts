import type { Labels } from '../../model/index.ts'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'

/** A notification on its way: what holds it up, and since when. */
export interface OutgoingNotification {
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly receiver: string
  readonly integration: string
  readonly index: number
  readonly reason: string
  readonly alertCount: number
  /** When it was first tried. */
  readonly sinceMs: number
  /** Over all ticks and restarts. */
  readonly attempts: number
  /** Why the last attempt failed, or that of another through the same integration; '' = none has yet. */
  readonly lastError: string
  /** `undefined` = it is being tried right now. */
  readonly nextAttemptAtMs: number | undefined
}

const PUT = 'outgoing'
const GONE = 'outgoing-gone'

/**
 * What is to be sent and has not arrived, by `groupKey:receiver/integration/index`. The alerts themselves stay in their group
 * until they are delivered; this is the account of the attempts. Only failures go to the log.
 */
export class OutgoingNotifications implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #byKey = new Map<string, OutgoingNotification>()

  all(): OutgoingNotification[] {
    return [...this.#byKey.values()].sort((a, b) => a.sinceMs - b.sinceMs)
  }

  get(key: string): OutgoingNotification | undefined {
    return this.#byKey.get(key)
  }

  /** A round of attempts begins; one that follows a failed round goes on counting. */
  begin(key: string, facts: Omit<OutgoingNotification, 'attempts' | 'lastError' | 'nextAttemptAtMs'>): void {
    const { sinceMs = facts.sinceMs, attempts = 0, lastError = '' } = this.#byKey.get(key) ?? {}
    this.#byKey.set(key, { ...facts, sinceMs, attempts, lastError, nextAttemptAtMs: undefined })
  }

  /** It stands in line, since others have failed. */
  waits(key: string, error: string): void {
    const known = this.#byKey.get(key)
    if (known?.lastError === '') this.#byKey.set(key, { ...known, lastError: error })
  }

  failed(key: string, error: string, nextAttemptAtMs: number, log: StateLog): void {
    const known = this.#byKey.get(key)
    if (!known) return
    this.#byKey.set(key, { ...known, attempts: known.attempts + 1, lastError: error, nextAttemptAtMs })
    log.write([PUT, key, this.#byKey.get(key)])
  }

  /** The next attempt of this process' life comes at another time than the last failure said. */
  postpone(key: string, nextAttemptAtMs: number): void {
    const known = this.#byKey.get(key)
    if (known) this.#byKey.set(key, { ...known, nextAttemptAtMs })
  }

  /** It has arrived, or is not wanted any more. */
  done(key: string, log: StateLog): void {
    const known = this.#byKey.get(key)
    if (!known) return
    this.#byKey.delete(key)
    if (known.attempts > 0) log.write([GONE, key])
  }

  /** The rest has no way out any more. */
  keepOnly(isWanted: (one: OutgoingNotification) => boolean, log: StateLog): void {
    for (const [key, one] of this.#byKey) if (!isWanted(one)) this.done(key, log)
  }

  apply(record: StateRecord): void {
    const [kind, key, entry] = record as [string, string, OutgoingNotification]
    if (kind === GONE) this.#byKey.delete(key)
    else this.#byKey.set(key, entry)
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [key, entry] of this.#byKey) if (entry.attempts > 0) yield [PUT, key, entry]
  }
}
