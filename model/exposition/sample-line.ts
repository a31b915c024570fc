import { parseGoFloat, normalizeBucketBound } from '../float.ts'
import { compareStrings, type Labels, METRIC_NAME } from '../labels.ts'
import type { MetricType } from '../metadata.ts'
import type { Exemplar } from '../exemplar.ts'
import type { ExpositionFormat, ExpositionSample } from './format.ts'

/** What is wrong with a line; whoever knows the line's number turns it into an `ExpositionError`. */
export class LineError extends Error {}

/**
 * Parses one sample line. The text format allows any blanks between tokens, OpenMetrics exactly one space after the name or
 * labels and none inside the braces. Both take names in quotes inside the braces, and one comma after the last label.
 *
 * @param line without its newline, not blank, not a comment
 * @param type of the TYPE line that stands last before this line: decides whether `le` or `quantile` is normalised
 * @throws {LineError}
 */
export function parseSampleLine(line: string, format: ExpositionFormat, type: MetricType): ExpositionSample {
  const cursor = new Cursor(line, format === 'openmetrics')
  cursor.skipBlanks()
  const pairs: string[] = []
  const name = cursor.takeName(true)
  if (name !== '') pairs.push(METRIC_NAME, name)
  cursor.skipBlanks()
  if (cursor.code() === BRACE_OPEN) parseBraces(cursor, pairs, name === '')
  if (pairs[0] !== METRIC_NAME) throw new LineError(`expected a metric name, got ${cursor.rest()}`)
  const value = parseValue(cursor.takeSeparated('value'))
  const timestampMs = parseTimestamp(cursor)
  const exemplar = cursor.strict ? parseExemplar(cursor) : undefined
  cursor.skipBlanks()
  if (!cursor.atEnd()) throw new LineError(`unexpected text after the sample: ${cursor.rest()}`)
  return { labels: toLabels(pairs, type), value, timestampMs, exemplar, emptyLabels: emptyNames(pairs) }
}

/** `value` as expositions write it: decimal or `Inf`/`NaN` in any case; no hexadecimal, no underscores, no overflow. */
export function parseValue(text: string): number {
  const value = /_|^[+-]nan$/i.test(text) ? undefined : parseGoFloat(text)
  const overflowed = value !== undefined && !Number.isFinite(value) && /\d/.test(text)
  if (value === undefined || overflowed) throw new LineError(`invalid value ${JSON.stringify(text)}`)
  return value
}

const TAB = 9
const SPACE = 32
const QUOTE = 34
const COMMA = 44
const COLON = 58
const EQUALS = 61
const BACKSLASH = 92
const UNDERSCORE = 95
const BRACE_OPEN = 123
const BRACE_CLOSE = 125

class Cursor {
  readonly line: string
  /** Single spaces only. */
  readonly strict: boolean
  pos = 0

  constructor(line: string, strict: boolean) {
    this.line = line
    this.strict = strict
  }

  /** NaN at the end. */
  code(): number {
    return this.line.charCodeAt(this.pos)
  }

  atEnd(): boolean {
    return this.pos >= this.line.length
  }

  rest(): string {
    return JSON.stringify(this.line.slice(this.pos, this.pos + 40))
  }

  skipBlanks(): void {
    if (this.strict) return
    while (isBlank(this.code())) this.pos++
  }

  /** A name without quotes, '' where none stands here. Colons are for metric names. */
  takeName(withColons: boolean): string {
    const start = this.pos
    if (!isNameStart(this.code(), withColons)) return ''
    do this.pos++
    while (isNameStart(this.code(), withColons) || isDigit(this.code()))
    return this.line.slice(start, this.pos)
  }

  expect(code: number, what: string): void {
    if (this.code() !== code) throw new LineError(`expected ${what}, got ${this.rest()}`)
    this.pos++
  }

