import type { Labels, SeriesGroup } from '../../model/index.ts'
import { isWindowFunction, KEEPS_NAME } from '../functions/window-functions.ts'
import type { Aggregation, Expr } from '../parse/ast.ts'
import { type EvalContext, withGrouping } from './context.ts'
import { type Grouping, storeGroupingOf } from './label-grouping.ts'
import { matrixHasOneName, matrixOf } from './select-range.ts'
import type { StepSeries } from './step-series.ts'

/** What an aggregation keeps for each group, in order of first appearance. */
export class GroupTable<T> {
  readonly #grouping: Grouping
  readonly #make: (labels: Labels) => T
  readonly #byKey = new Map<string, T>()
  readonly #byGroup = new Map<SeriesGroup, T>()
  #lastGroup: SeriesGroup | undefined
  #last: T | undefined

  constructor(grouping: Grouping, make: (labels: Labels) => T) {
    this.#grouping = grouping
    this.#make = make
  }

  of(series: StepSeries): T {
    const { group } = series
    if (group === undefined) return this.#ofLabels(series.labels)
    // Neighbours in the store often belong together.
    if (group === this.#lastGroup) return this.#last!
    let known = this.#byGroup.get(group)
    if (known === undefined) this.#byGroup.set(group, (known = this.#ofLabels(group.labels)))
    this.#lastGroup = group
    this.#last = known
    return known
  }

  values(): Iterable<T> {
    return this.#byKey.values()
  }

  #ofLabels(labels: Labels): T {
    const key = this.#grouping.keyOf(labels)
    let known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, (known = this.#make(this.#grouping.labelsOf(labels))))
    return known
  }
}

/** The context for what an aggregation takes its series from: where that is a selector, the store may do the grouping. */
export function contextBelow(expr: Aggregation, ctx: EvalContext): EvalContext {
  const names = ctx.query.delayedNameRemoval || ctx.query.typeAndUnitLabels ? undefined : namesOf(expr.expr)
  if (names === undefined || ctx.query.shared.has(inner(expr.expr))) return ctx
  return withGrouping(ctx, storeGroupingOf(expr, names === 'dropped'))
}

/** What becomes of the metric names of a selector's series; `undefined` where there is more below than a selector. */
function namesOf(expr: Expr): 'kept' | 'dropped' | undefined {
  const below = inner(expr)
  if (below.kind === 'vectorSelector') return 'kept'
  if (below.kind !== 'call' || !isWindowFunction(below.name)) return undefined
  const argument = below.args.find(isRangeSelector)
  if (argument === undefined) return undefined
  if (KEEPS_NAME.has(below.name)) return 'kept'
  // Otherwise series that become equal have to be found, by their labels.
  return matrixHasOneName(matrixOf(argument)) ? 'dropped' : undefined
}

const inner = (expr: Expr): Expr => (expr.kind === 'paren' ? inner(expr.expr) : expr)
const isRangeSelector = (expr: Expr): boolean =>
  expr.kind === 'paren' ? isRangeSelector(expr.expr) : expr.kind === 'matrixSelector'
