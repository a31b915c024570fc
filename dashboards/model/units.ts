// Numbers for people. Unit names are Grafana's ids; an unknown id is printed behind the number, as it does.
import { type TimeZone, zoneOffsetMs } from './zone.ts'

const DECIMAL_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E']
const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const SHORT_PREFIXES = ['', 'K', 'M', 'B', 'T', 'Q']

interface Scaling {
  readonly base: number
  readonly prefixes: readonly string[]
  readonly suffix: string
}

const scaled = (base: number, prefixes: readonly string[], suffix: string): Scaling => ({ base, prefixes, suffix })
/** Counts per time, with the thousands letters of plain counts. */
const counted = (suffix: string): Scaling => scaled(1000, SHORT_PREFIXES, ` ${suffix}`)

const SCALED: Readonly<Record<string, Scaling>> = {
  short: scaled(1000, SHORT_PREFIXES, ''),
  si: scaled(1000, DECIMAL_PREFIXES, ''),
  bytes: scaled(1024, BINARY_PREFIXES, 'B'),
  decbytes: scaled(1000, DECIMAL_PREFIXES, 'B'),
  bits: scaled(1024, BINARY_PREFIXES, 'b'),
  decbits: scaled(1000, DECIMAL_PREFIXES, 'b'),
  Bps: scaled(1000, DECIMAL_PREFIXES, 'B/s'),
  binBps: scaled(1024, BINARY_PREFIXES, 'B/s'),
  bps: scaled(1000, DECIMAL_PREFIXES, 'b/s'),
  binbps: scaled(1024, BINARY_PREFIXES, 'b/s'),
  hertz: scaled(1000, DECIMAL_PREFIXES, 'Hz'),
  rothz: scaled(1000, DECIMAL_PREFIXES, 'Hz'),
  watt: scaled(1000, DECIMAL_PREFIXES, 'W'),
  volt: scaled(1000, DECIMAL_PREFIXES, 'V'),
  amp: scaled(1000, DECIMAL_PREFIXES, 'A'),
  joule: scaled(1000, DECIMAL_PREFIXES, 'J'),
  reqps: counted('req/s'),
  reqpm: counted('req/min'),
  ops: counted('ops/s'),
  opm: counted('ops/min'),
  pps: counted('p/s'),
  cps: counted('c/s'),
  cpm: counted('c/min'),
  eps: counted('ev/s'),
  epm: counted('ev/min'),
  mps: counted('msg/s'),
  mpm: counted('msg/min'),
  iops: counted('io/s'),
  rps: counted('reads/s'),
  rpm: counted('reads/min'),
  wps: counted('writes/s'),
  wpm: counted('writes/min'),
  rowsps: counted('rows/s'),
  recps: counted('rec/s'),
}
/** Sizes and rates that are counted in a larger step to begin with. */
const STEPPED: Readonly<Record<string, readonly [factor: number, unit: string]>> = {
  kbytes: [1024, 'bytes'],
  mbytes: [1024 ** 2, 'bytes'],
  gbytes: [1024 ** 3, 'bytes'],
  tbytes: [1024 ** 4, 'bytes'],
  deckbytes: [1e3, 'decbytes'],
  decmbytes: [1e6, 'decbytes'],
  decgbytes: [1e9, 'decbytes'],
  dectbytes: [1e12, 'decbytes'],
  KBs: [1e3, 'Bps'],
  KiBs: [1024, 'binBps'],
  MBs: [1e6, 'Bps'],
  MiBs: [1024 ** 2, 'binBps'],
  GBs: [1e9, 'Bps'],
  GiBs: [1024 ** 3, 'binBps'],
  Kbits: [1e3, 'bps'],
  Kibits: [1024, 'binbps'],
  Mbits: [1e6, 'bps'],
  Mibits: [1024 ** 2, 'binbps'],
  Gbits: [1e9, 'bps'],
  Gibits: [1024 ** 3, 'binbps'],
  mhertz: [1e6, 'hertz'],
  kwatt: [1e3, 'watt'],
  mwatt: [1e-3, 'watt'],
}
const SECONDS_PER: Readonly<Record<string, number>> = {
  ns: 1e-9,
  µs: 1e-6,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
}
/** Printed as they are, with this behind. */
const SUFFIXES: Readonly<Record<string, string>> = {
  percent: '%',
  celsius: ' °C',
  fahrenheit: ' °F',
  kelvin: ' K',
  humidity: ' %H',
  degree: '°',
  rotrpm: ' rpm',
  dBm: ' dBm',
  dB: ' dB',
  pixel: ' px',
  pressurehpa: ' hPa',
  ppm: ' ppm',
  lux: ' lx',
}
const CURRENCIES: Readonly<Record<string, string>> = {
  currencyUSD: '$',
  currencyEUR: '€',
  currencyGBP: '£',
  currencyJPY: '¥',
}
const WORDS: Readonly<Record<string, readonly [no: string, yes: string]>> = {
  bool: ['false', 'true'],
  bool_on_off: ['Off', 'On'],
  bool_yes_no: ['No', 'Yes'],
}

