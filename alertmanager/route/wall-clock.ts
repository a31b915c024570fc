const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const formatters = new Map<string, Intl.DateTimeFormat>()

/** @throws {RangeError} for an unknown zone */
export function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: timeZone === 'Local' ? undefined : timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
    formatters.set(timeZone, formatter)
  }
  return formatter
}

/**
 * A wall clock's reading is a number too: the Unix milliseconds that would show it if the zone were UTC. Days and weeks are
 * then plain sums, whatever the clocks do in between.
 */
export const wallOf = (atMs: number, timeZone: string): number => atMs + offsetAt(atMs, timeZone)

/** The instant of a reading: the first of two when the clocks go back, and when they jump over it the jump's other side. */
export function instantOf(wallMs: number, timeZone: string): number {
  const candidates = [wallMs - DAY_MS, wallMs + DAY_MS].map((near) => wallMs - (wallOf(near, timeZone) - near))
  const fitting = candidates.filter((atMs) => wallOf(atMs, timeZone) === wallMs)
  if (fitting.length > 0) return Math.min(...fitting)
  // The reading never was. With the offset from before the jump it is as long after the jump as it was into the gap.
  return candidates[0]!
}

const DAYS_MAX = 10_000
/** By zone and day of UTC; NaN = the clocks change on that day. Asking the formatter takes a thousand times as long. */
const offsetsMs = new Map<string, Map<number, number>>()

function offsetAt(atMs: number, timeZone: string): number {
  let byDay = offsetsMs.get(timeZone)
  if (!byDay) offsetsMs.set(timeZone, (byDay = new Map()))
  const day = Math.floor(atMs / DAY_MS)
  let offsetMs = byDay.get(day)
  if (offsetMs === undefined) {
    const beginMs = shownOffset(day * DAY_MS, timeZone)
    // No zone has changed its clocks there and back within a day.
    offsetMs = beginMs === shownOffset((day + 1) * DAY_MS, timeZone) ? beginMs : Number.NaN
    if (byDay.size >= DAYS_MAX) byDay.clear()
    byDay.set(day, offsetMs)
  }
  return Number.isNaN(offsetMs) ? shownOffset(atMs, timeZone) : offsetMs
}

function shownOffset(atMs: number, timeZone: string): number {
  const part = new Map<string, number>()
  for (const { type, value } of formatterOf(timeZone).formatToParts(atMs)) part.set(type, Number(value))
  const field = (name: string): number => part.get(name) ?? 0
  const minuteMs = Date.UTC(field('year'), field('month') - 1, field('day'), field('hour'), field('minute'))
  // No zone has been off by a part of a minute since 1972.
  return minuteMs - Math.floor(atMs / MINUTE_MS) * MINUTE_MS
}
