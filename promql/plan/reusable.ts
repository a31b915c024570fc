import { exprType } from '../check/check.ts'
import { arithmeticOf } from '../exec/binary-operators.ts'
import { hasOneName } from '../exec/one-name.ts'
import { dateFunctions } from '../functions/date.ts'
import { parametricMath, unaryMath } from '../functions/math.ts'
import { isWindowFunction, KEEPS_NAME } from '../functions/window-functions.ts'
import type { Aggregation, BinaryExpr, Call, Expr, VectorSelector } from '../parse/ast.ts'
import { walkExpr } from '../parse/walk.ts'

/** A plan whose value at each step follows from samples up to that step alone. */
export interface ReusablePlan {
  /** Aggregations whose series go into another one: these must come in an order that does not depend on the range. */
  readonly sorted: ReadonlySet<Aggregation>
}

/**
 * Whether answers at single steps may be put together from several evaluations of a planned expression, and are then the same
 * bit for bit as from one. `undefined` where that is not known for sure: times that are fixed or lie ahead, functions that look
 * at the whole range, sums over series whose order may differ, names whose removal may join series.
 */
export function reusablePlan(plan: Expr): ReusablePlan | undefined {
  const sorted = new Set<Aggregation>()
  return visit(plan, false, sorted) ? { sorted } : undefined
}

/** @param inOrder whether what stands above depends on the order of series */
function visit(expr: Expr, inOrder: boolean, sorted: Set<Aggregation>): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true
    case 'stepInvariant':
      return !readsStore(expr.expr)
    case 'paren':
      return visit(expr.expr, inOrder, sorted)
    case 'unary':
      return (expr.op !== '-' || staysDistinct(expr.expr)) && visit(expr.expr, inOrder, sorted)
    case 'vectorSelector':
      return looksBack(expr)
    case 'matrixSelector':
      return looksBack(expr.selector)
    case 'subquery':
      return expr.at === undefined && expr.offsetMs >= 0 && visit(expr.expr, inOrder, sorted)
    case 'call':
      return visitCall(expr, inOrder, sorted)
    case 'binary':
      return visitBinary(expr, inOrder, sorted)
    case 'aggregation':
      return visitAggregation(expr, inOrder, sorted)
  }
}

const looksBack = ({ at, offsetMs, anchored, smoothed }: VectorSelector): boolean =>
  at === undefined && offsetMs >= 0 && !anchored && !smoothed

function readsStore(expr: Expr): boolean {
  let found = false
  walkExpr(expr, (inner) => {
    if (inner.kind === 'vectorSelector' || RANGE_FUNCTIONS.has(nameOf(inner))) found = true
  })
  return found
}

const nameOf = (expr: Expr): string => (expr.kind === 'call' ? expr.name : '')

/** Functions of the query's own range. */
const RANGE_FUNCTIONS: ReadonlySet<string> = new Set(['start', 'end', 'range'])
/** One value for each series, whatever the others are. */
const isMap = (name: string): boolean =>
  unaryMath[name] !== undefined || parametricMath[name] !== undefined || dateFunctions[name] !== undefined
/** Functions of scalars, or of vectors that give one series or a scalar. */
const GATHERING: ReadonlySet<string> = new Set(['time', 'pi', 'step', 'vector', 'scalar', 'absent', 'absent_over_time'])
/** Functions that put series together by their labels. */
const REGROUPING: ReadonlySet<string> = new Set(['histogram_quantile', 'label_replace', 'label_join'])

function visitCall(expr: Call, inOrder: boolean, sorted: Set<Aggregation>): boolean {
  const { name, args } = expr
  if (GATHERING.has(name)) return args.every((arg) => visit(arg, false, sorted))
  if (REGROUPING.has(name)) {
    return !inOrder && args.every((arg) => staysDistinct(arg) && visit(arg, false, sorted))
  }
  if (!isWindowFunction(name) && !isMap(name) && name !== 'timestamp') return false
  return args.every((arg) => {
    if (exprType(arg) === 'scalar') return visit(arg, false, sorted)
    // Window functions take note of what they make equal.
    return (isWindowFunction(name) || staysDistinct(arg)) && visit(arg, inOrder, sorted)
  })
}

function visitBinary(expr: BinaryExpr, inOrder: boolean, sorted: Set<Aggregation>): boolean {
  const vectors = [expr.left, expr.right].filter((side) => exprType(side) !== 'scalar')
  if (vectors.length === 2 && inOrder) return false
  const derives = arithmeticOf(expr.op) !== undefined || expr.returnBool
  if (vectors.length === 1 && derives && !staysDistinct(vectors[0]!)) return false
  return [expr.left, expr.right].every((side) => visit(side, inOrder && vectors.includes(side), sorted))
}

/** Whatever the order, these count. */
const ORDERLESS: ReadonlySet<string> = new Set(['count', 'group', 'count_values'])
const PICKING: ReadonlySet<string> = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio', 'count_values'])

function visitAggregation(expr: Aggregation, inOrder: boolean, sorted: Set<Aggregation>): boolean {
  if (inOrder) {
    if (PICKING.has(expr.op)) return false
    sorted.add(expr)
  }
  if (expr.param !== undefined && !visit(expr.param, false, sorted)) return false
  return visit(expr.expr, !ORDERLESS.has(expr.op), sorted)
}

/** Whether taking the metric names away can make no two series equal: there is one name, or they are gone already. */
function staysDistinct(expr: Expr): boolean {
  switch (expr.kind) {
    case 'matrixSelector':
      return hasOneName(expr.selector)
    case 'number':
    case 'string':
      return true
    case 'paren':
    case 'subquery':
    case 'unary':
    case 'stepInvariant':
      return staysDistinct(expr.expr)
    case 'call':
      if (KEEPS_NAME.has(expr.name)) return expr.args.every(staysDistinct)
      return !expr.name.startsWith('label_')
    case 'binary':
      return exprType(expr) === 'scalar' || arithmeticOf(expr.op) !== undefined || expr.returnBool
    case 'aggregation':
      return PICKING.has(expr.op) ? staysDistinct(expr.expr) : hasOneName(expr)
    default:
      return hasOneName(expr)
  }
}
