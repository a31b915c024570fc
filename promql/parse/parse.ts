import type { Matcher } from '../../model/matcher.ts'
import { checkTypes } from '../check/check.ts'
import type { Expr } from './ast.ts'
import { DEFAULT_FEATURES, type ParserFeatures } from './features.ts'
import { Parser } from './parser.ts'

/**
 * Parses and type-checks an expression.
 *
 * @throws {ParseError} for the first fault, with Prometheus' text and position
 */
export function parseExpr(text: string, features?: Partial<ParserFeatures>): Expr {
  const expr = new Parser(text, { ...DEFAULT_FEATURES, ...features }).parseExpression()
  checkTypes(text, expr)
  return expr
}

/**
 * Parses a `match[]` parameter. It may match everything: whoever needs a matcher that refuses '' asks for it.
 *
 * @throws {ParseError}
 */
export function parseSelector(text: string): Matcher[] {
  return [...new Parser(text, DEFAULT_FEATURES).parseSelector().matchers]
}
