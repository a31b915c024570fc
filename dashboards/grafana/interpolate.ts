// Puts values in place of `$name`, `${name:format}` and `[[name]]`.
import { type TimeZone, zoneOffsetMs } from '../model/zone.ts'
import { ALL_VALUE, type Variable } from './variable.ts'

/** What a variable stands for now. */
export interface VariableValue {
  readonly values: readonly string[]
  readonly texts: readonly string[]
  /** More than one value could be chosen: PromQL gets regular expressions, escaped. */
  readonly isList: boolean
  /** Inserted as it is (a custom “All” value, a time). */
  readonly isRaw?: boolean
}

export type Scope = ReadonlyMap<string, VariableValue>

const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g

/** How a value is written where the text itself does not say. */
export type DefaultFormat = 'promql' | 'text' | 'glob' | 'percentencode'

/** References to names that the scope does not know stay as they are. */
export function interpolate(text: string, scope: Scope, byDefault: DefaultFormat = 'glob'): string {
  if (!text.includes('$') && !text.includes('[[')) return text
  return text.replace(REFERENCE, (whole, plain, old, oldFormat, braced, field, format) => {
    const name: string = plain ?? old ?? braced
    const value = scope.get(name)
    if (value === undefined) return whole
    const wanted: string | undefined = format ?? oldFormat
    if (field === 'text') return value.texts.join(' + ')
    if (wanted === undefined || wanted === '') return writeDefault(value, byDefault)
    return writeValue(name, value, wanted)
  })
}

/** Names referred to by a text, built-in ones among them. */
export function referencedNames(text: string): Set<string> {
  return new Set([...text.matchAll(REFERENCE)].map((match) => (match[1] ?? match[2] ?? match[4])!))
}

function writeDefault(value: VariableValue, format: DefaultFormat): string {
  if (value.isRaw) return value.values.join('|')
  if (format === 'text') return value.texts.join(' + ')
  if (format === 'percentencode') return encodeURIComponent(glob(value.values))
  if (format === 'glob') return glob(value.values)
  if (!value.isList) return (value.values[0] ?? '').replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  const escaped = value.values.map(escapeForMatcher)
  return escaped.length === 1 ? escaped[0]! : `(${escaped.join('|')})`
}

function glob(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : values.length === 0 ? '' : `{${values.join(',')}}`
}

