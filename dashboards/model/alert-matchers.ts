// The matchers of silences and filters, in Alertmanager's notation: `{alertname="Down", severity=~"warn.*"}`.
import type { LabelSet } from './frame.ts'

export interface AlertMatcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual: boolean
}

const MATCHER =
  /\s*(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_:][\w:.-]*))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"{}]*))\s*(?:,|$)/y

/** @returns the matchers, or where and why the text cannot be read */
export function parseAlertMatchers(text: string): AlertMatcher[] | { readonly error: string } {
  const trimmed = text.trim()
  const inner = trimmed.startsWith('{') && trimmed.endsWith('}') ? trimmed.slice(1, -1) : trimmed
  const matchers: AlertMatcher[] = []
  let at = 0
  while (inner.slice(at).trim() !== '') {
    MATCHER.lastIndex = at
    const match = MATCHER.exec(inner)
    if (!match) return { error: `not a matcher: ${inner.slice(at).trim()}` }
    const [whole, quotedName, plainName, operator, quotedValue, plainValue] = match
    const matcher: AlertMatcher = {
      name: quotedName === undefined ? plainName! : unescapeText(quotedName),
      value: quotedValue === undefined ? (plainValue ?? '') : unescapeText(quotedValue),
      isRegex: operator!.endsWith('~'),
      isEqual: operator!.startsWith('='),
    }
    if (matcher.isRegex && compile(matcher.value) === undefined)
      return { error: `not a regular expression: ${matcher.value}` }
    matchers.push(matcher)
    at += whole.length
  }
  return matchers
}

export function formatAlertMatcher({ name, value, isRegex, isEqual }: AlertMatcher): string {
  const operator = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!='
  const quoted = `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
  return `${/^[a-zA-Z_:][\w:]*$/.test(name) ? name : JSON.stringify(name)}${operator}${quoted}`
}

/** All must hold; a missing label counts as the empty text. Previews only: the server's own matching decides. */
export function matchesAlert(matchers: readonly AlertMatcher[], labels: LabelSet): boolean {
  return matchers.every(({ name, value, isRegex, isEqual }) => {
    const actual = labels[name] ?? ''
    return (isRegex ? (compile(value)?.test(actual) ?? false) : actual === value) === isEqual
  })
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, 's')
  } catch {
    return undefined
  }
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
}
