import {
  createMatcher,
  type Labels,
  labelsKey,
  textsKey,
  labelsText,
  labelValue,
  type Matcher,
  METRIC_NAME,
  matches,
  projectLabels,
  withLabels,
} from '../../model/index.ts'
import type { Call, Expr, Subquery, VectorSelector } from '../parse/ast.ts'
import { childrenOf } from '../parse/walk.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { LabelMerger } from './drop-names.ts'
import { QueryExecutionError } from './errors.ts'
import { selectInstant } from './select-instant.ts'
import { copyStep } from './step-histograms.ts'
import type { StepSeries } from './step-series.ts'

/** The labels by which a series finds its info series. */
const IDENTIFYING: ReadonlySet<string> = new Set(['instance', 'job'])

/** What the second argument asks for. */
interface InfoRequest {
  readonly nameMatchers: readonly Matcher[]
  readonly dataMatchers: readonly Matcher[]
  /** Names of the labels to take over; `undefined` takes all. */
  readonly wanted: ReadonlySet<string> | undefined
  /** Series without a match stay; otherwise they are dropped. */
  readonly mayLack: boolean
}

/** Info series of equal identifying labels, for each info metric; values are sample times, so that the newest wins. */
type Candidates = Map<string, StepSeries[]>

/** `info(v, {selector})`: adds the data labels of info metrics to the series that share their identifying labels. */
export function* info(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const request = readRequest(expr.args[1])
  const candidates = selectCandidates(request, referenceOf(expr.args[0]!), ctx)
  const merger = new LabelMerger(ctx)
  for (const base of evaluateVector(expr.args[0]!, ctx)) {
    // Info series are not enriched with themselves.
    if (request.nameMatchers.every((matcher) => matches(matcher, labelValue(base.labels, METRIC_NAME)))) {
      merger.add(base)
      continue
    }
    for (const series of enrich(base, candidates.get(identityKey(base.labels)), request, ctx)) merger.add(series)
    ctx.pool.release(base)
  }
  yield* merger.series()
}

function readRequest(selector: Expr | undefined): InfoRequest {
  const matchers = selector?.kind === 'vectorSelector' ? selector.matchers : []
  const nameMatchers = matchers.filter(({ name }) => name === METRIC_NAME)
  const dataMatchers = matchers.filter(({ name }) => name !== METRIC_NAME)
  if (nameMatchers.length === 0) nameMatchers.push(createMatcher('=', METRIC_NAME, 'target_info'))
  else if (!nameMatchers.some(({ type }) => type === '=' || type === '=~')) {
    nameMatchers.push(createMatcher('=~', METRIC_NAME, '.+_info'))
  }
  return {
    nameMatchers,
    dataMatchers,
    wanted: dataMatchers.length === 0 ? undefined : new Set(dataMatchers.map(({ name }) => name)),
    mayLack: dataMatchers.every((matcher) => matches(matcher, '')),
  }
}

const identityKey = (labels: Labels): string => labelsKey(projectLabels(labels, IDENTIFYING, true))

/** Info series are looked up at the time that the first selector of the base expression reads. */
function referenceOf(expr: Expr): Pick<VectorSelector, 'at' | 'offsetMs'> {
  const path = pathToSelector(expr) ?? []
  let at: VectorSelector['at']
  let offsetMs = 0
  for (const node of path) {
    if (node.at !== undefined) {
      at = node.at
      offsetMs = 0
    }
    offsetMs += node.offsetMs
  }
  return { at, offsetMs }
}

/** Subqueries on the way to the first selector, and the selector. */
function pathToSelector(expr: Expr): (Subquery | VectorSelector)[] | undefined {
  if (expr.kind === 'vectorSelector') return [expr]
  for (const child of childrenOf(expr)) {
    const path = pathToSelector(child)
    if (path !== undefined) return expr.kind === 'subquery' ? [expr, ...path] : path
  }
  return undefined
}

function selectCandidates(
  request: InfoRequest,
  reference: Pick<VectorSelector, 'at' | 'offsetMs'>,
  ctx: EvalContext,
): Candidates {
  const selector: VectorSelector = {
    kind: 'vectorSelector',
    name: '',
    matchers: [...request.nameMatchers, ...request.dataMatchers],
    ...reference,
    offsetExpr: undefined,
    anchored: false,
    smoothed: false,
    span: { start: 0, end: 0 },
  }
  const candidates: Candidates = new Map()
  for (const series of selectInstant(selector, ctx, { times: 'sample', refuseHistograms })) {
    const key = identityKey(series.labels)
    // Without identifying labels a series would be the info of everything.
    if (key === '') continue
    const known = candidates.get(key)
    if (known === undefined) candidates.set(key, [series])
    else known.push(series)
  }
  return candidates
}

function refuseHistograms(labels: Labels): void {
  throw new QueryExecutionError(`this should be an info metric, with float samples: ${labelsText(labels)}`)
}

/** The base series, cut into one series for each set of labels it has over time. */
function enrich(
  base: StepSeries,
  infos: readonly StepSeries[] = [],
  request: InfoRequest,
  ctx: EvalContext,
): Iterable<StepSeries> {
  const outputs = new Map<string, StepSeries>()
  for (let step = 0; step < base.present.length; step++) {
    if (base.present[step] === 0) continue
    const newest = newestAt(infos, step)
    if (newest.size === 0 && !request.mayLack) continue
    // Steps with the same info series have the same labels.
    const key = textsKey([...newest.values()].flatMap(({ labels }) => ['', ...labels]))
    let out = outputs.get(key)
    if (out === undefined) {
      out = ctx.pool.take(enrichedLabels(base.labels, newest.values(), request.wanted))
      out.dropName = base.dropName
      outputs.set(key, out)
    }
    copyStep(out, base, step)
  }
  for (const out of outputs.values()) ctx.pool.charge(out)
  return outputs.values()
}

/** Of each info metric the series with the newest sample. */
function newestAt(infos: readonly StepSeries[], step: number): Map<string, StepSeries> {
  const newest = new Map<string, StepSeries>()
  for (const series of infos) {
    if (series.present[step] === 0) continue
    const name = labelValue(series.labels, METRIC_NAME)
    const held = newest.get(name)
    if (held === undefined || series.values[step]! > held.values[step]!) newest.set(name, series)
    else if (series.values[step] === held.values[step]) {
      const pair = `${labelsText(held.labels)} and ${labelsText(series.labels)}`
      throw new QueryExecutionError(`found duplicate series for info metric: ${pair} at the same time`)
    }
  }
  return newest
}

function enrichedLabels(base: Labels, infos: Iterable<StepSeries>, wanted: ReadonlySet<string> | undefined): Labels {
  const added = new Map<string, string>()
  for (const { labels } of infos) {
    for (let i = 0; i < labels.length; i += 2) {
      const name = labels[i]!
      const value = labels[i + 1]!
      if (name === METRIC_NAME || IDENTIFYING.has(name) || (wanted !== undefined && !wanted.has(name))) continue
      if (labelValue(base, name) !== '') continue
      if ((added.get(name) ?? value) !== value) {
        throw new QueryExecutionError(`conflicting label: ${name} has more than one value among the info metrics`)
      }
      added.set(name, value)
    }
  }
  return added.size === 0 ? base : withLabels(base, added)
}
