export type TokenType =
  | 'error'
  | 'eof'
  | 'text'
  | 'left'
  | 'right'
  | 'space'
  | 'string'
  | 'char'
  | 'number'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'dot'
  | 'nil'
  | 'bool'
  | 'pipe'
  | 'lparen'
  | 'rparen'
  | 'declare'
  | 'assign'
  | 'comma'

export interface Token {
  readonly type: TokenType
  /** As written; the message for an error. */
  readonly text: string
  /** Index of its first UTF-16 unit. */
  readonly pos: number
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with'])
const SPACE = /[ \t\r\n]+/y
const COMMENT = /\/\*[\s\S]*?\*\//y
const WORD = /[\p{L}\p{Nd}_]*/uy
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_.]*(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)/y
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y
const CHAR = /'(?:[^'\\\n]|\\[^\n])*'/y
const RAW_STRING = /`[^`]*`/y

/** Cuts a template into tokens; the last one is `eof`, or `error` with Go's message where it cannot go on. */
export function lexTemplate(text: string): Token[] {
  const lexer = new Lexer(text)
  lexer.run()
  return lexer.tokens
}

class Lexer {
  readonly tokens: Token[] = []
  readonly #text: string
  #pos = 0
  #parenDepth = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): void {
    let trimLeft = false
    for (;;) {
      const open = this.#text.indexOf('{{', this.#pos)
      const end = open < 0 ? this.#text.length : open
      const trimRight = open >= 0 && /^-[ \t\r\n]/.test(this.#text.slice(open + 2, open + 4))
      this.#emitText(end, trimLeft, trimRight)
      if (open < 0) {
        this.#emit('eof', '')
        return
      }
      this.#pos = open + 2 + (trimRight ? 2 : 0)
      const closed = this.#text.startsWith('/*', this.#pos) ? this.#comment() : this.#action(open)
      if (closed === undefined) return
      trimLeft = closed === 'trim'
    }
  }

  #emitText(end: number, trimLeft: boolean, trimRight: boolean): void {
    let from = this.#pos
    let text = this.#text.slice(from, end)
    if (trimLeft) {
      const kept = text.replace(/^[ \t\r\n]+/, '')
      from += text.length - kept.length
      text = kept
    }
    if (trimRight) text = text.replace(/[ \t\r\n]+$/, '')
    this.#pos = from
    if (text !== '') this.#emit('text', text)
    this.#pos = end
  }

  #emit(type: TokenType, text: string): void {
    this.tokens.push({ type, text, pos: this.#pos })
  }

  /** A comment with its closing delimiter; only `{{/*` and `{{- /*` begin one. */
  #comment(): 'plain' | 'trim' | undefined {
    const comment = this.#match(COMMENT)
    if (comment === undefined) return this.#stop('unclosed comment')
    this.#pos += comment.length
    return this.#rightDelimiter() ?? this.#stop('comment ends before closing delimiter')
  }

  #rightDelimiter(): 'plain' | 'trim' | undefined {
    const close = /[ \t\r\n]-}}|}}/y
    close.lastIndex = this.#pos
    const match = close.exec(this.#text)
    if (!match) return undefined
    this.#pos += match[0].length
    return match[0].length === 4 ? 'trim' : 'plain'
  }

  #stop(why: string): undefined {
    this.#emit('error', why)
    return undefined
  }

  /** Everything up to the closing delimiter; `undefined` after an error. */
  #action(open: number): 'plain' | 'trim' | undefined {
    this.tokens.push({ type: 'left', text: '{{', pos: open })
    this.#parenDepth = 0
    for (;;) {
      const before = this.#pos
      const closed = this.#rightDelimiter()
      if (closed !== undefined) {
        if (this.#parenDepth > 0) return this.#stop('unclosed left paren')
        this.tokens.push({ type: 'right', text: '}}', pos: before })
        return closed
      }
      if (!this.#insideAction()) return undefined
    }
  }

  #insideAction(): boolean {
    const c = this.#text[this.#pos]
    if (c === undefined) return this.#fail('unclosed action')
    if (/[ \t\r\n]/.test(c)) {
      // A space may be the first unit of ` -}}`, so one is left for the delimiter.
      const space = this.#match(SPACE)!
      const length =
        this.#text.startsWith('-}}', this.#pos + space.length) && space.length > 1 ? space.length - 1 : space.length
      return this.#take('space', this.#text.slice(this.#pos, this.#pos + length))
    }
    if (this.#text.startsWith(':=', this.#pos)) return this.#take('declare', ':=')
    switch (c) {
      case ':':
        return this.#fail('expected :=')
      case '=':
        return this.#take('assign', c)
      case '|':
        return this.#take('pipe', c)
      case ',':
        return this.#take('comma', c)
      case '(':
        this.#parenDepth++
        return this.#take('lparen', c)
      case ')':
        if (--this.#parenDepth < 0) return this.#fail('unexpected right paren')
        return this.#take('rparen', c)
      case '"':
        return this.#takeOr('string', STRING, 'unterminated quoted string')
      case '`':
        return this.#takeOr('string', RAW_STRING, 'unterminated raw quoted string')
      case "'":
        return this.#takeOr('char', CHAR, 'unterminated character constant')
      default:
        return this.#wordOrNumber(c)
    }
  }

  #wordOrNumber(c: string): boolean {
    if (c === '.' && !/\d/.test(this.#text[this.#pos + 1] ?? '')) return this.#fieldOrDot()
    if (/[+\-.\d]/.test(c)) return this.#number()
    if (c === '$') return this.#word('variable', 1)
    if (/[\p{L}_]/u.test(String.fromCodePoint(this.#text.codePointAt(this.#pos)!))) return this.#word('identifier', 0)
    return this.#fail(`unrecognized character in action: ${describe(this.#text.codePointAt(this.#pos)!)}`)
  }

  #fieldOrDot(): boolean {
    const next = this.#text[this.#pos + 1]
    if (next === undefined || this.#isTerminator(this.#pos + 1)) return this.#take('dot', '.')
    return this.#word('field', 1)
  }

  #word(type: 'field' | 'variable' | 'identifier', prefixLength: number): boolean {
    WORD.lastIndex = this.#pos + prefixLength
    const name = WORD.exec(this.#text)![0]
    const end = this.#pos + prefixLength + name.length
    if (!this.#isTerminator(end)) return this.#fail(`bad character ${describe(this.#text.codePointAt(end)!)}`)
    const word = this.#text.slice(this.#pos, end)
    if (type !== 'identifier') return this.#take(type, word)
    if (KEYWORDS.has(word)) return this.#take('keyword', word)
    if (word === 'true' || word === 'false') return this.#take('bool', word)
    return this.#take(word === 'nil' ? 'nil' : 'identifier', word)
  }

  #isTerminator(pos: number): boolean {
    const c = this.#text[pos]
    return c === undefined || /[ \t\r\n.,|:)(]/.test(c) || this.#text.startsWith('}}', pos)
  }

  #number(): boolean {
    const number = this.#match(NUMBER) ?? ''
    const end = this.#pos + number.length
    WORD.lastIndex = end
    const tail = WORD.exec(this.#text)![0]
    if (tail !== '' || /^[+-]?$/.test(number))
      return this.#fail(
        `bad number syntax: ${JSON.stringify(this.#text.slice(this.#pos, end + Math.max(1, tail.length)))}`,
      )
    return this.#take('number', number)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#pos
    return pattern.exec(this.#text)?.[0]
  }

  #take(type: TokenType, text: string): true {
    this.#emit(type, text)
    this.#pos += text.length
    return true
  }

  #takeOr(type: TokenType, pattern: RegExp, why: string): boolean {
    const text = this.#match(pattern)
    return text === undefined ? this.#fail(why) : this.#take(type, text)
  }

  #fail(why: string): false {
    this.#emit('error', why)
    return false
  }
}

/** `U+0040 '@'`. */
function describe(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(codePoint)}'`
}
