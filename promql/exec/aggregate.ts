import {
  compareLabels,
  formatFloatGeneral,
  formatFloatPlain,
  type Labels,
  labelsKey,
  METRIC_NAME,
  quoteGo,
  withLabels,
} from '../../model/index.ts'
import { isLabelName } from '../functions/label-functions.ts'
import { betweenRanks, quantileOfSorted, sortNaNFirst } from '../functions/quantile.ts'
import { histogramText } from '../histogram/format.ts'
import type { Aggregation } from '../parse/ast.ts'
import { type Accumulator, createAccumulator } from './accumulators.ts'
import { aggregateNewest } from './aggregate-newest.ts'
import { selectSeries } from './aggregate-select.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { QueryExecutionError } from './errors.ts'
import { evaluateString } from './evaluate-string.ts'
import { HistogramAccumulator, ignoreHistograms } from './histogram-accumulator.ts'
import { contextBelow, GroupTable } from './group-table.ts'
import { type Grouping, groupingOf } from './label-grouping.ts'
import { dropHistograms, histogramAt } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** Aggregates over series. Sums and their like take series as they come, so that memory follows the number of groups. */
export function aggregate(expr: Aggregation, ctx: EvalContext): Iterable<StepSeries> {
  const grouping = groupingOf(expr)
  switch (expr.op) {
    case 'topk':
    case 'bottomk':
    case 'limitk':
    case 'limit_ratio':
      return selectSeries(expr, grouping, ctx)
    case 'quantile':
      return quantiles(expr, grouping, ctx)
    case 'count_values':
      return countValues(expr, grouping, ctx)
    default: {
      const below = contextBelow(expr, ctx)
      return aggregateNewest(expr, below) ?? accumulate(expr, grouping, below, ctx)
    }
  }
}

/** Whether groups keep the metric name, which then may still have to be dropped at the end. */
const keepsName = (expr: Aggregation): boolean => !expr.without && expr.grouping.includes(METRIC_NAME)

interface Group {
  readonly labels: Labels
  readonly accumulator: Accumulator
  /** Sums of the histograms at each step, once there has been one. */
  histograms: HistogramAccumulator | undefined
  dropName: boolean
}

function* accumulate(
  expr: Aggregation,
  grouping: Grouping,
  below: EvalContext,
  ctx: EvalContext,
): Generator<StepSeries> {
  const groups = new GroupTable<Group>(grouping, (labels) => {
    ctx.query.limits.hold(ctx.grid.count)
    const accumulator = createAccumulator(expr.op, ctx.grid.count, ctx.pool.kernels)
    return { labels, accumulator, histograms: undefined, dropName: false }
  })
  for (const series of evaluateVector(expr.expr, below)) {
    const group = groups.of(series)
    group.dropName ||= series.dropName
    if (series.histograms !== undefined) takeHistograms(series, expr, group, ctx)
    group.accumulator.add(series)
    ctx.pool.release(series)
  }
  for (const { labels, accumulator, histograms, dropName } of inOrder(groups.values(), expr, ctx)) {
    const out = ctx.pool.take(labels)
    out.dropName = dropName && keepsName(expr)
    accumulator.finish(out)
    histograms?.finish(out)
    ctx.query.limits.hold(-ctx.grid.count)
    if (ctx.pool.charge(out) > 0) yield out
    else ctx.pool.release(out)
  }
}

/** Groups come as their first series did, unless what they go into must not depend on which came first. */
function inOrder<T extends { readonly labels: Labels }>(
  groups: Iterable<T>,
  expr: Aggregation,
  { query }: EvalContext,
): Iterable<T> {
  if (query.reuse?.sorted.has(expr) !== true) return groups
  return [...groups].sort((a, b) => compareLabels(a.labels, b.labels))
}

