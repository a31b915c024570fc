import { GoDuration, GoTime } from './go-time.ts'
import { GoEnum, GoMap, GoSlice, GoStruct, type GoValue, SafeText, TemplateFunction } from './values.ts'

/** What Go's reflection would call a value, as far as templates can tell. */
export type Kind = 'nil' | 'bool' | 'int' | 'float' | 'string' | 'slice' | 'map' | 'struct' | 'func'

export function kindOf(value: GoValue): Kind {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return 'float'
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    default:
      return value === undefined || value === null ? 'nil' : objectKind(value)
  }
}

function objectKind(value: object): Kind {
  if (Array.isArray(value) || value instanceof GoSlice) return 'slice'
  if (value instanceof GoStruct || value instanceof GoTime) return 'struct'
  if (value instanceof GoDuration || value instanceof GoEnum) return 'int'
  if (value instanceof SafeText) return 'string'
  return value instanceof TemplateFunction ? 'func' : 'map'
}

const PLAIN_TYPE: Readonly<Record<Kind, string>> = {
  nil: '<nil>',
  bool: 'bool',
  int: 'int',
  float: 'float64',
  string: 'string',
  slice: '[]interface {}',
  map: 'map[string]interface {}',
  struct: 'struct {}',
  func: 'func()',
}

const SAFE_TYPES = { html: 'template.HTML', url: 'template.URL', escaped: 'string' } as const

/** The type as `%T` prints it. */
export function typeNameOf(value: GoValue): string {
  if (value instanceof GoStruct || value instanceof GoMap || value instanceof GoSlice || value instanceof GoEnum)
    return value.typeName
  if (value instanceof GoTime) return 'time.Time'
  if (value instanceof GoDuration) return 'time.Duration'
  if (value instanceof SafeText) return SAFE_TYPES[value.kind]
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return '[]string'
  return PLAIN_TYPE[kindOf(value)]
}

/** The items of a slice. */
export function itemsOf(value: GoValue): readonly GoValue[] {
  if (value instanceof GoSlice) return value.items
  return Array.isArray(value) ? (value as readonly GoValue[]) : []
}

/** The entries of anything of kind map. */
export function entriesOf(value: GoValue): ReadonlyMap<string, GoValue> {
  if (value instanceof GoMap) return value.entries
  if (value instanceof Map) return value as ReadonlyMap<string, GoValue>
  return new Map(Object.entries(value as Readonly<Record<string, GoValue>>))
}

/** What a missing key of this map reads as. */
export const zeroOf = (map: GoValue): GoValue => (map instanceof GoMap ? map.zero : undefined)

/** The integer of anything of kind int. */
export function integerOf(value: GoValue): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof GoDuration) return value.nanos
  return value instanceof GoEnum ? value.value : 0n
}

/** The text of anything of kind string. */
export const stringOf = (value: GoValue): string => (value instanceof SafeText ? value.text : (value as string))

/** What its `String()` method answers; `undefined` for a value that has none. */
export function stringerText(value: GoValue): string | undefined {
  if (value instanceof GoStruct || value instanceof GoMap || value instanceof GoSlice) return value.text?.()
  if (value instanceof GoTime || value instanceof GoDuration) return value.toString()
  return value instanceof GoEnum ? value.text : undefined
}

/** Whether `if`, `and`, `not` … take it for true: not the zero of its type, not empty. */
export function isTrue(value: GoValue): boolean {
  switch (kindOf(value)) {
    case 'nil':
      return false
    case 'bool':
      return value as boolean
    case 'int':
      return integerOf(value) !== 0n
    case 'float':
      return value !== 0
    case 'string':
      return stringOf(value) !== ''
    case 'slice':
      return itemsOf(value).length > 0
    case 'map':
      return entriesOf(value).size > 0
    default:
      return true
  }
}