  /** The quoted text that starts here, unescaped: `\\`, `\"` and `\n`; any other backslash stays. */
  takeQuoted(): string {
    this.expect(QUOTE, 'a quoted string')
    const start = this.pos
    let escaped = false
    for (;;) {
      const code = this.code()
      if (Number.isNaN(code)) throw new LineError('quoted string has no end')
      if (code === QUOTE) break
      if (code === BACKSLASH) {
        escaped = true
        this.pos++
      }
      this.pos++
    }
    const text = this.line.slice(start, this.pos++)
    return escaped ? text.replace(/\\(["\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c)) : text
  }

  /** The next token without blanks. In strict form one space must stand before it. */
  takeSeparated(what: string): string {
    if (this.strict) this.expect(SPACE, 'one space')
    else this.skipBlanks()
    const start = this.pos
    while (!this.atEnd() && !isBlank(this.code())) this.pos++
    if (start === this.pos) throw new LineError(`expected ${what}, got ${this.rest()}`)
    return this.line.slice(start, this.pos)
  }
}

/** Appends name and value of each label; a quoted string on its own is the metric name and goes to the front. */
function parseBraces(cursor: Cursor, pairs: string[], nameMissing: boolean): void {
  let needsName = nameMissing
  cursor.pos++
  for (;;) {
    cursor.skipBlanks()
    if (cursor.code() === BRACE_CLOSE) break
    const quoted = cursor.code() === QUOTE
    const name = quoted ? cursor.takeQuoted() : cursor.takeName(false)
    if (name === '') throw new LineError(`expected a label name, got ${cursor.rest()}`)
    cursor.skipBlanks()
    if (quoted && needsName && cursor.code() !== EQUALS) {
      pairs.unshift(METRIC_NAME, name)
      needsName = false
    } else {
      cursor.expect(EQUALS, '"="')
      cursor.skipBlanks()
      pairs.push(name, cursor.takeQuoted())
    }
    cursor.skipBlanks()
    if (cursor.code() === BRACE_CLOSE) break
    cursor.expect(COMMA, '"," or "}"')
  }
  cursor.pos++
}

function parseTimestamp(cursor: Cursor): number | undefined {
  if (cursor.strict) {
    const exemplarFollows = cursor.line.startsWith(' # ', cursor.pos)
    if (cursor.atEnd() || exemplarFollows) return undefined
    return secondsToMs(cursor.takeSeparated('timestamp'))
  }
  cursor.skipBlanks()
  if (cursor.atEnd()) return undefined
  const text = cursor.takeSeparated('timestamp')
  if (!/^\d{1,19}$/.test(text)) throw new LineError(`invalid timestamp ${JSON.stringify(text)}`)
  return Number(text)
}

/** OpenMetrics writes ` # {labels} value [timestamp]` behind the sample. */
function parseExemplar(cursor: Cursor): Exemplar | undefined {
  if (!cursor.line.startsWith(' # ', cursor.pos)) return undefined
  cursor.pos += 3
  if (cursor.code() !== BRACE_OPEN) throw new LineError(`expected "{" of the exemplar, got ${cursor.rest()}`)
  const pairs: string[] = []
  parseBraces(cursor, pairs, false)
  const value = parseValue(cursor.takeSeparated('exemplar value'))
  const timestampMs = cursor.atEnd() ? undefined : secondsToMs(cursor.takeSeparated('exemplar timestamp'))
  return { labels: toLabels(pairs, 'unknown'), value, timestampMs }
}

function secondsToMs(text: string): number {
  const seconds = parseValue(text)
  if (!Number.isFinite(seconds)) throw new LineError(`invalid timestamp ${JSON.stringify(text)}`)
  return Math.trunc(seconds * 1000)
}

/** Sorts, normalises bucket bounds, drops empty values. Repeated names are an error, empty ones included. */
function toLabels(pairs: readonly string[], type: MetricType): Labels {
  const boundName = type === 'histogram' ? 'le' : type === 'summary' ? 'quantile' : undefined
  const names: number[] = []
  for (let i = 0; i < pairs.length; i += 2) {
    // Insertion sort: label sets are short and mostly sorted already.
    let at = names.length
    for (; at > 0; at--) {
      const order = compareStrings(pairs[names[at - 1]!]!, pairs[i]!)
      if (order === 0) throw new LineError(`label name ${JSON.stringify(pairs[i])} is not unique`)
      if (order < 0) break
    }
    names.splice(at, 0, i)
  }
  const labels: string[] = []
  for (const i of names) {
    const name = pairs[i]!
    const value = pairs[i + 1]!
    if (value !== '') labels.push(name, name === boundName ? normalizeBucketBound(value) : value)
  }
  return labels
}

const NO_NAMES: readonly string[] = []

const emptyNames = (pairs: readonly string[]): readonly string[] =>
  pairs.includes('') ? pairs.filter((_, i) => i % 2 === 0 && pairs[i + 1] === '') : NO_NAMES

const isBlank = (code: number): boolean => code === SPACE || code === TAB
const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isNameStart = (code: number, withColons: boolean): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === UNDERSCORE || (withColons && code === COLON)
