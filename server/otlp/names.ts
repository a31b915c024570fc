import { isLegacyMetricName } from '../../model/index.ts'
import type { OtlpConfig } from '../config/otlp-schema.ts'
import type { Metric } from './messages.ts'

type NameOptions = Pick<
  OtlpConfig,
  'translationStrategy' | 'labelNameUnderscoreSanitization' | 'labelNamePreserveMultipleUnderscores'
>

/** OpenTelemetry's units, which are UCUM's, as Prometheus' names end. */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
}
const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
}

/** The name of the family that a metric becomes. */
export function metricNameOf(metric: Metric, { translationStrategy }: NameOptions): string {
  switch (translationStrategy) {
    case 'NoTranslation':
      return metric.name
    case 'NoUTF8EscapingWithSuffixes':
      return withSuffixes(metric)
    case 'UnderscoreEscapingWithoutSuffixes':
      return escaped(metric.name)
    case 'UnderscoreEscapingWithSuffixes':
      return fromTokens(metric)
  }
}

/** The words of the name, its unit and its kind, each once. */
function fromTokens(metric: Metric): string {
  let tokens = metric.name.split(/[^\p{L}\p{N}:]+/u).filter((token) => token !== '')
  const add = (word: string, prefix: readonly string[] = []): void => {
    if (word !== '' && !tokens.includes(word)) tokens.push(...prefix, word)
  }
  const atEnd = (word: string): void => {
    tokens = [...tokens.filter((token) => token !== word), word]
  }
  const { unit, perUnit } = unitsOf(metric.unit)
  add(cleaned(unit))
  add(cleaned(perUnit), ['per'])
  if (isCounter(metric)) atEnd('total')
  if (isRatio(metric)) atEnd('ratio')
  return escaped(tokens.join('_'))
}

/** The name as it is, and what its unit and kind call for behind it. */
function withSuffixes(metric: Metric): string {
  let { name } = metric
  const add = (suffix: string): void => {
    if (!name.endsWith(suffix)) name += suffix
  }
  const atEnd = (suffix: string): void => {
    name = (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name) + suffix
  }
  if (isCounter(metric) && name.endsWith('_total')) name = name.slice(0, -'_total'.length)
  const { unit, perUnit } = unitsOf(metric.unit)
  if (unit !== '') add(`_${unit}`)
  if (perUnit !== '') add(`_per_${perUnit}`)
  if (isCounter(metric)) atEnd('_total')
  if (isRatio(metric)) atEnd('_ratio')
  return name
}

/** Units in braces are remarks. */
function unitsOf(text: string): { unit: string; perUnit: string } {
  const slash = text.indexOf('/')
  const main = (slash < 0 ? text : text.slice(0, slash)).trim()
  const per = slash < 0 ? '' : text.slice(slash + 1).trim()
  const known = (name: string, names: Readonly<Record<string, string>>): string =>
    /[{}]/.test(name) ? '' : Object.hasOwn(names, name) ? names[name]! : name
  return { unit: known(main, UNITS), perUnit: known(per, PER_UNITS) }
}

const cleaned = (unit: string): string =>
  unit
    .split(/[^\p{L}\p{N}:]+/u)
    .filter((token) => token !== '')
    .join('_')

const isCounter = ({ data }: Metric): boolean => data?.kind === 'sum' && data.isMonotonic

const isRatio = ({ data, unit }: Metric): boolean => data?.kind === 'gauge' && unit === '1'

/** An old-style name. */
function escaped(name: string): string {
  const text = isLegacyMetricName(name) ? name : name.replaceAll(/[^a-zA-Z0-9_:]/g, '_')
  return /^\d/.test(text) ? `_${text}` : text
}

/** '' where nothing is left. */
export function labelNameOf(attribute: string, options: NameOptions): string {
  const { translationStrategy, labelNameUnderscoreSanitization, labelNamePreserveMultipleUnderscores } = options
  if (translationStrategy === 'NoTranslation' || translationStrategy === 'NoUTF8EscapingWithSuffixes') return attribute
  const replaced = attribute.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  const text = labelNamePreserveMultipleUnderscores ? replaced : replaced.replaceAll(/_{2,}/g, '_')
  if (/^\d/.test(text)) return `key_${text}`
  if (labelNameUnderscoreSanitization && /^_(?!_)/.test(text)) return `key${text}`
  return text
}
