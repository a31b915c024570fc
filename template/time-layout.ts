import { TemplateFunctionError } from './errors.ts'
import { fixedZone, localZone, type TimeZone, UTC } from './time-zone.ts'

/** An instant with nanoseconds and the zone it is shown in. */
export interface Instant {
  readonly unixMs: number
  /** Beyond the millisecond, 0–999 999. */
  readonly nanosInMs: number
  readonly zone: TimeZone
}

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

// The pieces of Go's reference time that stand for something; everything else in a layout is literal.
const PIECE =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|__2|_2(?!006)|2|3|4|5|PM|pm|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?!\d)/g

/** Go's time.Format. */
export function formatTime(instant: Instant, layout: string): string {
  const { offsetSeconds, abbreviation } = instant.zone.at(instant.unixMs)
  const wall = new Date(instant.unixMs + offsetSeconds * 1000)
  const nanos = wallNanos(wall, instant.nanosInMs)
  return layout.replace(PIECE, (piece) => formatPiece(piece, wall, nanos, offsetSeconds, abbreviation))
}

const wallNanos = (wall: Date, nanosInMs: number): number => wall.getUTCMilliseconds() * 1_000_000 + nanosInMs

const pad = (value: number, width: number, fill = '0'): string => String(value).padStart(width, fill)

function formatPiece(piece: string, wall: Date, nanos: number, offsetSeconds: number, abbreviation: string): string {
  switch (piece) {
    case 'January':
      return MONTHS[wall.getUTCMonth()]!
    case 'Jan':
      return MONTHS[wall.getUTCMonth()]!.slice(0, 3)
    case '1':
      return String(wall.getUTCMonth() + 1)
    case '01':
      return pad(wall.getUTCMonth() + 1, 2)
    case 'Monday':
      return WEEKDAYS[wall.getUTCDay()]!
    case 'Mon':
      return WEEKDAYS[wall.getUTCDay()]!.slice(0, 3)
    case '2':
      return String(wall.getUTCDate())
    case '_2':
      return pad(wall.getUTCDate(), 2, ' ')
    case '02':
      return pad(wall.getUTCDate(), 2)
    case '__2':
      return pad(dayOfYear(wall), 3, ' ')
    case '002':
      return pad(dayOfYear(wall), 3)
    case '15':
      return pad(wall.getUTCHours(), 2)
    case '3':
      return String(wall.getUTCHours() % 12 || 12)
    case '03':
      return pad(wall.getUTCHours() % 12 || 12, 2)
    case '4':
      return String(wall.getUTCMinutes())
    case '04':
      return pad(wall.getUTCMinutes(), 2)
    case '5':
      return String(wall.getUTCSeconds())
    case '05':
      return pad(wall.getUTCSeconds(), 2)
    case '2006':
      return formatYear(wall.getUTCFullYear())
    case '06':
      return pad(((wall.getUTCFullYear() % 100) + 100) % 100, 2)
    case 'PM':
      return wall.getUTCHours() < 12 ? 'AM' : 'PM'
    case 'pm':
      return wall.getUTCHours() < 12 ? 'am' : 'pm'
    case 'MST':
      return abbreviation
    default:
      return /[.,]/.test(piece[0]!) ? formatFraction(piece, nanos) : formatOffset(piece, offsetSeconds)
  }
}

const formatYear = (year: number): string => (year < 0 ? `-${pad(-year, 4)}` : pad(year, 4))

export function dayOfYear(wall: Date): number {
  const newYear = new Date(wall.getTime())
  newYear.setUTCMonth(0, 1)
  return Math.round((wall.getTime() - newYear.getTime()) / 86_400_000) + 1
}

/** `.000` keeps its digits, `.999` drops trailing zeros and with them the point. */
function formatFraction(piece: string, nanos: number): string {
  const digits = pad(nanos, 9).slice(0, piece.length - 1)
  if (piece[1] === '0') return piece[0] + digits.padEnd(piece.length - 1, '0')
  const trimmed = digits.replace(/0+$/, '')
  return trimmed === '' ? '' : piece[0] + trimmed
}

