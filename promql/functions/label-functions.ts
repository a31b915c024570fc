import { RE2JS } from 're2js'
import { COMPILED_LENGTH_MAX, compareStrings, type Labels, labelValue, withLabels } from '../../model/index.ts'
import { QueryExecutionError } from '../exec/errors.ts'

/** Any well-formed, non-empty text is a label name. */
export const isLabelName = (name: string): boolean => name !== '' && !/[\ud800-\udfff]/u.test(name)

/**
 * Longest value that these functions write, in UTF-16 units. Nobody means longer ones: nested calls that each double a value would
 * fill the memory otherwise.
 */
const VALUE_LENGTH_MAX = 1 << 18

/** Changes one label set; `undefined` where the expression did not match and the set stays as it is. */
export type LabelChange = (labels: Labels) => Labels | undefined

/** @throws {QueryExecutionError} for a bad expression or destination; the change, for a value that is too long */
export function labelReplace(destination: string, replacement: string, source: string, pattern: string): LabelChange {
  let regex: RE2JS
  try {
    if (pattern.length > COMPILED_LENGTH_MAX) throw new Error('expression too large')
    regex = RE2JS.compile(pattern, RE2JS.DOTALL)
  } catch (cause) {
    throw new QueryExecutionError(`invalid regular expression in label_replace(): ${pattern}`, { cause })
  }
  if (!isLabelName(destination)) {
    throw new QueryExecutionError(`invalid destination label name in label_replace(): ${destination}`)
  }
  return (labels) => {
    const matcher = regex.matcher(labelValue(labels, source))
    if (!matcher.matches()) return undefined
    const groups = regex.namedGroups()
    let length = 0
    const value = expandReferences(replacement, (name) => {
      const group = /^\d+$/.test(name) ? Number(name) : groups[name]
      const text = group === undefined || group > matcher.groupCount() ? '' : (matcher.group(group) ?? '')
      checkLength((length += text.length), 'label_replace', destination)
      return text
    })
    return withLabels(labels, [[destination, value]])
  }
}

/** @throws {QueryExecutionError} for bad label names; the change, for a value that is too long */
export function labelJoin(destination: string, separator: string, sources: readonly string[]): LabelChange {
  for (const name of sources) {
    if (!isLabelName(name)) throw new QueryExecutionError(`invalid source label name in label_join(): ${name}`)
  }
  if (!isLabelName(destination)) {
    throw new QueryExecutionError(`invalid destination label name in label_join(): ${destination}`)
  }
  return (labels) => {
    const values = sources.map((name) => labelValue(labels, name))
    const length = values.reduce((sum, value) => sum + value.length + separator.length, 0)
    checkLength(length, 'label_join', destination)
    return withLabels(labels, [[destination, values.join(separator)]])
  }
}

function checkLength(length: number, name: string, destination: string): void {
  if (length <= VALUE_LENGTH_MAX) return
  throw new QueryExecutionError(
    `value of label "${destination}" in ${name}() is longer than ${VALUE_LENGTH_MAX} characters`,
  )
}

/** Go's `Expand`: `$1`, `$name`, `${name}`, `$$`; a name is as long as letters, digits and underscores go. */
function expandReferences(template: string, valueOf: (name: string) => string): string {
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar?: string, bare?: string, braced?: string) =>
    dollar === undefined ? valueOf((bare ?? braced)!) : '$',
  )
}

/** Splits text into runs of digits and of anything else, and compares digits by number: `a2` before `a10`. */
export function compareNatural(a: string, b: string): number {
  const partsA = a.match(/\d+|\D+/g) ?? []
  const partsB = b.match(/\d+|\D+/g) ?? []
  for (let i = 0; i < Math.min(partsA.length, partsB.length); i++) {
    const x = partsA[i]!
    const y = partsB[i]!
    const order = /^\d/.test(x) && /^\d/.test(y) ? compareDigits(x, y) : compareStrings(x, y)
    if (order !== 0) return order
  }
  // Leading zeros decide last.
  return partsA.length - partsB.length || compareStrings(a, b)
}

function compareDigits(x: string, y: string): number {
  const trimmedX = x.replace(/^0+/, '')
  const trimmedY = y.replace(/^0+/, '')
  if (trimmedX.length !== trimmedY.length) return trimmedX.length - trimmedY.length
  return trimmedX === trimmedY ? 0 : trimmedX < trimmedY ? -1 : 1
}
