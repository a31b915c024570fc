import { compareStrings } from '../model/index.ts'
import { TemplateFunctionError } from './errors.ts'
import { GoTime } from './go-time.ts'
import { goText } from './go-format.ts'
import { integerOf, type Kind, kindOf, stringOf, typeNameOf } from './kinds.ts'
import { GoStruct, type GoValue } from './values.ts'

/** Go's `eq`: the first against each of the others, without any conversion between kinds. */
export function equalsAny(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new TemplateFunctionError('missing argument for comparison')
  return others.some((other) => equals(first, other))
}

export function equals(a: GoValue, b: GoValue): boolean {
  const kindA = kindOf(a)
  const kindB = kindOf(b)
  if (kindA === 'nil' || kindB === 'nil') return kindA === kindB
  for (const value of [a, b]) {
    if (['slice', 'map', 'func'].includes(kindOf(value)))
      throw new TemplateFunctionError(`non-comparable type ${goText(value)}: ${typeNameOf(value)}`)
  }
  if (kindA !== kindB) throw new TemplateFunctionError('incompatible types for comparison')
  if (kindA === 'int') return integerOf(a) === integerOf(b)
  if (kindA === 'string') return stringOf(a) === stringOf(b)
  if (a instanceof GoTime && b instanceof GoTime) return a.unixNanos === b.unixNanos && a.zone.name === b.zone.name
  if (a instanceof GoStruct && b instanceof GoStruct) return equalStructs(a, b)
  return a === b
}

function equalStructs(a: GoStruct, b: GoStruct): boolean {
  return a.typeName === b.typeName && Object.keys(a.fields).every((name) => equals(a.fields[name], b.fields[name]))
}

const ORDERED: ReadonlySet<Kind> = new Set(['int', 'float', 'string'])

/** Go's `lt`. */
export function isLess(a: GoValue, b: GoValue): boolean {
  const kindA = kindOf(a)
  const kindB = kindOf(b)
  for (const kind of [kindA, kindB]) {
    if (!ORDERED.has(kind) && kind !== 'bool') throw new TemplateFunctionError('invalid type for comparison')
  }
  if (kindA !== kindB) throw new TemplateFunctionError('incompatible types for comparison')
  if (kindA === 'bool') throw new TemplateFunctionError('invalid type for comparison')
  if (kindA === 'int') return integerOf(a) < integerOf(b)
  if (kindA === 'float') return (a as number) < (b as number)
  return compareStrings(stringOf(a), stringOf(b)) < 0
}
