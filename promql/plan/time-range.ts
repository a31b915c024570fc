import type { TimeRange } from '../../model/index.ts'
import type { Expr, VectorSelector } from '../parse/ast.ts'

/** All times at which samples may be read to evaluate `expr` at steps from `startMs` to `endMs`. */
export function readRangeOf(expr: Expr, times: TimeRange, lookbackDeltaMs: number): TimeRange {
  let minTimeMs = Number.POSITIVE_INFINITY
  let maxTimeMs = Number.NEGATIVE_INFINITY
  const visit = (inner: Expr, at: TimeRange): void => {
    switch (inner.kind) {
      case 'number':
      case 'string':
        return
      case 'vectorSelector':
        return widen(selectorRange(inner, at, lookbackDeltaMs, 0))
      case 'matrixSelector':
        return widen(selectorRange(inner.selector, at, lookbackDeltaMs, inner.rangeMs))
      case 'subquery': {
        const fixedMs = inner.at?.kind === 'time' ? inner.at.timestampMs : undefined
        return visit(inner.expr, {
          minTimeMs: (fixedMs ?? at.minTimeMs) - inner.offsetMs - inner.rangeMs,
          maxTimeMs: (fixedMs ?? at.maxTimeMs) - inner.offsetMs,
        })
      }
      case 'call':
        return inner.args.forEach((arg) => visit(arg, at))
      case 'aggregation':
        if (inner.param) visit(inner.param, at)
        return visit(inner.expr, at)
      case 'binary':
        visit(inner.left, at)
        return visit(inner.right, at)
      case 'unary':
      case 'paren':
      case 'stepInvariant':
        return visit(inner.expr, at)
    }
  }
  const widen = (range: TimeRange): void => {
    minTimeMs = Math.min(minTimeMs, range.minTimeMs)
    maxTimeMs = Math.max(maxTimeMs, range.maxTimeMs)
  }
  visit(expr, times)
  return minTimeMs <= maxTimeMs ? { minTimeMs, maxTimeMs } : times
}

/**
 * Times one selector reads for steps in `at`: windows are open on the left, so the first millisecond is left out.
 *
 * @param rangeMs 0 for an instant selector
 */
export function selectorRange(
  selector: VectorSelector,
  at: TimeRange,
  lookbackDeltaMs: number,
  rangeMs: number,
): TimeRange {
  const fixedMs = selector.at?.kind === 'time' ? selector.at.timestampMs : undefined
  const extended = selector.anchored || selector.smoothed
  const backMs = rangeMs === 0 ? lookbackDeltaMs : rangeMs + (extended ? lookbackDeltaMs : 0)
  const aheadMs = selector.smoothed ? lookbackDeltaMs : 0
  return {
    minTimeMs: (fixedMs ?? at.minTimeMs) - selector.offsetMs - backMs + 1,
    maxTimeMs: (fixedMs ?? at.maxTimeMs) - selector.offsetMs + aheadMs,
  }
}
