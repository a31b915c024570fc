import { calendarOf, GoDuration, GoTime } from './go-time.ts'
import { localZone, UTC } from './time-zone.ts'
import { GoEnum, GoMap, GoSlice, GoStruct, type GoValue, type TemplateFunction, templateFunction } from './values.ts'

/** The method of a value by its name, bound to it. */
export function methodOf(receiver: GoValue, name: string): TemplateFunction | undefined {
  if (receiver instanceof GoStruct || receiver instanceof GoMap || receiver instanceof GoSlice) {
    return own(receiver.methods, name) ?? (name === 'String' && receiver.text ? constant(receiver.text()) : undefined)
  }
  if (receiver instanceof GoTime) return own(TIME_METHODS, name)?.(receiver)
  if (receiver instanceof GoDuration) return own(DURATION_METHODS, name)?.(receiver)
  return receiver instanceof GoEnum && name === 'String' ? constant(receiver.text) : undefined
}

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const constant = (value: GoValue): TemplateFunction => templateFunction([], () => value)

type Methods<T> = Readonly<Record<string, (receiver: T) => TemplateFunction>>

const monthOf = (time: GoTime): GoEnum => {
  const { wall, monthName } = calendarOf(time)
  return new GoEnum('time.Month', BigInt(wall.getUTCMonth() + 1), monthName)
}
const weekdayOf = (time: GoTime): GoEnum => {
  const { wall, weekdayName } = calendarOf(time)
  return new GoEnum('time.Weekday', BigInt(wall.getUTCDay()), weekdayName)
}

const TIME_METHODS: Methods<GoTime> = {
  Format: (time) => templateFunction(['string'], (layout) => time.format(layout)),
  String: (time) => constant(time.toString()),
  Local: (time) => constant(time.in(localZone())),
  UTC: (time) => constant(time.in(UTC)),
  Unix: (time) => constant(BigInt(Math.floor(time.unixMs / 1000))),
  UnixMilli: (time) => constant(BigInt(time.unixMs)),
  UnixMicro: (time) => constant(BigInt(time.unixMs) * 1000n + BigInt(Math.floor(time.nanosInMs / 1000))),
  UnixNano: (time) => constant(time.unixNanos),
  Add: (time) => templateFunction(['duration'], (duration) => time.add(duration)),
  Sub: (time) => templateFunction(['time'], (other) => time.sub(other)),
  AddDate: (time) =>
    templateFunction(['int', 'int', 'int'], (years, months, days) =>
      time.addDate(Number(years), Number(months), Number(days)),
    ),
  Truncate: (time) => templateFunction(['duration'], (duration) => time.truncate(duration)),
  Round: (time) =>
    templateFunction(['duration'], (duration) => time.add(new GoDuration(duration.nanos / 2n)).truncate(duration)),
  Before: (time) => templateFunction(['time'], (other) => time.unixNanos < other.unixNanos),
  After: (time) => templateFunction(['time'], (other) => time.unixNanos > other.unixNanos),
  Equal: (time) => templateFunction(['time'], (other) => time.unixNanos === other.unixNanos),
  Compare: (time) => templateFunction(['time'], (other) => BigInt(Math.sign(Number(time.unixNanos - other.unixNanos)))),
  IsZero: (time) => constant(time.isZero),
  Year: (time) => constant(BigInt(time.wall().getUTCFullYear())),
  Month: (time) => constant(monthOf(time)),
  Day: (time) => constant(BigInt(time.wall().getUTCDate())),
  Weekday: (time) => constant(weekdayOf(time)),
  YearDay: (time) => constant(BigInt(calendarOf(time).yearDay)),
  Hour: (time) => constant(BigInt(time.wall().getUTCHours())),
  Minute: (time) => constant(BigInt(time.wall().getUTCMinutes())),
  Second: (time) => constant(BigInt(time.wall().getUTCSeconds())),
  Nanosecond: (time) => constant(BigInt(time.wall().getUTCMilliseconds() * 1_000_000 + time.nanosInMs)),
}

const perUnit = (nanosPerUnit: bigint) => (duration: GoDuration) => constant(duration.nanos / nanosPerUnit)

const DURATION_METHODS: Methods<GoDuration> = {
  String: (duration) => constant(duration.toString()),
  Hours: (duration) => constant(duration.seconds / 3600),
  Minutes: (duration) => constant(duration.seconds / 60),
  Seconds: (duration) => constant(duration.seconds),
  Milliseconds: perUnit(1_000_000n),
  Microseconds: perUnit(1000n),
  Nanoseconds: perUnit(1n),
  Abs: (duration) => constant(new GoDuration(duration.nanos < 0n ? -duration.nanos : duration.nanos)),
  Truncate: (duration) =>
    templateFunction(['duration'], (unit) =>
      unit.nanos <= 0n ? duration : new GoDuration(duration.nanos - (duration.nanos % unit.nanos)),
    ),
  Round: (duration) => templateFunction(['duration'], (unit) => roundDuration(duration, unit)),
}

/** To the nearest multiple, halves away from zero. */
function roundDuration(duration: GoDuration, unit: GoDuration): GoDuration {
  if (unit.nanos <= 0n) return duration
  const magnitude = duration.nanos < 0n ? -duration.nanos : duration.nanos
  const rounded = ((magnitude + unit.nanos / 2n) / unit.nanos) * unit.nanos
  return new GoDuration(duration.nanos < 0n ? -rounded : rounded)
}
