import { compareStrings, type Labels, labelValue, type Matcher, type MatchType, matches } from '../../model/index.ts'
import { parseClassicMatcher, parseClassicMatchers } from './classic.ts'
import { MatcherError } from './errors.ts'
import { needsQuotes, parseUtf8Matchers } from './utf8.ts'

/**
 * Any number of matchers, `{a="b", c=~"d"}`. Both grammars are tried: where they disagree the classic one wins, since it is
 * what existing files were written for.
 *
 * @throws {MatcherError}
 */
export const parseMatchers = (text: string): Matcher[] => inBothGrammars(text, parseUtf8Matchers, parseClassicMatchers)

/** Exactly one matcher, without braces. @throws {MatcherError} */
export function parseMatcher(text: string): Matcher {
  if (/^\s*\{|\}\s*$/.test(text)) throw new MatcherError(`bad matcher format: ${text}`)
  const [matcher] = inBothGrammars(text, exactlyOne, (t) => [parseClassicMatcher(t)])
  return matcher!
}

function exactlyOne(text: string): Matcher[] {
  const matchers = parseUtf8Matchers(text)
  if (matchers.length !== 1) throw new MatcherError(`expected 1 matcher, found ${matchers.length}: ${text}`)
  return matchers
}

type Parse = (text: string) => Matcher[]

function inBothGrammars(text: string, utf8: Parse, classic: Parse): Matcher[] {
  let byUtf8: Matcher[] | undefined
  try {
    byUtf8 = utf8(text)
  } catch {
    // The classic grammar has the last word, and its own error if it fails too.
  }
  try {
    return classic(text)
  } catch (error) {
    if (byUtf8) return byUtf8
    throw error
  }
}

export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  for (const matcher of matchers) if (!matches(matcher, labelValue(labels, matcher.name))) return false
  return true
}

const TYPE_ORDER: readonly MatchType[] = ['=', '!=', '=~', '!~']

/** By name, value, type: the order in route keys. */
export function sortMatchers(matchers: readonly Matcher[]): Matcher[] {
  return [...matchers].sort(
    (a, b) =>
      compareStrings(a.name, b.name) ||
      compareStrings(a.value, b.value) ||
      TYPE_ORDER.indexOf(a.type) - TYPE_ORDER.indexOf(b.type),
  )
}

/** `{a="b",c=~"d"}`, part of every route key and so of every group key. */
export const matchersText = (matchers: readonly Matcher[]): string => `{${matchers.map(matcherText).join(',')}}`

function matcherText(matcher: Matcher): string {
  const name = needsQuotes(matcher.name) ? JSON.stringify(matcher.name) : matcher.name
  const value = matcher.value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))
  return `${name}${matcher.type}"${value}"`
}
