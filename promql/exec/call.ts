import { invariant } from '../../lib/index.ts'
import { EMPTY_LABELS, type NativeHistogram } from '../../model/index.ts'
import { dateFunctions } from '../functions/date.ts'
import { parametricMath, unaryMath } from '../functions/math.ts'
import { isWindowFunction } from '../functions/window-functions.ts'
import { histogramVariance } from '../histogram/quantile.ts'
import type { Call, Expr } from '../parse/ast.ts'
import { absent, absentOverTime } from './call-absent.ts'
import { histogramFraction, histogramQuantile, histogramQuantiles } from './call-histogram.ts'
import { info } from './call-info.ts'
import { changeLabels } from './call-labels.ts'
import { sortByLabel, sortByValue } from './call-sort.ts'
import { callWindowFunction } from './call-window.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { dropNames } from './drop-names.ts'
import { floatsOf } from './floats-of.ts'
import { hasOneName } from './one-name.ts'
import { selectInstant, selectsOneName } from './select-instant.ts'
import { histogramAt } from './step-histograms.ts'
import { countPresent, type StepSeries } from './step-series.ts'

type VectorFunction = (expr: Call, ctx: EvalContext) => Iterable<StepSeries>

const VECTOR_FUNCTIONS: Readonly<Record<string, VectorFunction>> = {
  absent,
  absent_over_time: absentOverTime,
  histogram_fraction: histogramFraction,
  histogram_quantile: histogramQuantile,
  histogram_quantiles: histogramQuantiles,
  histogram_avg: ofHistograms((h) => h.sum / h.count),
  histogram_count: ofHistograms((h) => h.count),
  histogram_stddev: ofHistograms((h) => Math.sqrt(histogramVariance(h))),
  histogram_stdvar: ofHistograms(histogramVariance),
  histogram_sum: ofHistograms((h) => h.sum),
  info,
  label_join: changeLabels,
  label_replace: changeLabels,
  sort: sortByValue,
  sort_desc: sortByValue,
  sort_by_label: sortByLabel,
  sort_by_label_desc: sortByLabel,
  start_timestamp: startTimestamp,
  timestamp,
  vector: vectorOfScalar,
}

/** Calls a function that returns an instant vector. */
export function callVector(expr: Call, ctx: EvalContext): Iterable<StepSeries> {
  if (isWindowFunction(expr.name)) return callWindowFunction(expr, ctx)
  const unary = unaryMath[expr.name] ?? (expr.args.length > 0 ? dateFunctions[expr.name] : undefined)
  if (unary !== undefined) return mapValues(expr, unary, ctx)
  if (parametricMath[expr.name] !== undefined) return mapWithParameters(expr, ctx)
  if (dateFunctions[expr.name] !== undefined) return dateOfNow(expr, ctx)
  const call = VECTOR_FUNCTIONS[expr.name]
  invariant(call !== undefined, `function ${expr.name} is known to the parser only`)
  return call(expr, ctx)
}

/** Calls a function that returns a scalar. */
export function callScalar(expr: Call, ctx: EvalContext): Float64Array {
  const { grid, query } = ctx
  const constant = (value: number): Float64Array => new Float64Array(grid.count).fill(value)
  switch (expr.name) {
    case 'time':
      return grid.timesMs.map((timeMs) => timeMs / 1000)
    case 'pi':
      return constant(Math.PI)
    case 'start':
      return constant(query.startMs / 1000)
    case 'end':
      return constant(query.endMs / 1000)
    case 'step':
      return constant(query.stepMs / 1000)
    case 'range':
      return constant((query.endMs - query.startMs) / 1000)
    case 'min_of':
    case 'max_of': {
      const pick = expr.name === 'min_of' ? Math.min : Math.max
      const right = evaluateScalar(expr.args[1]!, ctx)
      return evaluateScalar(expr.args[0]!, ctx).map((left, step) => pick(left, right[step]!))
    }
    default:
      invariant(expr.name === 'scalar', `function ${expr.name} is known to the parser only`)
      return scalarOfVector(expr.args[0]!, ctx)
  }
}