function formatOffset(piece: string, offsetSeconds: number): string {
  if (piece[0] === 'Z' && offsetSeconds === 0) return 'Z'
  const magnitude = Math.abs(offsetSeconds)
  const parts = [pad(Math.floor(magnitude / 3600), 2)]
  const partCount = piece.replaceAll(':', '').length === 7 ? 3 : piece.length > 3 ? 2 : 1
  if (partCount > 1) parts.push(pad(Math.floor(magnitude / 60) % 60, 2))
  if (partCount > 2) parts.push(pad(magnitude % 60, 2))
  return (offsetSeconds < 0 ? '-' : '+') + parts.join(piece.includes(':') ? ':' : '')
}

// ---- parsing -----------------------------------------------------------------------------------------------------------

interface Fields {
  year: number
  month: number
  day: number
  yearDay: number | undefined
  hour: number
  afternoon: boolean | undefined
  minute: number
  second: number
  nanos: number
  offsetSeconds: number | undefined
  abbreviation: string | undefined
}

/**
 * Go's time.ParseInLocation with the process' zone for times that name none.
 *
 * @throws {TemplateFunctionError}
 */
export function parseTime(layout: string, text: string): Instant {
  const fields: Fields = {
    year: 0,
    month: 1,
    day: 1,
    yearDay: undefined,
    hour: 0,
    afternoon: undefined,
    minute: 0,
    second: 0,
    nanos: 0,
    offsetSeconds: undefined,
    abbreviation: undefined,
  }
  let rest = text
  let layoutPos = 0
  const fail = (piece: string): never => {
    throw new TemplateFunctionError(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(piece)}`,
    )
  }
  const takeLiteral = (literal: string): void => {
    if (!rest.startsWith(literal)) fail(literal)
    rest = rest.slice(literal.length)
  }
  for (const match of layout.matchAll(PIECE)) {
    takeLiteral(layout.slice(layoutPos, match.index))
    layoutPos = match.index + match[0].length
    const taken = parsePiece(match[0], rest, fields)
    if (taken === undefined) fail(match[0])
    rest = rest.slice(taken)
    // A fraction after the seconds is taken even where the layout has none.
    const fraction = /^[.,]\d+/.exec(rest)?.[0]
    if (/^0?5$/.test(match[0]) && fraction !== undefined && !/^[.,][09]/.test(layout.slice(layoutPos))) {
      fields.nanos = Number(fraction.slice(1, 10).padEnd(9, '0'))
      rest = rest.slice(fraction.length)
    }
  }
  takeLiteral(layout.slice(layoutPos))
  if (rest !== '')
    throw new TemplateFunctionError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`)
  return instantOf(fields, text)
}

/** Reads one piece from the front of `rest` into `fields`; the length taken, or `undefined` where it does not fit. */
function parsePiece(piece: string, rest: string, fields: Fields): number | undefined {
  const number = (pattern: RegExp, set: (value: number) => void): number | undefined => {
    const digits = pattern.exec(rest)?.[0]
    if (digits !== undefined) set(Number(digits))
    return digits?.length
  }
  const name = (names: readonly string[], length: number | undefined, set: (index: number) => void) => {
    const index = names.findIndex((n) => rest.toLowerCase().startsWith(n.slice(0, length).toLowerCase()))
    if (index < 0) return undefined
    set(index)
    return length ?? names[index]!.length
  }
  switch (piece) {
    case 'January':
      return name(MONTHS, undefined, (index) => (fields.month = index + 1))
    case 'Jan':
      return name(MONTHS, 3, (index) => (fields.month = index + 1))
    case 'Monday':
      return name(WEEKDAYS, undefined, () => undefined)
    case 'Mon':
      return name(WEEKDAYS, 3, () => undefined)
    case '1':
      return number(/^\d{1,2}/, (value) => (fields.month = value))
    case '01':
      return number(/^\d{2}/, (value) => (fields.month = value))
    case '2':
    case '_2':
      return number(/^ ?\d{1,2}/, (value) => (fields.day = value))
    case '02':
      return number(/^\d{2}/, (value) => (fields.day = value))
    case '002':
    case '__2':
      return number(/^[ \d]{3}/, (value) => (fields.yearDay = value))
    case '15':
      return number(/^\d{2}/, (value) => (fields.hour = value))
    case '3':
      return number(/^\d{1,2}/, (value) => (fields.hour = value))
    case '03':
      return number(/^\d{2}/, (value) => (fields.hour = value))
    case '4':
      return number(/^\d{1,2}/, (value) => (fields.minute = value))
    case '04':
      return number(/^\d{2}/, (value) => (fields.minute = value))
    case '5':
      return number(/^\d{1,2}/, (value) => (fields.second = value))
    case '05':
      return number(/^\d{2}/, (value) => (fields.second = value))
    case '2006':
      return number(/^\d{4}/, (value) => (fields.year = value))
    case '06':
      return number(/^\d{2}/, (value) => (fields.year = value >= 69 ? 1900 + value : 2000 + value))
    case 'PM':
    case 'pm':
      return name(piece === 'PM' ? ['AM', 'PM'] : ['am', 'pm'], undefined, (index) => (fields.afternoon = index === 1))
    case 'MST': {
      const letters = /^[A-Z]{3,5}|^[+-]\d{2}/.exec(rest)?.[0]
      fields.abbreviation = letters
      return letters?.length
    }
    default:
      return /[.,]/.test(piece[0]!) ? parseFraction(piece, rest, fields) : parseOffset(piece, rest, fields)
  }
}

