import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { DeliveryProgress } from './notifier.ts'

const PUT = 'delivering'
const GONE = 'delivering-gone'

/** What is about to be told through one integration about one group. */
export interface DeliveryContent {
  /** The same for retries of one message; another content starts from nobody served. */
  readonly contentId: string
  /** Fingerprints. */
  readonly firing: readonly string[]
}

interface Pending {
  readonly contentId: string
  readonly recipients: ReadonlySet<string>
  /** What somebody may have been told of as firing, this time or before: fingerprints. */
  readonly firing: ReadonlySet<string>
  /** When it was begun. */
  readonly atMs: number
}

/** A notification that has been begun. */
export interface Delivery extends DeliveryProgress {
  /** To be called when it has surely reached nobody but those in its progress. */
  failed(): void
}

/**
 * Notifications under way, by `groupKey:receiver/integration/index`. Kept over restarts: whoever has been reached is not paged
 * twice, and when the process dies before the answer of a provider is written down, the end of an alert is told all the same.
 */
export class PendingDeliveries implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #pending = new Map<string, Pending>()

  /** Writes down that it begins; the caller commits before anything is sent. */
  begin(key: string, { contentId, firing }: DeliveryContent, atMs: number, log: StateLog): Delivery {
    const before = this.#pending.get(key)
    const recipients = new Set(before?.contentId === contentId ? before.recipients : [])
    const pending: Pending = { contentId, recipients, firing: new Set([...(before?.firing ?? []), ...firing]), atMs }
    this.#put(key, pending, log)
    return {
      isDone: (recipient) => recipients.has(recipient),
      done: async (recipient) => {
        recipients.add(recipient)
        this.#put(key, pending, log)
        await log.commit()
      },
      failed: () => {
        if (recipients.size > 0) return
        if (before) this.#put(key, before, log)
        else this.clear(key, log)
      },
    }
  }

  /**
   * Fingerprints of alerts that somebody may have been told of as firing although the notification log does not say so.
   *
   * @param recordedAtMs of the log's entry; another instance may have told the rest since
   */
  perhapsTold(key: string, recordedAtMs: number | undefined): ReadonlySet<string> {
    const pending = this.#pending.get(key)
    return pending && (recordedAtMs === undefined || recordedAtMs < pending.atMs) ? pending.firing : NOBODY
  }

  /** The notification is complete, or is not wanted any more. */
  clear(key: string, log: StateLog): void {
    if (this.#pending.delete(key)) log.write([GONE, key])
  }

  /** Forgets what was begun before an instant and has never come to an end. */
  collectGarbage(beforeMs: number, log: StateLog): void {
    for (const [key, { atMs }] of this.#pending) if (atMs < beforeMs) this.clear(key, log)
  }

  apply(record: StateRecord): void {
    const [kind, key] = record as [string, string]
    if (kind === GONE) this.#pending.delete(key)
    else this.#pending.set(key, pendingOf(record))
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [key, pending] of this.#pending) yield recordOf(key, pending)
  }

  #put(key: string, pending: Pending, log: StateLog): void {
    this.#pending.set(key, pending)
    log.write(recordOf(key, pending))
  }
}

const NOBODY: ReadonlySet<string> = new Set()

const recordOf = (key: string, { contentId, recipients, firing, atMs }: Pending): StateRecord => [
  PUT,
  key,
  contentId,
  [...recipients],
  [...firing],
  atMs,
]

function pendingOf(record: StateRecord): Pending {
  // Records of the first releases end after the recipients.
  const [, , contentId, recipients, firing = [], atMs = 0] = record as unknown as [
    string,
    string,
    string,
    string[],
    string[]?,
    number?,
  ]
  return { contentId, recipients: new Set(recipients), firing: new Set(firing), atMs }
}
