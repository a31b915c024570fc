import type { Labels } from '../../model/index.ts'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'

/** The end of one notification through one integration. */
export interface NotificationEvent {
  readonly atMs: number
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly receiver: string
  readonly integration: string
  readonly index: number
  /** Why it was sent. */
  readonly reason: string
  readonly firingCount: number
  readonly resolvedCount: number
  readonly attempts: number
  readonly durationMs: number
  readonly outcome: 'delivered' | 'failed'
  /** What the other side answered. */
  readonly detail: string
  /** Why it failed, or who could not be reached; '' when all is well. */
  readonly error: string
}

const KIND = 'notification-event'
const EVENTS_MAX = 1000

/** The latest notifications, oldest first. */
export class NotificationHistory implements StatePart {
  readonly kinds = [KIND]
  #events: NotificationEvent[] = []

  all(): readonly NotificationEvent[] {
    return this.#events
  }

  add(event: NotificationEvent, log: StateLog): void {
    this.#push(event)
    log.write([KIND, event])
  }

  apply(record: StateRecord): void {
    this.#push(record[1] as NotificationEvent)
  }

  *snapshot(): Iterable<StateRecord> {
    for (const event of this.#events) yield [KIND, event]
  }

  #push(event: NotificationEvent): void {
    this.#events.push(event)
    if (this.#events.length > 2 * EVENTS_MAX) this.#events = this.#events.slice(-EVENTS_MAX)
  }
}
