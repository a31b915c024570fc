import { type Labels, labelsFromEntries, parseDuration, parseGoFloat } from '../../model/index.ts'
import { parseSelector } from '../parse/parse.ts'
import { parseHistogramItem, type ScriptHistogram } from './script-histogram.ts'

/** One place in a sequence of samples. */
export type ScriptValue =
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'float'; readonly value: number }
  | ({ readonly kind: 'histogram' } & ScriptHistogram)

export interface ScriptSeries {
  readonly labels: Labels
  readonly values: readonly ScriptValue[]
  /** When each value's counter began, from its own time on; `undefined` where nothing is known. */
  readonly startOffsetsMs?: readonly (number | undefined)[]
}

const NUMBER = String.raw`(?:\d[\d.]*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|nan)`
const FLOAT_ITEM = new RegExp(`^([+-]?${NUMBER})(?:([+-])([+-]?${NUMBER}))?(?:x(\\d+))?$`, 'i')

/** `name{label="value"} item item …`. @throws {Error} */
export function parseSeriesLine(line: string): ScriptSeries {
  const end = selectorEnd(line)
  return { labels: parseLabels(line.slice(0, end)), values: parseItems(line.slice(end)) }
}

export function parseLabels(text: string): Labels {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '{}') return []
  // An empty set behind a name is no matcher at all, which a selector may not be made of alone.
  return labelsFromEntries(parseSelector(trimmed).map(({ name, value }) => [name, value] as const))
}

/** Seconds, or a duration; in milliseconds. */
export function parseTimeMs(text: string): number {
  const seconds = parseGoFloat(text)
  if (seconds !== undefined) return Math.round(seconds * 1000)
  return text.startsWith('-') ? -parseDuration(text.slice(1)) : parseDuration(text)
}

/** `name{label="value"}@st item item …`: when each sample's counter began, from the sample's time on; as sparse as the samples. */
export function parseStartTimesLine(
  line: string,
): { readonly labels: Labels; readonly offsetsMs: (number | undefined)[] } | undefined {
  const match = /^(\S.*?)@st\s+(.*)$/.exec(line)
  if (!match) return undefined
  return { labels: parseLabels(match[1]!), offsetsMs: match[2]!.trim().split(/\s+/).flatMap(parseOffset) }
}

const OFFSET = String.raw`(?:\d+(?:ms|[smhdwy]))+|0`
const OFFSET_ITEM = new RegExp(String.raw`^([+-]?(?:${OFFSET}))(?:([+-])(${OFFSET}))?(?:x(\d+))?$`)

function parseOffset(item: string): (number | undefined)[] {
  const missing = /^_(?:x(\d+))?$/.exec(item)
  if (missing) return Array.from({ length: Number(missing[1] ?? 1) }, () => undefined)
  const match = OFFSET_ITEM.exec(item)
  if (!match) throw new Error(`bad start time ${JSON.stringify(item)}`)
  const [, first, sign, by, count] = match
  const offsetMs = parseTimeMs(first!.replace(/^\+/, ''))
  const incrementMs = by === undefined ? 0 : (sign === '-' ? -1 : 1) * parseTimeMs(by)
  return Array.from({ length: Number(count ?? 0) + 1 }, (_, i) => offsetMs + i * incrementMs)
}

/** Where the label set ends: at the first white space outside of braces and quotes. */
function selectorEnd(line: string): number {
  let depth = 0
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!
    if (c === '"' || c === "'" || c === '`') {
      i = quoteEnd(line, i)
    } else if (c === '{') {
      depth++
    } else if (c === '}') {
      depth--
      if (depth === 0) return i + 1
    } else if (/\s/.test(c) && depth === 0 && !/^\s*\{(?!\{)/.test(line.slice(i))) {
      return i
    }
  }
  return line.length
}

function quoteEnd(line: string, start: number): number {
  const quote = line[start]!
  for (let i = start + 1; i < line.length; i++) {
    if (line[i] === '\\' && quote !== '`') i++
    else if (line[i] === quote) return i
  }
  return line.length
}

function parseItems(text: string): ScriptValue[] {
  // Histograms have spaces inside.
  const items = text.match(/[+-]?\{\{[^}]*\}\}(?:[+-]\{\{[^}]*\}\})?\S*|\S+/g) ?? []
  return items.flatMap(parseItem)
}

function parseItem(item: string): ScriptValue[] {
  const missing = /^_(?:x(\d+))?$/.exec(item)
  if (missing) return repeat({ kind: 'missing' }, Number(missing[1] ?? 1))
  const stale = /^stale(?:x(\d+))?$/.exec(item)
  if (stale) return repeat({ kind: 'stale' }, stale[1] === undefined ? 1 : Number(stale[1]) + 1)
  const histograms = parseHistogramItem(item)
  if (histograms) return histograms.map((histogram) => ({ kind: 'histogram', ...histogram }))
  const float = FLOAT_ITEM.exec(item)
  if (!float) throw new Error(`bad item ${JSON.stringify(item)}`)
  const [, first, sign, by, count] = float
  const increment = by === undefined ? 0 : (sign === '-' ? -1 : 1) * parseGoFloat(by)!
  const values: ScriptValue[] = []
  let value = parseGoFloat(first!)!
  for (let i = 0; i <= Number(count ?? 0); i++) {
    values.push({ kind: 'float', value })
    if (by !== undefined) value += increment
  }
  return values
}

const repeat = (value: ScriptValue, count: number): ScriptValue[] => Array.from({ length: count }, () => value)
