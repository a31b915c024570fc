import { type OperandNode, nodeText } from './ast.ts'
import { GoDuration, GoTime } from './go-time.ts'
import { entriesOf, integerOf, itemsOf, kindOf, stringOf, typeNameOf } from './kinds.ts'
import type { GoValue, ParamType } from './values.ts'

const TYPE_NAMES: Readonly<Record<ParamType, string>> = {
  any: 'interface {}',
  string: 'string',
  int: 'int',
  float: 'float64',
  bool: 'bool',
  time: 'time.Time',
  duration: 'time.Duration',
  slice: '[]interface {}',
  strings: '[]string',
  map: 'map[string]interface {}',
}

/** A constant as an argument: it takes the parameter's type, or the template is wrong. `undefined` for other operands. */
export function literalArgument(
  node: OperandNode,
  type: ParamType,
  fail: (why: string) => never,
): { readonly value: GoValue } | undefined {
  if (type === 'any') return undefined
  if (node.kind === 'nil')
    return type === 'map' || type === 'slice' ? undefined : fail(`cannot assign nil to ${TYPE_NAMES[type]}`)
  if (node.kind !== 'bool' && node.kind !== 'number' && node.kind !== 'string') return undefined
  const value = node.value
  switch (type) {
    case 'bool':
      return typeof value === 'boolean' ? { value } : fail(`expected bool; found ${nodeText(node)}`)
    case 'string':
      return typeof value === 'string' ? { value } : fail(`expected string; found ${nodeText(node)}`)
    case 'float':
      if (typeof value === 'bigint') return { value: Number(value) }
      return typeof value === 'number' ? { value } : fail(`expected float; found ${nodeText(node)}`)
    case 'int':
    case 'duration': {
      const integer = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
      if (typeof integer !== 'bigint') return fail(`expected integer; found ${nodeText(node)}`)
      return { value: type === 'int' ? integer : new GoDuration(integer) }
    }
    default:
      return fail(`can't handle ${nodeText(node)} for arg of type ${TYPE_NAMES[type]}`)
  }
}

/** The value as the function's parameter wants it. */
export function checkArgument(value: GoValue, type: ParamType, fail: (why: string) => never): GoValue {
  if (type === 'any') return value
  const kind = kindOf(value)
  if (kind === 'nil' && type !== 'map' && type !== 'slice') return fail(`invalid value; expected ${TYPE_NAMES[type]}`)
  switch (type) {
    case 'string':
      if (kind === 'string') return stringOf(value)
      break
    case 'int':
      if (kind === 'int') return integerOf(value)
      break
    case 'float':
    case 'bool':
      if (kind === type) return value
      break
    case 'time':
      if (value instanceof GoTime) return value
      break
    case 'duration':
      if (value instanceof GoDuration) return value
      break
    case 'slice':
      if (kind === 'slice' || kind === 'nil') return itemsOf(value)
      break
    case 'strings':
      if (kind === 'slice' && itemsOf(value).every((item) => typeof item === 'string')) return itemsOf(value)
      break
    case 'map':
      if (kind === 'nil') return new Map()
      if (kind === 'map') return entriesOf(value) as ReadonlyMap<string, GoValue>
      break
  }
  return fail(`wrong type for value; expected ${TYPE_NAMES[type]}; got ${typeNameOf(value)}`)
}
