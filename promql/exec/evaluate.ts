import { invariant } from '../../lib/index.ts'
import { exprType } from '../check/check.ts'
import { scaleHistogram } from '../histogram/arithmetic.ts'
import type { BinaryExpr, Expr, UnaryExpr } from '../parse/ast.ts'
import { aggregate } from './aggregate.ts'
import { scalarBinary } from './binary-operators.ts'
import { vectorWithScalar } from './binary-scalar.ts'
import { vectorWithVector } from './binary-vector.ts'
import { callScalar, callVector } from './call.ts'
import { contextFor, type EvalContext, type Evaluator, evaluateScalar, evaluateVector } from './context.ts'
import { dropNamesOfSeries } from './drop-names.ts'
import { hasOneName } from './one-name.ts'
import { selectInstant } from './select-instant.ts'
import { SampleCounter } from './sample-counter.ts'
import { histogramAt } from './step-histograms.ts'
import { StepGrid } from './step-grid.ts'
import type { StepSeries } from './step-series.ts'

/** The dispatcher: one function for each kind of expression. */
export const evaluator: Evaluator = { vector, scalar }

function vector(expr: Expr, ctx: EvalContext): Iterable<StepSeries> {
  const { shared } = ctx.query
  return shared.has(expr) ? shared.series(expr, ctx, () => evaluateNode(expr, ctx)) : evaluateNode(expr, ctx)
}

function evaluateNode(expr: Expr, ctx: EvalContext): Iterable<StepSeries> {
  switch (expr.kind) {
    case 'paren':
      return evaluateVector(expr.expr, ctx)
    case 'vectorSelector':
      return selectInstant(expr, ctx)
    case 'call':
      return callVector(expr, ctx)
    case 'aggregation':
      return aggregate(expr, ctx)
    case 'unary':
      return expr.op === '-' ? negate(expr, ctx) : evaluateVector(expr.expr, ctx)
    case 'binary':
      return evaluateBinary(expr, ctx)
    case 'stepInvariant':
      return evaluateOnce(expr.expr, ctx)
    default:
      invariant(false, `${expr.kind} is no instant vector`)
  }
}

function scalar(expr: Expr, ctx: EvalContext): Float64Array {
  const { count } = ctx.grid
  switch (expr.kind) {
    case 'number':
      return new Float64Array(count).fill(expr.value)
    case 'paren':
      return evaluateScalar(expr.expr, ctx)
    case 'unary': {
      const values = evaluateScalar(expr.expr, ctx)
      return expr.op === '-' ? values.map((value) => -value) : values
    }
    case 'binary': {
      const left = evaluateScalar(expr.left, ctx)
      const right = evaluateScalar(expr.right, ctx)
      return left.map((value, step) => scalarBinary(expr.op, value, right[step]!))
    }
    case 'call':
      return callScalar(expr, ctx)
    case 'stepInvariant':
      if (count === 0) return new Float64Array(0)
      return scalarOnce(expr.expr, ctx)
    default:
      invariant(false, `${expr.kind} is no scalar`)
  }
}

function evaluateBinary(expr: BinaryExpr, ctx: EvalContext): Iterable<StepSeries> {
  const leftIsScalar = exprType(expr.left) === 'scalar'
  if (!leftIsScalar && exprType(expr.right) !== 'scalar') return vectorWithVector(expr, ctx)
  return vectorWithScalar(expr, leftIsScalar, ctx)
}

function* negate(expr: UnaryExpr, ctx: EvalContext): Generator<StepSeries> {
  for (const series of dropNamesOfSeries(evaluateVector(expr.expr, ctx), ctx, hasOneName(expr.expr))) {
    for (let step = 0; step < series.values.length; step++) series.values[step] = -series.values[step]!
    series.histograms = series.histograms?.map((histogram) => histogram && scaleHistogram(histogram, -1))
    yield series
  }
}

function scalarOnce(expr: Expr, ctx: EvalContext): Float64Array {
  const once = firstStepOf(ctx)
  const value = evaluateScalar(expr, once)[0]!
  countAtEachStep(once, ctx)
  return new Float64Array(ctx.grid.count).fill(value)
}

/** Evaluates at the first step only, and repeats the value at all others. */
function* evaluateOnce(expr: Expr, ctx: EvalContext): Generator<StepSeries> {
  if (ctx.grid.count === 0) return
  const once = firstStepOf(ctx)
  for (const series of evaluateVector(expr, once)) {
    const repeated = repeat(series, ctx)
    once.pool.release(series)
    yield repeated
  }
  countAtEachStep(once, ctx)
}

function repeat(series: StepSeries, ctx: EvalContext): StepSeries {
  const repeated = ctx.pool.takeConstant(series.labels, series.values[0]!)
  const histogram = histogramAt(series, 0)
  if (histogram !== undefined) {
    repeated.histograms = Array.from(repeated.values, () => histogram)
    ctx.pool.charge(repeated)
  }
  repeated.dropName = series.dropName
  return repeated
}

const firstStepOf = (ctx: EvalContext): EvalContext =>
  contextFor(ctx.query, StepGrid.instant(ctx.grid.startMs), ctx.counter && new SampleCounter(1, false))

function countAtEachStep({ counter }: EvalContext, ctx: EvalContext): void {
  if (counter !== undefined) ctx.counter?.addAtEachStep(counter, ctx.grid.count)
}
