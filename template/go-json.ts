import { compareStrings } from '../model/index.ts'
import { TemplateFunctionError } from './errors.ts'
import { GoTime } from './go-time.ts'
import { entriesOf, integerOf, itemsOf, kindOf, stringOf, typeNameOf } from './kinds.ts'
import { GoStruct, type GoValue } from './values.ts'

/**
 * Go's json.Marshal: map keys sorted, `<`, `>` and `&` escaped.
 *
 * @throws {TemplateFunctionError} for values that JSON cannot hold
 */
export function toGoJson(value: GoValue): string {
  switch (kindOf(value)) {
    case 'nil':
      return 'null'
    case 'bool':
      return String(value)
    case 'int':
      return String(integerOf(value))
    case 'float':
      return jsonNumber(value as number)
    case 'string':
      return jsonString(stringOf(value))
    case 'slice':
      return `[${itemsOf(value).map(toGoJson).join(',')}]`
    case 'map': {
      const entries = [...entriesOf(value)].sort(([a], [b]) => compareStrings(a, b))
      return `{${entries.map(([key, item]) => `${jsonString(key)}:${toGoJson(item)}`).join(',')}}`
    }
    case 'struct':
      return jsonStruct(value)
    case 'func':
      throw new TemplateFunctionError(`json: unsupported type: ${typeNameOf(value)}`)
  }
}

function jsonStruct(value: GoValue): string {
  if (value instanceof GoTime) return jsonString(value.format('2006-01-02T15:04:05.999999999Z07:00'))
  if (!(value instanceof GoStruct)) return '{}'
  const members = Object.entries(value.fields).map(
    ([name, field]) => `${jsonString(value.jsonNames[name] ?? name)}:${toGoJson(field)}`,
  )
  return `{${members.join(',')}}`
}

function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TemplateFunctionError(`json: unsupported value: ${value}`)
  if (Object.is(value, -0)) return '-0'
  return String(value)
}

const jsonString = (text: string): string =>
  JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
