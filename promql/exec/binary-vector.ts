import { invariant } from '../../lib/index.ts'
import { compareLabels, type Labels, labelValue, projectLabels, withLabels } from '../../model/index.ts'
import type { BinaryExpr, VectorMatching } from '../parse/ast.ts'
import { elementBinary, putElement } from './binary-elements.ts'
import { arithmeticOf, comparisonOf, isSetOperator, isTrim, kernelOf } from './binary-operators.ts'
import { setOperation } from './binary-set.ts'
import { bracedLabelsText } from './braced-labels.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { LabelMerger, SAME_LABELSET, withoutName } from './drop-names.ts'
import { QueryExecutionError } from './errors.ts'
import { createMatchGrouping, type Grouping } from './label-grouping.ts'
import { histogramAt } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** The series of one match group. */
interface MatchGroup {
  readonly labels: Labels
  /** Of the side where labels must be unique; more than one only if they are never present together. */
  readonly ones: StepSeries[]
  readonly many: StepSeries[]
}

const MANY_TO_ONE_IMPLICIT =
  'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
const NOT_UNIQUE = 'multiple matches for labels: grouping labels must ensure unique matches'

const PLAIN: VectorMatching = {
  card: 'one-to-one',
  labels: [],
  on: false,
  include: [],
  fillLeft: undefined,
  fillRight: undefined,
}

/** Operators between two vectors. */
export function vectorWithVector(expr: BinaryExpr, ctx: EvalContext): Iterable<StepSeries> {
  if (isSetOperator(expr.op)) return setOperation(expr, ctx)
  return new Join(expr, ctx).run()
}

/** Pairs up the series of both sides; which side is "many" only matters for `group_right`, which swaps them. */
class Join {
  readonly #expr: BinaryExpr
  readonly #ctx: EvalContext
  readonly #matching: VectorMatching
  readonly #swapped: boolean
  readonly #fillOne: number | undefined
  readonly #fillMany: number | undefined
  readonly #matchLabels: ReadonlySet<string>
  readonly #grouping: Grouping
  readonly #groups = new Map<string, MatchGroup>()
  readonly #merger: LabelMerger

  constructor(expr: BinaryExpr, ctx: EvalContext) {
    this.#expr = expr
    this.#ctx = ctx
    this.#matching = expr.matching ?? PLAIN
    this.#swapped = this.#matching.card === 'one-to-many'
    // `group_right` does not swap these: with it, too, fill_left stands in for the "many" side.
    this.#fillOne = this.#matching.fillRight
    this.#fillMany = this.#matching.fillLeft
    this.#matchLabels = new Set(this.#matching.labels)
    this.#grouping = createMatchGrouping(this.#matching.labels, this.#matching.on)
    this.#merger = new LabelMerger(ctx, this.#matching.card === 'one-to-one' ? SAME_LABELSET : NOT_UNIQUE)
  }

  *run(): Generator<StepSeries> {
    const { left, right } = this.#expr
    const anyMany = new Uint8Array(this.#ctx.grid.count)
    this.#collect(this.#swapped ? right : left, 'many', anyMany)
    this.#collect(this.#swapped ? left : right, 'ones', undefined)
    for (const group of this.#groups.values()) {
      this.#ctx.query.limits.poll()
      this.#checkUnique(group, anyMany)
      this.#joinGroup(group)
      for (const series of [...group.ones, ...group.many]) this.#ctx.pool.release(series)
    }
    yield* this.#merger.series()
  }

  #collect(side: BinaryExpr['left'], as: 'ones' | 'many', present: Uint8Array | undefined): void {
    const filled = as === 'many' ? this.#fillOne !== undefined : this.#fillMany !== undefined
    for (const series of evaluateVector(side, this.#ctx)) {
      const key = this.#grouping.keyOf(series.labels)
      let group = this.#groups.get(key)
      if (present !== undefined) for (let i = 0; i < present.length; i++) present[i]! |= series.present[i]!
      if (group === undefined) {
        // The "many" side comes first: what it has not, nobody asks for, unless it is to be filled in.
        if (as === 'ones' && !filled && this.#groups.size === 0) {
          this.#ctx.pool.release(series)
          continue
        }
        group = { labels: this.#grouping.labelsOf(series.labels), ones: [], many: [] }
        this.#groups.set(key, group)
      }
      group[as].push(series)
    }
  }

  /** A group may have several series of the "one" side, but not at the same step (where the other side has any series). */
  #checkUnique({ labels, ones }: MatchGroup, anyMany: Uint8Array): void {
    if (ones.length < 2) return
    const matters = this.#fillMany !== undefined || this.#fillOne !== undefined ? undefined : anyMany
    /** Which of the series is present at each step. */
    const owners = new Int32Array(anyMany.length).fill(-1)
    ones.forEach(({ present }, index) => {
      for (let step = 0; step < present.length; step++) {
        if (present[step] === 0 || matters?.[step] === 0) continue
        if (owners[step] !== -1) this.#failDuplicate(labels, [ones[owners[step]!]!.labels, ones[index]!.labels])
        owners[step] = index
      }
    })
  }

  #failDuplicate(group: Labels, pair: [Labels, Labels]): never {
    const side = this.#swapped ? 'left' : 'right'
    throw new QueryExecutionError(
      `found duplicate series for the match group ${bracedLabelsText(group)} on the ${side} hand-side of the operation: ` +
        `[${pair.sort(compareLabels).map(bracedLabelsText).join(', ')}]` +
        ';many-to-many matching not allowed: matching labels must be unique on one side',
    )
  }

