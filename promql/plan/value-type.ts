import type { Expr, ValueType } from '../parse/ast.ts'

const SCALAR_FUNCTIONS: ReadonlySet<string> = new Set([
  'scalar',
  'time',
  'pi',
  'start',
  'end',
  'step',
  'range',
  'min_of',
  'max_of',
])

/** The type of a checked expression. */
export function valueTypeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'vectorSelector':
    case 'aggregation':
      return 'vector'
    case 'matrixSelector':
    case 'subquery':
      return 'matrix'
    case 'call':
      return SCALAR_FUNCTIONS.has(expr.name) ? 'scalar' : 'vector'
    case 'binary':
      return valueTypeOf(expr.left) === 'scalar' && valueTypeOf(expr.right) === 'scalar' ? 'scalar' : 'vector'
    case 'unary':
    case 'paren':
    case 'stepInvariant':
      return valueTypeOf(expr.expr)
  }
}

/** Takes parentheses away. */
export function unwrapParens(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrapParens(expr.expr) : expr
}
