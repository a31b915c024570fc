import type { Expr } from './ast.ts'

/** The direct operands of `expr`, in the order they are written. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args
    case 'aggregation':
      return expr.param ? [expr.param, expr.expr] : [expr.expr]
    case 'binary':
      return [expr.left, expr.right]
    case 'matrixSelector':
      return [expr.selector]
    case 'subquery':
    case 'unary':
    case 'paren':
    case 'stepInvariant':
      return [expr.expr]
    default:
      return []
  }
}

/** Calls `visit` for `expr` and everything below it, parents first; `path` holds the parents, outermost first. */
export function walkExpr(
  expr: Expr,
  visit: (expr: Expr, path: readonly Expr[]) => void,
  path: readonly Expr[] = [],
): void {
  visit(expr, path)
  const below = [...path, expr]
  for (const child of childrenOf(expr)) walkExpr(child, visit, below)
}
