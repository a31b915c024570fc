import type { Labels, Querier, SeriesColumn } from '../../model/index.ts'
import type { Expr, VectorSelector } from '../parse/ast.ts'
import { childrenOf } from '../parse/walk.ts'
import { printExpr } from '../print/print.ts'
import type { EvalContext, Evaluator } from './context.ts'
import { withoutName } from './drop-names.ts'
import { groupingOf } from './label-grouping.ts'
import type { Evaluation } from './result.ts'
import type { StepSeries } from './step-series.ts'

/** One operator of a plan, with what it takes its input from. Plain data. */
export interface PlanNode {
  readonly kind: Expr['kind']
  /** Function, aggregation or operator; '' where the kind says it all. */
  readonly name: string
  readonly text: string
  /** Before running: series given, and samples read from the store by it and everything below. */
  readonly expected: { readonly series: number; readonly samples: number }
  /** After running; absent otherwise. */
  readonly measured?: NodeMeasurement
  readonly children: readonly PlanNode[]
}

export interface NodeMeasurement {
  /** Series given; for parts that run more than once, all together. */
  readonly series: number
  /** Of a selector the samples read from the store, of anything else the values given. */
  readonly samples: number
  /** With everything below. */
  readonly seconds: number
  /** Without what is below. */
  readonly selfSeconds: number
}

export interface Explanation {
  readonly plan: PlanNode
  /** The answer, if the query was run. */
  readonly evaluation?: Evaluation
}

/** What one evaluation hands to whoever looks on. */
export interface Probe {
  /** Called with the plan and a view of the store, before anything is read. */
  onPlan(plan: Expr, querier: Querier, times: { readonly minTimeMs: number; readonly maxTimeMs: number }): void
  evaluator(inner: Evaluator): Evaluator
  querier(inner: Querier): Querier
}

// Series looked at for how many samples one has.
const SAMPLED_SERIES = 32
// Beyond so many, label sets are not worked out below aggregations.
const LABEL_SETS_MAX = 20_000

interface Expectation {
  readonly series: number
  readonly samples: number
  /** Of each series, where they are known. */
  readonly labels: readonly Labels[] | undefined
}

interface Measured {
  series: number
  samples: number
  seconds: number
}

/** Estimates and measures the operators of one evaluation. */
export class PlanProbe implements Probe {
  #plan: Expr | undefined
  readonly #expected = new Map<Expr, Expectation>()
  readonly #measured = new Map<Expr, Measured>()
  /** Selectors by their matchers, which is all that the store sees of them. */
  readonly #selectors = new Map<unknown, Expr>()

  onPlan(plan: Expr, querier: Querier, times: { readonly minTimeMs: number; readonly maxTimeMs: number }): void {
    this.#plan = plan
    this.#expect(plan, querier, times)
  }

  evaluator(inner: Evaluator): Evaluator {
    return {
      vector: (expr, ctx) => this.#measureVector(expr, ctx, inner),
      scalar: (expr, ctx) => {
        const startedAt = performance.now()
        const values = inner.scalar(expr, ctx)
        this.#add(expr, { series: 1, samples: values.length, seconds: secondsSince(startedAt) })
        return values
      },
    }
  }

  querier(inner: Querier): Querier {
    return {
      select: (matchers, hints) => this.#measureSelect(matchers, inner.select(matchers, hints)),
      series: (sets, range) => inner.series(sets, range),
      labelNames: (sets, range) => inner.labelNames(sets, range),
      labelValues: (name, sets, range) => inner.labelValues(name, sets, range),
      close: () => inner.close(),
    }
  }

  /** The plan as far as it is known. @param wasRun whether there are measurements */
  tree(wasRun: boolean): PlanNode {
    return this.#nodeOf(this.#plan!, wasRun)
  }

  #nodeOf(expr: Expr, wasRun: boolean): PlanNode {
    const { series, samples } = this.#expected.get(expr)!
    const children = childrenOf(expr).map((child) => this.#nodeOf(child, wasRun))
    const node = { kind: expr.kind, name: nameOf(expr), text: printExpr(expr), expected: { series, samples } }
    return wasRun ? { ...node, measured: this.#measurementOf(expr, children), children } : { ...node, children }
  }

  #measurementOf(expr: Expr, children: readonly PlanNode[]): NodeMeasurement {
    const below = children.reduce((sum, { measured }) => sum + (measured?.seconds ?? 0), 0)
    const own = this.#measured.get(expr)
    // What is only looked through, such as a range selector, took as long as what is below.
    if (own === undefined) {
      const first = children[0]?.measured
      return { series: first?.series ?? 0, samples: first?.samples ?? 0, seconds: below, selfSeconds: 0 }
    }
    return { ...own, selfSeconds: Math.max(0, own.seconds - below) }
  }

