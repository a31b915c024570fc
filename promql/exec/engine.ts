import { scalarWindowKernels, type WindowKernels } from '../../kernels/index.ts'
import { type Clock, systemClock } from '../../lib/index.ts'
import { formatDuration, type Querier, type Queryable, type ResolutionUse, type TimeRange } from '../../model/index.ts'
import { exprType } from '../check/check.ts'
import type { Expr } from '../parse/ast.ts'
import type { ParserFeatures } from '../parse/features.ts'
import { type QueryPlan, queryPlanOf } from '../plan/query-plan.ts'
import type { ReusablePlan } from '../plan/reusable.ts'
import { readRangeOf } from '../plan/time-range.ts'
import { Annotations } from './annotations.ts'
import { contextFor, type QueryContext, type ReuseNotes } from './context.ts'
import { QueryInvalidError } from './errors.ts'
import { evaluator } from './evaluate.ts'
import { type Explanation, PlanProbe, type Probe } from './explain.ts'
import { instantResult, rangeResult } from './materialize.ts'
import { ParseCache } from './parse-cache.ts'
import { QueryLimits } from './query-limits.ts'
import { RangeCache, type RangeCacheStats } from './range-cache.ts'
import type { Evaluation, QueryResult } from './result.ts'
import { type Evaluated, evaluateReusing, newReuseNotes } from './reuse-answers.ts'
import { SampleCounter } from './sample-counter.ts'
import { SharedParts } from './shared-parts.ts'
import { StepGrid } from './step-grid.ts'

export interface EngineOptions {
  /** How far an instant selector looks back. */
  readonly lookbackDeltaMs: number
  /** The step of subqueries that name none: the current global evaluation interval. */
  readonly defaultSubqueryStepMs: () => number
  /** Most samples one query may hold in memory. */
  readonly maxSamples: number
  readonly features?: Partial<ParserFeatures>
  /** Drop metric names at the end of a query instead of at each function. Default false. */
  readonly delayedNameRemoval?: boolean
  /** Series carry their type and unit as labels `__type__` and `__unit__`. Default false. */
  readonly typeAndUnitLabels?: boolean
  /**
   * What sums and extremes of windows are computed with; plain TypeScript by default. Where columns lie in the kernels' memory
   * the series of an answer are good until the engine's next call.
   */
  readonly windowKernels?: WindowKernels
  /** For deadlines; the system's by default. */
  readonly clock?: Clock
  /**
   * Most that answers to range queries may take which are kept for the next time they are asked; 0 (the default) keeps none.
   * The series of an answer are then good until the engine's next call.
   */
  readonly rangeCacheBytes?: number
}

export interface QueryOptions {
  /** Instead of the engine's. */
  readonly lookbackDeltaMs?: number
  /** Unix milliseconds by the engine's clock. */
  readonly deadlineMs?: number
  /** The query stops soon after element 0 becomes non-zero; put it on a SharedArrayBuffer. */
  readonly cancelFlag?: Int32Array
  /** Most series in the answer; 0 or absent = all. */
  readonly limit?: number
  /** Also count the samples of each step. */
  readonly perStepStats?: boolean
  /** Use no earlier answer, and keep none. */
  readonly noCache?: boolean
}

export interface RangeTimes {
  readonly startMs: number
  /** Inclusive. */
  readonly endMs: number
  /** Positive. */
  readonly stepMs: number
}

/** Evaluates PromQL synchronously; one engine serves any number of stores and queries. */
export interface Engine {
  /**
   * Evaluates at one time.
   *
   * @throws {AppError} parse errors, {@link QueryInvalidError}, {@link QueryExecutionError}, limits, timeout, cancellation
   */
  instant(queryable: Queryable, expr: Expr | string, timeMs: number, options?: QueryOptions): Evaluation
  /** Evaluates at each step; a range or string expression is refused. @throws {AppError} as `instant` */
  range(queryable: Queryable, expr: Expr | string, times: RangeTimes, options?: QueryOptions): Evaluation
  /**
   * The plan of a query as a tree, with what each part is expected to read and to give; and, when it is run, what it did.
   *
   * @param times one time for an instant query
   * @throws {AppError} as `instant` and `range`
   */
  explain(
    queryable: Queryable,
    expr: Expr | string,
    times: RangeTimes | number,
    options?: QueryOptions & { readonly run?: boolean },
  ): Explanation
  /** Of the answers to range queries that are kept. */
  rangeCacheStats(): RangeCacheStats
}

const TYPE_NAMES = { scalar: 'scalar', string: 'string', vector: 'instant vector', matrix: 'range vector' } as const

/** What all queries of one engine share. */
type Shared = EngineOptions & { readonly parsed: ParseCache; readonly rangeCache: RangeCache | undefined }

