import type { Expr, VectorSelector } from '../parse/ast.ts'
import { type CommonParts, findCommonParts } from './common.ts'
import { hasOwnTimes, type QueryTimes } from './durations.ts'
import { findStatsSelectors } from './histogram-stats.ts'
import { planQuery } from './plan.ts'
import { type ReusablePlan, reusablePlan } from './reusable.ts'

/** An expression as it is evaluated, and what is known of it before a sample is read. Shared by evaluations: not to be changed. */
export interface QueryPlan {
  readonly expr: Expr
  readonly statsSelectors: ReadonlySet<VectorSelector>
  readonly commonParts: CommonParts
  /** For range queries; `undefined` where answers may not be put together. */
  readonly reusable: ReusablePlan | undefined
}

/** For as long as somebody keeps the expression. */
const kept = new WeakMap<Expr, QueryPlan>()

/**
 * Rules and dashboards evaluate the same parsed expression at one time after the other: unless the times have a say in it, its
 * plan is made once.
 *
 * @throws {QueryExecutionError} as `planQuery`
 */
export function queryPlanOf(
  expr: Expr,
  times: Omit<QueryTimes, 'defaultSubqueryStepMs'>,
  defaultSubqueryStepMs: () => number,
): QueryPlan {
  let plan = kept.get(expr)
  if (plan === undefined) {
    plan = makePlan(expr, { ...times, defaultSubqueryStepMs: defaultSubqueryStepMs() })
    if (hasOwnTimes(expr)) kept.set(expr, plan)
  }
  return plan
}

function makePlan(source: Expr, times: QueryTimes): QueryPlan {
  const expr = planQuery(source, times)
  const statsSelectors = findStatsSelectors(expr)
  return { expr, statsSelectors, commonParts: findCommonParts(expr, statsSelectors), reusable: reusablePlan(expr) }
}
