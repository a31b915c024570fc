import { compareStrings, labelsKey, parseGoFloat, quoteGo } from '../model/index.ts'
import { PushSyntaxError } from './errors.ts'
import type { Point, PushedFamily, PushedMetric, PushedType } from './family.ts'

export interface ParsedPush {
  /** In the order of first mention; families without metrics are left out. */
  readonly families: readonly PushedFamily[]
  readonly hasTimestamps: boolean
}

/**
 * Reads text format 0.0.4 as strictly as the Pushgateway does: every line ends with a line feed, TYPE comes before the
 * samples and once, histograms and summaries are put together. With `utf8Names` any name can stand in quotes, the metric's
 * inside the braces: `{"my.metric","a b"="v"} 1`.
 *
 * @throws {PushSyntaxError} with the Pushgateway's message
 */
export function parsePushedText(text: string, options: { readonly utf8Names: boolean }): ParsedPush {
  return new TextParser(text, options.utf8Names).parse()
}

interface FamilyDraft {
  readonly name: string
  type: PushedType | undefined
  help: string | undefined
  readonly metrics: (SimpleDraft | DistributionDraft)[]
  /** Summaries and histograms: the metric that lines of equal labels belong to. */
  readonly byLabels: Map<string, DistributionDraft>
}
interface ReadLabels {
  readonly labels: ReadonlyMap<string, string>
  /** The `quantile` or `le` label of a distribution's line; NaN where there is none. */
  readonly point: number
}
interface SimpleDraft {
  readonly labels: readonly string[]
  readonly value: number
}
interface DistributionDraft {
  readonly labels: readonly string[]
  readonly points: Point[]
  sum: number
  count: number
}

/** What a sample name means inside its family. */
type Part = 'plain' | 'sum' | 'count' | 'bucket'