  #joinGroup(group: MatchGroup): void {
    // A single pair cannot meet another, nor can what stands in where one of the two is missing.
    const mayMeet = this.#matching.card === 'one-to-one' && (group.many.length > 1 || group.ones.length > 1)
    const matched = mayMeet ? new Uint8Array(this.#ctx.grid.count) : undefined
    for (const many of group.many) {
      this.#ctx.query.limits.poll()
      for (const one of group.ones) this.#emit(many, one, matched)
      if (this.#fillOne !== undefined) {
        const filler = this.#filler(this.#fillOne, group.labels, [many], group.ones)
        this.#emit(many, filler, matched)
        this.#ctx.pool.release(filler)
      }
    }
    if (this.#fillMany === undefined || group.ones.length === 0) return
    const filler = this.#filler(this.#fillMany, group.labels, group.ones, group.many)
    for (const one of group.ones) this.#emit(filler, one, undefined)
    this.#ctx.pool.release(filler)
  }

  /** A constant series at the steps where `wanted` has something and `having` has nothing. */
  #filler(value: number, labels: Labels, wanted: readonly StepSeries[], having: readonly StepSeries[]): StepSeries {
    const filler = this.#ctx.pool.take(labels)
    filler.values.fill(value)
    for (const series of wanted)
      for (let i = 0; i < series.present.length; i++) filler.present[i]! |= series.present[i]!
    for (const series of having) {
      for (let i = 0; i < series.present.length; i++) if (series.present[i] === 1) filler.present[i] = 0
    }
    return filler
  }

  /** Computes one pair; `matched` collects the steps at which the group already has a pair. */
  #emit(many: StepSeries, one: StepSeries, matched: Uint8Array | undefined): void {
    if (matched !== undefined) noteMatches(many, one, matched)
    const out = this.#ctx.pool.take([])
    const [left, right] = this.#swapped ? [one, many] : [many, one]
    this.#compute(left, right, out)
    if (this.#ctx.pool.charge(out) === 0) {
      this.#ctx.pool.release(out)
      return
    }
    out.labels = this.#resultLabels(many.labels, one.labels)
    const isArithmetic = arithmeticOf(this.#expr.op) !== undefined
    out.dropName = this.#expr.returnBool || (!isArithmetic && many.dropName)
    if (this.#expr.returnBool && !this.#ctx.query.delayedNameRemoval) out.labels = withoutName(out.labels)
    this.#merger.add(out)
  }

  #compute(left: StepSeries, right: StepSeries, out: StepSeries): void {
    const { op, returnBool } = this.#expr
    if (isTrim(op) || left.histograms !== undefined || right.histograms !== undefined) {
      this.#computeEach(left, right, out)
      return
    }
    const kernel = kernelOf(op)
    if (kernel !== undefined && this.#ctx.pool.kernels.combine(kernel, left, right, out)) return
    const arithmetic = arithmeticOf(op)
    const { values, present } = out
    if (arithmetic !== undefined) {
      for (let i = 0; i < values.length; i++) {
        if (left.present[i] === 0 || right.present[i] === 0) continue
        present[i] = 1
        values[i] = arithmetic(left.values[i]!, right.values[i]!)
      }
      return
    }
    const comparison = comparisonOf(op)
    invariant(comparison !== undefined, `operator ${op} between vectors`)
    for (let i = 0; i < values.length; i++) {
      if (left.present[i] === 0 || right.present[i] === 0) continue
      const holds = comparison(left.values[i]!, right.values[i]!)
      if (!holds && !returnBool) continue
      present[i] = 1
      values[i] = returnBool ? (holds ? 1 : 0) : left.values[i]!
    }
  }

  /** Step by step, where histograms may be on either side. */
  #computeEach(left: StepSeries, right: StepSeries, out: StepSeries): void {
    for (let step = 0; step < out.present.length; step++) {
      if (left.present[step] === 0 || right.present[step] === 0) continue
      const leftElement = histogramAt(left, step) ?? left.values[step]!
      const rightElement = histogramAt(right, step) ?? right.values[step]!
      const result = elementBinary(this.#expr, leftElement, rightElement, this.#ctx)
      if (typeof result !== 'boolean') {
        if (result !== undefined) putElement(out, step, result)
      } else if (this.#expr.returnBool) {
        putElement(out, step, result ? 1 : 0)
      } else if (result) {
        putElement(out, step, leftElement)
      }
    }
  }

  #resultLabels(many: Labels, one: Labels): Labels {
    const { card, on, include } = this.#matching
    const base = arithmeticOf(this.#expr.op) === undefined ? many : withoutName(many)
    if (card === 'one-to-one') return projectLabels(base, this.#matchLabels, on)
    if (include.length === 0) return base
    return withLabels(
      base,
      include.map((name) => [name, labelValue(one, name)] as const),
    )
  }
}

/** In a one-to-one match each side has one series, also where a filter then drops the result. */
function noteMatches(many: StepSeries, one: StepSeries, matched: Uint8Array): void {
  for (let i = 0; i < matched.length; i++) {
    if (many.present[i] === 0 || one.present[i] === 0) continue
    if (matched[i] === 1) throw new QueryExecutionError(MANY_TO_ONE_IMPLICIT)
    matched[i] = 1
  }
}
