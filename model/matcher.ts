import { quoteGo } from './go-quote.ts'
import { isLegacyLabelName } from './labels.ts'
import { type AnchoredRegex, compileAnchored } from './regex.ts'

export type MatchType = '=' | '!=' | '=~' | '!~'

/** One label condition of a selector. A missing label counts as ''. Plain data plus a compiled regex: cheap to rebuild. */
export interface Matcher {
  readonly type: MatchType
  readonly name: string
  readonly value: string
  /** Set for `=~` and `!~`. */
  readonly regex: AnchoredRegex | undefined
}

/** @throws {Error} with Go's wording for a bad regular expression */
export function createMatcher(type: MatchType, name: string, value: string): Matcher {
  return { type, name, value, regex: type === '=~' || type === '!~' ? compileAnchored(value) : undefined }
}

export function matches(matcher: Matcher, value: string): boolean {
  switch (matcher.type) {
    case '=':
      return value === matcher.value
    case '!=':
      return value !== matcher.value
    case '=~':
      return matcher.regex!.matches(value)
    case '!~':
      return !matcher.regex!.matches(value)
  }
}

/** `name=~"value"`, as Prometheus prints it: `"a.b"="value"`. Equal only for equal matchers, whatever stands in them. */
export const matcherText = ({ name, type, value }: Matcher): string =>
  `${isLegacyLabelName(name) ? name : quoteGo(name)}${type}${quoteGo(value)}`
