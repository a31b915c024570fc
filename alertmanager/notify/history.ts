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
  /** Who was on call and told, with commas between them. */
  readonly people?: string
  /** The provider's ids of messages whose arrival it tells later. */
  readonly messageIds?: readonly string[]
}

/** Absent = any. */
export interface NotificationFilter {
  readonly receiver?: string
  readonly integration?: string
  readonly outcome?: NotificationEvent['outcome']
  readonly groupKey?: string
  /** Found anywhere in the group's labels, the reason, the answer or the error; letters count alike in both cases. */
  readonly text?: string
  readonly fromMs?: number
  readonly toMs?: number
  readonly countMax?: number
}

const KIND = 'notification-event'
const EVENTS_MAX = 10_000

/** The latest notifications, oldest first. */
export class NotificationHistory implements StatePart {
  readonly kinds = [KIND]
  #events: NotificationEvent[] = []

  all(): readonly NotificationEvent[] {
    return this.#events
  }

  /**
   * The latest that fit, newest first.
   *
   * @param sinceThen gives an event with what has become known since
   */
  search(
    filter: NotificationFilter,
    sinceThen: (event: NotificationEvent) => NotificationEvent = (event) => event,
  ): NotificationEvent[] {
    const found: NotificationEvent[] = []
    for (let i = this.#events.length - 1; i >= 0 && found.length < (filter.countMax ?? EVENTS_MAX); i--) {
      const event = sinceThen(this.#events[i]!)
      if (fits(event, filter)) found.push(event)
    }
    return found
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

function fits(event: NotificationEvent, filter: NotificationFilter): boolean {
  const { receiver, integration, outcome, groupKey, text, fromMs = 0, toMs = Number.POSITIVE_INFINITY } = filter
  if (event.atMs < fromMs || event.atMs > toMs) return false
  if ((receiver ?? event.receiver) !== event.receiver || (integration ?? event.integration) !== event.integration)
    return false
  if ((outcome ?? event.outcome) !== event.outcome || (groupKey ?? event.groupKey) !== event.groupKey) return false
  if (text === undefined || text === '') return true
  const words = [event.groupKey, ...event.groupLabels, event.reason, event.detail, event.error]
  return words.join(' ').toLowerCase().includes(text.toLowerCase())
}
