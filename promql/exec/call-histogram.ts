import {
  formatFloatGeneral,
  formatFloatPlain,
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  normalizeBucketBound,
  parseGoFloat,
  projectLabels,
  quoteGo,
  withLabels,
} from '../../model/index.ts'
import {
  type Bucket,
  type BucketsResult,
  bucketFraction,
  bucketQuantile,
  type MonotonicityFix,
} from '../functions/classic-buckets.ts'
import type { Call, Expr } from '../parse/ast.ts'
import { warnAboutQuantile } from './aggregate.ts'
import { forMetric } from './annotations.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { dropNames } from './drop-names.ts'
import { evaluateString } from './evaluate-string.ts'
import { hasOneName } from './one-name.ts'
import type { StepSeries } from './step-series.ts'

const BUCKET_BOUND = new Set(['le'])

/** `histogram_quantile(φ, buckets)`. */
export function* histogramQuantile(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [phiArg, bucketsArg] = expr.args as [Expr, Expr]
  const phis = evaluateScalar(phiArg, ctx)
  warnAboutQuantile(phis, phiArg.span, ctx)
  const evaluate: BucketFunction = (buckets, step) => bucketQuantile(phis[step]!, buckets)
  yield* dropNames(evaluateBuckets(bucketsArg, [{ evaluate, labels: [] }], ctx), ctx, hasOneName(bucketsArg))
}

/** `histogram_quantiles(buckets, "label", φ…)`: one output series for each φ, told apart by the label. */
export function* histogramQuantiles(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [bucketsArg, labelArg, ...phiArgs] = expr.args as [Expr, Expr, ...Expr[]]
  const label = evaluateString(labelArg)
  const outputs = phiArgs.map((phiArg) => {
    const phis = evaluateScalar(phiArg, ctx)
    warnAboutQuantile(phis, phiArg.span, ctx)
    const evaluate: BucketFunction = (buckets, step) => bucketQuantile(phis[step]!, buckets)
    return { evaluate, labels: [[label, normalizeBucketBound(formatFloatPlain(phis[0] ?? Number.NaN))]] as const }
  })
  yield* dropNames(evaluateBuckets(bucketsArg, outputs, ctx), ctx, hasOneName(bucketsArg))
}

/** `histogram_fraction(lower, upper, buckets)`. */
export function* histogramFraction(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [lowerArg, upperArg, bucketsArg] = expr.args as [Expr, Expr, Expr]
  const lowers = evaluateScalar(lowerArg, ctx)
  const uppers = evaluateScalar(upperArg, ctx)
  const evaluate: BucketFunction = (buckets, step) => bucketFraction(lowers[step]!, uppers[step]!, buckets)
  yield* dropNames(evaluateBuckets(bucketsArg, [{ evaluate, labels: [] }], ctx), ctx, hasOneName(bucketsArg))
}

type BucketFunction = (buckets: Bucket[], step: number) => BucketsResult

interface BucketOutput {
  readonly evaluate: BucketFunction
  /** Laid over the group's labels. */
  readonly labels: Iterable<readonly [string, string]>
}

/** The buckets of one classic histogram. */
interface HistogramGroup {
  readonly labels: Labels
  readonly members: { readonly upperBound: number; readonly series: StepSeries }[]
  readonly dropName: boolean
}

function* evaluateBuckets(bucketsArg: Expr, outputs: readonly BucketOutput[], ctx: EvalContext): Generator<StepSeries> {
  for (const group of collectGroups(bucketsArg, ctx)) {
    ctx.query.limits.poll()
    for (const { evaluate, labels } of outputs) {
      const out = ctx.pool.take(withLabels(group.labels, labels))
      out.dropName = group.dropName
      evaluateGroup(group, evaluate, out, bucketsArg, ctx)
      if (ctx.pool.charge(out) > 0) yield out
      else ctx.pool.release(out)
    }
    for (const { series } of group.members) ctx.pool.release(series)
  }
}

function collectGroups(bucketsArg: Expr, ctx: EvalContext): Iterable<HistogramGroup> {
  const groups = new Map<string, HistogramGroup>()
  for (const series of evaluateVector(bucketsArg, ctx)) {
    const boundText = labelValue(series.labels, 'le')
    const upperBound = parseGoFloat(boundText)
    if (upperBound === undefined) {
      const name = labelValue(series.labels, METRIC_NAME)
      const text = `bucket label "le" is missing or has a malformed value of ${quoteGo(boundText)}`
      ctx.query.annotations.warn(text + forMetric(name), bucketsArg.span)
      ctx.pool.release(series)
      continue
    }
    const labels = projectLabels(series.labels, BUCKET_BOUND, false)
    const key = labelsKey(labels)
    let group = groups.get(key)
    if (group === undefined) {
      group = { labels, members: [], dropName: series.dropName }
      groups.set(key, group)
    }
    group.members.push({ upperBound, series })
  }
  return groups.values()
}

function evaluateGroup(
  group: HistogramGroup,
  evaluate: BucketFunction,
  out: StepSeries,
  bucketsArg: Expr,
  ctx: EvalContext,
): void {
  group.members.sort((a, b) => a.upperBound - b.upperBound)
  const fixes: TimedFix[] = []
  for (let step = 0; step < ctx.grid.count; step++) {
    const buckets: Bucket[] = []
    for (const { upperBound, series } of group.members) {
      if (series.present[step] === 1) buckets.push({ upperBound, count: series.values[step]! })
    }
    if (buckets.length === 0) continue
    const { value, fix } = evaluate(buckets, step)
    out.values[step] = value
    out.present[step] = 1
    if (fix !== undefined) fixes.push({ fix, timeMs: ctx.grid.timeMs(step) })
  }
  if (fixes.length > 0) noteMonotonicity(group, fixes, bucketsArg, ctx)
}

interface TimedFix {
  readonly fix: MonotonicityFix
  readonly timeMs: number
}

function noteMonotonicity(group: HistogramGroup, fixes: readonly TimedFix[], bucketsArg: Expr, ctx: EvalContext): void {
  const from = formatFloatGeneral(Math.min(...fixes.map(({ fix }) => fix.fromBound)))
  const to = formatFloatGeneral(Math.max(...fixes.map(({ fix }) => fix.toBound)))
  const maxDiff = formatFloatGeneral(Number(Math.max(...fixes.map(({ fix }) => fix.maxDiff)).toPrecision(2)))
  const period = `from ${rfc3339(fixes[0]!.timeMs)} to ${rfc3339(fixes[fixes.length - 1]!.timeMs)}`
  ctx.query.annotations.info(
    'input to histogram_quantile needed to be fixed for monotonicity ' +
      '(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)' +
      `${forMetric(labelValue(group.labels, METRIC_NAME))}, from buckets ${from} to ${to}, ` +
      `with a max diff of ${maxDiff}, over ${fixes.length} samples ${period}`,
    bucketsArg.span,
  )
}

const rfc3339 = (timeMs: number): string => new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z')
