import { scalarBinary } from '../exec/binary-operators.ts'
import type { BinaryExpr, Expr, UnaryExpr } from '../parse/ast.ts'
import { checkModifiers } from './check-modifiers.ts'
import { type QueryTimes, resolveTimes } from './durations.ts'
import { hoistInvariants } from './invariants.ts'

/**
 * The expression as it is evaluated: times resolved, constants folded, step-invariant parts marked.
 *
 * @throws {QueryExecutionError} for modifiers and durations that make no sense
 */
export function planQuery(expr: Expr, times: QueryTimes): Expr {
  checkModifiers(expr)
  return hoistInvariants(foldConstants(resolveTimes(expr, times)))
}

/** Computes operators between number literals. */
function foldConstants(expr: Expr): Expr {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vectorSelector':
    case 'matrixSelector':
      return expr
    case 'subquery':
    case 'stepInvariant':
      return { ...expr, expr: foldConstants(expr.expr) }
    case 'paren': {
      const inner = foldConstants(expr.expr)
      return inner.kind === 'number' ? inner : { ...expr, expr: inner }
    }
    case 'call':
      return { ...expr, args: expr.args.map(foldConstants) }
    case 'aggregation':
      return { ...expr, expr: foldConstants(expr.expr), param: expr.param && foldConstants(expr.param) }
    case 'unary':
      return foldUnary({ ...expr, expr: foldConstants(expr.expr) })
    case 'binary':
      return foldBinary({ ...expr, left: foldConstants(expr.left), right: foldConstants(expr.right) })
  }
}

function foldUnary(expr: UnaryExpr): Expr {
  if (expr.expr.kind !== 'number') return expr
  return { ...expr.expr, value: expr.op === '-' ? -expr.expr.value : expr.expr.value, span: expr.span }
}

function foldBinary(expr: BinaryExpr): Expr {
  const { left, right, op, span } = expr
  if (left.kind !== 'number' || right.kind !== 'number') return expr
  return { kind: 'number', value: scalarBinary(op, left.value, right.value), isDuration: false, span }
}
