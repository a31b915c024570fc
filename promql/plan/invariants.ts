import type { Expr } from '../parse/ast.ts'

// Their value depends on the evaluation time, whatever their arguments are.
const TIME_DEPENDENT: ReadonlySet<string> = new Set([
  'time',
  'timestamp',
  'predict_linear',
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
])

/**
 * Wraps the largest parts that have one value for all steps (everything below them is fixed by `@` or constant) in
 * `stepInvariant`, so that they are evaluated once. Bare literals and range selectors stay as they are.
 */
export function hoistInvariants(expr: Expr): Expr {
  const marked = mark(expr)
  return marked.invariant ? wrap(marked.expr) : marked.expr
}

interface Marked {
  readonly expr: Expr
  readonly invariant: boolean
}

function mark(expr: Expr): Marked {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return { expr, invariant: true }
    case 'vectorSelector':
      return { expr, invariant: expr.at !== undefined }
    case 'matrixSelector':
      return { expr, invariant: expr.selector.at !== undefined }
    case 'subquery':
      // The inner expression has steps of its own.
      return { expr: { ...expr, expr: hoistInvariants(expr.expr) }, invariant: expr.at !== undefined }
    case 'stepInvariant':
      return { expr, invariant: true }
    case 'unary':
    case 'paren': {
      const inner = mark(expr.expr)
      return { expr: { ...expr, expr: inner.expr }, invariant: inner.invariant }
    }
    case 'call':
      return markAll(expr.args, !TIME_DEPENDENT.has(expr.name), (args) => ({ ...expr, args }))
    case 'binary':
      return markAll([expr.left, expr.right], true, ([left, right]) => ({ ...expr, left: left!, right: right! }))
    case 'aggregation': {
      const inputs = expr.param === undefined ? [expr.expr] : [expr.expr, expr.param]
      return markAll(inputs, true, ([inner, param]) => ({ ...expr, expr: inner!, param }))
    }
  }
}

/** Invariant together, or each invariant part wrapped on its own. */
function markAll(inputs: readonly Expr[], mayHoist: boolean, rebuild: (inputs: Expr[]) => Expr): Marked {
  const marked = inputs.map(mark)
  if (mayHoist && marked.every(({ invariant }) => invariant)) {
    return { expr: rebuild(marked.map((input) => input.expr)), invariant: true }
  }
  return { expr: rebuild(marked.map((input) => (input.invariant ? wrap(input.expr) : input.expr))), invariant: false }
}

function wrap(expr: Expr): Expr {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'matrixSelector':
    case 'subquery':
    case 'stepInvariant':
      return expr
    case 'paren':
      return { ...expr, expr: wrap(expr.expr) }
    default:
      return { kind: 'stepInvariant', expr, span: expr.span }
  }
}
