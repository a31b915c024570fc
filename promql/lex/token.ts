import { quoteGo } from '../../model/go-quote.ts'

const OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '</',
  '>/',
  '=~',
  '!~',
  '@',
  'and',
  'or',
  'unless',
  'atan2',
] as const
const AGGREGATIONS = [
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
] as const
const KEYWORDS = [
  'offset',
  'smoothed',
  'anchored',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'fill',
  'fill_left',
  'fill_right',
  'bool',
] as const
/** Functions in an expression, special after `@` or inside of durations. */
const PREPROCESSORS = ['start', 'end', 'step', 'range', 'max_of', 'min_of'] as const

export type TokenKind =
  | (typeof OPERATORS)[number]
  | (typeof AGGREGATIONS)[number]
  | (typeof KEYWORDS)[number]
  | (typeof PREPROCESSORS)[number]
  | '('
  | ')'
  | '{'
  | '}'
  | '['
  | ']'
  | ','
  | '='
  | ':'
  | 'identifier'
  | 'metricIdentifier'
  | 'string'
  | 'number'
  | 'duration'
  | 'eof'

const operators: ReadonlySet<string> = new Set(OPERATORS)
const aggregations: ReadonlySet<string> = new Set(AGGREGATIONS)
const keywords: ReadonlySet<string> = new Set(KEYWORDS)

// Where an operand is due, these are metric names; `bool`, `on`, `ignoring`, the groups and `atan2` never are.
const NAME_WORDS =
  'identifier metricIdentifier and or unless offset by without anchored smoothed fill fill_left fill_right'
const nameWords: ReadonlySet<string> = new Set([...NAME_WORDS.split(' '), ...PREPROCESSORS])
const functionWords: ReadonlySet<string> = new Set(['identifier', ...PREPROCESSORS])

/** Words with a meaning of their own; they are matched in any case. */
export const WORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ...(['and', 'or', 'unless', 'atan2'] as const).map((word) => [word, word] as const),
  ...[...AGGREGATIONS, ...KEYWORDS, ...PREPROCESSORS].map((word) => [word, word] as const),
  ['inf', 'number'],
  ['nan', 'number'],
])

/** A token as error messages name it. */
export function describeToken(kind: TokenKind, text: string): string {
  switch (kind) {
    case 'eof':
      return 'end of input'
    case 'identifier':
      return `identifier ${quoteGo(text)}`
    case 'metricIdentifier':
      return `metric identifier ${quoteGo(text)}`
    case 'string':
    case 'number':
    case 'duration':
      return `${kind} ${quoteShort(text)}`
  }
  if (keywords.has(kind)) return `<${text}>`
  if (operators.has(kind)) return `<op:${text}>`
  if (aggregations.has(kind)) return `<aggr:${text}>`
  return quoteShort(text)
}

function quoteShort(text: string): string {
  return Buffer.byteLength(text) > 10 ? `${quoteGo([...text].slice(0, 10).join(''))}...` : quoteGo(text)
}

export const isAggregationKind = (kind: TokenKind): boolean => aggregations.has(kind)

/** Can be a metric name where an operand is due, beside the aggregations. */
export const isNameWord = (kind: TokenKind): boolean => nameWords.has(kind)

/** Is a function's name when a parenthesis follows. */
export const isFunctionWord = (kind: TokenKind): boolean => functionWords.has(kind)

export function startsOperand(kind: TokenKind): boolean {
  switch (kind) {
    case '(':
    case '{':
    case '+':
    case '-':
    case 'number':
    case 'duration':
    case 'string':
      return true
    default:
      return nameWords.has(kind) || aggregations.has(kind)
  }
}
