import type { Expr, VectorSelector } from '../parse/ast.ts'
import { childrenOf } from '../parse/walk.ts'

const WANT_STATS: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg'])
const WANT_BUCKETS: ReadonlySet<string> = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
  'histogram_stddev',
  'histogram_stdvar',
])

/**
 * Selectors whose histograms are asked for their count or sum only. For these Prometheus looks for counter resets at every
 * sample while it reads, so that contradictions between series come to light which otherwise are not known of.
 */
export function findStatsSelectors(expr: Expr): ReadonlySet<VectorSelector> {
  const found = new Set<VectorSelector>()
  const visit = (inner: Expr, wantsStats: boolean): void => {
    if (inner.kind === 'vectorSelector') {
      if (wantsStats) found.add(inner)
      return
    }
    let wanted = wantsStats && inner.kind !== 'binary' && inner.kind !== 'subquery'
    if (inner.kind === 'call' && WANT_STATS.has(inner.name)) wanted = true
    if (inner.kind === 'call' && WANT_BUCKETS.has(inner.name)) wanted = false
    for (const child of childrenOf(inner)) visit(child, wanted)
  }
  visit(expr, false)
  return found
}
