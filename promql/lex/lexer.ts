import { ParseError } from '../parse/parse-error.ts'
import { quoteGo, quoteRune } from '../../model/go-quote.ts'
import { type TokenKind, WORDS } from './token.ts'

const SPACE = 1
const DIGIT = 2
const ALPHA = 4
const HEX = 8
const CLASS = new Uint8Array(128)
for (const c of ' \t\n\r') CLASS[c.charCodeAt(0)] = SPACE
for (const c of '0123456789') CLASS[c.charCodeAt(0)] = DIGIT | HEX
for (const c of 'abcdefABCDEF') CLASS[c.charCodeAt(0)] = HEX
for (let c = 0; c < 26; c++) {
  CLASS[65 + c]! |= ALPHA
  CLASS[97 + c]! |= ALPHA
}
CLASS[95] = ALPHA

const SINGLE: ReadonlyMap<number, TokenKind> = new Map(
  (['*', '/', '%', '+', '-', '^', ',', '@'] as const).map((kind) => [kind.charCodeAt(0), kind]),
)
const DURATION_WORDS: ReadonlySet<string> = new Set(['step', 'range', 'max_of', 'min_of'])

/**
 * Cuts an expression into tokens, one `next` at a time: the current one is `kind`, `start`, `end`. Whether a character is
 * welcome depends on what is open (braces, brackets), as in Prometheus, so that its messages come out alike.
 */
export class Lexer {
  readonly text: string
  kind: TokenKind = 'eof'
  start = 0
  end = 0
  #parenDepth = 0
  #braceOpen = false
  #bracketOpen = false
  /** Right after `[`, until its first number: an expression of durations and nothing else. */
  #inDuration = false
  #colonSeen = false
  #durationSeen = false

  constructor(text: string) {
    this.text = text
  }

  get tokenText(): string {
    return this.text.slice(this.start, this.end)
  }

