import { scalarWindowKernels, type WindowKernels } from '../../kernels/index.ts'
import { type Clock, systemClock } from '../../lib/index.ts'
import type { Queryable, TimeRange } from '../../model/index.ts'
import { exprType } from '../check/check.ts'
import type { Expr } from '../parse/ast.ts'
import type { ParserFeatures } from '../parse/features.ts'
import { findCommonParts } from '../plan/common.ts'
import { findStatsSelectors } from '../plan/histogram-stats.ts'
import { planQuery } from '../plan/plan.ts'
import { readRangeOf } from '../plan/time-range.ts'
import { Annotations } from './annotations.ts'
import { contextFor, type QueryContext } from './context.ts'
import { QueryInvalidError } from './errors.ts'
import { evaluator } from './evaluate.ts'
import { type Explanation, PlanProbe, type Probe } from './explain.ts'
import { instantResult, rangeResult } from './materialize.ts'
import { ParseCache } from './parse-cache.ts'
import { QueryLimits } from './query-limits.ts'
import type { Evaluation, QueryResult } from './result.ts'
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
  /** What sums and extremes of windows are computed with; plain TypeScript by default. */
  readonly windowKernels?: WindowKernels
  /** For deadlines; the system's by default. */
  readonly clock?: Clock
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
}

const TYPE_NAMES = { scalar: 'scalar', string: 'string', vector: 'instant vector', matrix: 'range vector' } as const

/** What all queries of one engine share. */
type Shared = EngineOptions & { readonly parsed: ParseCache }

export function createEngine(options: EngineOptions): Engine {
  const shared: Shared = { ...options, parsed: new ParseCache(options.features) }
  return {
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

  #plan(): { readonly plan: Expr; readonly readRange: TimeRange } {
    const { times, grid } = this.#kind
    const plan = planQuery(this.expr, { ...times, defaultSubqueryStepMs: this.#engine.defaultSubqueryStepMs() })
    const steps = { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }
    return { plan, readRange: readRangeOf(plan, steps, this.#lookbackDeltaMs) }
  }

  /** Shows the plan to the probe, and what the store says about it, without evaluating anything. */
  planOnly(queryable: Queryable, probe: Probe): void {
    const { plan, readRange } = this.#plan()
    const querier = queryable.querier(readRange)
    try {
      probe.onPlan(plan, querier, readRange)
    } finally {
      querier.close()
    }
  }

  evaluate(queryable: Queryable, probe?: Probe): Evaluation {
    const { times, grid, materialize } = this.#kind
    const { deadlineMs, cancelFlag } = this.#options
    const annotations = new Annotations()
    const clock = this.#engine.clock ?? systemClock
    const limits = new QueryLimits({ maxSamples: this.#engine.maxSamples, deadlineMs, cancelFlag, clock })
    limits.pollNow()
    const counter = new SampleCounter(grid.count, this.#options.perStepStats ?? false)
    const { plan, readRange } = this.#plan()
    const statsSelectors = findStatsSelectors(plan)
    const querier = queryable.querier(readRange)
    const query: QueryContext = {
      ...times,
      evaluator: probe?.evaluator(evaluator) ?? evaluator,
      querier: probe?.querier(querier) ?? querier,
      limits,
      annotations,
      shared: new SharedParts(findCommonParts(plan, statsSelectors)),
      statsSelectors,
      lookbackDeltaMs: this.#lookbackDeltaMs,
      windowKernels: this.#engine.windowKernels ?? scalarWindowKernels,
      delayedNameRemoval: this.#engine.delayedNameRemoval ?? false,
      typeAndUnitLabels: this.#engine.typeAndUnitLabels ?? false,
      isInstant: times.stepMs === 0,
    }
    const preparedAt = performance.now()
    try {
      probe?.onPlan(plan, querier, readRange)
      const { result, sortSeconds } = materialize(plan, contextFor(query, grid, counter))
      const innerSeconds = (performance.now() - preparedAt) / 1000 - sortSeconds
      const limited = truncate(result, this.#options.limit ?? 0, annotations)
      return {
        result: limited,
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
        },
      }
    } finally {
      querier.close()
    }
  }
}

const perStepStats = (perStep: Float64Array, grid: StepGrid): (readonly [number, number])[] =>
  Array.from(perStep, (samples, step) => [grid.timeMs(step), samples] as const)

function truncate(result: QueryResult, limit: number, annotations: Annotations): QueryResult {
  const size = result.type === 'vector' ? result.samples.length : result.type === 'matrix' ? result.series.length : 0
  if (limit <= 0 || size <= limit) return result
  annotations.warn('results truncated due to limit', undefined)
  if (result.type === 'vector') return { type: 'vector', samples: result.samples.slice(0, limit) }
  if (result.type === 'matrix') return { type: 'matrix', series: result.series.slice(0, limit) }
  return result
}
