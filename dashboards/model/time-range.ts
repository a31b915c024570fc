// The time grammar of links: `now`, `now-1h`, `now-1d/d`, `now/w+8h`, epoch milliseconds or a date, in any time zone.
import { fromWallClock, type TimeZone, zoneOffsetMs, zoneOptions } from './zone.ts'

export type { TimeZone } from './zone.ts'

/** Two instants as a link states them; they are resolved anew at each refresh. */
export interface TimeRange {
  readonly from: string
  readonly to: string
}

export interface ResolvedRange {
  readonly fromMs: number
  readonly toMs: number
}

/** ISO 8601. */
const MONDAY = 1
const WEEK_STARTS: Readonly<Record<string, number>> = { sunday: 0, monday: MONDAY, saturday: 6 }
const SPAN_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const TERM = /([+-])(\d+)([smhdwMQy])|\/([smhdwMQy])/y

/**
 * @param weekStart the day on which weeks begin, 0 = Sunday
 * @param edge which side of the range the text stands on: rounding goes down at the start and up at the end
 * @returns Unix milliseconds, or `undefined` where the text is no time
 */
export function parseInstant(
  text: string,
  nowMs: number,
  edge: 'from' | 'to',
  zone: TimeZone,
  weekStart = MONDAY,
): number | undefined {
  const trimmed = text.trim()
  if (trimmed.startsWith('now')) return parseRelative(trimmed.slice(3), nowMs, edge, zone, weekStart)
  if (/^-?\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed)
  const isoLike = trimmed.replace(' ', 'T')
  if (/(?:z|[+-]\d\d:?\d\d)$/i.test(trimmed)) return instantOrNothing(Date.parse(isoLike))
  const wallMs = Date.parse(`${isoLike.length === 10 ? `${isoLike}T00:00` : isoLike}Z`)
  return instantOrNothing(Number.isNaN(wallMs) ? Date.parse(trimmed) : fromWallClock(wallMs, zone))
}

function instantOrNothing(atMs: number): number | undefined {
  return Number.isNaN(atMs) ? undefined : atMs
}

/** @returns `undefined` where either end is no time or the end is not after the start */
export function resolveRange(
  range: TimeRange,
  nowMs: number,
  zone: TimeZone,
  weekStart = MONDAY,
): ResolvedRange | undefined {
  const fromMs = parseInstant(range.from, nowMs, 'from', zone, weekStart)
  const toMs = parseInstant(range.to, nowMs, 'to', zone, weekStart)
  return fromMs === undefined || toMs === undefined || toMs <= fromMs ? undefined : { fromMs, toMs }
}

/** The day that a board's weeks begin on, Monday where it does not say. */
export function readWeekStart(text: string): number {
  return WEEK_STARTS[text.toLowerCase()] ?? MONDAY
}

/** True where the right edge moves with the clock. */
export function isLive(range: TimeRange): boolean {
  return range.to.startsWith('now')
}

/** Twice the span around the same middle, never beyond now. */
export function zoomOut({ fromMs, toMs }: ResolvedRange, nowMs: number): ResolvedRange {
  const halfMs = (toMs - fromMs) / 2
  const endMs = Math.min(toMs + halfMs, Math.max(nowMs, toMs))
  return { fromMs: Math.round(endMs - 4 * halfMs), toMs: Math.round(endMs) }
}

/** What the picker's button says: `Last 15 minutes`, or both ends. */
export function describeRange(range: TimeRange, zone: TimeZone): string {
  const last = /^now-(\d+)([smhdwMy])$/.exec(range.from)
  if (last && range.to === 'now') return `Last ${describeCount(Number(last[1]), last[2]!)}`
  if (range.from === 'now/d' && range.to === 'now') return 'Today so far'
  return `${describeInstant(range.from, zone)} – ${describeInstant(range.to, zone)}`
}

const UNIT_NAMES: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
  y: 'year',
}

function describeCount(count: number, unit: string): string {
  const name = UNIT_NAMES[unit] ?? unit
  return count === 1 ? name : `${count} ${name}s`
}

function describeInstant(text: string, zone: TimeZone): string {
  const instantMs = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(instantMs)) return text
  return new Intl.DateTimeFormat('en-GB', {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...zoneOptions(zone),
  }).format(instantMs)
}

function parseRelative(
  terms: string,
  nowMs: number,
  edge: 'from' | 'to',
  zone: TimeZone,
  weekStart: number,
): number | undefined {
  let instantMs = nowMs
  TERM.lastIndex = 0
  while (TERM.lastIndex < terms.length) {
    const term = TERM.exec(terms)
    if (!term) return undefined
    const [, sign, count, unit, rounding] = term
    instantMs =
      rounding === undefined
        ? addUnits(instantMs, Number(`${sign}${count}`), unit!, zone)
        : roundToUnit(instantMs, rounding, edge, zone, weekStart)
  }
  return instantMs
}

/** Days and longer follow the calendar (a day may have 23 or 25 hours), shorter units the clock. */
function addUnits(instantMs: number, count: number, unit: string, zone: TimeZone): number {
  if (unit === 's' || unit === 'm' || unit === 'h') return instantMs + count * SPAN_MS[unit]!
  const parts = calendarParts(instantMs, zone)
  if (unit === 'd') parts.day += count
  else if (unit === 'w') parts.day += 7 * count
  else {
    parts.month += unit === 'y' ? 12 * count : unit === 'Q' ? 3 * count : count
    const lastDay = calendarParts(fromCalendar({ ...parts, month: parts.month + 1, day: 0 }, zone), zone).day
    parts.day = Math.min(parts.day, lastDay)
  }
  return fromCalendar(parts, zone)
}

function roundToUnit(instantMs: number, unit: string, edge: 'from' | 'to', zone: TimeZone, weekStart: number): number {
  const startMs = startOfUnit(instantMs, unit, zone, weekStart)
  return edge === 'from' ? startMs : addUnits(startMs, 1, unit, zone) - 1
}

function startOfUnit(instantMs: number, unit: string, zone: TimeZone, weekStart: number): number {
  const parts = calendarParts(instantMs, zone)
  const start = { ...parts, millisecond: 0 }
  if (unit === 's') return fromCalendar(start, zone)
  start.second = 0
  if (unit === 'm') return fromCalendar(start, zone)
  start.minute = 0
  if (unit === 'h') return fromCalendar(start, zone)
  start.hour = 0
  if (unit === 'd') return fromCalendar(start, zone)
  if (unit === 'w') return fromCalendar({ ...start, day: start.day - ((start.weekday + 7 - weekStart) % 7) }, zone)
  start.day = 1
  if (unit === 'M') return fromCalendar(start, zone)
  return fromCalendar({ ...start, month: unit === 'Q' ? start.month - (start.month % 3) : 0 }, zone)
}

interface CalendarParts {
  year: number
  month: number
  day: number
  weekday: number
  hour: number
  minute: number
  second: number
  millisecond: number
}

function calendarParts(instantMs: number, zone: TimeZone): CalendarParts {
  const wall = new Date(instantMs + zoneOffsetMs(instantMs, zone))
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth(),
    day: wall.getUTCDate(),
    weekday: wall.getUTCDay(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    millisecond: wall.getUTCMilliseconds(),
  }
}

function fromCalendar(parts: CalendarParts, zone: TimeZone): number {
  const { year, month, day, hour, minute, second, millisecond } = parts
  return fromWallClock(Date.UTC(year, month, day, hour, minute, second, millisecond), zone)
}
