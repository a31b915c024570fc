import { RE2JS } from 're2js'
import { errorMessage } from '../lib/errors.ts'

/**
 * A fully anchored RE2 regular expression whose dot matches newlines: `^(?s:pattern)$`, as Prometheus 3 compiles matchers and
 * relabel rules. Linear time. The commonest shapes (literal, set of literals, prefix, suffix, contains) do not reach RE2.
 */
export interface AnchoredRegex {
  readonly pattern: string
  matches(text: string): boolean
  /** The finite set of strings that match, where the pattern is one; lets an index look them up instead of scanning. */
  readonly literals: readonly string[] | undefined
}

/**
 * Longest pattern that is compiled, which takes up to a kilobyte and 5 µs for each character. Sets of literals are not compiled,
 * and may be longer.
 */
export const COMPILED_LENGTH_MAX = 1 << 17

/** @throws {Error} with Go's wording (`error parsing regexp: …`) for a pattern that RE2 refuses, or that is a giant */
export function compileAnchored(pattern: string): AnchoredRegex {
  const literals = literalSet(pattern)
  if (literals) {
    const set = new Set(literals)
    return { pattern, literals, matches: (text) => set.has(text) }
  }
  if (pattern.length > COMPILED_LENGTH_MAX) throw new Error('error parsing regexp: expression too large')
  const compiled = compileRe2(pattern)
  const fast = fastMatch(pattern)
  return { pattern, literals: undefined, matches: fast ?? ((text) => compiled.matches(text)) }
}

/**
 * A search anywhere in a text, with RE2's plain meaning (the dot stops at newlines): gives the whole match and its groups,
 * `undefined` where there is none.
 *
 * @throws {Error} for a pattern that RE2 refuses
 */
export function compileSearch(pattern: string): (text: string) => readonly string[] | undefined {
  const compiled = RE2JS.compile(pattern)
  return (text) => {
    const matcher = compiled.matcher(text)
    if (!matcher.find()) return undefined
    return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '')
  }
}

function compileRe2(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL)
  } catch (cause) {
    // The flag is written into the pattern; the message shall show the pattern as it was given.
    throw new Error(errorMessage(cause).replace('`(?s)', '`'), { cause })
  }
}

const META = /[\\^$.|?*+()[\]{}]/

function literalSet(pattern: string): string[] | undefined {
  const inner = /^\(([^()]*)\)$/.exec(pattern)?.[1] ?? pattern
  const parts = inner.split('|').map(unescapeLiteral)
  return parts.every((part) => part !== undefined) ? (parts as string[]) : undefined
}

/** The literal text of a pattern piece that has no operator, `\.` and the like undone. */
function unescapeLiteral(piece: string): string | undefined {
  const text = piece.replace(/\\([\\^$.|?*+()[\]{}-])/g, (_, c: string) =>
    String.fromCharCode(0xe000 + c.charCodeAt(0)),
  )
  if (META.test(text)) return undefined
  return text.replace(/[\ue000-\ue07f]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xe000))
}

function fastMatch(pattern: string): ((text: string) => boolean) | undefined {
  if (pattern === '.*') return () => true
  if (pattern === '.+') return (text) => text !== ''
  const shape = /^(\.[*+])?(.*?)(\.[*+])?$/s.exec(pattern)
  const [, head, middle = '', tail] = shape ?? []
  const literal = unescapeLiteral(middle)
  if (literal === undefined || literal === '' || (head === undefined && tail === undefined)) return undefined
  const headMin = head === '.+' ? 1 : 0
  const tailMin = tail === '.+' ? 1 : 0
  if (head === undefined) return (text) => text.startsWith(literal) && text.length >= literal.length + tailMin
  if (tail === undefined) return (text) => text.endsWith(literal) && text.length >= literal.length + headMin
  return (text) => {
    const at = text.indexOf(literal, headMin)
    return at >= 0 && at + literal.length + tailMin <= text.length
  }
}