/** The value where exactly one series is present, NaN elsewhere. */
function scalarOfVector(expr: Expr, ctx: EvalContext): Float64Array {
  const values = new Float64Array(ctx.grid.count).fill(Number.NaN)
  const seen = new Uint8Array(ctx.grid.count)
  for (const series of evaluateVector(expr, ctx)) {
    for (let step = 0; step < values.length; step++) {
      if (series.present[step] === 0 || histogramAt(series, step) !== undefined) continue
      values[step] = seen[step] === 0 ? series.values[step]! : Number.NaN
      seen[step] = 1
    }
    ctx.pool.release(series)
  }
  return values
}

function* mapValues(expr: Call, map: (x: number) => number, ctx: EvalContext): Generator<StepSeries> {
  const input = expr.args[0]!
  for (const series of dropNames(floatsOf(input, ctx), ctx, hasOneName(input))) {
    for (let step = 0; step < series.values.length; step++) series.values[step] = map(series.values[step]!)
    yield series
  }
}

function* mapWithParameters(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const map = parametricMath[expr.name]!
  const input = expr.args[0]!
  const parameters = expr.args.slice(1).map((arg) => evaluateScalar(arg, ctx))
  for (const series of dropNames(floatsOf(input, ctx), ctx, hasOneName(input))) {
    for (let step = 0; step < series.values.length; step++) {
      const atStep = parameters.map((values) => values[step])
      const value = map(series.values[step]!, atStep)
      if (value === undefined) series.present[step] = 0
      else series.values[step] = value
    }
    if (countPresent(series.present) > 0) yield series
    else ctx.pool.release(series)
  }
}

/** Date functions without an argument look at the evaluation time. */
function* dateOfNow(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const ofSeconds = dateFunctions[expr.name]!
  const series = ctx.pool.takeConstant(EMPTY_LABELS, 0)
  for (let step = 0; step < series.values.length; step++) series.values[step] = ofSeconds(ctx.grid.timeMs(step) / 1000)
  yield series
}

function* vectorOfScalar(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const series = ctx.pool.takeConstant(EMPTY_LABELS, 0)
  series.values.set(evaluateScalar(expr.args[0]!, ctx))
  yield series
}

/** Of a selector the samples' own times, of anything else the evaluation time. */
function* timestamp(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const input = bareExpr(expr.args[0]!)
  if (input.kind === 'vectorSelector') {
    yield* dropNames(selectInstant(input, ctx, { times: 'sample' }), ctx, selectsOneName(input))
    return
  }
  for (const series of dropNames(evaluateVector(input, ctx), ctx, hasOneName(input))) {
    for (let step = 0; step < series.values.length; step++) series.values[step] = ctx.grid.timeMs(step) / 1000
    series.histograms = undefined
    yield series
  }
}

/** Of a selector the times at which the samples' counters began, 0 where it is not known; of anything else nothing. */
function* startTimestamp(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const input = bareExpr(expr.args[0]!)
  if (input.kind === 'vectorSelector') {
    yield* dropNames(selectInstant(input, ctx, { times: 'start' }), ctx, selectsOneName(input))
  } else {
    for (const series of evaluateVector(input, ctx)) ctx.pool.release(series)
  }
}

const bareExpr = (expr: Expr): Expr =>
  expr.kind === 'paren' || expr.kind === 'stepInvariant' ? bareExpr(expr.expr) : expr

/** A function of what only native histograms carry; floats give no result. */
function ofHistograms(valueOf: (h: NativeHistogram) => number): VectorFunction {
  return function* (expr, ctx) {
    const input = expr.args[0]!
    yield* dropNames(histogramsOf(input, valueOf, ctx), ctx, hasOneName(input))
  }
}

function* histogramsOf(input: Expr, valueOf: (h: NativeHistogram) => number, ctx: EvalContext): Generator<StepSeries> {
  for (const series of evaluateVector(input, ctx)) {
    const { present, values, histograms } = series
    for (let step = 0; step < present.length; step++) {
      const histogram = histograms?.[step]
      if (histogram === undefined) present[step] = 0
      else if (present[step] === 1) values[step] = valueOf(histogram)
    }
    series.histograms = undefined
    if (ctx.pool.charge(series) > 0) yield series
    else ctx.pool.release(series)
  }
}
