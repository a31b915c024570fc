import { z } from 'zod'
import type { NumberRange, TimeInterval } from '../route/time-interval.ts'
import { formatterOf } from '../route/wall-clock.ts'
import { text, tryParse } from './scalars.ts'

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

const clockTime = text.transform((value, context) => {
  const [, hours, minutes] = /^(\d\d?):(\d\d)$/.exec(value) ?? []
  const minute = Number(hours) * 60 + Number(minutes)
  if (minute <= 24 * 60 && Number(minutes) < 60) return minute
  context.addIssue({ code: 'custom', message: `couldn't parse timestamp ${value}, invalid format` })
  return z.NEVER
})

const timeRange = z.strictObject({ start_time: clockTime, end_time: clockTime }).transform((range, context) => {
  if (range.start_time >= 24 * 60 || range.start_time >= range.end_time)
    context.addIssue({ code: 'custom', message: 'start time cannot be equal or greater than end time' })
  return { begin: range.start_time, end: range.end_time }
})

interface RangeKind {
  readonly what: string
  readonly min: number
  readonly max: number
  /** Names in order, the first one standing for `min`. */
  readonly names?: readonly string[]
}

const range = (kind: RangeKind) =>
  text.transform((value, context): NumberRange => tryParse(() => parseRange(value, kind), context))

function parseRange(value: string, kind: RangeKind): NumberRange {
  const parts = value.split(':')
  if (parts.length > 2) throw new Error(`couldn't parse ${kind.what} range ${value}, invalid format`)
  const [begin, end] = [parts[0]!, parts[1] ?? parts[0]!].map((part) => parseMember(part.trim(), kind))
  // From the end of the month both count backwards; a mixed range can only be checked against a real month.
  if (begin! > end! && begin! < 0 === end! < 0) throw new Error(`start of ${kind.what} range ${value} is after its end`)
  if (begin! < 0 && end! > 0) throw new Error(`end ${kind.what} must be negative if start is negative`)
  return { begin: begin!, end: end! }
}

function parseMember(part: string, kind: RangeKind): number {
  const named = kind.names?.indexOf(part.toLowerCase()) ?? -1
  const value = named >= 0 ? named + kind.min : /^-?\d+$/.test(part) ? Number(part) : Number.NaN
  if (!(value >= kind.min && value <= kind.max) || (kind.min < 0 && value === 0))
    throw new Error(`${JSON.stringify(part)} is not a valid ${kind.what}`)
  return value
}

const location = text.transform((zone, context) =>
  tryParse(() => {
    formatterOf(zone)
    return zone
  }, context),
)

/** One block, its zone if it names one. */
export const timeInterval = z
  .strictObject({
    times: z.array(timeRange).optional(),
    weekdays: z.array(range({ what: 'weekday', min: 0, max: 6, names: WEEKDAYS })).optional(),
    days_of_month: z.array(range({ what: 'day of the month', min: -31, max: 31 })).optional(),
    months: z.array(range({ what: 'month', min: 1, max: 12, names: MONTHS })).optional(),
    years: z.array(range({ what: 'year', min: 1, max: 9999 })).optional(),
    location: location.optional(),
  })
  .transform(
    (yaml): TimeInterval => ({
      ...(yaml.times && { times: yaml.times }),
      ...(yaml.weekdays && { weekdays: yaml.weekdays }),
      ...(yaml.days_of_month && { daysOfMonth: yaml.days_of_month }),
      ...(yaml.months && { months: yaml.months }),
      ...(yaml.years && { years: yaml.years }),
      timeZone: yaml.location,
    }),
  )

export const namedTimeIntervalSchema = z.strictObject({
  name: z.string({ error: 'expected a name' }).min(1, 'missing name in time interval'),
  time_intervals: z.array(timeInterval).optional(),
})