const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'untyped', 'summary', 'histogram'])
const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y
const UNTIL_WHITESPACE = /[^ \t\n]*/y
/** To the end of a quoted text that has no escapes. */
const PLAIN_QUOTED = /[^"\\\n]*"/y

class TextParser {
  readonly #text: string
  readonly #utf8Names: boolean
  #at = 0
  #line = 0
  #hasTimestamps = false
  readonly #families = new Map<string, FamilyDraft>()

  constructor(text: string, utf8Names: boolean) {
    this.#text = text
    this.#utf8Names = utf8Names
  }

  parse(): ParsedPush {
    for (;;) {
      this.#line++
      this.#skipBlanks()
      if (this.#at >= this.#text.length) break
      const first = this.#peek()
      if (first === '#') this.#readComment()
      else if (first !== '\n') this.#readSample()
      this.#at++ // The line feed, which every reader stops at.
    }
    const families: PushedFamily[] = []
    for (const { name, type, help, metrics } of this.#families.values())
      if (metrics.length > 0)
        families.push({ name, type: type ?? 'untyped', help: help ?? '', metrics: metrics as PushedMetric[] })
    return { families, hasTimestamps: this.#hasTimestamps }
  }

  #readComment(): void {
    this.#at++
    this.#skipBlanks()
    const keyword = this.#match(UNTIL_WHITESPACE)
    if (this.#peek() === '\n') return
    if (keyword !== 'HELP' && keyword !== 'TYPE') {
      this.#readLine(false)
      return
    }
    this.#skipBlanks()
    const name = this.#isQuotedName() ? this.#readQuoted() : this.#match(METRIC_NAME)
    if (this.#peek() === '\n') return
    if (!this.#isBlank()) this.#fail('invalid metric name in comment')
    const { family } = this.#familyOf(name)
    this.#skipBlanks()
    if (this.#peek() === '\n') return
    if (keyword === 'HELP') this.#readHelp(family)
    else this.#readType(family)
  }

  #readHelp(family: FamilyDraft): void {
    if (family.help !== undefined) this.#fail(`second HELP line for metric name ${quote(family.name)}`)
    family.help = this.#readLine(true)
  }

  #readType(family: FamilyDraft): void {
    if (family.type !== undefined)
      this.#fail(`second TYPE line for metric name ${quote(family.name)}, or TYPE reported after samples`)
    const type = this.#readLine(false)
    if (!TYPES.has(type.toLowerCase())) this.#fail(`unknown metric type ${quote(type)}`)
    family.type = type.toLowerCase() as PushedType
  }

  #readSample(): void {
    const plainName = this.#match(METRIC_NAME)
    const isQuoted = plainName === '' && this.#utf8Names && this.#text[this.#at] === '{'
    const name = isQuoted ? this.#readQuotedMetricName() : plainName
    if (name === '') this.#fail('invalid metric name')
    const { family, part } = this.#familyOf(name)
    family.type ??= 'untyped'
    this.#skipBlanks()
    let read: ReadLabels = { labels: new Map(), point: Number.NaN }
    if (isQuoted) read = this.#readLabels(family)
    else if (this.#peek() === '{') {
      this.#at++
      read = this.#readLabels(family)
    }
    const token = this.#match(UNTIL_WHITESPACE)
    this.#peek()
    const value = parseValue(token)
    if (value === undefined) this.#fail(`expected float as value, got ${quote(token)}`)
    addSample(family, sortedFlat(read.labels), { part, point: read.point, value })
    if (this.#peek() !== '\n') this.#readTimestamp()
  }

  /** `{"my.metric"` with the comma after it. */
  #readQuotedMetricName(): string {
    this.#at++
    this.#skipBlanks()
    const name = this.#readQuoted()
    this.#skipBlanks()
    if (this.#peek() === ',') this.#at++
    else if (this.#peek() !== '}') this.#fail('invalid metric name')
    return name
  }

  #isQuotedName(): boolean {
    return this.#utf8Names && this.#peek() === '"'
  }

  #readTimestamp(): void {
    this.#skipBlanks()
    const token = this.#match(UNTIL_WHITESPACE)
    this.#peek()
    if (!/^[+-]?\d+$/.test(token)) this.#fail(`expected integer as timestamp, got ${quote(token)}`)
    this.#hasTimestamps = true
    const rest = this.#readLine(false)
    if (rest !== '') this.#fail(`spurious string after timestamp: ${quote(rest)}`)
  }

  /** Starts behind the brace. */
  #readLabels(family: FamilyDraft): ReadLabels {
    const labels = new Map<string, string>()
    const pointLabel = family.type === 'summary' ? 'quantile' : family.type === 'histogram' ? 'le' : undefined
    let point = Number.NaN
    for (;;) {
      this.#skipBlanks()
      if (this.#peek() === '}') break
      const name = this.#isQuotedName() ? this.#readQuoted() : this.#match(LABEL_NAME)
      this.#peek()
      if (name === '') this.#fail(`invalid label name for metric ${quote(family.name)}`)
      if (name === '__name__') this.#fail('label name "__name__" is reserved')
      this.#skipBlanks()
      if (this.#peek() !== '=') this.#fail(`expected '=' after label name, found ${quoteChar(this.#peek())}`)
      if (labels.has(name)) this.#fail(`duplicate label names for metric ${quote(family.name)}`)
      this.#at++
      this.#skipBlanks()
      const value = this.#readQuoted()
      if (name === pointLabel) {
        const parsed = parseValue(value)
        if (parsed === undefined) this.#fail(`expected float as value for '${name}' label, got ${quote(value)}`)
        point = parsed
      } else labels.set(name, value)
      this.#skipBlanks()
      const next = this.#peek()
      if (next === '}') break
      if (next !== ',') this.#fail(`unexpected end of label value ${quote(value)}`)
      this.#at++
    }
    this.#at++ // }
    this.#skipBlanks()
    return { labels, point }
  }

  #readQuoted(): string {
    if (this.#peek() !== '"') this.#fail(`expected '"' at start of label value, found ${quoteChar(this.#peek())}`)
    this.#at++
    PLAIN_QUOTED.lastIndex = this.#at
    const plain = PLAIN_QUOTED.exec(this.#text)
    if (plain !== null) {
      this.#at += plain[0].length
      return plain[0].slice(0, -1)
    }
    let value = ''
    for (; ; this.#at++) {
      const char = this.#peek()
      if (char === '"') break
      if (char === '\n') this.#fail(`label value ${quote(value)} contains unescaped new-line`)
      value += char === '\\' ? this.#readEscape('"') : char
    }
    this.#at++
    return value
  }

  /** Stops at the line feed. */
  #readLine(withEscapes: boolean): string {
    let text = ''
    for (; this.#peek() !== '\n'; this.#at++) {
      const char = this.#peek()
      text += withEscapes && char === '\\' ? this.#readEscape('') : char
    }
    return text
  }

  /** Stops at the escaped character. */
  #readEscape(alsoAllowed: string): string {
    this.#at++
    const char = this.#peek()
    if (char === 'n') return '\n'
    if (char !== '\\' && char !== alsoAllowed) this.#fail(`invalid escape sequence '\\${char}'`)
    return char
  }

  /** A sample `x_sum` belongs to `x` if that is a summary or a histogram. */
  #familyOf(name: string): { family: FamilyDraft; part: Part } {
    const own = this.#families.get(name)
    if (own !== undefined) return { family: own, part: 'plain' }
    const suffix = /_(sum|count|bucket)$/.exec(name)
    if (suffix !== null) {
      const part = suffix[1] as Part
      const base = this.#families.get(name.slice(0, suffix.index))
      if (base?.type === 'histogram' || (base?.type === 'summary' && part !== 'bucket')) return { family: base, part }
    }
    const family: FamilyDraft = { name, type: undefined, help: undefined, metrics: [], byLabels: new Map() }
    this.#families.set(name, family)
    return { family, part: 'plain' }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  /** Every construct needs what comes after it, the last one a line feed. */
  #peek(): string {
    if (this.#at >= this.#text.length) this.#fail('unexpected end of input stream')
    return this.#text[this.#at]!
  }

  #isBlank(): boolean {
    const char = this.#text[this.#at]
    return char === ' ' || char === '\t'
  }

  #skipBlanks(): void {
    while (this.#isBlank()) this.#at++
  }

  #fail(why: string): never {
    throw new PushSyntaxError(this.#line, why)
  }
}

function addSample(
  family: FamilyDraft,
  labels: readonly string[],
  sample: { readonly part: Part; readonly point: number; readonly value: number },
): void {
  const { part, point, value } = sample
  if (family.type !== 'summary' && family.type !== 'histogram') {
    family.metrics.push({ labels, value })
    return
  }
  const key = labelsKey(labels)
  let draft = family.byLabels.get(key)
  if (draft === undefined) {
    draft = { labels, points: [], sum: 0, count: 0 }
    family.byLabels.set(key, draft)
    family.metrics.push(draft)
  }
  if (part === 'sum') draft.sum = value
  else if (part === 'count') draft.count = Math.trunc(value)
  else if (!Number.isNaN(point)) draft.points.push([point, family.type === 'histogram' ? Math.trunc(value) : value])
}

function sortedFlat(labels: ReadonlyMap<string, string>): string[] {
  return [...labels].sort(([a], [b]) => compareStrings(a, b)).flat()
}

/** Go's reading of a float, without hexadecimal and without underscores; out of range is an error there. */
function parseValue(token: string): number | undefined {
  if (/[pP_]/.test(token)) return undefined
  const value = parseGoFloat(token)
  const overflown = value !== undefined && Math.abs(value) === Number.POSITIVE_INFINITY && !/inf/i.test(token)
  return overflown ? undefined : value
}

const quote = (text: string): string => quoteGo(text)
const quoteChar = (char: string): string => `'${char === '\n' ? '\\n' : char === '\t' ? '\\t' : char}'`
