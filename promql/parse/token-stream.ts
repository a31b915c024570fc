import { Lexer } from '../lex/lexer.ts'
import { describeToken, type TokenKind } from '../lex/token.ts'
import { ParseError } from './parse-error.ts'

/**
 * One token of look-ahead over the lexer, and the message for a token that does not fit.
 *
 * A token is read only when a decision needs it: Prometheus reports the first fault it meets, and reading too early would
 * let a later bad character win over an earlier bad name.
 */
export class TokenStream {
  readonly text: string
  /** What the message names for an unexpected token, where no closer construct does: ` in aggregation` and the like. */
  context = ''
  /** Position and text of the token taken last. */
  start = 0
  end = 0
  readonly #lexer: Lexer
  #ahead = false

  constructor(text: string) {
    this.text = text
    this.#lexer = new Lexer(text)
  }

  peek(): TokenKind {
    if (!this.#ahead) {
      this.#lexer.next()
      this.#ahead = true
    }
    return this.#lexer.kind
  }

  /** Consumes the token that `peek` saw. */
  take(): TokenKind {
    const kind = this.peek()
    this.#ahead = false
    this.start = this.#lexer.start
    this.end = this.#lexer.end
    return kind
  }

  /** Consumes the next token if it is `kind`. */
  takeIf(kind: TokenKind): boolean {
    if (this.peek() !== kind) return false
    this.take()
    return true
  }

  /** @throws {ParseError} unless the next token is `kind` */
  expect(kind: TokenKind): void {
    if (this.peek() !== kind) this.unexpected()
    this.take()
  }

  /** The text of the token taken last. */
  get taken(): string {
    return this.text.slice(this.start, this.end)
  }

  unexpected(context = this.context): never {
    this.peek()
    return this.fail(
      this.#lexer.start,
      `unexpected ${describeToken(this.#lexer.kind, this.#lexer.tokenText)}${context}`,
    )
  }

  fail(offset: number, why: string, options?: ErrorOptions): never {
    throw new ParseError(this.text, offset, why, options)
  }
}
