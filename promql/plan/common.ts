import type { Expr, VectorSelector } from '../parse/ast.ts'
import { childrenOf } from '../parse/walk.ts'
import { printExpr } from '../print/print.ts'

/** Equal parts of one expression that are worth evaluating once. */
export interface CommonParts {
  /** The key of each part that occurs more than once. */
  readonly keys: ReadonlyMap<Expr, string>
  /** How often each key occurs. */
  readonly counts: ReadonlyMap<string, number>
}

/**
 * Finds selectors, and functions of range selectors, that occur more than once at the query's own steps. Parts inside
 * subqueries and step-invariant parts have steps of their own and are left alone.
 */
export function findCommonParts(expr: Expr, statsSelectors: ReadonlySet<VectorSelector>): CommonParts {
  const nodes = new Map<string, Expr[]>()
  collect(expr, statsSelectors, nodes)
  const keys = new Map<Expr, string>()
  const counts = new Map<string, number>()
  for (const [key, equal] of nodes) {
    if (equal.length < 2) continue
    counts.set(key, equal.length)
    for (const node of equal) keys.set(node, key)
  }
  return { keys, counts }
}

function collect(expr: Expr, statsSelectors: ReadonlySet<VectorSelector>, nodes: Map<string, Expr[]>): void {
  if (expr.kind === 'subquery' || expr.kind === 'stepInvariant') return
  if (isScan(expr)) {
    const key = printExpr(expr) + (readsStats(expr, statsSelectors) ? '#' : '')
    const known = nodes.get(key)
    if (known === undefined) nodes.set(key, [expr])
    else known.push(expr)
    return
  }
  // Functions look at these selectors themselves, for sample times and labels.
  if (expr.kind === 'call' && (expr.name === 'timestamp' || expr.name === 'info')) return
  for (const child of childrenOf(expr)) collect(child, statsSelectors, nodes)
}

/** Reads samples, and has no other input than literals. */
function isScan(expr: Expr): boolean {
  if (expr.kind === 'vectorSelector') return true
  if (expr.kind !== 'call' || expr.name.startsWith('absent')) return false
  return (
    expr.args.some((arg) => arg.kind === 'matrixSelector') &&
    expr.args.every((arg) => arg.kind === 'matrixSelector' || arg.kind === 'number')
  )
}

/** Histograms read for their counts only know more about counter resets, so they are no others' equal. */
function readsStats(expr: Expr, statsSelectors: ReadonlySet<VectorSelector>): boolean {
  if (expr.kind === 'vectorSelector') return statsSelectors.has(expr)
  return childrenOf(expr).some((child) => readsStats(child, statsSelectors))
}