/** For a regular expression that stands in a PromQL string: both escape by a backslash. */
function escapeForMatcher(value: string): string {
  return value
    .replaceAll('\\', '\\\\\\\\')
    .replaceAll(/[$^*{}[\]'+?.()|]/g, '\\\\$&')
    .replaceAll('"', '\\"')
}

function escapeRegex(value: string): string {
  return value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, '\\$&')
}

const LUCENE = /([!*+\-=<>\s&|()[\]{}^~?:\\/"])/g

function writeValue(name: string, value: VariableValue, format: string): string {
  const [kind, ...rest] = format.split(':')
  const argument = rest.join(':')
  const { values, texts } = value
  const list = (write: (one: string) => string, between = ',') => values.map(write).join(between)
  switch (kind) {
    case 'raw':
    case 'csv':
      return values.join(',')
    case 'pipe':
      return values.join('|')
    case 'regex':
      return values.length === 1 ? escapeRegex(values[0]!) : `(${values.map(escapeRegex).join('|')})`
    case 'json':
      return JSON.stringify(values.length === 1 ? values[0] : values)
    case 'text':
      return texts.join(' + ')
    case 'doublequote':
      return list((one) => `"${one.replaceAll('"', '\\"')}"`)
    case 'singlequote':
      return list((one) => `'${one.replaceAll("'", "\\'")}'`)
    case 'sqlstring':
      return list((one) => `'${one.replaceAll("'", "''")}'`)
    case 'percentencode':
      return encodeURIComponent(glob(values))
    case 'queryparam':
      return list((one) => `var-${encodeURIComponent(name)}=${encodeURIComponent(one)}`, '&')
    case 'lucene': {
      const escaped = values.map((one) => one.replaceAll(LUCENE, '\\$1'))
      return escaped.length === 1 ? escaped[0]! : `(${escaped.map((one) => `"${one}"`).join(' OR ')})`
    }
    case 'distributed':
      return values.map((one, i) => (i === 0 ? one : `${name}=${one}`)).join(',')
    case 'date':
      return formatDate(Number(values[0]), argument)
    case 'join':
      return values.join(argument === '' ? ',' : argument)
    // An unknown format is written as a glob.
    default:
      return glob(values)
  }
}

const DATE_PARTS = /YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|hh|h|mm|m|ss|s|SSS|A|a|dddd|ddd|ZZ|Z|X|x|\[[^\]]*\]/g

/** `${__from:date}` is ISO 8601, `:date:seconds` Unix seconds, anything else a pattern. */
export function formatDate(atMs: number, pattern: string, zone: TimeZone = 'utc'): string {
  const date = new Date(atMs)
  if (Number.isNaN(date.getTime())) return ''
  if (pattern === '' || pattern === 'iso') return date.toISOString()
  if (pattern === 'seconds') return String(Math.floor(atMs / 1000))
  const offsetMs = zoneOffsetMs(atMs, zone)
  const shifted = new Date(atMs + offsetMs)
  return pattern.replace(DATE_PARTS, (part) => datePart(shifted, part, offsetMs / 60_000, atMs))
}

function datePart(date: Date, part: string, offsetMinutes: number, atMs: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const hour = date.getUTCHours()
  const sign = offsetMinutes < 0 ? '-' : '+'
  const zone = [two(Math.floor(Math.abs(offsetMinutes) / 60)), two(Math.abs(offsetMinutes) % 60)]
  const names: Readonly<Record<string, () => string>> = {
    YYYY: () => String(date.getUTCFullYear()),
    YY: () => two(date.getUTCFullYear() % 100),
    MMMM: () => date.toLocaleString('en', { month: 'long', timeZone: 'UTC' }),
    MMM: () => date.toLocaleString('en', { month: 'short', timeZone: 'UTC' }),
    MM: () => two(date.getUTCMonth() + 1),
    M: () => String(date.getUTCMonth() + 1),
    DD: () => two(date.getUTCDate()),
    D: () => String(date.getUTCDate()),
    dddd: () => date.toLocaleString('en', { weekday: 'long', timeZone: 'UTC' }),
    ddd: () => date.toLocaleString('en', { weekday: 'short', timeZone: 'UTC' }),
    HH: () => two(hour),
    H: () => String(hour),
    hh: () => two(hour % 12 || 12),
    h: () => String(hour % 12 || 12),
    mm: () => two(date.getUTCMinutes()),
    m: () => String(date.getUTCMinutes()),
    ss: () => two(date.getUTCSeconds()),
    s: () => String(date.getUTCSeconds()),
    SSS: () => String(date.getUTCMilliseconds()).padStart(3, '0'),
    A: () => (hour < 12 ? 'AM' : 'PM'),
    a: () => (hour < 12 ? 'am' : 'pm'),
    Z: () => `${sign}${zone[0]}:${zone[1]}`,
    ZZ: () => `${sign}${zone.join('')}`,
    X: () => String(Math.floor(atMs / 1000)),
    x: () => String(atMs),
  }
  return names[part]?.() ?? part.slice(1, -1)
}

/** The scope's entry for a variable whose chosen values are known. */
export function valueOf(
  variable: Variable,
  chosen: readonly string[],
  options: readonly { value: string; text: string }[],
): VariableValue {
  const isList = variable.multi || variable.includeAll
  if (chosen.includes(ALL_VALUE)) {
    if (variable.allValue !== '') return { values: [variable.allValue], texts: ['All'], isList: true, isRaw: true }
    const all = options.filter(({ value }) => value !== ALL_VALUE)
    return { values: all.map(({ value }) => value), texts: ['All'], isList: true }
  }
  return { values: chosen, texts: chosen.map((one) => options.find(({ value }) => value === one)?.text ?? one), isList }
}
