import type { Expr } from '../parse/ast.ts'
import type { CommonParts } from '../plan/common.ts'
import type { EvalContext } from './context.ts'
import { SampleCounter, type SampleMark } from './sample-counter.ts'
import type { StepSeries } from './step-series.ts'

interface KeptPart {
  readonly series: readonly StepSeries[]
  readonly counted: SampleMark | undefined
}

/** Keeps what the first of several equal parts of a query gives, for the others. */
export class SharedParts {
  readonly #keys: CommonParts['keys']
  readonly #usesLeft: Map<string, number>
  readonly #kept = new Map<string, KeptPart>()

  constructor({ keys, counts }: CommonParts) {
    this.#keys = keys
    this.#usesLeft = new Map(counts)
  }

  /** Whether `expr` is one of several equal parts. */
  has(expr: Expr): boolean {
    return this.#keys.has(expr)
  }

  /** The series of such a part, from `evaluate` unless an equal part has been evaluated before; owned by the caller. */
  *series(expr: Expr, ctx: EvalContext, evaluate: () => Iterable<StepSeries>): Generator<StepSeries> {
    const key = this.#keys.get(expr)!
    let kept = this.#kept.get(key)
    if (kept === undefined) {
      const before = ctx.counter?.mark()
      const series = [...evaluate()]
      const counted = before && SampleCounter.between(before, ctx.counter!.mark())
      kept = { series, counted }
      this.#kept.set(key, kept)
    } else if (kept.counted !== undefined) {
      ctx.counter?.addAgain(kept.counted)
    }
    const left = this.#usesLeft.get(key)! - 1
    this.#usesLeft.set(key, left)
    if (left > 0) {
      for (const series of kept.series) yield ctx.pool.copy(series)
      return
    }
    this.#kept.delete(key)
    yield* kept.series
  }
}