  /** @throws {ParseError} where no token can start or the current one never ends */
  next(): void {
    if (this.#inDuration) {
      this.start = this.#skipSpaces(this.end)
      this.#lexDuration()
    } else {
      this.start = this.#skipBlanks(this.end)
      if (this.#braceOpen) this.#lexInBraces()
      else this.#lexStatement()
    }
  }

  #lexStatement(): void {
    const { text, start } = this
    const c = text.charCodeAt(start)
    const kind = classOf(c)
    if ((kind & ALPHA) !== 0 || c === 0x3a) return this.#bracketOpen ? this.#lexBracketWord(c) : this.#lexWord()
    if ((kind & DIGIT) !== 0 || (c === 0x2e && (this.#classAt(start + 1) & DIGIT) !== 0)) return this.#lexNumber()
    const single = SINGLE.get(c)
    if (single !== undefined) return this.#emit(single, 1)
    const following = text[start + 1]
    switch (text[start]) {
      case undefined:
        if (this.#parenDepth !== 0) this.#fail('unclosed left parenthesis')
        if (this.#bracketOpen) this.#fail('unclosed left bracket')
        return this.#emit('eof', 0)
      case '(':
        this.#parenDepth++
        return this.#emit('(', 1)
      case ')':
        return this.#closeParen()
      case '{':
        this.#braceOpen = true
        return this.#emit('{', 1)
      case '[':
        if (this.#bracketOpen) this.#fail("unexpected left bracket '['")
        this.#bracketOpen = true
        this.#inDuration = true
        this.#colonSeen = false
        return this.#emit('[', 1)
      case ']':
        if (!this.#bracketOpen) this.#fail("unexpected right bracket ']'")
        this.#bracketOpen = false
        return this.#emit(']', 1)
      case '=':
        if (following === '=') return this.#emit('==', 2)
        if (following === '~') this.#fail(`unexpected character after '=': ${quoteRune('~')}`)
        return this.#emit('=', 1)
      case '!':
        if (following !== '=') this.#fail(`unexpected character after '!': ${quoteRune(this.#runeAt(start + 1))}`)
        return this.#emit('!=', 2)
      case '<':
        return following === '=' ? this.#emit('<=', 2) : following === '/' ? this.#emit('</', 2) : this.#emit('<', 1)
      case '>':
        return following === '=' ? this.#emit('>=', 2) : following === '/' ? this.#emit('>/', 2) : this.#emit('>', 1)
      case '"':
      case "'":
      case '`':
        return this.#lexString()
      default:
        return this.#fail(`unexpected character: ${quoteRune(this.#runeAt(start))}`)
    }
  }

  /** Inside of `{}` keywords are plain names and matching operators live. */
  #lexInBraces(): void {
    const { text, start } = this
    if ((this.#classAt(start) & ALPHA) !== 0) {
      let end = start + 1
      while ((this.#classAt(end) & (ALPHA | DIGIT)) !== 0) end++
      return this.#emit('identifier', end - start)
    }
    const following = text[start + 1]
    switch (text[start]) {
      case undefined:
        return this.#fail('unexpected end of input inside braces')
      case ',':
        return this.#emit(',', 1)
      case '"':
      case "'":
      case '`':
        return this.#lexString()
      case '=':
        return following === '~' ? this.#emit('=~', 2) : this.#emit('=', 1)
      case '!':
        if (following === '~') return this.#emit('!~', 2)
        if (following === '=') return this.#emit('!=', 2)
        return this.#fail(`unexpected character after '!' inside braces: ${quoteRune(this.#runeAt(start + 1))}`)
      case '{':
        return this.#fail("unexpected left brace '{'")
      case '}':
        this.#braceOpen = false
        return this.#emit('}', 1)
      default:
        return this.#fail(`unexpected character inside braces: ${quoteRune(this.#runeAt(start))}`)
    }
  }

  #lexDuration(): void {
    const { text, start } = this
    const c = text.charCodeAt(start)
    const kind = classOf(c)
    if ((kind & DIGIT) !== 0 || (c === 0x2e && (this.#classAt(start + 1) & DIGIT) !== 0)) {
      this.#durationSeen = true
      this.#inDuration = false
      return this.#lexNumber()
    }
    const single = SINGLE.get(c)
    if (single !== undefined && single !== '@') return this.#emit(single, 1)
    switch (text[start]) {
      case undefined:
        return this.#fail('unexpected end of input in duration expression')
      case ']':
        this.#inDuration = false
        this.#bracketOpen = false
        return this.#emit(']', 1)
      case ':':
        // Prometheus points behind the colon here.
        if (!this.#durationSeen) this.#fail('unexpected colon before duration in duration expression', start + 1)
        if (this.#colonSeen) this.#fail('unexpected repeated colon in duration expression', start + 1)
        this.#colonSeen = true
        return this.#emit(':', 1)
      case '(':
        this.#parenDepth++
        return this.#emit('(', 1)
      case ')':
        return this.#closeParen()
    }
    if (!this.#lexDurationWord()) {
      this.#fail(`unexpected character in duration expression: ${quoteRune(this.#runeAt(start))}`)
    }
  }

  /** A letter or colon between brackets, behind the first number. */
  #lexBracketWord(c: number): void {
    if (c === 0x3a) {
      if (this.#colonSeen) this.#fail("unexpected colon ':'")
      this.#colonSeen = true
      return this.#emit(':', 1)
    }
    if (!this.#lexDurationWord()) this.#fail(`unexpected character: ${quoteRune(String.fromCharCode(c))}, expected ':'`)
  }

  #lexDurationWord(): boolean {
    let end = this.start
    while ((this.#classAt(end) & ALPHA) !== 0) end++
    const word = this.text.slice(this.start, end).toLowerCase()
    if (!DURATION_WORDS.has(word)) return false
    this.#emit(word as TokenKind, end - this.start)
    return true
  }

  #lexWord(): void {
    const { text, start } = this
    let end = start
    let colon = false
    for (;;) {
      const c = text.charCodeAt(end)
      if (c === 0x3a) colon = true
      else if ((classOf(c) & (ALPHA | DIGIT)) === 0) break
      end++
    }
    const word = text.slice(start, end)
    const keyword = WORDS.get(word) ?? WORDS.get(word.toLowerCase())
    this.end = end
    if (keyword === undefined) this.kind = colon ? 'metricIdentifier' : 'identifier'
    else this.kind = isFill(keyword) && text[this.#skipSpaces(end)] !== '(' ? 'identifier' : keyword
  }

  #lexNumber(): void {
    const { text, start } = this
    if (this.#scanNumber()) {
      this.kind = 'number'
      return
    }
    let end = this.end
    if (!isIn(text[end], 'smhdwy')) this.#failNumber(end)
    end = text[end + 1] === 's' ? end + 2 : end + 1
    while ((this.#classAt(end) & DIGIT) !== 0) {
      while ((this.#classAt(end) & DIGIT) !== 0) end++
      if (!isIn(text[end], 'smhdw')) this.#failNumber(end)
      end = text[end + 1] === 's' ? end + 2 : end + 1
    }
    if ((this.#classAt(end) & (ALPHA | DIGIT)) !== 0) this.#failNumber(end + 1)
    this.#emit('duration', end - start)
  }

  /** Moves `end` behind what can be a number; false where it cannot, or where letters follow. */
  #scanNumber(): boolean {
    const { text, start } = this
    let digit = DIGIT
    let end = start
    if (text[end] === '0') {
      end++
      if (isIn(text[end], 'xX')) {
        digit = HEX
        end++
        if (text[end] === '_') end++
      }
    }
    if (text[end] === '.') end++
    if ((this.#classAt(end) & digit) !== 0) end++
    let dotSeen = false
    let exponentSeen = false
    let ok = true
    while (ok) {
      const c = text[end]
      if (c === '.') {
        end++
        ok = !dotSeen && !isIn(text[end], '_.')
        if (!dotSeen && !ok) end++
        if (digit === HEX) ok = false
        dotSeen = true
      } else if (c === 'e' || c === 'E') {
        end++
        ok = !exponentSeen
        if (ok) {
          if (isIn(text[end], '+-')) end++
          ok = end < text.length && !isIn(text[end], '._eE')
          if (!ok && end < text.length) end++
        }
        exponentSeen = true
      } else if (c === '_') {
        end++
        ok = end < text.length && !isIn(text[end], '._eE')
        if (!ok && end < text.length) end++
      } else if ((this.#classAt(end) & digit) !== 0) {
        while ((this.#classAt(end) & digit) !== 0) end++
      } else break
    }
    this.end = end
    return ok && (this.#classAt(end) & (ALPHA | DIGIT)) === 0
  }

  #lexString(): void {
    const { text, start } = this
    const quote = text[start]!
    const raw = quote === '`'
    for (let end = start + 1; ; end++) {
      const c = text[end]
      if (c === quote) return this.#emit('string', end + 1 - start)
      if (c === undefined) this.#fail(raw ? 'unterminated raw string' : 'unterminated quoted string')
      else if (c === '\n' && !raw) this.#fail('unterminated quoted string')
      else if (c === '\\' && !raw) end = this.#checkEscape(end + 1, quote)
      else if (c >= '\ud800' && c <= '\ufffd') {
        if (text.codePointAt(end)! > 0xffff) end++
        else if (c <= '\udfff' || c === '\ufffd') this.#fail('invalid UTF-8 rune')
      }
    }
  }

  /** @returns the position of the last character of the escape that goes on at `at`, behind its backslash */
  #checkEscape(at: number, quote: string): number {
    const { text } = this
    const c = text[at]
    if (c === undefined) return this.#fail('escape sequence not terminated')
    if (c === quote || isIn(c, 'abfnrtv\\')) return at
    const octal = c >= '0' && c <= '7'
    const digits = octal ? 3 : ({ x: 2, u: 4, U: 8 }[c] ?? 0)
    if (digits === 0) return this.#fail(`unknown escape sequence ${runeName(this.#runeAt(at))}`)
    const first = octal ? at : at + 1
    for (let i = first; i < first + digits; i++) {
      if (i >= text.length) this.#fail('escape sequence not terminated')
      const fits = octal ? isIn(text[i], '01234567') : (this.#classAt(i) & HEX) !== 0
      if (!fits) this.#fail(`illegal character ${runeName(this.#runeAt(i))} in escape sequence`)
    }
    const code = Number.parseInt(text.slice(first, first + digits), octal ? 8 : 16)
    const max = octal || c === 'x' ? 255 : 0x10ffff
    if (code > max || (code >= 0xd800 && code < 0xe000)) {
      this.#fail('escape sequence is an invalid Unicode code point')
    }
    return first + digits - 1
  }

  #closeParen(): void {
    // Prometheus points behind the parenthesis here.
    if (--this.#parenDepth < 0) this.#fail("unexpected right parenthesis ')'", this.start + 1)
    this.#emit(')', 1)
  }

  #emit(kind: TokenKind, length: number): void {
    this.kind = kind
    this.end = this.start + length
  }

  #skipSpaces(from: number): number {
    let at = from
    while ((this.#classAt(at) & SPACE) !== 0) at++
    return at
  }

  /** Spaces and comments. */
  #skipBlanks(from: number): number {
    let at = this.#skipSpaces(from)
    while (this.text.charCodeAt(at) === 0x23) {
      while (at < this.text.length && this.text[at] !== '\n' && this.text[at] !== '\r') at++
      at = this.#skipSpaces(at)
    }
    return at
  }

  #classAt(at: number): number {
    return classOf(this.text.charCodeAt(at))
  }

  #runeAt(at: number): string {
    const code = this.text.codePointAt(at)
    return code === undefined ? '' : String.fromCodePoint(code)
  }

  #failNumber(end: number): never {
    return this.#fail(`bad number or duration syntax: ${quoteGo(this.text.slice(this.start, end))}`)
  }

  #fail(why: string, offset = this.start): never {
    throw new ParseError(this.text, offset, why)
  }
}

const classOf = (c: number): number => (c < 128 ? CLASS[c]! : 0) // NaN, the end of the text, is no class either.
const isIn = (c: string | undefined, set: string): boolean => c !== undefined && set.includes(c)
const isFill = (kind: TokenKind): boolean => kind === 'fill' || kind === 'fill_left' || kind === 'fill_right'

function runeName(rune: string): string {
  const code = rune.codePointAt(0)!
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${rune}'`
}
