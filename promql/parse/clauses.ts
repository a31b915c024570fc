import { quoteGo } from '../../model/go-quote.ts'
import { startsOperand, type TokenKind } from '../lex/token.ts'
import { unquote } from '../lex/unquote.ts'
import type { VectorMatching } from './ast.ts'
import { takeNumber } from './duration.ts'
import type { TokenStream } from './token-stream.ts'

/** Kinds named by a word that are no label names in lists; `without` must be quoted there. */
const NO_LABEL: ReadonlySet<TokenKind> = new Set(['string', 'number', 'duration', 'eof', 'without'])
const NO_MATCHING: VectorMatching = {
  card: 'one-to-one',
  labels: [],
  on: false,
  include: [],
  fillLeft: undefined,
  fillRight: undefined,
}

export interface GroupingClause {
  readonly labels: readonly string[]
  readonly without: boolean
}

/** `by (…)` or `without (…)`, if they come next. */
export function parseGroupingClause(tokens: TokenStream): GroupingClause | undefined {
  const kind = tokens.peek()
  if (kind !== 'by' && kind !== 'without') return undefined
  tokens.take()
  return { labels: parseLabels(tokens), without: kind === 'without' }
}

/** `on`, `ignoring`, `group_left`, `group_right` and the fills behind a binary operator; all of them may be missing. */
export function parseMatching(tokens: TokenStream): VectorMatching {
  const kind = tokens.peek()
  if (kind !== 'on' && kind !== 'ignoring') return parseFills(tokens, NO_MATCHING)
  tokens.take()
  const labels = parseLabels(tokens)
  const group = tokens.peek()
  const grouped = group === 'group_left' || group === 'group_right'
  let include: readonly string[] = []
  if (grouped) {
    tokens.take()
    // Without a list the operand must follow.
    if (tokens.peek() === '(' || !startsOperand(tokens.peek())) include = parseLabels(tokens)
  }
  const card = group === 'group_left' ? 'many-to-one' : group === 'group_right' ? 'one-to-many' : 'one-to-one'
  return parseFills(tokens, { ...NO_MATCHING, card, labels, on: kind === 'on', include })
}

function parseLabels(tokens: TokenStream): readonly string[] {
  if (tokens.peek() !== '(') tokens.unexpected(' in grouping opts, expected "("')
  tokens.take()
  const labels: string[] = []
  while (!tokens.takeIf(')')) {
    labels.push(parseLabel(tokens))
    if (!tokens.takeIf(',') && tokens.peek() !== ')') tokens.unexpected(' in grouping opts, expected "," or ")"')
  }
  return labels
}

function parseLabel(tokens: TokenStream): string {
  const kind = tokens.peek()
  const isWord = /^\w/.test(kind) && !NO_LABEL.has(kind)
  if (!isWord && kind !== 'string') tokens.unexpected(' in grouping opts, expected label')
  tokens.take()
  const label = kind === 'string' ? unquote(tokens.taken) : tokens.taken
  // Lone surrogates stand for bytes that are no UTF-8.
  if (label === '' || /\p{Surrogate}/u.test(label)) {
    tokens.fail(tokens.start, `invalid label name for grouping: ${quoteGo(label)}`)
  }
  return label
}

function parseFills(tokens: TokenStream, matching: VectorMatching): VectorMatching {
  const kind = tokens.peek()
  if (kind === 'fill') {
    const value = parseFillValue(tokens)
    return { ...matching, fillLeft: value, fillRight: value }
  }
  if (kind !== 'fill_left' && kind !== 'fill_right') return matching
  const first = parseFillValue(tokens)
  const other =
    tokens.peek() === (kind === 'fill_left' ? 'fill_right' : 'fill_left') ? parseFillValue(tokens) : undefined
  return kind === 'fill_left'
    ? { ...matching, fillLeft: first, fillRight: other }
    : { ...matching, fillLeft: other, fillRight: first }
}

function parseFillValue(tokens: TokenStream): number {
  tokens.take()
  tokens.expect('(')
  const sign = tokens.peek()
  if (sign === '-' || sign === '+') tokens.take()
  const kind = tokens.peek()
  if (kind !== 'number' && kind !== 'duration') tokens.unexpected()
  const { value } = takeNumber(tokens)
  tokens.expect(')')
  return sign === '-' ? -value : value
}
