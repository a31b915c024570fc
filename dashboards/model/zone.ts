// Time zones: the reader's own, UTC, or a named one of the IANA data base as the platform knows it.

/** `browser`, `utc`, or a name such as `Europe/Berlin`. */
export type TimeZone = string

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** What a link or a board says; anything that is no zone is the reader's own. */
export function readTimeZone(text: string | null | undefined): TimeZone {
  if (text === undefined || text === null || text === '' || text === 'browser') return 'browser'
  if (/^(?:utc|etc\/utc)$/i.test(text)) return 'utc'
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    // Platforms answer by names of their own, often older ones.
    return text
  } catch {
    return 'browser'
  }
}

/** Options for `Intl.DateTimeFormat`. */
export function zoneOptions(zone: TimeZone): { timeZone?: string } {
  return zone === 'browser' ? {} : { timeZone: zone === 'utc' ? 'UTC' : zone }
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>()

/** What the zone's clocks are ahead of UTC at an instant. */
export function zoneOffsetMs(atMs: number, zone: TimeZone): number {
  if (zone === 'utc') return 0
  if (zone === 'browser') return -new Date(atMs).getTimezoneOffset() * MINUTE_MS
  let clock = CLOCKS.get(zone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    CLOCKS.set(zone, clock)
  }
  const parts: Record<string, number> = {}
  for (const { type, value } of clock.formatToParts(atMs)) parts[type] = Number(value)
  const wallMs = Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second)
  return wallMs - Math.floor(atMs / 1000) * 1000
}

/**
 * The instant at which the zone's clocks show what `wallMs` would be in UTC. Of a time that comes twice it is the first; a time
 * that is left out is moved on by the gap, as clocks are.
 */
export function fromWallClock(wallMs: number, zone: TimeZone): number {
  const before = zoneOffsetMs(wallMs - 24 * HOUR_MS, zone)
  const after = zoneOffsetMs(wallMs + 24 * HOUR_MS, zone)
  const first = wallMs - before
  if (before === after || zoneOffsetMs(first, zone) === before) return first
  const second = wallMs - after
  return zoneOffsetMs(second, zone) === after ? second : first
}