  #add(expr: Expr, { series, samples, seconds }: Measured): void {
    const known = this.#measured.get(expr)
    if (known === undefined) {
      this.#measured.set(expr, { series, samples, seconds })
      return
    }
    known.series += series
    known.samples += samples
    known.seconds += seconds
  }

  *#measureVector(expr: Expr, ctx: EvalContext, inner: Evaluator): Generator<StepSeries> {
    // The store measures selectors itself; here only the time of picking samples is added.
    const isSelector = expr.kind === 'vectorSelector'
    let startedAt = performance.now()
    for (const series of inner.vector(expr, ctx)) {
      const counts = isSelector ? { series: 0, samples: 0 } : { series: 1, samples: series.charged }
      this.#add(expr, { ...counts, seconds: secondsSince(startedAt) })
      yield series
      startedAt = performance.now()
    }
    this.#add(expr, { series: 0, samples: 0, seconds: secondsSince(startedAt) })
  }

  *#measureSelect(matchers: unknown, columns: Iterable<SeriesColumn>): Generator<SeriesColumn> {
    const expr = this.#selectors.get(matchers)
    // Selectors that are evaluated as vectors have their time counted there.
    const isRange = expr !== undefined && this.#ranges.has(expr)
    let startedAt = performance.now()
    for (const column of columns) {
      const seconds = isRange ? secondsSince(startedAt) : 0
      if (expr !== undefined) this.#add(expr, { series: 1, samples: column.length, seconds })
      yield column
      startedAt = performance.now()
    }
  }

  readonly #ranges = new Set<Expr>()

  #expect(expr: Expr, querier: Querier, times: { minTimeMs: number; maxTimeMs: number }): Expectation {
    const inputs = childrenOf(expr).map((child) => this.#expect(child, querier, times))
    if (expr.kind === 'matrixSelector') this.#ranges.add(expr.selector)
    const expected = expr.kind === 'vectorSelector' ? this.#expectSelector(expr, querier, times) : derive(expr, inputs)
    this.#expected.set(expr, expected)
    return expected
  }

  #expectSelector(
    selector: VectorSelector,
    querier: Querier,
    times: { minTimeMs: number; maxTimeMs: number },
  ): Expectation {
    this.#selectors.set(selector.matchers, selector)
    const labels = querier.series([selector.matchers], times)
    let looked = 0
    let samples = 0
    for (const column of querier.select(selector.matchers, { ...times, limit: SAMPLED_SERIES })) {
      samples += column.length
      if (++looked >= SAMPLED_SERIES) break
    }
    const perSeries = looked === 0 ? 0 : samples / looked
    return {
      series: labels.length,
      samples: Math.round(perSeries * labels.length),
      labels: labels.length <= LABEL_SETS_MAX ? labels : undefined,
    }
  }
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000

function nameOf(expr: Expr): string {
  if (expr.kind === 'call') return expr.name
  return expr.kind === 'aggregation' || expr.kind === 'binary' || expr.kind === 'unary' ? expr.op : ''
}

/** What an operator makes of its inputs, as far as that can be told from label sets. */
function derive(expr: Expr, inputs: readonly Expectation[]): Expectation {
  const samples = inputs.reduce((sum, input) => sum + input.samples, 0)
  const [first, second] = inputs
  if (expr.kind === 'aggregation') return { samples, ...aggregated(expr, inputs[inputs.length - 1]!) }
  if (expr.kind === 'binary') return { samples, ...combined(expr.op, first!, second!) }
  const vector = inputs.find(({ labels }) => labels !== undefined) ?? first
  if (vector === undefined) return { series: 1, samples, labels: undefined }
  if (expr.kind === 'call' && expr.name === 'scalar') return { series: 1, samples, labels: undefined }
  return { series: vector.series, samples, labels: vector.labels }
}

function aggregated(expr: Extract<Expr, { kind: 'aggregation' }>, input: Expectation): Omit<Expectation, 'samples'> {
  if (['topk', 'bottomk', 'limitk', 'limit_ratio', 'count_values'].includes(expr.op)) {
    const k = expr.param?.kind === 'number' ? expr.param.value : Number.POSITIVE_INFINITY
    const most = expr.grouping.length === 0 && !expr.without && expr.op.endsWith('k') ? Math.max(0, k) : input.series
    return { series: Math.min(input.series, most), labels: undefined }
  }
  if (input.labels === undefined)
    return { series: expr.grouping.length === 0 && !expr.without ? 1 : input.series, labels: undefined }
  const grouping = groupingOf(expr)
  const groups = new Map(input.labels.map((labels) => [grouping.keyOf(labels), grouping.labelsOf(labels)]))
  return { series: groups.size, labels: [...groups.values()] }
}

function combined(op: string, left: Expectation, right: Expectation): Omit<Expectation, 'samples'> {
  if (op === 'or') return { series: left.series + right.series, labels: undefined }
  // A scalar has no label sets and leaves the other side as it is.
  const vector = left.labels ?? right.labels
  const series = left.labels && right.labels ? Math.min(left.series, right.series) : Math.max(left.series, right.series)
  return { series, labels: vector?.map(withoutName) }
}
