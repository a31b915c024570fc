import { matches } from '../../model/matcher.ts'
import { METRIC_NAME } from '../../model/labels.ts'
import { quoteGo } from '../../model/go-quote.ts'
import type {
  Aggregation,
  BinaryExpr,
  BinaryOp,
  Call,
  Expr,
  Subquery,
  ValueType,
  VectorSelector,
} from '../parse/ast.ts'
import { DEPTH_MAX } from '../parse/depth.ts'
import { ParseError } from '../parse/parse-error.ts'
import { functionSignatures } from './function-signatures.ts'

const COMPARISONS: ReadonlySet<BinaryOp> = new Set(['==', '!=', '<', '<=', '>', '>='])
const SET_OPERATORS: ReadonlySet<BinaryOp> = new Set(['and', 'or', 'unless'])

/** The type of the value that `expr` evaluates to; `expr` must have passed `checkTypes`. */
export function exprType(expr: Expr): ValueType {
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
      return functionSignatures.get(expr.name)!.returnType
    case 'paren':
    case 'unary':
    case 'stepInvariant':
      return exprType(expr.expr)
    case 'binary':
      return exprType(expr.left) === 'scalar' && exprType(expr.right) === 'scalar' ? 'scalar' : 'vector'
  }
}

/**
 * Checks the types of a freshly parsed tree, and completes it in place: `matching` is dropped where a side is no vector,
 * and says many-to-many for set operators.
 *
 * @throws {ParseError} at the first fault
 */
export function checkTypes(text: string, expr: Expr): ValueType {
  return new Checker(text).check(expr)
}

