// Numbers for people. Unit names are Grafana's ids; an unknown id is printed behind the number, as it does.

const DECIMAL_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E']
const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const SHORT_PREFIXES = ['', 'K', 'M', 'B', 'T', 'Q']

interface Scaling {
  readonly base: number
  readonly prefixes: readonly string[]
  readonly suffix: string
}

const SCALED: Readonly<Record<string, Scaling>> = {
  short: { base: 1000, prefixes: SHORT_PREFIXES, suffix: '' },
  bytes: { base: 1024, prefixes: BINARY_PREFIXES, suffix: 'B' },
  decbytes: { base: 1000, prefixes: DECIMAL_PREFIXES, suffix: 'B' },
  Bps: { base: 1000, prefixes: DECIMAL_PREFIXES, suffix: 'B/s' },
  binBps: { base: 1024, prefixes: BINARY_PREFIXES, suffix: 'B/s' },
  bps: { base: 1000, prefixes: DECIMAL_PREFIXES, suffix: 'b/s' },
  hertz: { base: 1000, prefixes: DECIMAL_PREFIXES, suffix: 'Hz' },
  reqps: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' req/s' },
  ops: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' ops/s' },
  pps: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' p/s' },
  cps: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' c/s' },
  eps: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' ev/s' },
  iops: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' io/s' },
  rps: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' reads/s' },
  wps: { base: 1000, prefixes: SHORT_PREFIXES, suffix: ' writes/s' },
}
const SECONDS_PER: Readonly<Record<string, number>> = { ns: 1e-9, µs: 1e-6, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }

/** Short text of a value in its unit: `1.5 MiB`, `12.3%`, `250 ms`. NaN prints as `–`. */
export function formatValue(value: number, unit = 'short'): string {
  if (Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (unit === 'none' || unit === '') return trimNumber(value)
  if (unit === 'percent') return `${trimNumber(value)}%`
  if (unit === 'percentunit') return `${trimNumber(value * 100)}%`
  if (unit === 'bool') return value === 0 ? 'false' : 'true'
  const perSecond = SECONDS_PER[unit]
  if (perSecond !== undefined) return formatSeconds(value * perSecond)
  if (unit === 'dtdurations') return formatAge(value)
  const scaling = SCALED[unit]
  if (scaling === undefined) return `${scaleShort(value)} ${unit}`
  return formatScaled(value, scaling)
}

/** What steps of an axis are round in: thousands, binary bytes, or minutes and hours. */
export type AxisBase = 10 | 60 | 1024

export function unitBase(unit: string | undefined): AxisBase {
  if (unit === 'bytes' || unit === 'binBps') return 1024
  return unit === 's' || unit === 'dtdurations' ? 60 : 10
}

/** `12 s`, `3 m 20 s`, `5 h 3 m`, `2 d 4 h`: a length of time in its two largest parts. */
export function formatAge(seconds: number): string {
  if (Number.isNaN(seconds)) return '–'
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return twoParts(minutes, 'm', whole % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return twoParts(hours, 'h', minutes % 60, 'm')
  return twoParts(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function twoParts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

function formatSeconds(seconds: number): string {
  const magnitude = Math.abs(seconds)
  if (magnitude === 0) return '0 s'
  if (magnitude < 1e-6) return `${trimNumber(seconds * 1e9)} ns`
  if (magnitude < 1e-3) return `${trimNumber(seconds * 1e6)} µs`
  if (magnitude < 1) return `${trimNumber(seconds * 1e3)} ms`
  if (magnitude < 120) return `${trimNumber(seconds)} s`
  return seconds < 0 ? `-${formatAge(-seconds)}` : formatAge(seconds)
}

function formatScaled(value: number, { base, prefixes, suffix }: Scaling): string {
  const power = scalePower(value, base, prefixes.length)
  const number = trimNumber(value / base ** power)
  const prefix = prefixes[power] ?? ''
  // Symbols stand off the number, the thousands letters of plain counts do not.
  if (prefixes === SHORT_PREFIXES) return `${number}${prefix}${suffix}`
  return `${number} ${prefix}${suffix}`
}

function scaleShort(value: number): string {
  return formatScaled(value, SCALED.short!)
}

function scalePower(value: number, base: number, prefixCount: number): number {
  const magnitude = Math.abs(value)
  let power = 0
  // 999.95 would print as "1000": step up at the rounding limit, not at the base.
  while (power < prefixCount - 1 && magnitude / base ** power >= base * 0.9995) power++
  return power
}

/** Three significant digits, whole above 100, no trailing zeros. */
function trimNumber(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude === 0) return '0'
  if (magnitude < 0.001) return value.toExponential(1)
  const digits = magnitude >= 100 ? (magnitude >= 1000 ? 0 : 1) : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
  return String(Number(value.toFixed(digits)))
}
