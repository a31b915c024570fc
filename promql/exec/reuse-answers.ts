import type { Querier, StoreChanges } from '../../model/index.ts'
import type { ReusablePlan } from '../plan/reusable.ts'
import type { ReuseNotes } from './context.ts'
import { HeldAnswer, type RangeCache } from './range-cache.ts'
import type { MatrixSeries } from './result.ts'
import { StepGrid } from './step-grid.ts'

/** One evaluation on a part of the query's steps. */
export interface Evaluated {
  readonly series: readonly MatrixSeries[]
  readonly hasNotes: boolean
}

interface ReusingQuery {
  readonly key: string
  readonly grid: StepGrid
  readonly plan: ReusablePlan
  readonly querier: Querier
  /** @param steps the last steps of the grid */
  evaluate(steps: StepGrid, reuse: ReuseNotes): Evaluated
}

export const newReuseNotes = ({ sorted }: ReusablePlan): ReuseNotes => ({
  sorted,
  orders: [],
  names: [],
  sawHistograms: false,
})

/** At a single step some operators go other ways, which give series in another order. */
const FRESH_STEPS_MIN = 2

/**
 * Takes the steps whose samples have not changed from an earlier answer and evaluates the rest: at least the last steps, which
 * tell whether the series still come in the same order. Where they do not, everything is evaluated anew, so that the answer is always the
 * one that a single evaluation gives. Only answers without annotations are kept: those say something about the steps that they
 * arose at.
 *
 * @returns `undefined` where the store does not tell what has changed
 */
export function evaluateReusing(query: ReusingQuery, cache: RangeCache): readonly MatrixSeries[] | undefined {
  const { changes } = query.querier
  if (changes === undefined || query.grid.count < 2 * FRESH_STEPS_MIN) return undefined
  const reused = extendHeld(query, changes, cache)
  if (reused !== undefined) return reused
  cache.noteMiss()
  const { series, reuse, mayKeep } = evaluate(query, query.grid)
  if (mayKeep && cache.isWanted(query.key)) {
    const origin = { version: changes.version, orders: reuse.orders, names: reuse.names }
    cache.keep(query.key, new HeldAnswer(query.grid, origin, series))
  } else {
    cache.drop(query.key)
  }
  return series
}

function extendHeld(
  query: ReusingQuery,
  changes: StoreChanges,
  cache: RangeCache,
): readonly MatrixSeries[] | undefined {
  const { key, grid } = query
  const held = cache.find(key)
  if (held === undefined) return undefined
  const good = held.keepUpTo(changes.unchangedSince(held.origin.version), grid)
  const from = Math.min(good, grid.count - FRESH_STEPS_MIN)
  // The steps before the held ones would have to be evaluated, too: for few of them that is the whole anew.
  if (from < 1) return undefined
  const steps = new StepGrid(grid.timeMs(from), grid.stepMs, grid.count - from)
  const { series, reuse, mayKeep } = evaluate(query, steps)
  const { orders, names } = held.origin
  if (!mayKeep || !areSameOrders(reuse.orders, orders) || !areDistinct(reuse.names, names)) return undefined
  reuse.names.forEach((own, i) => own.forEach((name, key) => names[i]!.set(key, name)))
  held.extend(grid, from, series, { version: changes.version, orders, names })
  cache.keep(key, held)
  cache.noteHit()
  return held.slice(grid)
}

function evaluate(query: ReusingQuery, steps: StepGrid) {
  const reuse = newReuseNotes(query.plan)
  const { series, hasNotes } = query.evaluate(steps, reuse)
  return { series, reuse, mayKeep: !hasNotes && !reuse.sawHistograms }
}

function areSameOrders(a: readonly Float64Array[], b: readonly Float64Array[]): boolean {
  return a.length === b.length && a.every((order, i) => isSameOrder(order, b[i]!))
}

/** Whether no series of one evaluation is, but for its name, another one of the other: over all steps they could not stand together. */
function areDistinct(a: readonly Map<string, string>[], b: readonly Map<string, string>[]): boolean {
  if (a.length !== b.length) return false
  for (const [i, own] of a.entries()) {
    for (const [key, name] of own) if ((b[i]!.get(key) ?? name) !== name) return false
  }
  return true
}

function isSameOrder(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
