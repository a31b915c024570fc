import { compareLabels, EMPTY_LABELS, type VectorSample } from '../../model/index.ts'
import { exprType } from '../check/check.ts'
import type { Expr } from '../parse/ast.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { LabelMerger, withoutName } from './drop-names.ts'
import { evaluateString } from './evaluate-string.ts'
import type { MatrixSeries, QueryResult } from './result.ts'
import { matrixOf, selectWindows } from './select-range.ts'
import type { StepSeries } from './step-series.ts'

interface Materialized {
  readonly result: QueryResult
  readonly sortSeconds: number
}

/** Evaluates on a grid of one step. A range vector gives its raw samples. */
export function instantResult(expr: Expr, ctx: EvalContext): Materialized {
  const timestampMs = ctx.grid.startMs
  switch (exprType(expr)) {
    case 'scalar':
      return unsorted({ type: 'scalar', timestampMs, value: evaluateScalar(expr, ctx)[0]! })
    case 'string':
      return unsorted({ type: 'string', timestampMs, value: evaluateString(expr) })
    case 'vector':
      return unsorted({ type: 'vector', samples: vectorSamples(expr, ctx) })
    case 'matrix':
      return sorted(rawSeries(expr, ctx))
  }
}

/** Evaluates a scalar or an instant vector at all steps. */
export function rangeResult(expr: Expr, ctx: EvalContext): Materialized {
  if (exprType(expr) === 'scalar') {
    const values = evaluateScalar(expr, ctx).slice()
    return unsorted({ type: 'matrix', series: [{ labels: EMPTY_LABELS, timestampsMs: ctx.grid.timesMs, values }] })
  }
  const series: MatrixSeries[] = []
  for (const step of finalNames(evaluateVector(expr, ctx), ctx)) {
    series.push(toMatrixSeries(step, ctx))
  }
  return sorted(series)
}

const unsorted = (result: QueryResult): Materialized => ({ result, sortSeconds: 0 })

function sorted(series: MatrixSeries[]): Materialized {
  const startedAt = performance.now()
  series.sort((a, b) => compareLabels(a.labels, b.labels))
  return { result: { type: 'matrix', series }, sortSeconds: (performance.now() - startedAt) / 1000 }
}

function vectorSamples(expr: Expr, ctx: EvalContext): VectorSample[] {
  const samples: VectorSample[] = []
  const timestampMs = ctx.grid.startMs
  for (const { labels, values, histograms } of finalNames(evaluateVector(expr, ctx), ctx)) {
    const histogram = histograms?.[0]
    if (histogram === undefined) samples.push({ labels, timestampMs, value: values[0]! })
    else samples.push({ labels, timestampMs, value: Number.NaN, histogram })
  }
  return samples
}

/** Takes away the names whose removal was delayed; only series that thereby change can meet others. */
function finalNames(input: Iterable<StepSeries>, ctx: EvalContext): Iterable<StepSeries> {
  if (!ctx.query.delayedNameRemoval) return input
  const merger = new LabelMerger(ctx)
  for (const series of input) {
    if (series.dropName) series.labels = withoutName(series.labels)
    merger.add(series)
  }
  return merger.series()
}

function toMatrixSeries(series: StepSeries, ctx: EvalContext): MatrixSeries {
  const { labels, values, present, histograms } = series
  const count = ctx.pool.kernels.countPresent(series)
  if (count === ctx.grid.count) {
    const timestampsMs = ctx.grid.timesMs
    return histograms === undefined ? { labels, timestampsMs, values } : { labels, timestampsMs, values, histograms }
  }
  const timestampsMs = new Float64Array(count)
  const compact = new Float64Array(count)
  let at = 0
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0) continue
    timestampsMs[at] = ctx.grid.timeMs(step)
    compact[at++] = values[step]!
  }
  if (histograms === undefined) return { labels, timestampsMs, values: compact }
  return { labels, timestampsMs, values: compact, histograms: histograms.filter((_, step) => present[step] === 1) }
}

function rawSeries(expr: Expr, ctx: EvalContext): MatrixSeries[] {
  const all: MatrixSeries[] = []
  for (const { labels, dropName, windows } of selectWindows(matrixOf(expr), ctx, '')) {
    const from = windows.bounds.lo[0]!
    const to = windows.bounds.hi[0]!
    if (from >= to) continue
    ctx.query.limits.hold(to - from)
    all.push({
      labels: dropName ? withoutName(labels) : labels,
      timestampsMs: windows.timestampsMs.slice(from, to),
      values: windows.values.slice(from, to),
      histograms: windows.histograms?.slice(from, to),
    })
  }
  return all
}
