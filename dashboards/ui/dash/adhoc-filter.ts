// The filters of a board, applied to its expressions. The parser they need is loaded once a board has one.
import { adhocMatchers } from '../../grafana/adhoc.ts'
import type { Scope } from '../../grafana/interpolate.ts'
import type { addMatchers } from '../query/add-matchers.ts'

let loaded: typeof addMatchers | undefined

/** To be awaited before a scope with filters is given to anybody. */
export async function loadAdhocFilter(): Promise<void> {
  loaded ??= (await import('../query/add-matchers.ts')).addMatchers
}

/** @param expr with everything else filled in */
export function filteredExpr(expr: string, scope: Scope): string {
  const matchers = adhocMatchers(scope)
  return matchers.length === 0 || loaded === undefined ? expr : loaded(expr, matchers)
}