/** Moves histograms out of a series into their own sums; to the other aggregations they are nothing, or one more to count. */
function takeHistograms(series: StepSeries, expr: Aggregation, group: Group, ctx: EvalContext): void {
  if (expr.op === 'count' || expr.op === 'group') return
  if (expr.op === 'sum' || expr.op === 'avg') {
    group.histograms ??= new HistogramAccumulator(expr, ctx)
    group.histograms.add(series)
    dropHistograms(series)
  } else {
    ignoreHistograms(series, expr, ctx)
  }
}

function* quantiles(expr: Aggregation, grouping: Grouping, ctx: EvalContext): Generator<StepSeries> {
  const phis = evaluateScalar(expr.param!, ctx)
  warnAboutQuantile(phis, expr.param!.span, ctx)
  const groups = new GroupTable(grouping, (labels) => ({ labels, members: [] as StepSeries[] }))
  for (const series of evaluateVector(expr.expr, contextBelow(expr, ctx))) {
    ignoreHistograms(series, expr, ctx)
    groups.of(series).members.push(series)
  }
  for (const { labels, members } of inOrder(groups.values(), expr, ctx)) {
    const out = ctx.pool.take(labels)
    out.dropName = keepsName(expr) && members.some((series) => series.dropName)
    quantileOfMembers(phis, members, out, ctx)
    for (const series of members) ctx.pool.release(series)
    if (ctx.pool.charge(out) > 0) yield out
    else ctx.pool.release(out)
  }
}

function quantileOfMembers(
  phis: Float64Array,
  members: readonly StepSeries[],
  out: StepSeries,
  ctx: EvalContext,
): void {
  const phi = phis[0]!
  const isSame = phi >= 0 && phi <= 1 && phis.every((other) => other === phi)
  const bounds = isSame ? ctx.pool.kernels.quantileBounds(members, phi) : undefined
  const buffer = new Float64Array(members.length)
  for (let step = 0; step < ctx.grid.count; step++) {
    const known = bounds?.counts[step] ?? -1
    if (known === 0) continue
    if (known > 0) {
      out.values[step] = betweenRanks(phi, known, bounds!.lower[step]!, bounds!.upper[step]!)
    } else {
      let n = 0
      for (const series of members) if (series.present[step] === 1) buffer[n++] = series.values[step]!
      if (n === 0) continue
      out.values[step] = quantileOfSorted(phis[step]!, sortNaNFirst(buffer.subarray(0, n)))
    }
    out.present[step] = 1
  }
}

/** Warns for each distinct φ outside of 0–1. */
export function warnAboutQuantile(phis: Float64Array, span: Aggregation['span'], ctx: EvalContext): void {
  for (const phi of phis) {
    if (phi >= 0 && phi <= 1) continue
    ctx.query.annotations.warn(`quantile value should be between 0 and 1, got ${formatFloatGeneral(phi)}`, span)
  }
}

function* countValues(expr: Aggregation, grouping: Grouping, ctx: EvalContext): Generator<StepSeries> {
  const label = evaluateString(expr.param!)
  if (!isLabelName(label)) throw new QueryExecutionError(`invalid label name ${quoteGo(label)}`)
  const counts = new Map<string, StepSeries>()
  for (const series of evaluateVector(expr.expr, ctx)) {
    const groupLabels = grouping.labelsOf(series.labels)
    for (let step = 0; step < ctx.grid.count; step++) {
      if (series.present[step] === 0) continue
      const histogram = histogramAt(series, step)
      const value = histogram === undefined ? formatFloatPlain(series.values[step]!) : histogramText(histogram)
      // Groups may differ in just the label that now holds the value.
      const labels = withLabels(groupLabels, [[label, value]])
      const key = labelsKey(labels)
      let out = counts.get(key)
      if (out === undefined) {
        out = ctx.pool.take(labels)
        counts.set(key, out)
      }
      out.values[step] = out.present[step] === 1 ? out.values[step]! + 1 : 1
      out.present[step] = 1
      out.dropName ||= keepsName(expr) && series.dropName
    }
    ctx.pool.release(series)
  }
  for (const series of counts.values()) {
    ctx.pool.charge(series)
    yield series
  }
}
