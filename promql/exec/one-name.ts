import type { Expr } from '../parse/ast.ts'
import { selectsOneName } from './select-instant.ts'

/** Whether all series of a vector are known to have the same metric name (or none), so that dropping it joins no two. */
export function hasOneName(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vectorSelector':
      return selectsOneName(expr)
    case 'paren':
    case 'stepInvariant':
    case 'unary':
      return hasOneName(expr.expr)
    case 'aggregation':
      // topk and its like pass their input on; the others keep a name only when asked to.
      return ['topk', 'bottomk', 'limitk', 'limit_ratio'].includes(expr.op)
        ? hasOneName(expr.expr)
        : expr.without || !expr.grouping.includes('__name__')
    default:
      return false
  }
}
