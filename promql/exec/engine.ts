import { scalarWindowKernels, type WindowKernels } from '../../kernels/index.ts'
import { type Clock, systemClock } from '../../lib/index.ts'
import type { Queryable } from '../../model/index.ts'
import { exprType } from '../check/check.ts'
import type { Expr } from '../parse/ast.ts'
import type { ParserFeatures } from '../parse/features.ts'
import { parseExpr } from '../parse/parse.ts'
import { findCommonParts } from '../plan/common.ts'
import { planQuery } from '../plan/plan.ts'
import { readRangeOf } from '../plan/time-range.ts'
import { Annotations } from './annotations.ts'
import { contextFor, type QueryContext } from './context.ts'
import { QueryInvalidError } from './errors.ts'
import { evaluator } from './evaluate.ts'
import { instantResult, rangeResult } from './materialize.ts'
import { QueryLimits } from './query-limits.ts'
import type { Evaluation, QueryResult } from './result.ts'
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
  /** For stores whose columns lie in the kernels' memory; plain TypeScript by default. */
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
}

const TYPE_NAMES = { scalar: 'scalar', string: 'string', vector: 'instant vector', matrix: 'range vector' } as const

export function createEngine(engine: EngineOptions): Engine {
  return {
    instant(queryable, query, timeMs, options = {}) {
      const grid = StepGrid.instant(timeMs)
      const times = { startMs: timeMs, endMs: timeMs, stepMs: 0 }
      return new Run(engine, options, query, times).evaluate(queryable, grid, instantResult)
    },
    range(queryable, query, times, options = {}) {
      if (times.endMs < times.startMs) throw new QueryInvalidError('end timestamp must not be before start time')
      if (!(times.stepMs > 0)) {
        const why = 'zero or negative query resolution step widths are not accepted. Try a positive integer'
        throw new QueryInvalidError(why)
      }
      const run = new Run(engine, options, query, times)
      const type = exprType(run.expr)
      if (type !== 'scalar' && type !== 'vector') {
        const why = `invalid expression type ${JSON.stringify(TYPE_NAMES[type])} for range query, must be Scalar or instant Vector`
        throw new QueryInvalidError(why)
      }
      return run.evaluate(queryable, StepGrid.range(times.startMs, times.endMs, times.stepMs), rangeResult)
    },
  }
}

type Materialize = (expr: Expr, ctx: ReturnType<typeof contextFor>) => { result: QueryResult; sortSeconds: number }

/** One evaluation of one query. */
class Run {
  readonly expr: Expr
  readonly #engine: EngineOptions
  readonly #options: QueryOptions
  readonly #text: string
  readonly #times: RangeTimes
  readonly #startedAt = performance.now()

  constructor(engine: EngineOptions, options: QueryOptions, query: Expr | string, times: RangeTimes) {
    this.#engine = engine
    this.#options = options
    this.#times = times
    this.#text = typeof query === 'string' ? query : ''
    this.expr = typeof query === 'string' ? parseExpr(query, engine.features) : query
  }

  evaluate(queryable: Queryable, grid: StepGrid, materialize: Materialize): Evaluation {
    const { deadlineMs, cancelFlag } = this.#options
    const lookbackDeltaMs = this.#options.lookbackDeltaMs ?? this.#engine.lookbackDeltaMs
    const annotations = new Annotations()
    const clock = this.#engine.clock ?? systemClock
    const limits = new QueryLimits({ maxSamples: this.#engine.maxSamples, deadlineMs, cancelFlag, clock })
    limits.poll()
    const plan = planQuery(this.expr, { ...this.#times, defaultSubqueryStepMs: this.#engine.defaultSubqueryStepMs() })
    const steps = { minTimeMs: grid.startMs, maxTimeMs: grid.endMs }
    const querier = queryable.querier(readRangeOf(plan, steps, lookbackDeltaMs))
    const query: QueryContext = {
      ...this.#times,
      evaluator,
      querier,
      limits,
      annotations,
      shared: new SharedParts(findCommonParts(plan)),
      lookbackDeltaMs,
      windowKernels: this.#engine.windowKernels ?? scalarWindowKernels,
      delayedNameRemoval: this.#engine.delayedNameRemoval ?? false,
      isInstant: this.#times.stepMs === 0,
    }
    const preparedAt = performance.now()
    try {
      const { result, sortSeconds } = materialize(plan, contextFor(query, grid))
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
          samples: { totalQueryableSamples: limits.totalQueryableSamples, peakSamples: limits.peakSamples },
        },
      }
    } finally {
      querier.close()
    }
  }
}

function truncate(result: QueryResult, limit: number, annotations: Annotations): QueryResult {
  const size = result.type === 'vector' ? result.samples.length : result.type === 'matrix' ? result.series.length : 0
  if (limit <= 0 || size <= limit) return result
  annotations.warn('results truncated due to limit', undefined)
  if (result.type === 'vector') return { type: 'vector', samples: result.samples.slice(0, limit) }
  if (result.type === 'matrix') return { type: 'matrix', series: result.series.slice(0, limit) }
  return result
}
