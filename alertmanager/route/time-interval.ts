import { wallOf } from './wall-clock.ts'

/** Inclusive range of integers. */
export interface NumberRange {
  readonly begin: number
  readonly end: number
}

/** One block; every field that is present must hold. */
export interface TimeInterval {
  /** Minutes of the day; the end is exclusive. */
  readonly times?: readonly NumberRange[]
  /** 0 = Sunday. */
  readonly weekdays?: readonly NumberRange[]
  /** 1–31, or −31–−1 counted from the end of the month. */
  readonly daysOfMonth?: readonly NumberRange[]
  readonly months?: readonly NumberRange[]
  readonly years?: readonly NumberRange[]
  /** IANA name; `undefined` = UTC. */
  readonly timeZone: string | undefined
}

/** True when the instant lies in any of the blocks. */
export const intervalsContain = (intervals: readonly TimeInterval[], atMs: number): boolean =>
  intervals.some((interval) => intervalContains(interval, atMs))

function intervalContains(interval: TimeInterval, atMs: number): boolean {
  const at = fieldsOf(atMs, interval.timeZone ?? 'UTC')
  const within = (ranges: readonly NumberRange[] | undefined, value: number): boolean =>
    ranges === undefined || ranges.some(({ begin, end }) => value >= begin && value <= end)
  return (
    (interval.times === undefined || interval.times.some(({ begin, end }) => at.minute >= begin && at.minute < end)) &&
    within(interval.weekdays, at.weekday) &&
    (interval.daysOfMonth === undefined || interval.daysOfMonth.some((range) => dayWithin(range, at))) &&
    within(interval.months, at.month) &&
    within(interval.years, at.year)
  )
}

interface Fields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  /** Of the day. */
  readonly minute: number
}

function dayWithin(range: NumberRange, at: Fields): boolean {
  const daysInMonth = new Date(Date.UTC(at.year, at.month, 0)).getUTCDate()
  const dayOf = (n: number): number => (n < 0 ? daysInMonth + n + 1 : n)
  const begin = Math.max(1, dayOf(range.begin))
  const end = Math.min(daysInMonth, dayOf(range.end))
  return at.day >= begin && at.day <= end
}

function fieldsOf(atMs: number, timeZone: string): Fields {
  const wall = new Date(wallOf(atMs, timeZone))
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    weekday: wall.getUTCDay(),
    minute: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
  }
}
