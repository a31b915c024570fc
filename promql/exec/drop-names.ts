import { type Labels, labelsKey, labelValue, METRIC_NAME } from '../../model/index.ts'
import type { EvalContext } from './context.ts'
import { QueryExecutionError } from './errors.ts'
import { copyStep } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

export const SAME_LABELSET = 'vector cannot contain metrics with the same labelset'

/** What describes the metric, not the series: derived values have none of it. */
export const METADATA_LABELS: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__'])

/** Without the metric name (and type and unit, where the store keeps them as labels). */
export function withoutName(labels: Labels): Labels {
  const kept: string[] = []
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!
    // They all start alike, which spares most labels the look into the set.
    if (!name.startsWith('__') || !METADATA_LABELS.has(name)) kept.push(name, labels[i + 1]!)
  }
  return kept
}

/**
 * Takes the metric name off a derived vector: at once, or, with delayed name removal, by a flag. When `uniqueNames` does not
 * promise that only one name occurs, series that thereby become equal are found: they are joined where their steps do not
 * overlap.
 *
 * @throws {QueryExecutionError} where they do
 */
export function* dropNames(input: Iterable<StepSeries>, ctx: EvalContext, uniqueNames: boolean): Generator<StepSeries> {
  if (ctx.query.delayedNameRemoval) {
    for (const series of input) {
      series.dropName = true
      yield series
    }
    return
  }
  if (uniqueNames) {
    for (const series of input) {
      if (series.group === undefined) series.labels = withoutName(series.labels)
      yield series
    }
    return
  }
  const merger = new LabelMerger(ctx)
  for (const series of input) {
    series.labels = withoutName(series.labels)
    merger.add(series)
  }
  yield* merger.series()
}

/**
 * As `dropNames`, for what Prometheus computes series by series, not step by step: unary minus and functions of ranges. These
 * refuse series that become equal even where their steps do not overlap.
 *
 * @throws {QueryExecutionError} where there are some
 */
export function dropNamesOfSeries(
  input: Iterable<StepSeries>,
  ctx: EvalContext,
  uniqueNames: boolean,
): Iterable<StepSeries> {
  const isPlain = uniqueNames || ctx.query.delayedNameRemoval
  return isPlain ? dropNames(input, ctx, uniqueNames) : dropNamesOfDistinct(input, ctx)
}

function* dropNamesOfDistinct(input: Iterable<StepSeries>, ctx: EvalContext): Generator<StepSeries> {
  const seen = new Map<string, string>()
  ctx.query.reuse?.names.push(seen)
  for (const series of input) {
    const name = labelValue(series.labels, METRIC_NAME)
    series.labels = withoutName(series.labels)
    const key = labelsKey(series.labels)
    if (seen.has(key)) throw new QueryExecutionError(SAME_LABELSET)
    seen.set(key, name)
    yield series
  }
}

/** Joins series of equal labels whose steps do not overlap. */
export class LabelMerger {
  readonly #byLabels = new Map<string, StepSeries>()
  readonly #ctx: EvalContext
  readonly #overlapMessage: string

  constructor(ctx: EvalContext, overlapMessage = SAME_LABELSET) {
    this.#ctx = ctx
    this.#overlapMessage = overlapMessage
  }

  /** Takes ownership. @throws {QueryExecutionError} when a step is in two series of equal labels */
  add(series: StepSeries): void {
    const key = labelsKey(series.labels)
    const known = this.#byLabels.get(key)
    if (known === undefined) {
      this.#byLabels.set(key, series)
      return
    }
    known.dropName ||= series.dropName
    for (let step = 0; step < series.present.length; step++) {
      if (series.present[step] === 0) continue
      if (known.present[step] === 1) throw new QueryExecutionError(this.#overlapMessage)
      copyStep(known, series, step)
    }
    this.#ctx.pool.release(series)
    this.#ctx.pool.charge(known)
  }

  /** In order of first appearance. */
  series(): Iterable<StepSeries> {
    return this.#byLabels.values()
  }
}
