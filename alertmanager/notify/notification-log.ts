import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { ReceiverData } from './notifier.ts'

/** What was last told through one integration about one group. */
export interface NotificationLogEntry {
  /** Fingerprints. */
  readonly firing: ReadonlySet<string>
  readonly resolved: ReadonlySet<string>
  readonly atMs: number
  readonly expiresAtMs: number
  /** Absent: by fingerprints. Entries that were taken over from the original know alerts by its own hash. */
  readonly knowsBy?: 'alert-hash' | undefined
  /** What the integration wants to find again, such as the id of the message it sent. */
  readonly receiverData: ReceiverData
}

const PUT = 'notified'
const GONE = 'notified-gone'
const RENEWED_AFTER_MS = 600_000
/** Of its life, where that is short: an entry must not end while it waits for being renewed. */
const RENEWED_AFTER_SHARE = 0.25

/** The memory that keeps a notification from being sent twice, by `groupKey:receiver/integration/index`. */
export class NotificationLog implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #entries = new Map<string, NotificationLogEntry>()
  queryCount = 0

  /** An expired entry counts until it is collected: `repeat_interval` may be shorter than a tick. */
  get(key: string): NotificationLogEntry | undefined {
    this.queryCount++
    return this.#entries.get(key)
  }

  /** Resolves when the entry is durable. */
  async set(key: string, entry: NotificationLogEntry, log: StateLog): Promise<void> {
    this.#entries.set(key, entry)
    log.write(putRecord(key, entry))
    await log.commit()
  }

  /** What is known of an alert that still fires is kept for longer, though nothing is told anew. The caller commits. */
  keep(key: string, { atMs, lifeMs }: { readonly atMs: number; readonly lifeMs: number }, log: StateLog): void {
    const known = this.#entries.get(key)
    if (!known || known.firing.size === 0) return
    const expiresAtMs = atMs + lifeMs
    if (expiresAtMs - known.expiresAtMs < Math.min(RENEWED_AFTER_MS, lifeMs * RENEWED_AFTER_SHARE)) return
    const entry = { ...known, expiresAtMs }
    this.#entries.set(key, entry)
    log.write(putRecord(key, entry))
  }

  /** Takes an entry from elsewhere unless ours is as new. The caller commits. Returns whether it was taken. */
  merge(key: string, entry: NotificationLogEntry, log: StateLog): boolean {
    const known = this.#entries.get(key)
    if (known && known.atMs >= entry.atMs) return false
    this.#entries.set(key, entry)
    log.write(putRecord(key, entry))
    return true
  }

  entries(): Iterable<readonly [key: string, entry: NotificationLogEntry]> {
    return this.#entries
  }

  collectGarbage(nowMs: number, log: StateLog): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAtMs > nowMs) continue
      this.#entries.delete(key)
      log.write([GONE, key])
    }
  }

  apply(record: StateRecord): void {
    const [kind, key] = record as [string, string]
    if (kind === GONE) this.#entries.delete(key)
    else this.#entries.set(key, notifiedOf(record))
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [key, entry] of this.#entries) yield putRecord(key, entry)
  }
}

type PutRecord = readonly [string, string, string[], string[], number, number, ReceiverData?, ('alert-hash' | '')?]

/** The entry of a record. */
export function notifiedOf(record: StateRecord): NotificationLogEntry {
  // Records of the first release end before the receiver's data.
  const [, , firing, resolved, atMs, expiresAtMs, receiverData = {}, knowsBy] = record as unknown as PutRecord
  const sets = { firing: new Set(firing), resolved: new Set(resolved) }
  return { ...sets, atMs, expiresAtMs, receiverData, knowsBy: knowsBy || undefined }
}

const putRecord = (key: string, e: NotificationLogEntry): PutRecord => [
  PUT,
  key,
  [...e.firing],
  [...e.resolved],
  e.atMs,
  e.expiresAtMs,
  e.receiverData,
  e.knowsBy ?? '',
]

/** Go users see these words in templates and payloads as the reason of a notification. */
export type NotificationReason =
  | 'first notification'
  | 'new alerts added'
  | 'all alerts resolved'
  | 'some alerts resolved'
  | 'repeat interval elapsed'
  // These two are our own.
  | 'escalated'
  | 'flapping'

/** Why to notify now, or `undefined` when there is nothing new to tell. */
export function notificationReason(
  entry: NotificationLogEntry | undefined,
  now: { firing: ReadonlySet<string>; resolved: ReadonlySet<string>; atMs: number },
  options: { sendResolved: boolean; repeatIntervalMs: number },
): NotificationReason | undefined {
  if (!entry) return now.firing.size > 0 ? 'first notification' : undefined
  if (!isSubset(now.firing, entry.firing)) return entry.firing.size === 0 ? 'first notification' : 'new alerts added'
  // Also without send_resolved: the log must forget what no longer fires.
  if (now.firing.size === 0) return entry.firing.size > 0 ? 'all alerts resolved' : undefined
  if (options.sendResolved && !isSubset(now.resolved, entry.resolved)) return 'some alerts resolved'
  return entry.atMs <= now.atMs - options.repeatIntervalMs ? 'repeat interval elapsed' : undefined
}

function isSubset(part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean {
  for (const item of part) if (!whole.has(item)) return false
  return true
}
