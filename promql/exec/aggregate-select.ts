import { formatFloatGeneral } from '../../model/index.ts'
import type { Aggregation } from '../parse/ast.ts'
import { type EvalContext, evaluateScalar, evaluateVector } from './context.ts'
import { QueryExecutionError } from './errors.ts'
import { ignoreHistograms } from './histogram-accumulator.ts'
import type { Grouping } from './label-grouping.ts'
import { hashRatio } from './label-hash.ts'
import { countPresent, type StepSeries } from './step-series.ts'

/** `topk`, `bottomk`, `limitk`, `limit_ratio`: series of the input stay or go, step by step. */
export function* selectSeries(expr: Aggregation, grouping: Grouping, ctx: EvalContext): Generator<StepSeries> {
  const parameters = evaluateScalar(expr.param!, ctx)
  if (expr.op === 'limit_ratio') {
    yield* limitRatio(expr, parameters, ctx)
    return
  }
  const counts = parameters.map(toCount)
  if (!counts.some((k) => k >= 1)) return
  const groups = new Map<string, StepSeries[]>()
  const isSingleStep = counts.length === 1 && expr.op !== 'limitk'
  for (const series of evaluateVector(expr.expr, ctx)) {
    if (expr.op !== 'limitk' && series.histograms !== undefined) {
      ignoreHistograms(series, expr, ctx)
      if (countPresent(series.present) === 0) {
        ctx.pool.release(series)
        continue
      }
    }
    const key = grouping.keyOf(series.labels)
    let members = groups.get(key)
    if (members === undefined) {
      members = []
      groups.set(key, members)
    }
    if (!isSingleStep) members.push(series)
    else insertExtreme(members, series, counts[0]!, expr.op === 'topk', ctx)
  }
  for (const members of groups.values()) {
    if (expr.op === 'limitk') keepFirst(members, counts)
    else if (!isSingleStep) keepExtremes(members, counts, expr.op === 'topk')
    for (const series of members) {
      if (countPresent(series.present) > 0) yield series
      else ctx.pool.release(series)
    }
  }
}

/** At a single step only the best `k` are held, in order; NaN comes last, and of equal values the earlier series stays. */
function insertExtreme(best: StepSeries[], series: StepSeries, k: number, largest: boolean, ctx: EvalContext): void {
  const compare = (a: StepSeries, b: StepSeries): number => compareNaNLast(a.values[0]!, b.values[0]!, largest)
  if (best.length >= k) {
    const last = best[best.length - 1]
    if (last === undefined || compare(series, last) >= 0) {
      ctx.pool.release(series)
      return
    }
    ctx.pool.release(last)
    best.pop()
  }
  let low = 0
  let high = best.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(best[middle]!, series) <= 0) low = middle + 1
    else high = middle
  }
  best.splice(low, 0, series)
}

function toCount(k: number): number {
  if (Number.isNaN(k)) throw new QueryExecutionError('Parameter value is NaN')
  if (k >= 2 ** 63) throw new QueryExecutionError(`Scalar value ${formatFloatGeneral(k)} overflows int64`)
  if (k <= -(2 ** 63)) throw new QueryExecutionError(`Scalar value ${formatFloatGeneral(k)} underflows int64`)
  return Math.trunc(k)
}

function keepFirst(members: readonly StepSeries[], counts: Float64Array): void {
  const taken = new Int32Array(counts.length)
  for (const { present } of members) {
    for (let step = 0; step < counts.length; step++) {
      if (present[step] === 0) continue
      if (taken[step]! < counts[step]!) taken[step]!++
      else present[step] = 0
    }
  }
}

// Up to here, finding a place among the best costs less than sorting all.
const BEST_MAX = 32

function keepExtremes(members: readonly StepSeries[], counts: Float64Array, largest: boolean): void {
  const most = counts.reduce((max, k) => Math.max(max, k), 0)
  if (most <= BEST_MAX) return keepBest(members, counts, largest)
  for (let step = 0; step < counts.length; step++) {
    const k = Math.max(0, counts[step]!)
    if (members.length > k) keepFirstOfSorted(members, step, k, largest)
  }
}

