const NAMED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}
// Letters, marks, numbers, punctuation, symbols and the plain space: what Go calls printable.
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
const PLAIN = /^[ !#-[\]-~]*$/

/** Go's `%q` of a string. Bytes that are no UTF-8, held as U+DC80–U+DCFF (as PromQL's lexer keeps them), come out as `\x80`–`\xff`. */
export function quoteGo(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  let out = ''
  for (const rune of text) out += rune === '"' ? '\\"' : escapeRune(rune)
  return `"${out}"`
}

/** Go's `%q` of a rune; the end of the text ('') is U+FFFD to Go. */
export function quoteRune(rune: string): string {
  if (rune === '') return "'\ufffd'"
  return rune === "'" ? "'\\''" : `'${escapeRune(rune)}'`
}

function escapeRune(rune: string): string {
  const named = NAMED[rune]
  if (named !== undefined) return named
  if (PRINTABLE.test(rune)) return rune
  const code = rune.codePointAt(0)!
  if (code < 0x80) return `\\x${hex(code, 2)}`
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')
