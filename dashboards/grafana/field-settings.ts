// What a panel says about one column: unit, ends, colours, names; from its defaults and the overrides that match.
import { formatValue } from '../model/units.ts'
import type { TimeZone } from '../model/zone.ts'
import { type Cell, type DataFrame, type Field, fieldName, isEmptyCell } from './data-frame.ts'
import type { FieldConfig, Override } from './dashboard.ts'
import { formatDate } from './interpolate.ts'
import {
  flagOf,
  isObject,
  type Json,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  textOf,
  textsOf,
  withValueAt,
} from './json.ts'
import { reduceValues } from './reducers.ts'
import { migrateMappings } from './migrate-panel.ts'

export interface ThresholdStep {
  /** −Infinity for the base. */
  readonly value: number
  readonly color: string
}

export interface MappingResult {
  readonly text: string | undefined
  readonly color: string | undefined
}

interface DataLink {
  readonly title: string
  readonly url: string
  readonly targetBlank: boolean
}

export interface FieldSettings {
  readonly name: string
  readonly unit: string
  readonly decimals: number | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly noValue: string
  readonly colorMode: string
  readonly fixedColor: string
  readonly seriesBy: string
  readonly thresholdsInPercent: boolean
  readonly thresholds: readonly ThresholdStep[]
  readonly mappings: readonly Json[]
  readonly links: readonly DataLink[]
  readonly custom: Json
  /** Instants are written in. */
  readonly zone: TimeZone
}

/** @param frames all frames of the panel; some matchers compare */
export function fieldSettings(
  field: Field,
  frame: DataFrame,
  config: FieldConfig,
  zone: TimeZone = 'browser',
): FieldSettings {
  const name = fieldName(field, frame)
  let settings: Json = { ...config.defaults, ...field.config }
  for (const override of config.overrides) {
    if (!matches(override.matcher, field, frame, name)) continue
    for (const { id, value } of override.properties) settings = withValueAt(settings, id.split('.'), value)
  }
  return { ...read(settings, name), zone }
}

function read(settings: Json, name: string): Omit<FieldSettings, 'zone'> {
  const color = objectOf(settings.color)
  const thresholds = objectOf(settings.thresholds)
  return {
    name: textOf(settings.displayName) || name,
    unit: textOf(settings.unit),
    decimals: numberOf(settings.decimals),
    min: numberOf(settings.min),
    max: numberOf(settings.max),
    noValue: textOf(settings.noValue),
    colorMode: textOf(color.mode),
    fixedColor: textOf(color.fixedColor),
    seriesBy: textOf(color.seriesBy, 'last'),
    thresholdsInPercent: thresholds.mode === 'percentage',
    thresholds: readSteps(thresholds.steps),
    mappings: migrateMappings(listOf(settings.mappings)),
    links: objectsOf(settings.links).map((link) => ({
      title: textOf(link.title),
      url: textOf(link.url),
      targetBlank: flagOf(link.targetBlank),
    })),
    custom: objectOf(settings.custom),
  }
}

function readSteps(steps: unknown): ThresholdStep[] {
  return objectsOf(steps)
    .map(({ value, color }, i) => ({
      value:
        i === 0 && numberOf(value) === undefined
          ? Number.NEGATIVE_INFINITY
          : (numberOf(value) ?? Number.NEGATIVE_INFINITY),
      color: textOf(color, 'green'),
    }))
    .sort((a, b) => a.value - b.value)
}

function matches({ id, options }: Override['matcher'], field: Field, frame: DataFrame, name: string): boolean {
  switch (id) {
    case 'byName':
      return textOf(options) === name || textOf(options) === field.name
    case 'byRegexp':
      return patternOf(textOf(options))?.test(name) === true
    case 'byNames': {
      const { names, mode } = objectOf(options)
      return textsOf(names).includes(name) !== (mode === 'exclude')
    }
    case 'byType':
      return field.type === options
    case 'numeric':
      return field.type === 'number'
    case 'time':
      return field.type === 'time'
    case 'byFrameRefID':
      return frame.refId === options
    case 'byValue': {
      const { reducer, op, value } = objectOf(options)
      return (
        field.type === 'number' &&
        compares(Number(reduceValues(field.values, textOf(reducer, 'lastNotNull'))), textOf(op), numberOf(value) ?? 0)
      )
    }
    case 'first':
      return frame.fields[0] === field
    case 'firstTimeField':
      return frame.fields.find((one) => one.type === 'time') === field
    default:
      return false
  }
}

export function compares(left: number, op: string, right: number): boolean {
  if (op === 'gt') return left > right
  if (op === 'gte') return left >= right
  if (op === 'lt') return left < right
  if (op === 'lte') return left <= right
  return op === 'neq' ? left !== right : left === right
}