/**
 * Short text of a value in its unit: `1.5 MiB`, `12.3%`, `250 ms`. NaN prints as `–`.
 *
 * @param decimals exactly this many places; absent = three significant digits
 * @param zone of units that are instants
 */
export function formatValue(value: number, unit = 'short', decimals?: number, zone: TimeZone = 'browser'): string {
  if (Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const write = decimals === undefined ? trimNumber : (one: number) => one.toFixed(Math.min(20, Math.max(0, decimals)))
  if (unit === 'none' || unit === '' || unit === 'string') return write(value)
  if (unit === 'locale')
    return value.toLocaleString(
      'en',
      decimals === undefined
        ? { maximumFractionDigits: 3 }
        : { minimumFractionDigits: decimals, maximumFractionDigits: decimals },
    )
  if (unit === 'sci') return value.toExponential(decimals ?? 2)
  if (unit === 'hex' || unit === 'hex0x')
    return `${unit === 'hex' ? '' : '0x'}${Math.round(value).toString(16).toUpperCase()}`
  if (unit === 'percentunit') return `${write(value * 100)}%`
  const word = WORDS[unit]
  if (word !== undefined) return word[value === 0 ? 0 : 1]
  const suffix = SUFFIXES[unit]
  if (suffix !== undefined) return `${write(value)}${suffix}`
  if (unit.startsWith('dateTime')) return formatMoment(value, unit, zone)
  return formatSpecial(value, unit, write) ?? `${scaleShort(value, write)} ${unit}`
}

type Write = (value: number) => string

function formatSpecial(value: number, unit: string, write: Write): string | undefined {
  const perSecond = SECONDS_PER[unit]
  if (perSecond !== undefined) return formatSeconds(value * perSecond, write)
  if (unit === 'dtdurations' || unit === 'dthms' || unit === 'dtdhms') return formatAge(value)
  if (unit === 'dtdurationms') return formatAge(value / 1000)
  if (unit === 'clocks') return formatAge(value)
  if (unit === 'clockms') return formatAge(value / 1000)
  const stepped = STEPPED[unit]
  const scaling = SCALED[stepped?.[1] ?? unit] ?? (unit === 'rows/s' ? SCALED.rowsps : undefined)
  if (scaling !== undefined) return formatScaled(value * (stepped?.[0] ?? 1), scaling, write)
  const currency = CURRENCIES[unit]
  if (currency !== undefined) return `${currency}${scaleShort(value, write)}`
  return formatCustom(value, unit, write)
}

/** `prefix:…`, `suffix:…`, `si:…`, `count:…`, `currency:…`, `bool:yes/no`. */
function formatCustom(value: number, unit: string, write: Write): string | undefined {
  const colon = unit.indexOf(':')
  if (colon < 1) return undefined
  const rest = unit.slice(colon + 1)
  switch (unit.slice(0, colon)) {
    case 'prefix':
      return `${rest}${write(value)}`
    case 'suffix':
      return `${write(value)}${rest.startsWith(' ') ? '' : ' '}${rest}`
    case 'si': {
      const [lead, scale] =
        'fpnµmkMGTPE'.includes(rest[0] ?? ' ') && rest.length > 1 ? [rest.slice(1), rest[0]!] : [rest, '']
      const power = { f: -5, p: -4, n: -3, µ: -2, m: -1, k: 1, M: 2, G: 3, T: 4, P: 5, E: 6 }[scale] ?? 0
      return formatScaled(value * 1000 ** power, scaled(1000, DECIMAL_PREFIXES, lead), write)
    }
    case 'count':
      return `${scaleShort(value, write)} ${rest}`
    case 'currency':
      return `${rest}${scaleShort(value, write)}`
    case 'bool': {
      const [yes = 'true', no = 'false'] = rest.split('/')
      return value === 0 ? no : yes
    }
    default:
      return undefined
  }
}

/** Unix milliseconds as a date, or how long ago. */
function formatMoment(atMs: number, unit: string, zone: TimeZone): string {
  if (unit === 'dateTimeFromNow') {
    const seconds = (Date.now() - atMs) / 1000
    return seconds >= 0 ? `${formatAge(seconds)} ago` : `in ${formatAge(-seconds)}`
  }
  const date = new Date(atMs)
  if (Number.isNaN(date.getTime())) return '–'
  const local = new Date(atMs + zoneOffsetMs(atMs, zone)).toISOString()
  const [day, time] = [local.slice(0, 10), local.slice(11, 19)]
  if (unit === 'dateTimeAsUS') return `${day.slice(5, 7)}/${day.slice(8)}/${day.slice(0, 4)} ${time}`
  return `${day} ${time}`
}

/** What steps of an axis are round in: thousands, binary bytes, or minutes and hours. */
export type AxisBase = 10 | 60 | 1024

export function unitBase(unit: string | undefined): AxisBase {
  if (unit === 'bytes' || unit === 'binBps' || unit === 'bits' || unit === 'binbps') return 1024
  return unit === 's' || unit === 'dtdurations' || unit === 'm' || unit === 'h' ? 60 : 10
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

function formatSeconds(seconds: number, write: Write): string {
  const magnitude = Math.abs(seconds)
  if (magnitude === 0) return '0 s'
  if (magnitude < 1e-6) return `${write(seconds * 1e9)} ns`
  if (magnitude < 1e-3) return `${write(seconds * 1e6)} µs`
  if (magnitude < 1) return `${write(seconds * 1e3)} ms`
  if (magnitude < 120) return `${write(seconds)} s`
  if (write !== trimNumber) return formatLongSeconds(seconds, write)
  return seconds < 0 ? `-${formatAge(-seconds)}` : formatAge(seconds)
}

const LONG_UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86_400, 'years'],
  [7 * 86_400, 'weeks'],
  [86_400, 'days'],
  [3600, 'h'],
]

/** One unit with the places asked for. */
function formatLongSeconds(seconds: number, write: Write): string {
  const [size, name] = LONG_UNITS.find(([one]) => Math.abs(seconds) >= one) ?? [60, 'min']
  return `${write(seconds / size)} ${name}`
}

function formatScaled(value: number, { base, prefixes, suffix }: Scaling, write: Write): string {
  const power = scalePower(value, base, prefixes.length)
  const number = write(value / base ** power)
  const prefix = prefixes[power] ?? ''
  // Symbols stand off the number, the thousands letters of plain counts do not.
  if (prefixes === SHORT_PREFIXES) return `${number}${prefix}${suffix}`
  return `${number} ${prefix}${suffix}`.trimEnd()
}

function scaleShort(value: number, write: Write): string {
  return formatScaled(value, SCALED.short!, write)
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
