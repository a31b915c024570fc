import { quoteGo } from './go-quote.ts'

const OPERATORS = [
  '+', '-', '*', '/', '%', '^', '==', '!=', '<', '<=', '>', '>=', '</', '>/', '=~', '!~', '@',
  'and', 'or', 'unless', 'atan2',
] as const // biome-ignore format: one table
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
