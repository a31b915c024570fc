// Filters the reader adds to a board: matchers that every query of the board gets.
import type { Scope } from './interpolate.ts'

export interface AdhocFilter {
  readonly key: string
  readonly operator: string
  /** Several for the operators that take a list. */
  readonly values: readonly string[]
}

/** Of the scope's entry that holds the matchers of all such variables of a board. */
export const ADHOC_MATCHERS = '__adhoc_matchers'
/** The last two take any of a list. */
export const ADHOC_OPERATORS = ['=', '!=', '=~', '!~', '=|', '!=|'] as const

const ESCAPES = [
  ['|', '__gfp__'],
  ['#', '__gfh__'],
  [',', '__gfc__'],
] as const

/** `key|operator|value`, as addresses have it. */
export function encodeFilter({ key, operator, values }: AdhocFilter): string {
  return [key, operator, ...values].map(escapePart).join('|')
}

/** @returns `undefined` where the text is no whole filter */
export function decodeFilter(text: string): AdhocFilter | undefined {
  const [key = '', operator = '', ...values] = text.split('|').map(unescapePart)
  const isKnown = (ADHOC_OPERATORS as readonly string[]).includes(operator)
  return key === '' || !isKnown || values.length === 0 ? undefined : { key, operator, values }
}

/** A matcher as PromQL writes it. */
export function matcherText({ key, operator, values }: AdhocFilter): string {
  const name = /^[a-zA-Z_]\w*$/.test(key) ? key : JSON.stringify(key)
  if (!operator.endsWith('|')) return `${name}${operator}${JSON.stringify(values[0] ?? '')}`
  const pattern = values.map((value) => value.replaceAll(/[\\^$*+?.()|[\]{}]/g, '\\$&')).join('|')
  return `${name}${operator === '=|' ? '=~' : '!~'}${JSON.stringify(pattern)}`
}

/** The matchers that expressions of this scope get; a variable whose filters were all taken out has an empty text. */
export function adhocMatchers(scope: Scope): readonly string[] {
  return (scope.get(ADHOC_MATCHERS)?.values ?? []).filter((matcher) => matcher !== '')
}

function escapePart(text: string): string {
  return ESCAPES.reduce((out, [char, code]) => out.replaceAll(char, code), text)
}

function unescapePart(text: string): string {
  return ESCAPES.reduce((out, [char, code]) => out.replaceAll(code, char), text)
}