/** Looks at one series after the other; of equal values the earlier series stays. */
function keepBest(members: readonly StepSeries[], counts: Float64Array, largest: boolean): void {
  const steps = counts.length
  const width = counts.reduce((max, k) => Math.max(max, k), 0)
  /** The best so far of each step, in order: as smaller is better, NaN being worst of all. */
  const best = { values: new Float64Array(steps * width), members: new Int32Array(steps * width) }
  const found = new Int32Array(steps)
  const sign = largest ? -1 : 1
  for (let i = 0; i < members.length; i++) {
    const { values, present } = members[i]!
    for (let step = 0; step < steps; step++) {
      if (present[step] === 0) continue
      const k = Math.max(0, counts[step]!)
      const first = step * width
      const value = sign * values[step]!
      const at = placeAmong(best.values, first, found[step]!, value)
      if (at === k) {
        present[step] = 0
        continue
      }
      if (found[step] === k) members[best.members[first + k - 1]!]!.present[step] = 0
      else found[step]!++
      for (let j = first + found[step]! - 1; j > first + at; j--) {
        best.values[j] = best.values[j - 1]!
        best.members[j] = best.members[j - 1]!
      }
      best.values[first + at] = value
      best.members[first + at] = i
    }
  }
}

/** How many of `count` values from `first` on stay before a new one. */
function placeAmong(values: Float64Array, first: number, count: number, value: number): number {
  const isNumber = value === value
  let at = count
  while (at > 0) {
    const other = values[first + at - 1]!
    if (!(value < other || (isNumber && other !== other))) break
    at--
  }
  return at
}

function keepFirstOfSorted(members: readonly StepSeries[], step: number, k: number, largest: boolean): void {
  const rank: number[] = []
  for (let i = 0; i < members.length; i++) if (members[i]!.present[step] === 1) rank.push(i)
  if (rank.length <= k) return
  const valueOf = (i: number): number => members[i]!.values[step]!
  rank.sort((a, b) => compareNaNLast(valueOf(a), valueOf(b), largest) || a - b)
  for (let at = k; at < rank.length; at++) members[rank[at]!]!.present[step] = 0
}

export function compareNaNLast(a: number, b: number, descending: boolean): number {
  const aIsNaN = Number.isNaN(a)
  const bIsNaN = Number.isNaN(b)
  if (aIsNaN || bIsNaN) return aIsNaN === bIsNaN ? 0 : aIsNaN ? 1 : -1
  if (a === b) return 0
  return a < b === descending ? 1 : -1
}

/** Keeps the series whose hash lies in the given share of all hashes; a negative ratio keeps the complement. */
function* limitRatio(expr: Aggregation, ratios: Float64Array, ctx: EvalContext): Generator<StepSeries> {
  const capped = ratios.map((ratio) => capRatio(ratio, expr, ctx))
  if (!capped.some((ratio) => ratio !== 0)) return
  for (const series of evaluateVector(expr.expr, ctx)) {
    const position = hashRatio(series.labels)
    for (let step = 0; step < capped.length; step++) {
      const ratio = capped[step]!
      if (!(ratio >= 0 ? position < ratio : position >= 1 + ratio)) series.present[step] = 0
    }
    if (countPresent(series.present) > 0) yield series
    else ctx.pool.release(series)
  }
}

function capRatio(ratio: number, expr: Aggregation, ctx: EvalContext): number {
  if (Number.isNaN(ratio)) throw new QueryExecutionError('Ratio value is NaN')
  if (ratio >= -1 && ratio <= 1) return ratio
  const cap = ratio > 1 ? 1 : -1
  const text = `ratio value should be between -1 and 1, got ${formatFloatGeneral(ratio)}, capping to ${cap}`
  ctx.query.annotations.warn(text, expr.param!.span)
  return cap
}
