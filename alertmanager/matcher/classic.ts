import { createMatcher, type Matcher, type MatchType } from '../../model/index.ts'
import { MatcherError } from './errors.ts'

const MATCHER = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*$/s

/** The old grammar: ASCII names, values quoted or nearly anything, and lenient about stray backslashes. */
export function parseClassicMatchers(text: string): Matcher[] {
  let inner = text.startsWith('{') ? text.slice(1) : text
  if (inner.endsWith('}')) inner = inner.slice(0, -1)
  return splitAtCommas(inner).map(parseClassicMatcher)
}

/** @throws {MatcherError} */
export function parseClassicMatcher(text: string): Matcher {
  const [, name, type, rawValue] = MATCHER.exec(text) ?? []
  if (name === undefined || type === undefined || rawValue === undefined)
    throw new MatcherError(`bad matcher format: ${text}`)
  return createMatcher(type as MatchType, name, classicValue(rawValue))
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') quoted = !quoted
    else if (text[i] === ',' && !quoted) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  const last = text.slice(start)
  // A comma at the very end is allowed.
  if (last.trim() !== '') parts.push(last)
  return parts
}

function classicValue(raw: string): string {
  const opened = raw.startsWith('"')
  const text = opened ? raw.slice(1) : raw
  const unbalanced = () => new MatcherError(`matcher value contains unescaped double quote: ${raw}`)
  let value = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === '"') {
      if (!opened || i < text.length - 1) throw unbalanced()
      return value
    }
    if (c !== '\\' || i === text.length - 1) value += c
    else {
      const next = text[++i]!
      // An escape that means nothing stays as it was written.
      value += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`
    }
  }
  if (opened) throw unbalanced()
  return value
}
