// Variables of a board, as its JSON states them.
import type { AdhocFilter } from './adhoc.ts'
import { flagOf, isObject, type Json, numberOf, objectOf, objectsOf, textOf, textsOf } from './json.ts'

export const ALL_VALUE = '$__all'

export type VariableType = 'query' | 'datasource' | 'interval' | 'textbox' | 'custom' | 'adhoc' | 'constant'

export interface VariableOption {
  readonly text: string
  readonly value: string
}

export interface Variable {
  readonly name: string
  readonly label: string
  readonly description: string
  readonly type: VariableType
  /** 0 = shown, 1 = without its label, 2 = not at all. */
  readonly hide: number
  readonly multi: boolean
  readonly includeAll: boolean
  /** Put in place of “All” as it is; '' = the list of all values. */
  readonly allValue: string
  readonly query: string
  readonly regex: string
  /** 0 none, 1/2 by text, 3/4 by number, 5/6 by text in any case, 7/8 natural; odd = rising. */
  readonly sort: number
  /** 1 = when the board is opened, 2 = also with the time range; 0 = the stored options, where there are any. */
  readonly refresh: number
  readonly auto: boolean
  readonly autoMin: string
  readonly autoCount: number
  readonly options: readonly VariableOption[]
  readonly current: readonly VariableOption[]
  readonly filters: readonly AdhocFilter[]
}

const TYPES: ReadonlySet<string> = new Set([
  'query',
  'datasource',
  'interval',
  'textbox',
  'custom',
  'adhoc',
  'constant',
])

export function readVariable(json: Json): Variable {
  const type = textOf(json.type, 'query')
  const known = TYPES.has(type) ? (type as VariableType) : type === 'groupby' ? 'textbox' : 'custom'
  return {
    name: textOf(json.name),
    label: textOf(json.label) || textOf(json.name),
    description: textOf(json.description),
    type: known,
    hide: numberOf(json.hide) ?? 0,
    multi: flagOf(json.multi),
    includeAll: flagOf(json.includeAll),
    allValue: textOf(json.allValue),
    query: queryText(json),
    regex: textOf(json.regex),
    sort: numberOf(json.sort) ?? 0,
    refresh: numberOf(json.refresh) ?? 0,
    auto: flagOf(json.auto),
    autoMin: textOf(json.auto_min, '10s'),
    autoCount: numberOf(json.auto_count) ?? 30,
    options: objectsOf(json.options).map(optionOf),
    current: currentOf(json.current),
    filters: [...objectsOf(json.baseFilters), ...objectsOf(json.filters)].map((one) => ({
      key: textOf(one.key),
      operator: textOf(one.operator, '='),
      values: textsOf(one.values).length > 0 ? textsOf(one.values) : [textOf(one.value)],
    })),
  }
}

function optionOf(option: Json): VariableOption {
  const value = textOf(option.value)
  return { value, text: textOf(option.text) || value }
}

/** One value or several; text and value may each be a list or not. */
function currentOf(current: unknown): VariableOption[] {
  const { text, value } = objectOf(current)
  const values = (Array.isArray(value) ? value : [value]).map((one) => textOf(isObject(one) ? one.value : one))
  const texts = Array.isArray(text) ? text.map((one) => textOf(one)) : textOf(text).split(' + ')
  return values
    .map((one, i) => ({ value: one, text: (values.length === texts.length ? texts[i] : undefined) || one }))
    .filter((one) => one.value !== '')
}

/** The query as text, whichever of its forms was stored. */
function queryText(json: Json): string {
  const query = json.query
  if (!isObject(query)) return textOf(query) || textOf(json.definition)
  const direct = textOf(query.query) || textOf(query.expr)
  if (direct !== '') return direct
  const label = textOf(query.label)
  const metric = textOf(query.metric)
  const filters = objectsOf(query.labelFilters).map(
    (one) => `${textOf(one.label)}${textOf(one.op, '=')}${JSON.stringify(textOf(one.value))}`,
  )
  const selector = `${metric}${filters.length === 0 ? '' : `{${filters.join(',')}}`}`
  if (label !== '') return selector === '' ? `label_values(${label})` : `label_values(${selector}, ${label})`
  return textOf(query.varQuery) || textOf(json.definition)
}