function parseFraction(piece: string, rest: string, fields: Fields): number | undefined {
  const digits = /^[.,](\d+)/.exec(rest)?.[1]
  if (digits === undefined) return piece[1] === '9' ? 0 : undefined
  if (piece[1] === '0' && digits.length !== piece.length - 1) return undefined
  fields.nanos = Number(digits.slice(0, 9).padEnd(9, '0'))
  return digits.length + 1
}

function parseOffset(piece: string, rest: string, fields: Fields): number | undefined {
  if (piece[0] === 'Z' && rest.startsWith('Z')) {
    fields.offsetSeconds = 0
    return 1
  }
  const colon = piece.includes(':') ? ':' : ''
  const groups = piece.replaceAll(':', '').length === 7 ? 3 : piece.length > 3 ? 2 : 1
  const match = new RegExp(`^([+-])(\\d{2})${`${colon}(\\d{2})`.repeat(groups - 1)}`).exec(rest)
  if (!match) return undefined
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
  fields.offsetSeconds = match[1] === '-' ? -seconds : seconds
  return match[0].length
}

function instantOf(fields: Fields, text: string): Instant {
  const outOfRange = (what: string): never => {
    throw new TemplateFunctionError(`parsing time ${JSON.stringify(text)}: ${what} out of range`)
  }
  if (fields.hour > 23 || (fields.afternoon !== undefined && fields.hour > 12)) outOfRange('hour')
  if (fields.minute > 59) outOfRange('minute')
  if (fields.second > 59) outOfRange('second')
  if (fields.month < 1 || fields.month > 12) outOfRange('month')
  let hour = fields.hour
  if (fields.afternoon !== undefined) hour = (hour % 12) + (fields.afternoon ? 12 : 0)
  const wall = new Date(0)
  if (fields.yearDay === undefined) wall.setUTCFullYear(fields.year, fields.month - 1, fields.day)
  else wall.setUTCFullYear(fields.year, 0, fields.yearDay)
  if (fields.yearDay === undefined && wall.getUTCDate() !== fields.day) outOfRange('day')
  wall.setUTCHours(hour, fields.minute, fields.second, Math.floor(fields.nanos / 1_000_000))
  const nanosInMs = fields.nanos % 1_000_000
  const zone = zoneOf(fields)
  const wallMs = wall.getTime()
  // Twice: the offset that holds at the wall time taken as UTC may not be the one at the instant itself.
  const guessMs = wallMs - zone.at(wallMs).offsetSeconds * 1000
  return { unixMs: wallMs - zone.at(guessMs).offsetSeconds * 1000, nanosInMs, zone }
}

function zoneOf(fields: Fields): TimeZone {
  if (fields.offsetSeconds !== undefined) {
    return fields.offsetSeconds === 0 ? UTC : fixedZone(fields.offsetSeconds, fields.abbreviation ?? '')
  }
  if (fields.abbreviation === undefined) return localZone()
  return fields.abbreviation === 'UTC' ? UTC : fixedZone(0, fields.abbreviation)
}
