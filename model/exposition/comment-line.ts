import type { MetricType } from '../metadata.ts'
import type { ExpositionFormat } from './format.ts'
import { LineError } from './sample-line.ts'

/** What a line that starts with `#` says. */
export type CommentLine =
  | { readonly kind: 'type'; readonly name: string; readonly type: MetricType }
  | { readonly kind: 'help' | 'unit'; readonly name: string; readonly text: string }
  | { readonly kind: 'eof' }
  | { readonly kind: 'comment' }

const TEXT_TYPES: ReadonlyMap<string, MetricType> = new Map([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['summary', 'summary'],
  ['untyped', 'unknown'],
])
const OPENMETRICS_TYPES: ReadonlyMap<string, MetricType> = new Map(
  (
    ['counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown'] satisfies MetricType[]
  ).map((type) => [type, type]),
)

// A quoted name may hold anything; the rest of the line is text.
const NAME = String.raw`([a-zA-Z_:][a-zA-Z0-9_:]*|"(?:\\.|[^\\"])*")`
const TEXT_METADATA = new RegExp(String.raw`^[ \t]*#[ \t]+(HELP|TYPE)[ \t]+(?:${NAME}(?:[ \t]+(.*))?$)?`, 's')
const OPENMETRICS_METADATA = new RegExp(String.raw`^# (HELP|TYPE|UNIT) ${NAME}(?: (.*))?$`, 's')

/**
 * @param line starts with `#` (after blanks, in the text format); without its newline
 * @throws {LineError}
 */
export function parseCommentLine(line: string, format: ExpositionFormat): CommentLine {
  return format === 'text' ? parseTextComment(line) : parseOpenMetricsComment(line)
}

/** Text format: only well-begun HELP and TYPE lines mean something, everything else is a remark. */
function parseTextComment(line: string): CommentLine {
  const match = TEXT_METADATA.exec(line)
  if (!match) return { kind: 'comment' }
  const [, keyword, name, text = ''] = match
  if (name === undefined) throw new LineError(`expected a metric name after ${keyword}`)
  if (keyword === 'HELP') return { kind: 'help', name: unquote(name), text: unescapeHelp(text, false) }
  const type = TEXT_TYPES.get(text)
  if (type === undefined) throw new LineError(`invalid metric type ${JSON.stringify(text)}`)
  return { kind: 'type', name: unquote(name), type }
}

function parseOpenMetricsComment(line: string): CommentLine {
  if (line === '# EOF') return { kind: 'eof' }
  const match = OPENMETRICS_METADATA.exec(line)
  if (!match) throw new LineError(`expected HELP, TYPE, UNIT or EOF, got ${JSON.stringify(line.slice(0, 40))}`)
  const [, keyword, quotedName = '', text] = match
  const name = unquote(quotedName)
  if (text === undefined) throw new LineError(`expected text after ${keyword} ${quotedName}`)
  if (keyword === 'HELP') return { kind: 'help', name, text: unescapeHelp(text, true) }
  if (keyword === 'UNIT') {
    if (text !== '' && !name.endsWith(`_${text}`))
      throw new LineError(`unit ${JSON.stringify(text)} is not a suffix of metric ${JSON.stringify(name)}`)
    return { kind: 'unit', name, text }
  }
  const type = OPENMETRICS_TYPES.get(text)
  if (type === undefined) throw new LineError(`invalid metric type ${JSON.stringify(text)}`)
  return { kind: 'type', name, type }
}

const unescapeHelp = (text: string, quotesToo: boolean): string =>
  text.includes('\\')
    ? text.replace(quotesToo ? /\\([\\n"])/g : /\\([\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c))
    : text

const unquote = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replace(/\\(["\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c)) : name
