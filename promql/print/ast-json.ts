import { formatFloatPlain } from '../../model/float.ts'
import { functionSignatures } from '../check/function-signatures.ts'
import type { AtModifier, DurationExpr, Expr, Subquery, VectorSelector } from '../parse/ast.ts'

export type AstJson = { readonly [key: string]: unknown }

/** The tree as `/api/v1/parse_query` returns it; keys in alphabetical order, durations in milliseconds. */
export function astJson(expr: Expr): AstJson {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloatPlain(expr.value) }
    case 'string':
      return { type: 'stringLiteral', val: expr.value }
    case 'paren':
      return { expr: astJson(expr.expr), type: 'parenExpr' }
    case 'unary':
      return { expr: astJson(expr.expr), op: expr.op, type: 'unaryExpr' }
    case 'stepInvariant':
      return astJson(expr.expr)
    case 'vectorSelector':
      return { ...leadingFields(expr), ...trailingFields(expr), type: 'vectorSelector' }
    case 'matrixSelector':
      return {
        ...leadingFields(expr.selector),
        range: expr.rangeMs,
        rangeExpr: durationJson(expr.rangeExpr),
        ...trailingFields(expr.selector),
        type: 'matrixSelector',
      }
    case 'subquery':
      return subqueryJson(expr)
    case 'call': {
      const { name, argTypes, returnType, variadic } = functionSignatures.get(expr.name)!
      return { args: expr.args.map(astJson), func: { argTypes, name, returnType, variadic }, type: 'call' }
    }
    case 'aggregation':
      return {
        expr: astJson(expr.expr),
        grouping: expr.grouping,
        op: expr.op,
        param: expr.param ? astJson(expr.param) : null,
        type: 'aggregation',
        without: expr.without,
      }
    case 'binary': {
      const { matching: m } = expr
      const fillValues = { lhs: m?.fillLeft ?? null, rhs: m?.fillRight ?? null }
      return {
        bool: expr.returnBool,
        lhs: astJson(expr.left),
        matching: m ? { card: m.card, fillValues, include: m.include, labels: m.labels, on: m.on } : null,
        op: expr.op,
        rhs: astJson(expr.right),
        type: 'binaryExpr',
      }
    }
  }
}

const leadingFields = ({ anchored, matchers, name, offsetMs, offsetExpr }: VectorSelector): AstJson => ({
  anchored,
  matchers: matchers.map((matcher) => ({ name: matcher.name, type: matcher.type, value: matcher.value })),
  name,
  offset: offsetMs,
  offsetExpr: durationJson(offsetExpr),
})

const trailingFields = ({ smoothed, at }: VectorSelector): AstJson => ({
  smoothed,
  startOrEnd: startOrEnd(at),
  timestamp: timestampOf(at),
})

const subqueryJson = (subquery: Subquery): AstJson => ({
  expr: astJson(subquery.expr),
  offset: subquery.offsetMs,
  offsetExpr: durationJson(subquery.offsetExpr),
  range: subquery.rangeMs,
  rangeExpr: durationJson(subquery.rangeExpr),
  startOrEnd: startOrEnd(subquery.at),
  step: subquery.stepMs,
  stepExpr: durationJson(subquery.stepExpr),
  timestamp: timestampOf(subquery.at),
  type: 'subquery',
})

const startOrEnd = (at: AtModifier | undefined): string | null => (at && at.kind !== 'time' ? at.kind : null)

const timestampOf = (at: AtModifier | undefined): number | null => (at?.kind === 'time' ? at.timestampMs : null)

function durationJson(duration: DurationExpr | undefined, wrapped = false): AstJson | null {
  if (!duration) return null
  const node = (op: string, left?: DurationExpr, right?: DurationExpr): AstJson => ({
    lhs: durationJson(left),
    op,
    rhs: durationJson(right),
    type: 'durationExpr',
    wrapped,
  })
  switch (duration.kind) {
    case 'number': {
      const literal = { duration: duration.isDuration, type: 'numberLiteral', val: formatFloatPlain(duration.value) }
      // A number in parentheses is an expression with a plus sign to Prometheus.
      return wrapped ? { lhs: null, op: '+', rhs: literal, type: 'durationExpr', wrapped } : literal
    }
    case 'step':
    case 'range':
      return node(duration.kind)
    case 'min':
    case 'max':
      return node(`${duration.kind}_of`, duration.left, duration.right)
    case 'binary':
      return node(duration.op, duration.left, duration.right)
    case 'negate':
      return node('-', undefined, duration.inner)
    case 'paren':
      return durationJson(duration.inner, true)
  }
}
