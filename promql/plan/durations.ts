import { QueryExecutionError } from '../exec/errors.ts'
import type { AtModifier, DurationExpr, Expr, Subquery, VectorSelector } from '../parse/ast.ts'
import { childrenOf } from '../parse/walk.ts'

/** The query's own times; an instant query has `startMs === endMs` and step 0. */
export interface QueryTimes {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
  /** For subqueries that name none. */
  readonly defaultSubqueryStepMs: number
}

// Durations are int64 nanoseconds in Go.
const DURATION_MAX_S = 2 ** 63 / 1e9

/** Turns duration expressions into durations, and `@ start()` and `@ end()` into times. */
export function resolveTimes(expr: Expr, times: QueryTimes): Expr {
  const resolve = (inner: Expr): Expr => resolveTimes(inner, times)
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr
    case 'vectorSelector':
      return resolveSelector(expr, times)
    case 'matrixSelector':
      return {
        ...expr,
        selector: resolveSelector(expr.selector, times),
        rangeMs: expr.rangeExpr === undefined ? expr.rangeMs : positiveMs(expr.rangeExpr, times),
        rangeExpr: undefined,
      }
    case 'subquery':
      return {
        ...expr,
        expr: resolve(expr.expr),
        rangeMs: expr.rangeExpr === undefined ? expr.rangeMs : positiveMs(expr.rangeExpr, times),
        rangeExpr: undefined,
        stepMs: subqueryStepMs(expr, times),
        stepExpr: undefined,
        ...resolveOffsetAndAt(expr, times),
      }
    case 'call':
      return { ...expr, args: expr.args.map(resolve) }
    case 'aggregation':
      return { ...expr, expr: resolve(expr.expr), param: expr.param && resolve(expr.param) }
    case 'binary':
      return { ...expr, left: resolve(expr.left), right: resolve(expr.right) }
    case 'unary':
    case 'paren':
    case 'stepInvariant':
      return { ...expr, expr: resolve(expr.expr) }
  }
}

/** Whether {@link resolveTimes} gives the same whatever the query's times are. */
export function hasOwnTimes(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vectorSelector':
      return hasOwnPlace(expr)
    case 'matrixSelector':
      return expr.rangeExpr === undefined && hasOwnPlace(expr.selector)
    case 'subquery': {
      const { rangeExpr, stepExpr, stepMs } = expr
      return (
        rangeExpr === undefined && stepExpr === undefined && stepMs !== 0 && hasOwnPlace(expr) && hasOwnTimes(expr.expr)
      )
    }
    default:
      return childrenOf(expr).every(hasOwnTimes)
  }
}

const hasOwnPlace = ({ at, offsetExpr }: VectorSelector | Subquery): boolean =>
  offsetExpr === undefined && (at === undefined || at.kind === 'time')

function resolveSelector(selector: VectorSelector, times: QueryTimes): VectorSelector {
  return { ...selector, ...resolveOffsetAndAt(selector, times) }
}

function resolveOffsetAndAt(
  of: VectorSelector | Subquery,
  times: QueryTimes,
): { offsetMs: number; offsetExpr: undefined; at: AtModifier | undefined } {
  const offsetMs = of.offsetExpr === undefined ? of.offsetMs : toMs(of.offsetExpr, times)
  const at = of.at
  if (at === undefined || at.kind === 'time') return { offsetMs, offsetExpr: undefined, at }
  const timestampMs = at.kind === 'start' ? times.startMs : times.endMs
  return { offsetMs, offsetExpr: undefined, at: { kind: 'time', timestampMs } }
}

function subqueryStepMs(expr: Subquery, times: QueryTimes): number {
  if (expr.stepExpr !== undefined) return positiveMs(expr.stepExpr, times)
  return expr.stepMs === 0 ? times.defaultSubqueryStepMs : expr.stepMs
}

function positiveMs(duration: DurationExpr, times: QueryTimes): number {
  const ms = toMs(duration, times)
  if (ms <= 0) throw new QueryExecutionError('duration must be greater than 0')
  return ms
}

function toMs(duration: DurationExpr, times: QueryTimes): number {
  const seconds = toSeconds(duration, times)
  if (!(Math.abs(seconds) <= DURATION_MAX_S)) throw new QueryExecutionError('duration out of range')
  return Math.trunc(Math.round(seconds * 1e9) / 1e6)
}

function toSeconds(duration: DurationExpr, times: QueryTimes): number {
  switch (duration.kind) {
    case 'number':
      return duration.value
    case 'step':
      return times.stepMs / 1000
    case 'range':
      return (times.endMs - times.startMs) / 1000
    case 'min':
      return Math.min(toSeconds(duration.left, times), toSeconds(duration.right, times))
    case 'max':
      return Math.max(toSeconds(duration.left, times), toSeconds(duration.right, times))
    case 'negate':
      return -toSeconds(duration.inner, times)
    case 'paren':
      return toSeconds(duration.inner, times)
    case 'binary':
      return arithmetic(duration.op, toSeconds(duration.left, times), toSeconds(duration.right, times))
  }
}

function arithmetic(op: '+' | '-' | '*' | '/' | '%' | '^', left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      if (right === 0) throw new QueryExecutionError('division by zero')
      return left / right
    case '%':
      if (right === 0) throw new QueryExecutionError('modulo by zero')
      return left % right
    case '^':
      return left ** right
  }
}
