import { dayOfYear, formatTime, type Instant, MONTHS, WEEKDAYS } from './time-layout.ts'
import { localZone, type TimeZone, UTC } from './time-zone.ts'

const NANOS_PER_MS = 1_000_000n
const ZERO_TIME_MS = -62_135_596_800_000

/** Go's time.Time: an instant to the nanosecond and the zone it is shown in. Immutable. */
export class GoTime implements Instant {
  /** 1 January of year 1, UTC: what a time that was never set is. */
  static readonly ZERO = new GoTime(ZERO_TIME_MS, 0, UTC)

  readonly unixMs: number
  readonly nanosInMs: number
  readonly zone: TimeZone

  constructor(unixMs: number, nanosInMs: number, zone: TimeZone) {
    this.unixMs = unixMs
    this.nanosInMs = nanosInMs
    this.zone = zone
  }

  /** In UTC. */
  static fromUnixMs(unixMs: number): GoTime {
    return new GoTime(unixMs, 0, UTC)
  }

  static fromNanos(unixNanos: bigint, zone: TimeZone): GoTime {
    const nanosInMs = ((unixNanos % NANOS_PER_MS) + NANOS_PER_MS) % NANOS_PER_MS
    return new GoTime(Number((unixNanos - nanosInMs) / NANOS_PER_MS), Number(nanosInMs), zone)
  }

  get unixNanos(): bigint {
    return BigInt(this.unixMs) * NANOS_PER_MS + BigInt(this.nanosInMs)
  }

  get isZero(): boolean {
    return this.unixMs === ZERO_TIME_MS && this.nanosInMs === 0
  }

  in(zone: TimeZone): GoTime {
    return new GoTime(this.unixMs, this.nanosInMs, zone)
  }

  local(): GoTime {
    return this.in(localZone())
  }

  add(duration: GoDuration): GoTime {
    return GoTime.fromNanos(this.unixNanos + duration.nanos, this.zone)
  }

  sub(other: GoTime): GoDuration {
    return new GoDuration(this.unixNanos - other.unixNanos)
  }

  /** Down to a multiple of `duration` since the zero time. */
  truncate(duration: GoDuration): GoTime {
    if (duration.nanos <= 0n) return this
    const sinceZero = this.unixNanos - GoTime.ZERO.unixNanos
    return GoTime.fromNanos(this.unixNanos - (sinceZero % duration.nanos), this.zone)
  }

  addDate(years: number, months: number, days: number): GoTime {
    const wall = this.wall()
    const moved = new Date(wall.getTime())
    moved.setUTCFullYear(wall.getUTCFullYear() + years, wall.getUTCMonth() + months, wall.getUTCDate() + days)
    const offsetMs = (atMs: number): number => this.zone.at(atMs).offsetSeconds * 1000
    const guessMs = moved.getTime() - offsetMs(this.unixMs)
    return new GoTime(moved.getTime() - offsetMs(guessMs), this.nanosInMs, this.zone)
  }

  /** The calendar in its zone, as the UTC fields of a Date. */
  wall(): Date {
    return new Date(this.unixMs + this.zone.at(this.unixMs).offsetSeconds * 1000)
  }

  format(layout: string): string {
    return formatTime(this, layout)
  }

  /** As Go prints a time. */
  toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST')
  }
}

/** Calendar fields of a time, for its methods. */
export function calendarOf(time: GoTime): {
  readonly monthName: string
  readonly weekdayName: string
  readonly yearDay: number
  readonly wall: Date
} {
  const wall = time.wall()
  return {
    wall,
    monthName: MONTHS[wall.getUTCMonth()]!,
    weekdayName: WEEKDAYS[wall.getUTCDay()]!,
    yearDay: dayOfYear(wall),
  }
}

const NANOS_PER_SECOND = 1_000_000_000n

/** Go's time.Duration. */
export class GoDuration {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }

  static fromMs(ms: number): GoDuration {
    return new GoDuration(BigInt(Math.round(ms * 1e6)))
  }

  get seconds(): number {
    const whole = this.nanos / NANOS_PER_SECOND
    return Number(whole) + Number(this.nanos % NANOS_PER_SECOND) / 1e9
  }

  /** `1h2m3.5s`, `1.5ms`, `0s`. */
  toString(): string {
    if (this.nanos === 0n) return '0s'
    const sign = this.nanos < 0n ? '-' : ''
    const nanos = this.nanos < 0n ? -this.nanos : this.nanos
    if (nanos < 1000n) return `${sign}${nanos}ns`
    if (nanos < 1_000_000n) return `${sign}${decimal(nanos, 3)}µs`
    if (nanos < NANOS_PER_SECOND) return `${sign}${decimal(nanos, 6)}ms`
    const minutes = nanos / (60n * NANOS_PER_SECOND)
    const seconds = `${decimal(nanos % (60n * NANOS_PER_SECOND), 9)}s`
    if (minutes === 0n) return sign + seconds
    return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
  }
}

/** `value / 10^digits` without trailing zeros. */
function decimal(value: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits)
  const fraction = (value % scale).toString().padStart(digits, '0').replace(/0+$/, '')
  return fraction === '' ? String(value / scale) : `${value / scale}.${fraction}`
}
