import { createMatcher, type Matcher, type MatchType } from '../../model/index.ts'
import { MatcherError } from './errors.ts'

const RESERVED = /[\s{}!=~,\\"'`]/u
const OPERATOR = /!=|!~|=~|=/y
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}

/** True for a name that must be quoted when it is printed. */
export const needsQuotes = (name: string): boolean => name === '' || RESERVED.test(name)

/** The grammar that allows any UTF-8 in names. @throws {MatcherError} */
export function parseUtf8Matchers(text: string): Matcher[] {
  return new Utf8Parser(text).parse()
}

class Utf8Parser {
  readonly #text: string
  #pos = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): Matcher[] {
    const braced = this.#take('{')
    const matchers: Matcher[] = []
    while (!this.#atEnd() && this.#peek() !== '}') {
      matchers.push(this.#matcher())
      if (!this.#take(',')) break
    }
    if (this.#take('}') !== braced) throw this.#error(braced ? 'expected a closing brace' : 'no opening brace')
    if (!this.#atEnd()) throw this.#error('expected a comma or the end of the input')
    return matchers
  }

  #matcher(): Matcher {
    const name = this.#word('label name')
    this.#skipSpace()
    OPERATOR.lastIndex = this.#pos
    const type = OPERATOR.exec(this.#text)?.[0]
    if (type === undefined) throw this.#error('expected an operator such as = != =~ or !~')
    this.#pos += type.length
    return createMatcher(type as MatchType, name, this.#word('label value'))
  }

  #word(what: string): string {
    this.#skipSpace()
    if (this.#peek() === '"') return this.#quoted()
    const start = this.#pos
    while (this.#pos < this.#text.length && !RESERVED.test(this.#text[this.#pos]!)) this.#pos++
    if (this.#pos === start) throw this.#error(`expected a ${what}`)
    return this.#text.slice(start, this.#pos)
  }

  #quoted(): string {
    const start = ++this.#pos
    while (this.#pos < this.#text.length && this.#text[this.#pos] !== '"') {
      if (this.#text[this.#pos] === '\n') throw this.#error('missing end quote')
      this.#pos += this.#text[this.#pos] === '\\' ? 2 : 1
    }
    if (this.#pos >= this.#text.length) throw this.#error('missing end quote')
    const inner = this.#text.slice(start, this.#pos++)
    return inner.replace(
      /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.|$)/gsu,
      (_, escape: string) => ESCAPES[escape] ?? this.#codePoint(escape),
    )
  }

  #codePoint(escape: string): string {
    const code = /^[xuU]./.test(escape)
      ? Number.parseInt(escape.slice(1), 16)
      : /^[0-7]{3}$/.test(escape)
        ? Number.parseInt(escape, 8)
        : Number.NaN
    if (!(code <= 0x10ffff)) throw this.#error('invalid escape in a quoted text')
    return String.fromCodePoint(code)
  }

  #take(c: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#pos] !== c) return false
    this.#pos++
    return true
  }

  #peek(): string | undefined {
    return this.#text[this.#pos]
  }

  #skipSpace(): void {
    while (this.#pos < this.#text.length && /\s/u.test(this.#text[this.#pos]!)) this.#pos++
  }

  #atEnd(): boolean {
    this.#skipSpace()
    return this.#pos >= this.#text.length
  }

  #error(why: string): MatcherError {
    return new MatcherError(`${this.#pos}: ${why}: ${this.#text}`)
  }
}
