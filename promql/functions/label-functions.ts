import { RE2JS } from 're2js'
import { compareStrings, type Labels, labelValue, withLabels } from '../../model/index.ts'
import { QueryExecutionError } from '../exec/errors.ts'

/** Any well-formed, non-empty text is a label name. */
export const isLabelName = (name: string): boolean => name !== '' && !/[\ud800-\udfff]/u.test(name)

/** Changes one label set; `undefined` where the expression did not match and the set stays as it is. */
export type LabelChange = (labels: Labels) => Labels | undefined

/** @throws {QueryExecutionError} for a bad expression or destination */
export function labelReplace(destination: string, replacement: string, source: string, pattern: string): LabelChange {
  let regex: RE2JS
  try {
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
    const value = expandReferences(replacement, (name) => {
      const group = /^\d+$/.test(name) ? Number(name) : groups[name]
      return group === undefined || group > matcher.groupCount() ? '' : (matcher.group(group) ?? '')
    })
    return withLabels(labels, [[destination, value]])
  }
}

/** @throws {QueryExecutionError} for bad label names */
export function labelJoin(destination: string, separator: string, sources: readonly string[]): LabelChange {
  for (const name of sources) {
    if (!isLabelName(name)) throw new QueryExecutionError(`invalid source label name in label_join(): ${name}`)
  }
  if (!isLabelName(destination)) {
    throw new QueryExecutionError(`invalid destination label name in label_join(): ${destination}`)
  }
  return (labels) =>
    withLabels(labels, [[destination, sources.map((name) => labelValue(labels, name)).join(separator)]])
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
