import { quoteGo } from './go-quote.ts'

/**
 * A label set as a flat list `[name1, value1, name2, value2, …]`, sorted by name in UTF-8 byte order, names unique, no
 * empty values (an empty value is the same as no label). Immutable: build a new one instead of changing one.
 */
export type Labels = readonly string[]

export const METRIC_NAME = '__name__'
export const EMPTY_LABELS: Labels = []

/** Sorts, drops empty values; of a repeated name the last one wins. */
export function labelsFromRecord(record: Readonly<Record<string, string>>): Labels {
  return labelsFromEntries(Object.entries(record))
}

/** Sorts, drops empty values; of a repeated name the last one wins. */
export function labelsFromEntries(entries: Iterable<readonly [string, string]>): Labels {
  const unique = new Map(entries)
  const names = [...unique.keys()].sort(compareStrings)
  const labels: string[] = []
  for (const name of names) {
    const value = unique.get(name) as string
    if (value !== '') labels.push(name, value)
  }
  return labels
}

export function labelsToRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = {}
  for (let i = 0; i < labels.length; i += 2) put(record, labels[i]!, labels[i + 1]!)
  return record
}

/** An assignment would set the prototype where that is the label's name. */
function put(record: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__')
    Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true })
  else record[name] = value
}

/** The value, or '' where the label is missing: to PromQL both are the same. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]!
  return ''
}

/** A string that is equal exactly for equal label sets. For map keys; not for display. */
export const labelsKey = (labels: Labels): string => textsKey(labels)

/**
 * A string that is equal exactly for equal lists; one empty text counts as none. For map keys; not for display.
 *
 * @param texts well-formed
 */
export function textsKey(texts: readonly string[]): string {
  for (let i = 0; i < texts.length; i++) if (texts[i]!.includes(BETWEEN)) return `${NOT_JOINED}${JSON.stringify(texts)}`
  return texts.join(BETWEEN)
}

// Keys of one byte a character take half the memory, and nearly no text holds this one.
const BETWEEN = '\u00ff'
// No well-formed text holds half of a pair.
const NOT_JOINED = '\ud800'

/** Prints `{a="b", c="d"}` with the metric name in front, as Prometheus does in errors and logs. */
export function labelsText(labels: Labels): string {
  let name = ''
  const parts: string[] = []
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] === METRIC_NAME && isLegacyMetricName(labels[i + 1]!)) name = labels[i + 1]!
    else parts.push(`${isLegacyLabelName(labels[i]!) ? labels[i] : quoteGo(labels[i]!)}=${quoteGo(labels[i + 1]!)}`)
  }
  return parts.length === 0 && name !== '' ? name : `${name}{${parts.join(', ')}}`
}

/** Keeps only (`keep` true) or drops the named labels. */
export function projectLabels(labels: Labels, names: ReadonlySet<string>, keep: boolean): Labels {
  const out: string[] = []
  for (let i = 0; i < labels.length; i += 2) if (names.has(labels[i]!) === keep) out.push(labels[i]!, labels[i + 1]!)
  return out
}

/** `base` with `changes` laid over it; an empty value removes the label. */
export function withLabels(base: Labels, changes: Iterable<readonly [string, string]>): Labels {
  const merged: [string, string][] = []
  for (let i = 0; i < base.length; i += 2) merged.push([base[i]!, base[i + 1]!])
  return labelsFromEntries([...merged, ...changes])
}

/** Orders label sets as Prometheus does: name, value, name, value …; a shorter set that is a prefix comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return compareStrings(a[i]!, b[i]!)
  }
  return a.length - b.length
}

/** Order of the UTF-8 bytes. JavaScript's `<` compares UTF-16 units, which differs above U+FFFF. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      const xHigh = x >= 0xd800 && x < 0xe000
      const yHigh = y >= 0xd800 && y < 0xe000
      return xHigh === yHigh ? x - y : xHigh ? 1 : -1
    }
  }
  return a.length - b.length
}

export const isLegacyLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
export const isLegacyMetricName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)
