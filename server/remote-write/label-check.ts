import { compareStrings, type Labels, labelsFromEntries, METRIC_NAME } from '../../model/index.ts'

/** A label as received; where one of its texts is not UTF-8 it has no name, so that it names no series. */
export const labelOf = (name: string | undefined, value: string | undefined): [name: string, value: string] =>
  name === undefined || value === undefined ? ['', ''] : [name, value]

/**
 * Brings received labels into order: sorted, without empty values.
 *
 * @param flat name, value, name, value …
 * @returns `undefined` where they name no series: no metric name, an empty label name, or a name that comes twice
 */
export function checkedLabels(flat: readonly string[]): Labels | undefined {
  let isSorted = true
  let hasName = false
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!
    if (name === '') return undefined
    if (flat[i + 1] === '') isSorted = false
    else if (name === METRIC_NAME) hasName = true
    if (i > 0 && compareStrings(flat[i - 2]!, name) >= 0) isSorted = false
  }
  if (!hasName) return undefined
  if (isSorted) return flat
  const entries: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i]!, flat[i + 1]!])
  return new Set(entries.map(([name]) => name)).size < entries.length ? undefined : labelsFromEntries(entries)
}
