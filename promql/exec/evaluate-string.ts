import { invariant } from '../../lib/index.ts'
import type { Expr } from '../parse/ast.ts'

/** The value of a string argument: the parser lets nothing but literals through. */
export function evaluateString(expr: Expr): string {
  if (expr.kind === 'string') return expr.value
  if (expr.kind === 'paren' || expr.kind === 'stepInvariant') return evaluateString(expr.expr)
  invariant(false, `${expr.kind} is no string`)
}