class Checker {
  readonly #text: string
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  check(expr: Expr): ValueType {
    if (++this.#depth > DEPTH_MAX) this.#fail(expr, `expression is deeper than ${DEPTH_MAX} levels`)
    const type = this.#check(expr)
    this.#depth--
    return type
  }

  #check(expr: Expr): ValueType {
    switch (expr.kind) {
      case 'number':
        return 'scalar'
      case 'string':
        return 'string'
      case 'vectorSelector':
        this.#selector(expr)
        return 'vector'
      case 'matrixSelector':
        this.#selector(expr.selector)
        return 'matrix'
      case 'subquery':
        return this.#subquery(expr)
      case 'aggregation':
        return this.#aggregation(expr)
      case 'call':
        return this.#call(expr)
      case 'binary':
        return this.#binary(expr)
      case 'unary': {
        const type = this.check(expr.expr)
        if (type !== 'scalar' && type !== 'vector') {
          this.#fail(
            expr,
            `unary expression only allowed on expressions of type scalar or instant vector, got "${documented(type)}"`,
          )
        }
        return type
      }
      case 'paren':
      case 'stepInvariant':
        return this.check(expr.expr)
    }
  }

  #selector(selector: VectorSelector): void {
    const { name, matchers } = selector
    if (name !== '') {
      const other = matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME)
      if (other) {
        this.#fail(selector, `metric name must not be set twice: ${quoteGo(name)} or ${quoteGo(other.value)}`)
      }
    } else if (matchers.every((matcher) => matches(matcher, ''))) {
      this.#fail(selector, 'vector selector must contain at least one non-empty matcher')
    }
  }

  #subquery(subquery: Subquery): ValueType {
    const type = this.check(subquery.expr)
    if (type !== 'vector') this.#fail(subquery, `subquery is only allowed on instant vector, got ${type} instead`)
    return 'matrix'
  }

  #aggregation({ op, expr, param }: Aggregation): ValueType {
    this.#expect(expr, 'vector', 'aggregation expression')
    if (param) this.#expect(param, op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter')
    return 'vector'
  }

  #call(call: Call): ValueType {
    const { name, argTypes, variadic, returnType } = functionSignatures.get(call.name)!
    const count = call.args.length
    const least = variadic === 0 ? argTypes.length : argTypes.length - 1
    const bounds =
      variadic === 0 && count !== least
        ? ''
        : count < least
          ? 'at least '
          : variadic > 0 && count > least + variadic
            ? 'at most '
            : undefined
    if (bounds !== undefined) {
      const wanted = bounds === 'at most ' ? least + variadic : least
      this.#fail(call, `expected ${bounds}${wanted} argument(s) in call to ${quoteGo(name)}, got ${count}`)
    }
    if (name === 'info' && count > 1) return this.#info(call)
    call.args.forEach((arg, i) => this.#expect(arg, argTypes[Math.min(i, argTypes.length - 1)]!, callOf(name)))
    return returnType
  }

  /** The second argument is a bare `{…}`, which may also match everything. */
  #info(call: Call): ValueType {
    const [vector, selector] = call.args as [Expr, Expr]
    const type = exprType(selector)
    if (type !== 'vector') this.#fail(call, mismatch('vector', callOf('info'), type))
    if (selector.kind !== 'vectorSelector') this.#fail(selector, 'expected label selectors only')
    else if (selector.name !== '') this.#fail(selector, 'expected label selectors only, got vector selector instead')
    this.#expect(vector, 'vector', callOf('info'))
    return 'vector'
  }

  #binary(expr: BinaryExpr): ValueType {
    const { op, left, right, matching } = expr
    const leftType = this.check(left)
    const rightType = this.check(right)
    const isSet = SET_OPERATORS.has(op)
    const bothVectors = leftType === 'vector' && rightType === 'vector'
    if (expr.returnBool && !COMPARISONS.has(op)) {
      this.#failAtOperator(expr, 'bool modifier can only be used on comparison operators')
    }
    if (COMPARISONS.has(op) && !expr.returnBool && leftType === 'scalar' && rightType === 'scalar') {
      this.#failAtOperator(expr, 'comparisons between scalars must use BOOL modifier')
    }
    if (matching?.on) {
      const twice = matching.labels.find((label) => matching.include.includes(label))
      if (twice !== undefined) {
        this.#failAtOperator(expr, `label ${quoteGo(twice)} must not occur in ON and GROUP clause at once`)
      }
    }
    for (const [side, type] of [
      [left, leftType],
      [right, rightType],
    ] as const) {
      if (type !== 'scalar' && type !== 'vector') {
        this.#fail(side, 'binary expression must contain only scalar and instant vector types')
      }
    }
    const fills = matching?.fillLeft !== undefined || matching?.fillRight !== undefined
    if (!bothVectors) {
      if (matching && matching.labels.length > 0)
        this.#fail(expr, 'vector matching only allowed between instant vectors')
      if (fills) this.#fail(expr, 'filling in missing series only allowed between instant vectors')
      if (isSet) this.#fail(expr, `set operator ${quoteGo(op)} not allowed in binary scalar expression`)
      complete(expr, undefined)
    } else if (isSet) {
      if (matching && matching.card !== 'one-to-one')
        this.#fail(expr, `no grouping allowed for ${quoteGo(op)} operation`)
      if (fills) this.#fail(expr, 'filling in missing series not allowed for set operators')
      complete(expr, matching && { ...matching, card: 'many-to-many' })
    }
    return leftType === 'scalar' && rightType === 'scalar' ? 'scalar' : 'vector'
  }

  #expect(expr: Expr, wanted: ValueType, context: string): void {
    const type = this.check(expr)
    if (type !== wanted) this.#fail(expr, mismatch(wanted, context, type))
  }

  #failAtOperator(expr: BinaryExpr, why: string): never {
    let at = expr.left.span.end
    while (' \t\r\n'.includes(this.#text[at] ?? '!')) at++
    throw new ParseError(this.#text, at, why)
  }

  #fail(expr: Expr, why: string): never {
    throw new ParseError(this.#text, expr.span.start, why)
  }
}

const callOf = (name: string): string => `call to function ${quoteGo(name)}`

const mismatch = (wanted: ValueType, context: string, got: ValueType): string =>
  `expected type ${documented(wanted)} in ${context}, got ${documented(got)}`

function documented(type: ValueType): string {
  return type === 'vector' ? 'instant vector' : type === 'matrix' ? 'range vector' : type
}

function complete(expr: BinaryExpr, matching: BinaryExpr['matching']): void {
  ;(expr as { matching: BinaryExpr['matching'] }).matching = matching
}
