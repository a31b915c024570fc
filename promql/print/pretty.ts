import type { Expr } from '../parse/ast.ts'
import { aggregationHead, operatorWithMatching, printExpr, subquerySuffix } from './print.ts'

const COLUMNS_MAX = 100

/** The expression as `/api/v1/format_query` lays it out: whatever is longer than 100 columns is split, 2 spaces a level. */
export function prettyExpr(expr: Expr): string {
  return pretty(expr, 0)
}

function pretty(expr: Expr, level: number): string {
  const indent = '  '.repeat(level)
  if (expr.kind === 'stepInvariant') return pretty(expr.expr, level)
  if (expr.kind === 'unary') return `${indent}${expr.op}${pretty(expr.expr, level).trim()}`
  const line = printExpr(expr)
  // Prometheus leaves subqueries that need no split without their indent.
  if (Buffer.byteLength(line) <= COLUMNS_MAX) return expr.kind === 'subquery' ? line : indent + line
  switch (expr.kind) {
    case 'aggregation': {
      const parts = expr.param ? [expr.param, expr.expr] : [expr.expr]
      return `${indent}${aggregationHead(expr)}(\n${list(parts, level + 1)}\n${indent})`
    }
    case 'call':
      return `${indent}${expr.name}(\n${list(expr.args, level + 1)}\n${indent})`
    case 'paren':
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`
    case 'binary': {
      const operator = `${indent}${operatorWithMatching(expr)}`
      return `${pretty(expr.left, level + 1)}\n${operator}\n${pretty(expr.right, level + 1)}`
    }
    case 'subquery':
      return `${pretty(expr.expr, level)}${subquerySuffix(expr)}`
    default:
      return indent + line
  }
}

const list = (parts: readonly Expr[], level: number): string => parts.map((part) => pretty(part, level)).join(',\n')
