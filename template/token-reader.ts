import { quoteGo } from '../model/go-quote.ts'
import { TemplateParseError } from './errors.ts'
import { numberOf } from './go-number.ts'
import { goUnquote } from './go-unquote.ts'
import { lexTemplate, type Token } from './lexer.ts'

/** The tokens of one text, one after the other, and the errors that point at them. */
export class TokenReader {
  readonly #source: { readonly name: string; readonly text: string }
  readonly #tokens: readonly Token[]
  /** Number of the token ahead; may be set back. */
  at = 0

  constructor(source: { readonly name: string; readonly text: string }) {
    this.#source = source
    this.#tokens = lexTemplate(source.text)
  }

  /** The token that comes next, space included. */
  get ahead(): Token {
    return this.#tokens[this.at]!
  }

  /** The token that was read last. */
  get last(): Token {
    return this.#tokens[this.at - 1]!
  }

  /** @throws {TemplateParseError} where the text could not be cut into tokens */
  next(): Token {
    const token = this.#tokens[Math.min(this.at, this.#tokens.length - 1)]!
    if (token.type === 'error') this.fail(token.text, token)
    this.at++
    return token
  }

  back(): void {
    this.at--
  }

  skipSpace(): void {
    while (this.#tokens[this.at]?.type === 'space') this.at++
  }

  nextNonSpace(): Token {
    this.skipSpace()
    return this.next()
  }

  peekNonSpace(): Token {
    this.skipSpace()
    const token = this.ahead
    if (token.type === 'error') this.fail(token.text, token)
    return token
  }

  expectRight(context: string): void {
    const token = this.nextNonSpace()
    if (token.type !== 'right') this.unexpected(token, context)
  }

  /** What a number or a character stands for. */
  numberOf(token: Token): bigint | number {
    if (token.type === 'char') {
      const rune = goUnquote(token.text)
      if (rune === undefined || [...rune].length !== 1) this.fail(`malformed character constant: ${token.text}`, token)
      return BigInt(rune.codePointAt(0)!)
    }
    const value = numberOf(token.text)
    return value ?? this.fail(`illegal number syntax: ${quoteGo(token.text)}`, token)
  }

  unquote(token: Token): string {
    return goUnquote(token.text) ?? this.fail('invalid syntax', token)
  }

  unexpected(token: Token, context: string): never {
    if (token.type === 'error') return this.fail(token.text, token)
    const shown = token.type === 'eof' ? 'EOF' : token.type === 'keyword' ? `<${token.text}>` : quoteGo(token.text)
    return this.fail(`unexpected ${shown} in ${context}`, token)
  }

  /** @throws {TemplateParseError} with the line and column of a token */
  fail(why: string, token: Token): never {
    const before = this.#source.text.slice(0, token.pos)
    const lineStart = before.lastIndexOf('\n') + 1
    const line = before.split('\n').length
    const column = Buffer.byteLength(before.slice(lineStart))
    throw new TemplateParseError({ name: this.#source.name, line, column }, why)
  }
}
