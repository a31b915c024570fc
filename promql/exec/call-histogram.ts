import {
  formatFloatGeneral,
  formatFloatPlain,
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  type NativeHistogram,
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
import { histogramFractionOf, histogramQuantileOf, type NaNEffect } from '../histogram/quantile.ts'
import type { Call, Expr } from '../parse/ast.ts'
import { warnAboutQuantile } from './aggregate.ts'
import { forMetric } from './annotations.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { dropNames } from './drop-names.ts'
import { evaluateString } from './evaluate-string.ts'
import { hasOneName } from './one-name.ts'
import { histogramAt, putFloat } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

const BUCKET_BOUND = new Set(['le'])

/** `histogram_quantile(φ, buckets)`. */
export function* histogramQuantile(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [phiArg, bucketsArg] = expr.args as [Expr, Expr]
  const phis = evaluateScalar(phiArg, ctx)
  warnAboutQuantile(phis, phiArg.span, ctx)
  const output = { ...quantileOf(phis), labels: [] }
  yield* dropNames(evaluateBuckets(bucketsArg, [output], ctx), ctx, hasOneName(bucketsArg))
}

/** `histogram_quantiles(buckets, "label", φ…)`: one output series for each φ, told apart by the label. */
export function* histogramQuantiles(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [bucketsArg, labelArg, ...phiArgs] = expr.args as [Expr, Expr, ...Expr[]]
  const label = evaluateString(labelArg)
  const outputs = phiArgs.map((phiArg) => {
    const phis = evaluateScalar(phiArg, ctx)
    warnAboutQuantile(phis, phiArg.span, ctx)
    const value = normalizeBucketBound(formatFloatPlain(phis[0] ?? Number.NaN))
    return { ...quantileOf(phis), labels: [[label, value]] as const }
  })
  yield* dropNames(evaluateBuckets(bucketsArg, outputs, ctx), ctx, hasOneName(bucketsArg))
}

/** `histogram_fraction(lower, upper, buckets)`. */
export function* histogramFraction(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [lowerArg, upperArg, bucketsArg] = expr.args as [Expr, Expr, Expr]
  const lowers = evaluateScalar(lowerArg, ctx)
  const uppers = evaluateScalar(upperArg, ctx)
  const output: BucketOutput = {
    classic: (buckets, step) => bucketFraction(lowers[step]!, uppers[step]!, buckets),
    native: (h, step) => ({
      value: histogramFractionOf(lowers[step]!, uppers[step]!, h),
      note:
        h.count > 0 && Number.isNaN(h.sum)
          ? 'histogram_fraction has NaN observations, which are excluded from all fractions'
          : '',
    }),
    labels: [],
  }
  yield* dropNames(evaluateBuckets(bucketsArg, [output], ctx), ctx, hasOneName(bucketsArg))
}

function quantileOf(phis: Float64Array): Pick<BucketOutput, 'classic' | 'native'> {
  return {
    classic: (buckets, step) => bucketQuantile(phis[step]!, buckets),
    native: (h, step) => {
      const { value, nan } = histogramQuantileOf(phis[step]!, h)
      return { value, note: QUANTILE_NOTES[nan] }
    },
  }
}

const QUANTILE_NOTES: Readonly<Record<NaNEffect, string>> = {
  none: '',
  isNaN: 'histogram_quantile has NaN observations, result is NaN',
  skewed: 'histogram_quantile has NaN observations, result is skewed higher',
}

interface BucketOutput {
  /** Of the buckets of a classic histogram. */
  readonly classic: (buckets: Bucket[], step: number) => BucketsResult
  /** Of a native histogram, with what is to be said about it. */
  readonly native: (h: NativeHistogram, step: number) => { readonly value: number; readonly note: string }
  /** Laid over the group's labels. */
  readonly labels: Iterable<readonly [string, string]>
}

/** The buckets of one classic histogram, and the native ones of the same labels. */
interface HistogramGroup {
  readonly labels: Labels
  readonly natives: StepSeries[]
  readonly members: { readonly upperBound: number; readonly series: StepSeries }[]
  readonly dropName: boolean
}

function* evaluateBuckets(bucketsArg: Expr, outputs: readonly BucketOutput[], ctx: EvalContext): Generator<StepSeries> {
  for (const group of collectGroups(bucketsArg, ctx)) {
    ctx.query.limits.poll()
    for (const output of outputs) {
      const out = ctx.pool.take(withLabels(group.labels, output.labels))
      out.dropName = group.dropName
      evaluateGroup(group, output, out, bucketsArg, ctx)
      if (ctx.pool.charge(out) > 0) yield out
      else ctx.pool.release(out)
    }
    for (const { series } of group.members) ctx.pool.release(series)
    for (const series of group.natives) ctx.pool.release(series)
  }
}

function collectGroups(bucketsArg: Expr, ctx: EvalContext): Iterable<HistogramGroup> {
  const groups = new Map<string, HistogramGroup>()
  for (const series of evaluateVector(bucketsArg, ctx)) {
    const upperBound = hasFloats(series) ? bucketBound(series, bucketsArg, ctx) : undefined
    const natives = series.histograms
    if (upperBound === undefined && natives === undefined) {
      ctx.pool.release(series)
      continue
    }
    const labels = projectLabels(series.labels, BUCKET_BOUND, false)
    const key = labelsKey(labels)
    let group = groups.get(key)
    if (group === undefined) {
      group = { labels, natives: [], members: [], dropName: series.dropName }
      groups.set(key, group)
    }
    if (upperBound !== undefined) group.members.push({ upperBound, series })
    if (natives !== undefined) group.natives.push(upperBound === undefined ? series : ctx.pool.copy(series))
  }
  return groups.values()
}

function hasFloats({ present, histograms }: StepSeries): boolean {
  return histograms === undefined || present.some((flag, step) => flag === 1 && histograms[step] === undefined)
}

function bucketBound(series: StepSeries, bucketsArg: Expr, ctx: EvalContext): number | undefined {
  const boundText = labelValue(series.labels, 'le')
  const upperBound = parseGoFloat(boundText)
  if (upperBound === undefined) {
    const name = labelValue(series.labels, METRIC_NAME)
    const text = `bucket label "le" is missing or has a malformed value of ${quoteGo(boundText)}`
    ctx.query.annotations.warn(text + forMetric(name), bucketsArg.span)
  }
  return upperBound
}

function evaluateGroup(
  group: HistogramGroup,
  output: BucketOutput,
  out: StepSeries,
  bucketsArg: Expr,
  ctx: EvalContext,
): void {
  group.members.sort((a, b) => a.upperBound - b.upperBound)
  const metric = forMetric(labelValue(group.labels, METRIC_NAME))
  const fixes: TimedFix[] = []
  const source = new BucketSource(group.members)
  for (let step = 0; step < ctx.grid.count; step++) {
    const native = nativeAt(group.natives, step)
    const buckets = source.at(step)
    if (native !== undefined && buckets.length > 0) {
      const text = 'vector contains a mix of classic and native histograms'
      ctx.query.annotations.warn(text + metric, bucketsArg.span)
    } else if (native !== undefined) {
      const { value, note } = output.native(native, step)
      if (note !== '') ctx.query.annotations.info(`input to ${note}${metric}`, bucketsArg.span)
      putFloat(out, step, value)
    } else if (buckets.length > 0) {
      const { value, fix } = output.classic(buckets, step)
      putFloat(out, step, value)
      if (fix !== undefined) fixes.push({ fix, timeMs: ctx.grid.timeMs(step) })
    }
  }
  if (fixes.length > 0) noteMonotonicity(group, fixes, bucketsArg, ctx)
}

/** The buckets of a classic histogram, step by step. */
class BucketSource {
  /** The same objects for each step. */
  readonly #buckets: Bucket[]
  readonly #series: readonly StepSeries[]

  constructor(members: HistogramGroup['members']) {
    this.#buckets = members.map(({ upperBound }) => ({ upperBound, count: 0 }))
    this.#series = members.map(({ series }) => series)
  }

  /** Those that are present, in order; good until the next call. */
  at(step: number): Bucket[] {
    const buckets = this.#buckets
    let found = 0
    for (let b = 0; b < buckets.length; b++) {
      if (!this.#isPresent(b, step)) continue
      buckets[b]!.count = this.#series[b]!.values[step]!
      found++
    }
    return found === buckets.length ? buckets : buckets.filter((_, b) => this.#isPresent(b, step))
  }

  #isPresent(b: number, step: number): boolean {
    const series = this.#series[b]!
    return series.present[step] === 1 && histogramAt(series, step) === undefined
  }
}

function nativeAt(natives: readonly StepSeries[], step: number): NativeHistogram | undefined {
  for (const series of natives) {
    const histogram = series.present[step] === 1 ? histogramAt(series, step) : undefined
    if (histogram !== undefined) return histogram
  }
  return undefined
}

const DATE_MS_MAX = 8.64e15

interface TimedFix {
  readonly fix: MonotonicityFix
  readonly timeMs: number
}

function noteMonotonicity(group: HistogramGroup, fixes: readonly TimedFix[], bucketsArg: Expr, ctx: EvalContext): void {
  // There may be too many to be arguments of one call.
  const most = (numberOf: (fix: MonotonicityFix) => number): number =>
    fixes.reduce((so, { fix }) => Math.max(so, numberOf(fix)), Number.NEGATIVE_INFINITY)
  const from = formatFloatGeneral(-most(({ fromBound }) => -fromBound))
  const to = formatFloatGeneral(most(({ toBound }) => toBound))
  const maxDiff = formatFloatGeneral(Number(most((fix) => fix.maxDiff).toPrecision(2)))
  const period = `from ${rfc3339(fixes[0]!.timeMs)} to ${rfc3339(fixes[fixes.length - 1]!.timeMs)}`
  ctx.query.annotations.info(
    'input to histogram_quantile needed to be fixed for monotonicity ' +
      '(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)' +
      `${forMetric(labelValue(group.labels, METRIC_NAME))}, from buckets ${from} to ${to}, ` +
      `with a max diff of ${maxDiff}, over ${fixes.length} samples ${period}`,
    bucketsArg.span,
  )
}

/** Whole seconds, as Prometheus tells them; as a number beyond dates. */
function rfc3339(timeMs: number): string {
  const seconds = Math.trunc(timeMs / 1000)
  return Math.abs(timeMs) > DATE_MS_MAX ? `${seconds}` : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
