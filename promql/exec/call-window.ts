import { invariant } from '../../lib/index.ts'
import { labelValue, METRIC_NAME, quoteGo } from '../../model/index.ts'
import { exprType } from '../check/check.ts'
import { evaluateMixed } from '../functions/mixed-windows.ts'
import { noteOverlaps, STARTED } from '../functions/started-counters.ts'
import { KEEPS_NAME, windowFunctionOf } from '../functions/window-functions.ts'
import type { WindowFunction } from '../functions/windows.ts'
import type { Call } from '../parse/ast.ts'
import { warnAboutQuantile } from './aggregate.ts'
import { histogramNotes } from './annotations.ts'
import { type EvalContext, evaluateScalar, withGrouping } from './context.ts'
import { dropNamesOfSeries } from './drop-names.ts'
import { type MatrixExpr, matrixHasOneName, matrixOf, selectWindows, type WindowedSeries } from './select-range.ts'
import type { StepSeries } from './step-series.ts'

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/

/** Calls a function of a range vector: one pass over the windows of each series. */
export function callWindowFunction(expr: Call, ctx: EvalContext): Iterable<StepSeries> {
  const matrixArg = expr.args.find((arg) => exprType(arg) === 'matrix')
  invariant(matrixArg !== undefined, `${expr.name} without a range vector`)
  const matrix = matrixOf(matrixArg)
  const evaluated = evaluateWindows(expr, matrix, ctx)
  return KEEPS_NAME.has(expr.name) ? evaluated : dropNamesOfSeries(evaluated, ctx, matrixHasOneName(matrix))
}

function* evaluateWindows(expr: Call, matrix: MatrixExpr, ctx: EvalContext): Generator<StepSeries> {
  const { pool, query } = ctx
  const evaluate = windowFunctionOf(expr.name, matrix.kind === 'matrixSelector' ? matrix.selector : undefined)
  invariant(evaluate !== undefined, `${expr.name} does not go with the selector's modifier`)
  const ofScalars = withGrouping(ctx, undefined)
  const scalars = expr.args.filter((arg) => exprType(arg) === 'scalar').map((arg) => evaluateScalar(arg, ofScalars))
  if (expr.name === 'quantile_over_time') warnAboutQuantile(scalars[0]!, expr.args[0]!.span, ctx)
  const counterNotes =
    expr.name === 'rate' || expr.name === 'increase' ? new CounterNameNotes(matrix, query) : undefined
  for (const series of selectWindows(matrix, ctx, expr.name)) {
    const { dropName, windows } = series
    const out = pool.takeFor(series, windows.histograms !== undefined)
    out.dropName = dropName
    if (windows.histograms === undefined && windows.startTimesMs === undefined) evaluate(windows, scalars, out)
    else evaluateUncommon(expr.name, matrix, series, { scalars, evaluate, ctx }, out)
    if (pool.charge(out) === 0) {
      pool.release(out)
      continue
    }
    if (counterNotes !== undefined && hasFloat(out)) counterNotes.note(series)
    yield out
  }
}

interface WindowCall {
  readonly scalars: readonly Float64Array[]
  readonly evaluate: WindowFunction
  readonly ctx: EvalContext
}

/** Over samples that are histograms, or that say when their counter began. */
function evaluateUncommon(
  name: string,
  matrix: MatrixExpr,
  series: WindowedSeries,
  { scalars, evaluate, ctx }: WindowCall,
  out: StepSeries,
): void {
  const { labels, windows } = series
  const notes = histogramNotes(ctx.query.annotations, labelValue(labels, METRIC_NAME), matrix.span)
  const selector = matrix.kind === 'matrixSelector' ? matrix.selector : undefined
  const edge = selector?.anchored ? 'anchored' : selector?.smoothed ? 'smoothed' : undefined
  const usesStart = edge === undefined && windows.startTimesMs !== undefined
  const evaluateFloats = (usesStart ? STARTED[name] : undefined) ?? evaluate
  if (usesStart && (name === 'rate' || name === 'increase')) noteOverlaps(windows, notes)
  const { histograms } = windows
  if (histograms === undefined) evaluateFloats(windows, scalars, out)
  else
    evaluateMixed(
      { ...windows, histograms },
      { name, edge, scalars, evaluateFloats, notes, onlyFloats: () => series.onlyFloats() },
      out,
    )
}

function hasFloat({ present, histograms }: StepSeries): boolean {
  return histograms === undefined || present.some((flag, step) => flag === 1 && histograms[step] === undefined)
}

/** Says of series that they may be no counters. */
class CounterNameNotes {
  readonly #matrix: MatrixExpr
  readonly #query: EvalContext['query']
  /** The name of all series, where the selector says so: noted once. */
  readonly #oneName: string | undefined
  #isNoted = false

  constructor(matrix: MatrixExpr, query: EvalContext['query']) {
    this.#matrix = matrix
    this.#query = query
    const selector = matrix.kind === 'matrixSelector' && !query.typeAndUnitLabels ? matrix.selector : undefined
    this.#oneName = selector?.matchers.find(({ name, type }) => type === '=' && name === METRIC_NAME)?.value
  }

  note(series: Pick<WindowedSeries, 'labels'>): void {
    if (this.#oneName === undefined) {
      this.#noteName(labelValue(series.labels, METRIC_NAME), series)
    } else if (!this.#isNoted) {
      this.#isNoted = true
      this.#noteName(this.#oneName, series)
    }
  }

  #noteName(name: string, series: Pick<WindowedSeries, 'labels'>): void {
    const { annotations, typeAndUnitLabels } = this.#query
    if (typeAndUnitLabels) {
      const type = labelValue(series.labels, '__type__')
      if (name === '' || type === 'counter' || type === 'histogram') return
      const text = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram", got'
      annotations.info(`${text} ${quoteGo(type)}: ${quoteGo(name)}`, this.#matrix.span)
      return
    }
    if (name === '' || COUNTER_NAME.test(name)) return
    const text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket:'
    annotations.info(`${text} ${quoteGo(name)}`, this.#matrix.span)
  }
}
