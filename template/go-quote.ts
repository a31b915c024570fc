const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}

// Go prints letters, marks, numbers, punctuation, symbols and the plain space as they are.
const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

/** Go's strconv.Quote: double quotes, escapes for what is not printable. */
export function goQuote(text: string): string {
  return `"${[...text].map((c) => (c === '"' ? '\\"' : escapeRune(c))).join('')}"`
}

/** Go's strconv.QuoteRune. */
export function goQuoteRune(codePoint: number): string {
  const rune = String.fromCodePoint(codePoint)
  return rune === "'" ? "'\\''" : `'${escapeRune(rune)}'`
}

function escapeRune(rune: string): string {
  const short = SHORT_ESCAPES[rune]
  if (short !== undefined) return short
  if (PRINTABLE.test(rune)) return rune
  const codePoint = rune.codePointAt(0)!
  const hex = codePoint.toString(16)
  if (codePoint < 0x80) return `\\x${hex.padStart(2, '0')}`
  return codePoint < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** Reads an interpreted (`"…"`) or raw (backquoted) Go string literal; `undefined` where an escape is wrong. */
export function goUnquote(literal: string): string | undefined {
  const body = literal.slice(1, -1)
  if (literal[0] === '`') return body.replaceAll('\r', '')
  let out = ''
  let pos = 0
  while (pos < body.length) {
    if (body[pos] !== '\\') {
      out += body[pos++]
      continue
    }
    const escape = unescapeAt(body, pos, literal[0]!)
    if (!escape) return undefined
    out += escape.text
    pos = escape.end
  }
  return out
}

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/y
const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

function unescapeAt(body: string, pos: number, quote: string): { text: string; end: number } | undefined {
  ESCAPE.lastIndex = pos
  const match = ESCAPE.exec(body)
  if (!match) return undefined
  const [, letter, hex, short, long, octal] = match
  const end = ESCAPE.lastIndex
  if (letter === "'" || letter === '"') return letter === quote ? { text: letter, end } : undefined
  if (letter !== undefined) return { text: LETTERS[letter]!, end }
  const codePoint = octal === undefined ? Number.parseInt((hex ?? short ?? long)!, 16) : Number.parseInt(octal, 8)
  return codePoint > 0x10ffff ? undefined : { text: String.fromCodePoint(codePoint), end }
}
