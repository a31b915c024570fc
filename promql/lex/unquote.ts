const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/**
 * The value of a string token, quotes included in `literal`; its escapes were checked by the lexer.
 *
 * `\xhh` and `\ooo` write bytes. Bytes that form no UTF-8 are kept as lone surrogates U+DC80–U+DCFF, so that the string is
 * not well-formed (label names are checked for that) and still prints as it was written.
 */
export function unquote(literal: string): string {
  const body = literal.slice(1, -1)
  if (literal.startsWith('`') || !body.includes('\\')) return body
  let out = ''
  let bytes: number[] = []
  for (let i = 0; i < body.length; ) {
    const c = body[i]!
    if (c !== '\\') {
      out += flush(bytes) + c
      bytes = []
      i++
      continue
    }
    const kind = body[i + 1]!
    if (kind === 'x') {
      bytes.push(Number.parseInt(body.slice(i + 2, i + 4), 16))
      i += 4
    } else if (kind >= '0' && kind <= '7') {
      bytes.push(Number.parseInt(body.slice(i + 1, i + 4), 8))
      i += 4
    } else {
      out += flush(bytes)
      bytes = []
      const digits = kind === 'u' ? 4 : kind === 'U' ? 8 : 0
      out +=
        digits > 0
          ? String.fromCodePoint(Number.parseInt(body.slice(i + 2, i + 2 + digits), 16))
          : (SIMPLE[kind] ?? kind)
      i += 2 + digits
    }
  }
  return out + flush(bytes)
}

function flush(bytes: readonly number[]): string {
  if (bytes.length === 0) return ''
  let out = ''
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i]!)
    const text = Buffer.from(bytes.slice(i, i + length)).toString('utf8')
    if (text.includes('\ufffd') || i + length > bytes.length) {
      out += String.fromCharCode(0xdc00 + bytes[i]!)
      i++
    } else {
      out += text
      i += length
    }
  }
  return out
}

const sequenceLength = (lead: number): number => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1)
