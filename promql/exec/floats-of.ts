import type { Expr } from '../parse/ast.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { dropHistograms } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** The series of a vector without their histograms, which most functions leave out without a word. */
export function* floatsOf(input: Expr, ctx: EvalContext): Generator<StepSeries> {
  for (const series of evaluateVector(input, ctx)) {
    if (dropHistograms(series) && ctx.pool.charge(series) === 0) ctx.pool.release(series)
    else yield series
  }
}
