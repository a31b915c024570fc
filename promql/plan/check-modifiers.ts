import { QueryExecutionError } from '../exec/errors.ts'
import type { Expr, VectorSelector } from '../parse/ast.ts'
import { childrenOf } from '../parse/walk.ts'

const ANCHORED_FUNCTIONS = ['changes', 'delta', 'increase', 'rate', 'resets']
const SMOOTHED_FUNCTIONS = ['delta', 'increase', 'rate']

/** @throws {QueryExecutionError} where `anchored` or `smoothed` is given to a function that cannot use it */
export function checkModifiers(expr: Expr): void {
  if (expr.kind === 'call') {
    for (const arg of expr.args) if (arg.kind === 'matrixSelector') checkCall(expr.name, arg.selector)
  }
  for (const child of childrenOf(expr)) checkModifiers(child)
}

function checkCall(name: string, selector: VectorSelector): void {
  if (selector.anchored) requireOneOf(name, 'anchored', ANCHORED_FUNCTIONS)
  if (selector.smoothed) requireOneOf(name, 'smoothed', SMOOTHED_FUNCTIONS)
}

function requireOneOf(name: string, modifier: string, allowed: readonly string[]): void {
  if (allowed.includes(name)) return
  throw new QueryExecutionError(`${modifier} modifier can only be used with: ${allowed.join(', ')} - not with ${name}`)
}