const PATTERNS = new Map<string, RegExp | undefined>()

/** `/pattern/flags` or a bare pattern; one that cannot be read matches nothing. */
export function patternOf(text: string): RegExp | undefined {
  if (!PATTERNS.has(text)) {
    const delimited = /^\/([\s\S]*)\/([a-z]*)$/.exec(text)
    let pattern: RegExp | undefined
    try {
      pattern = new RegExp(delimited?.[1] ?? text, (delimited?.[2] ?? '').replaceAll(/[gy]/g, ''))
    } catch {
      pattern = undefined
    }
    PATTERNS.set(text, pattern)
  }
  return PATTERNS.get(text)
}

/** The step in force at a value. */
export function thresholdColor(
  value: number,
  settings: FieldSettings,
  range: { min: number; max: number },
): string | undefined {
  const share = settings.thresholdsInPercent ? ((value - range.min) / (range.max - range.min || 1)) * 100 : value
  let color = settings.thresholds[0]?.color
  for (const step of settings.thresholds) if (share >= step.value) color = step.color
  return color
}

/** The first mapping that fits. Regular expressions may put groups into the text. */
export function mapValue(value: Cell, mappings: readonly Json[]): MappingResult | undefined {
  const text = value === null ? '' : String(value)
  const number = typeof value === 'number' ? value : text.trim() === '' ? Number.NaN : Number(text)
  for (const { type, options } of mappings) {
    const given = objectOf(options)
    const result = objectOf(given.result)
    if (type === 'value') {
      const found = Object.hasOwn(given, text) ? given[text] : undefined
      if (isObject(found) && !isEmptyCell(value)) return resultOf(found)
    } else if (type === 'range') {
      const from = numberOf(given.from) ?? Number.NEGATIVE_INFINITY
      const to = numberOf(given.to) ?? Number.POSITIVE_INFINITY
      if (number >= from && number <= to) return resultOf(result)
    } else if (type === 'regex' && typeof value === 'string') {
      const match = patternOf(textOf(given.pattern))?.exec(value)
      if (match)
        return resultOf({
          ...result,
          text: textOf(result.text).replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? ''),
        })
    } else if (type === 'special' && isSpecial(value, textOf(given.match))) return resultOf(result)
  }
  return undefined
}

function resultOf({ text, color }: Json): MappingResult {
  return {
    text: typeof text === 'string' && text !== '' ? text : undefined,
    color: typeof color === 'string' ? color : undefined,
  }
}

function isSpecial(value: Cell, match: string): boolean {
  const isNaNumber = typeof value === 'number' && Number.isNaN(value)
  if (match === 'null') return value === null || isNaNumber
  if (match === 'nan') return isNaNumber
  if (match === 'null+nan') return value === null || isNaNumber
  if (match === 'true' || match === 'false') return String(value) === match
  return match === 'empty' && value === ''
}

/** A cell as people read it. */
export function displayText(value: Cell, type: Field['type'], settings: FieldSettings): string {
  const mapped = mapValue(value, settings.mappings)
  if (mapped?.text !== undefined) return mapped.text
  if (isEmptyCell(value)) return settings.noValue !== '' ? settings.noValue : '–'
  if (settings.unit.startsWith('time:')) return formatDate(Number(value), settings.unit.slice(5).trim(), settings.zone)
  if (type === 'time') {
    return settings.unit.startsWith('dateTime')
      ? formatValue(Number(value), settings.unit, undefined, settings.zone)
      : formatDate(Number(value), 'YYYY-MM-DD HH:mm:ss', settings.zone)
  }
  if (typeof value === 'string') {
    const number =
      settings.unit !== '' && settings.unit !== 'string' && value.trim() !== '' ? Number(value) : Number.NaN
    return Number.isNaN(number) ? value : formatValue(number, settings.unit, settings.decimals)
  }
  if (typeof value === 'boolean') return String(value)
  return formatValue(value as number, settings.unit === '' ? 'none' : settings.unit, settings.decimals, settings.zone)
}

/** Smallest and largest number of the fields, with what the settings fix in their place. */
export function settingsRange(
  fields: readonly ArrayLike<Cell>[],
  { min, max }: Pick<FieldSettings, 'min' | 'max'>,
): { min: number; max: number } {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  if (min === undefined || max === undefined) {
    for (const values of fields) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        if (typeof value !== 'number' || !Number.isFinite(value)) continue
        if (value < low) low = value
        if (value > high) high = value
      }
    }
  }
  return { min: min ?? (Number.isFinite(low) ? low : 0), max: max ?? (Number.isFinite(high) ? high : 100) }
}