export function createEngine(options: EngineOptions): Engine {
  const { rangeCacheBytes = 0, delayedNameRemoval = false, typeAndUnitLabels = false } = options
  // With either more than the name may tell series apart that become equal.
  const mayKeep = rangeCacheBytes > 0 && !delayedNameRemoval && !typeAndUnitLabels
  const rangeCache = mayKeep ? new RangeCache(rangeCacheBytes) : undefined
  const shared: Shared = { ...options, parsed: new ParseCache(options.features), rangeCache }
  return {
    rangeCacheStats: () => rangeCache?.stats ?? { hits: 0, misses: 0, bytes: 0 },
    instant: (queryable, query, timeMs, given = {}) => instantRun(shared, given, query, timeMs).evaluate(queryable),
    range: (queryable, query, times, given = {}) => rangeRun(shared, given, query, times).evaluate(queryable),
    explain(queryable, query, times, { run = false, ...given } = {}) {
      const isInstant = typeof times === 'number'
      const prepared = isInstant ? instantRun(shared, given, query, times) : rangeRun(shared, given, query, times)
      const probe = new PlanProbe()
      if (run) {
        const evaluation = prepared.evaluate(queryable, probe)
        return { plan: probe.tree(true), evaluation }
      }
      prepared.planOnly(queryable, probe)
      return { plan: probe.tree(false) }
    },
  }
}

function instantRun(shared: Shared, options: QueryOptions, query: Expr | string, timeMs: number): Run {
  const times = { startMs: timeMs, endMs: timeMs, stepMs: 0 }
  return new Run(shared, options, query, { times, grid: StepGrid.instant(timeMs), materialize: instantResult })
}

function rangeRun(shared: Shared, options: QueryOptions, query: Expr | string, times: RangeTimes): Run {
  const { startMs, endMs, stepMs } = times
  if (endMs < startMs) throw new QueryInvalidError('end timestamp must not be before start time')
  if (!(stepMs > 0)) {
    const why = 'zero or negative query resolution step widths are not accepted. Try a positive integer'
    throw new QueryInvalidError(why)
  }
  const grid = StepGrid.range(startMs, endMs, stepMs)
  const run = new Run(shared, options, query, { times, grid, materialize: rangeResult })
  const type = exprType(run.expr)
  if (type !== 'scalar' && type !== 'vector') {
    const why = `invalid expression type ${JSON.stringify(TYPE_NAMES[type])} for range query, must be Scalar or instant Vector`
    throw new QueryInvalidError(why)
  }
  return run
}

type Materialize = (expr: Expr, ctx: ReturnType<typeof contextFor>) => { result: QueryResult; sortSeconds: number }

/** When a query is evaluated, and what becomes of it. */
interface RunKind {
  readonly times: RangeTimes
  readonly grid: StepGrid
  readonly materialize: Materialize
}

/** One evaluation of one query. */
class Run {
  readonly expr: Expr
  readonly #engine: Shared
  readonly #options: QueryOptions
  readonly #text: string
  readonly #kind: RunKind
  readonly #startedAt = performance.now()

  constructor(engine: Shared, options: QueryOptions, query: Expr | string, kind: RunKind) {
    this.#engine = engine
    this.#options = options
    this.#kind = kind
    this.#text = typeof query === 'string' ? query : ''
    this.expr = typeof query === 'string' ? engine.parsed.parse(query) : query
  }

