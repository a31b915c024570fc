import type { Expr } from '../parse/ast.ts'
import type { ParserFeatures } from '../parse/features.ts'
import { parseExpr } from '../parse/parse.ts'

const ENTRIES_MAX = 512
// Longer texts are rare, and one of a kind.
const TEXT_LENGTH_MAX = 8192

/**
 * Parsed expressions by their text, the least recently used forgotten first: dashboards and rules ask the same again and again.
 * With them it keeps their compiled regular expressions. Nobody changes an expression, so all users share it.
 */
export class ParseCache {
  readonly #features: Partial<ParserFeatures> | undefined
  readonly #parsed = new Map<string, Expr>()

  constructor(features?: Partial<ParserFeatures>) {
    this.#features = features
  }

  /** @throws {ParseError} which is not kept */
  parse(text: string): Expr {
    const known = this.#parsed.get(text)
    if (known !== undefined) {
      this.#parsed.delete(text)
      this.#parsed.set(text, known)
      return known
    }
    const expr = parseExpr(text, this.#features)
    if (text.length > TEXT_LENGTH_MAX) return expr
    this.#parsed.set(text, expr)
    if (this.#parsed.size > ENTRIES_MAX) this.#parsed.delete(this.#parsed.keys().next().value!)
    return expr
  }
}
