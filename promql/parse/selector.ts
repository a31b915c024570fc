import { errorMessage } from '../../lib/errors.ts'
import { METRIC_NAME } from '../../model/labels.ts'
import { createMatcher, type Matcher, type MatchType } from '../../model/matcher.ts'
import { cachedMatcher } from './regex-cache.ts'
import type { TokenKind } from '../lex/token.ts'
import { unquote } from '../lex/unquote.ts'
import type { VectorSelector } from './ast.ts'
import type { TokenStream } from './token-stream.ts'

const MATCH_TYPES: ReadonlySet<TokenKind> = new Set(['=', '!=', '=~', '!~'])

/** The name taken last, with its `{…}` if there is one. */
export function parseNamedSelector(tokens: TokenStream, start: number, end: number): VectorSelector {
  const name = tokens.text.slice(start, end)
  if (tokens.peek() !== '{') return plainSelector(name, [nameMatcher(name)], start, end)
  tokens.take()
  const matchers = parseMatchers(tokens)
  matchers.push(nameMatcher(name))
  return plainSelector(name, matchers, start, tokens.end)
}

/** `{…}` alone, the next tokens. */
export function parseNamelessSelector(tokens: TokenStream): VectorSelector {
  tokens.take()
  const { start } = tokens
  const matchers = parseMatchers(tokens)
  return plainSelector('', matchers, start, tokens.end)
}

/** What follows `{`, with the closing brace. */
function parseMatchers(tokens: TokenStream): Matcher[] {
  const matchers: Matcher[] = []
  while (!tokens.takeIf('}')) {
    matchers.push(parseMatcher(tokens))
    if (!tokens.takeIf(',') && tokens.peek() !== '}') tokens.unexpected(' in label matching, expected "," or "}"')
  }
  return matchers
}

function parseMatcher(tokens: TokenStream): Matcher {
  const kind = tokens.peek()
  if (kind !== 'identifier' && kind !== 'string') tokens.unexpected(' in label matching, expected identifier or "}"')
  tokens.take()
  const { start } = tokens
  const name = kind === 'string' ? unquote(tokens.taken) : tokens.taken
  const type = tokens.peek()
  if (!MATCH_TYPES.has(type)) {
    if (kind === 'string') return nameMatcher(name)
    tokens.unexpected(' in label matching, expected label matching operator')
  }
  tokens.take()
  if (tokens.peek() !== 'string') tokens.unexpected(' in label matching, expected string')
  tokens.take()
  try {
    return cachedMatcher(type as MatchType, name, unquote(tokens.taken))
  } catch (cause) {
    return tokens.fail(start, errorMessage(cause), { cause })
  }
}

const nameMatcher = (name: string): Matcher => createMatcher('=', METRIC_NAME, name)

const plainSelector = (name: string, matchers: Matcher[], start: number, end: number): VectorSelector => ({
  kind: 'vectorSelector',
  name,
  matchers,
  offsetMs: 0,
  offsetExpr: undefined,
  at: undefined,
  anchored: false,
  smoothed: false,
  span: { start, end },
})
