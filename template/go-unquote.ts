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
