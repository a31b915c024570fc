// Where axes put their marks: round values in the unit's base, round instants on the calendar.
import type { AxisBase } from './units.ts'
import { type TimeZone, zoneOffsetMs, zoneOptions } from './zone.ts'

export interface ValueAxis {
  readonly min: number
  readonly max: number
  readonly ticks: readonly number[]
}

/**
 * Extends `[min, max]` to round marks. Zero is shown where the data come near it, so that heights can be compared.
 *
 * @param tickCountMax at most this many steps
 * @param base 10 for decimal units, 1024 for binary bytes, 60 for seconds
 */
export function valueAxis(min: number, max: number, tickCountMax: number, base: AxisBase = 10): ValueAxis {
  let low = min
  let high = max
  if (!(high >= low)) [low, high] = [0, 1]
  if (low > 0 && low < high * 0.6) low = 0
  if (high < 0 && high > low * 0.6) high = 0
  if (low === high) [low, high] = low === 0 ? [0, 1] : low > 0 ? [0, high * 1.2] : [low * 1.2, 0]
  const step = roundStep((high - low) / Math.max(tickCountMax, 1), base)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.ceil(high / step - 1e-9)
  const ticks: number[] = []
  for (let i = first; i <= last; i++) ticks.push(cleanMultiple(step, i))
  return { min: ticks[0]!, max: ticks[ticks.length - 1]!, ticks }
}

/** Powers of ten (or their halves and fifths where few) between two positive values. */
export function logAxis(min: number, max: number, tickCountMax: number): ValueAxis {
  const low = Math.floor(Math.log10(min > 0 ? min : 1e-3))
  const high = Math.max(Math.ceil(Math.log10(max > 0 ? max : 1)), low + 1)
  const every = Math.max(1, Math.ceil((high - low) / Math.max(tickCountMax, 1)))
  const ticks: number[] = []
  for (let power = low; power <= high; power += every) ticks.push(Number(`1e${power}`))
  return { min: Number(`1e${low}`), max: Number(`1e${high}`), ticks }
}

const BINARY_FACTORS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 256, 512, 1024]
const SECONDS_STEPS: readonly number[] = [
  15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
]

/** The smallest round step that is not below `rough`: 1, 2, 2.5, 5 and their tens, or what is round in bytes or in seconds. */
function roundStep(rough: number, base: AxisBase): number {
  if (base === 1024 && rough >= 1) {
    const scale = 1024 ** Math.floor(Math.log(rough) / Math.log(1024))
    return scale * (BINARY_FACTORS.find((factor) => rough <= factor * scale) ?? 1024)
  }
  if (base === 60 && rough > 10) {
    const found = SECONDS_STEPS.find((step) => rough <= step)
    if (found !== undefined) return found
    return 86_400 * roundStep(rough / 86_400, 10)
  }
  const power = 10 ** Math.floor(Math.log10(rough))
  for (const factor of [1, 2, 2.5, 5]) if (rough <= factor * power * (1 + 1e-9)) return factor * power
  return 10 * power
}

/** `i * step` without the dust of binary fractions (0.30000000000000004). */
function cleanMultiple(step: number, i: number): number {
  const value = step * i
  return Number.isInteger(value) ? value : Number(value.toPrecision(12))
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const TIME_STEPS: readonly number[] = [
  SECOND_MS,
  2 * SECOND_MS,
  5 * SECOND_MS,
  10 * SECOND_MS,
  15 * SECOND_MS,
  30 * SECOND_MS,
  MINUTE_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  30 * DAY_MS,
  90 * DAY_MS,
  365 * DAY_MS,
]

export interface TimeTick {
  readonly atMs: number
  readonly label: string
}

/** Marks on round times of the zone; midnight and the year's turn say the date instead of the hour. */
export function timeTicks(fromMs: number, toMs: number, tickCountMax: number, zone: TimeZone): TimeTick[] {
  const rough = (toMs - fromMs) / Math.max(tickCountMax, 1)
  const stepMs = TIME_STEPS.find((step) => step >= rough) ?? 365 * DAY_MS
  const ticks: TimeTick[] = []
  const label = tickLabeller(stepMs, zone)
  for (let atMs = firstTick(fromMs, stepMs, zone); atMs <= toMs; atMs = nextTick(atMs, stepMs, zone)) {
    ticks.push({ atMs, label: label(atMs) })
    if (ticks.length > 200) break
  }
  return ticks
}

function firstTick(fromMs: number, stepMs: number, zone: TimeZone): number {
  const offsetMs = zoneOffsetMs(fromMs, zone)
  return toZoneMidnight(Math.ceil((fromMs + offsetMs) / stepMs) * stepMs - offsetMs, stepMs, zone, offsetMs)
}

/** Steps of hours and more keep to the wall clock when it changes for summer time. */
function nextTick(atMs: number, stepMs: number, zone: TimeZone): number {
  return toZoneMidnight(atMs + stepMs, stepMs, zone, zoneOffsetMs(atMs, zone))
}

function toZoneMidnight(atMs: number, stepMs: number, zone: TimeZone, offsetMs: number): number {
  return stepMs < 2 * HOUR_MS ? atMs : atMs + offsetMs - zoneOffsetMs(atMs, zone)
}

function tickLabeller(stepMs: number, zone: TimeZone): (atMs: number) => string {
  if (stepMs >= 30 * DAY_MS) return formatter('month', zone)
  const day = formatter('day', zone)
  if (stepMs >= DAY_MS) return day
  const clock = formatter(stepMs < MINUTE_MS ? 'seconds' : 'minutes', zone)
  return (atMs) => ((atMs + zoneOffsetMs(atMs, zone)) % DAY_MS === 0 ? day(atMs) : clock(atMs))
}

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const LABEL_PARTS = {
  minutes: CLOCK,
  seconds: { ...CLOCK, second: '2-digit' },
  day: { day: 'numeric', month: 'short' },
  month: { month: 'short', year: 'numeric' },
} as const
const formatters = new Map<string, (atMs: number) => string>()

/** Making one takes longer than drawing a chart: they are kept. */
function formatter(parts: keyof typeof LABEL_PARTS, zone: TimeZone): (atMs: number) => string {
  const key = `${parts} ${zone}`
  let format = formatters.get(key)
  if (format === undefined) {
    const made = new Intl.DateTimeFormat('en-GB', {
      ...LABEL_PARTS[parts],
      ...zoneOptions(zone),
    })
    format = (atMs) => made.format(atMs)
    formatters.set(key, format)
  }
  return format
}