  get #lookbackDeltaMs(): number {
    return this.#options.lookbackDeltaMs ?? this.#engine.lookbackDeltaMs
  }

  #plan(): { readonly plan: QueryPlan; readonly readRange: TimeRange } {
    const { times, grid } = this.#kind
    const plan = queryPlanOf(this.expr, times, this.#engine.defaultSubqueryStepMs)
    const steps = { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }
    return { plan, readRange: readRangeOf(plan.expr, steps, this.#lookbackDeltaMs) }
  }

  /** Shows the plan to the probe, and what the store says about it, without evaluating anything. */
  planOnly(queryable: Queryable, probe: Probe): void {
    const { plan, readRange } = this.#plan()
    const querier = queryable.querier(readRange)
    try {
      probe.onPlan(plan.expr, querier, readRange)
    } finally {
      querier.close()
    }
  }

  evaluate(queryable: Queryable, probe?: Probe): Evaluation {
    const { plan, readRange } = this.#plan()
    this.#engine.windowKernels?.steps.startOver()
    const querier = queryable.querier(readRange)
    try {
      const prepared = { plan, querier, preparedAt: performance.now(), probe }
      probe?.onPlan(plan.expr, querier, readRange)
      const reusable = this.#kind.times.stepMs === 0 ? undefined : plan.reusable
      const reuse = reusable && newReuseNotes(reusable)
      const evaluation =
        (reusable && this.#evaluateReusing(prepared, reusable)) ?? this.#evaluateOn(this.#kind.grid, prepared, reuse)
      return limited(evaluation, this.#options.limit)
    } finally {
      querier.close()
    }
  }

  /** @returns `undefined` where no earlier answer may be used */
  #evaluateReusing(prepared: Prepared, reusable: ReusablePlan): Evaluation | undefined {
    const { grid, times } = this.#kind
    const { rangeCache } = this.#engine
    const { noCache, perStepStats } = this.#options
    const isPlain = prepared.probe === undefined && noCache !== true && perStepStats !== true && this.#text !== ''
    if (rangeCache === undefined || !isPlain || !Number.isInteger(grid.startMs) || !Number.isInteger(grid.stepMs)) {
      return undefined
    }
    let last: Evaluation | undefined
    const phaseMs = ((times.startMs % times.stepMs) + times.stepMs) % times.stepMs
    const key = [this.#lookbackDeltaMs, times.stepMs, phaseMs, this.#text].join('|')
    const evaluate = (steps: StepGrid, reuse: ReuseNotes): Evaluated => {
      last = this.#evaluateOn(steps, prepared, reuse)
      const { result, warnings, infos, stats } = last
      const hasNotes = warnings.length + infos.length > 0 || stats.resolutions !== undefined
      return { series: result.type === 'matrix' ? result.series : [], hasNotes }
    }
    const series = evaluateReusing({ key, grid, plan: reusable, querier: prepared.querier, evaluate }, rangeCache)
    return series && last && { ...last, result: { type: 'matrix', series } }
  }

  /** @param grid all of the query's steps, or the last of them */
  #evaluateOn(grid: StepGrid, { plan, querier, preparedAt, probe }: Prepared, reuse?: ReuseNotes): Evaluation {
    const { times, materialize } = this.#kind
    const { deadlineMs, cancelFlag } = this.#options
    const annotations = new Annotations()
    const clock = this.#engine.clock ?? systemClock
    const limits = new QueryLimits({ maxSamples: this.#engine.maxSamples, deadlineMs, cancelFlag, clock })
    limits.pollNow()
    const counter = new SampleCounter(grid.count, this.#options.perStepStats ?? false)
    const { statsSelectors, commonParts } = plan
    const query: QueryContext = {
      startMs: times.startMs,
      endMs: times.endMs,
      stepMs: times.stepMs,
      evaluator: probe?.evaluator(evaluator) ?? evaluator,
      querier: probe?.querier(querier) ?? querier,
      limits,
      annotations,
      shared: new SharedParts(commonParts),
      statsSelectors,
      lookbackDeltaMs: this.#lookbackDeltaMs,
      windowKernels: this.#engine.windowKernels ?? scalarWindowKernels,
      delayedNameRemoval: this.#engine.delayedNameRemoval ?? false,
      typeAndUnitLabels: this.#engine.typeAndUnitLabels ?? false,
      isInstant: times.stepMs === 0,
      reuse,
    }
    const { result, sortSeconds } = materialize(plan.expr, contextFor(query, grid, counter, this.#kind.grid.startMs))
    const innerSeconds = (performance.now() - preparedAt) / 1000 - sortSeconds
    const resolutions = querier.resolutions?.() ?? []
    noteTooCoarse(resolutions, annotations)
    return {
      result,
      warnings: annotations.render('warning', this.#text),
      infos: annotations.render('info', this.#text),
      stats: {
        timings: {
          evalTotalTime: (performance.now() - this.#startedAt) / 1000,
          resultSortTime: sortSeconds,
          queryPreparationTime: (preparedAt - this.#startedAt) / 1000,
          innerEvalTime: innerSeconds,
        },
        samples: {
          totalQueryableSamples: counter.total,
          ...(counter.perStep && { totalQueryableSamplesPerStep: perStepStats(counter.perStep, grid) }),
          peakSamples: limits.peakSamples,
        },
        ...(resolutions.length > 0 && { resolutions }),
      },
    }
  }
}

/** A query that is ready to be evaluated. */
interface Prepared {
  readonly plan: QueryPlan
  readonly querier: Querier
  readonly preparedAt: number
  readonly probe: Probe | undefined
}

function noteTooCoarse(resolutions: readonly ResolutionUse[], annotations: Annotations): void {
  const missed = resolutions.filter(({ isUsed }) => !isUsed)
  if (missed.length === 0) return
  const finest = formatDuration(Math.min(...missed.map(({ resolutionMs }) => resolutionMs)))
  const text = `a part of the time has only summaries of ${finest}, which are too coarse: steps of ${finest} see them`
  annotations.info(`${text}, and ranges of twice that`, undefined)
}

const perStepStats = (perStep: Float64Array, grid: StepGrid): (readonly [number, number])[] =>
  Array.from(perStep, (samples, step) => [grid.timeMs(step), samples] as const)

/** Cuts what is beyond the limit off, and says so. */
function limited(evaluation: Evaluation, limit = 0): Evaluation {
  const { result } = evaluation
  const size = result.type === 'vector' ? result.samples.length : result.type === 'matrix' ? result.series.length : 0
  if (limit <= 0 || size <= limit) return evaluation
  const said = { ...evaluation, warnings: [...evaluation.warnings, 'results truncated due to limit'] }
  if (result.type === 'vector') return { ...said, result: { ...result, samples: result.samples.slice(0, limit) } }
  if (result.type === 'matrix') return { ...said, result: { ...result, series: result.series.slice(0, limit) } }
  return evaluation
}
