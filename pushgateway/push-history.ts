/** One push of a group, as it came in. */
export interface PushEvent {
  readonly timeMs: number
  readonly method: 'PUT' | 'POST'
  /** Address it came from; '' when nobody said. */
  readonly sender: string
  /** Of the body as sent. */
  readonly bytes: number
  /** Why it was refused; '' when it was taken. */
  readonly refusal: string
}

const REFUSAL_CHARACTERS_MAX = 300
/** Fewer pushes show no rhythm. */
const RHYTHM_EVENTS_MIN = 5
/** So many usual intervals without a push are worth a warning. */
const OVERDUE_FACTOR = 3
/** Jobs that push in quick succession are not watched to the second. */
const OVERDUE_MS_MIN = 60_000

export interface Rhythm {
  /** Median of the time between pushes that were taken. */
  readonly usualIntervalMs: number
  /** When the next push should have come at the latest. */
  readonly dueAtMs: number
}

/** `events` with one more, at most `max` of them, oldest first. */
export function withEvent(events: readonly PushEvent[], event: PushEvent, max: number): readonly PushEvent[] {
  if (max === 0) return events
  const short =
    event.refusal.length > REFUSAL_CHARACTERS_MAX
      ? { ...event, refusal: `${event.refusal.slice(0, REFUSAL_CHARACTERS_MAX)}…` }
      : event
  return [...events.slice(Math.max(0, events.length + 1 - max)), short]
}

/** What the last pushes tell of the usual time between them; `undefined` while they are too few. */
export function rhythmOf(events: readonly PushEvent[]): Rhythm | undefined {
  const times = events.filter(({ refusal }) => refusal === '').map(({ timeMs }) => timeMs)
  if (times.length < RHYTHM_EVENTS_MIN) return undefined
  const gaps = times.slice(1).map((timeMs, i) => timeMs - times[i]!)
  gaps.sort((a, b) => a - b)
  const usualIntervalMs = gaps[gaps.length >> 1]!
  return { usualIntervalMs, dueAtMs: times.at(-1)! + Math.max(OVERDUE_FACTOR * usualIntervalMs, OVERDUE_MS_MIN) }
}
