import { errorMessage } from '../../lib/index.ts'
import { compareLabels, labelsKey, labelsText } from '../../model/index.ts'
import { ownWindowKernels } from '../../kernels/index.ts'
import { createEngine, type Engine } from '../exec/engine.ts'
import type { Evaluation, MatrixSeries, QueryResult } from '../exec/result.ts'
import type { Expr } from '../parse/ast.ts'
import { ALL_FEATURES } from '../parse/features.ts'
import { parseExpr } from '../parse/parse.ts'
import { walkExpr } from '../parse/walk.ts'
import { almostEqual, checkSample } from './compare.ts'
import { loadSeries } from './load.ts'
import { MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts'
import { type EvalCommand, type Expectation, parseScript } from './script.ts'
import type { ScriptSeries } from './script-values.ts'

export interface ScriptReport {
  /** Number of `eval` commands. */
  readonly total: number
  readonly passed: number
  readonly failures: readonly { readonly line: number; readonly expr: string; readonly why: string }[]
}

const MINUTE_MS = 60_000
// Times at which an expression that is fixed by @ must give the same answer as at its own time.
const OTHER_TIMES_MS = [-10_000_000, 0, 100_000, 10_000_000, 1_000_000_000]

/** One for all scripts: making its memory takes longer than most of them. */
const KERNELS = ownWindowKernels()

/**
 * Runs a script in Prometheus' test language against the engine and in-memory storage. Each instant evaluation is repeated
 * with all selectors fixed by `@` at other times, and as the middle step of a range query.
 *
 * @throws {Error} where the script itself cannot be read
 */
export function runScript(text: string, storageOptions: MemoryStorageOptions = {}): ScriptReport {
  const storage = new MemoryStorage(storageOptions)
  const engine = createEngine({
    lookbackDeltaMs: 5 * MINUTE_MS,
    defaultSubqueryStepMs: () => MINUTE_MS,
    maxSamples: 10_000,
    features: ALL_FEATURES,
    delayedNameRemoval: true,
    windowKernels: KERNELS,
  })
  const failures: { line: number; expr: string; why: string }[] = []
  let total = 0
  for (const command of parseScript(text)) {
    if (command.kind === 'clear') {
      storage.clear()
    } else if (command.kind === 'load') {
      loadSeries(storage, command)
    } else {
      total++
      const why = checkEval(engine, storage, command)
      if (why !== undefined) failures.push({ line: command.line, expr: command.expr, why })
    }
  }
  return { total, passed: total - failures.length, failures }
}

/** @returns what went wrong, or `undefined` */
function checkEval(engine: Engine, storage: MemoryStorage, command: EvalCommand): string | undefined {
  const first = outcomeOf(() =>
    command.range
      ? engine.range(storage, command.expr, command.range)
      : engine.instant(storage, command.expr, command.timeMs),
  )
  const why = checkOutcome(first, command) ?? checkAnnotations(first, command.expectations)
  if (why !== undefined || command.range || 'error' in first || !isRepeatable(command)) return why
  return checkFixedByAt(engine, storage, command) ?? checkAsRange(engine, storage, command)
}

type Outcome = { readonly evaluation: Evaluation } | { readonly error: string }

function outcomeOf(evaluate: () => Evaluation): Outcome {
  try {
    return { evaluation: evaluate() }
  } catch (error) {
    return { error: errorMessage(error) }
  }
}

/** Answers that depend on the query's own times, or whose order or type a range query cannot have, are checked once. */
function isRepeatable(command: EvalCommand): boolean {
  if (command.string !== undefined || command.rangeVector) return false
  if (command.expectations.some(({ kind }) => kind === 'ordered')) return false
  return !/\b(?:start|end|step|range)\(\)/i.test(command.expr)
}

function checkFixedByAt(engine: Engine, storage: MemoryStorage, command: EvalCommand): string | undefined {
  const expr = parseExpr(command.expr, ALL_FEATURES)
  if (dependsOnTime(expr)) return undefined
  const fixed = fixByAt(expr, command.timeMs)
  for (const timeMs of OTHER_TIMES_MS) {
    const why = checkOutcome(
      outcomeOf(() => engine.instant(storage, fixed, timeMs)),
      command,
    )
    if (why !== undefined) return `with @ ${command.timeMs / 1000} at ${timeMs / 1000}: ${why}`
  }
  return undefined
}

function checkAsRange(engine: Engine, storage: MemoryStorage, command: EvalCommand): string | undefined {
  const times = {
    startMs: command.timeMs - MINUTE_MS,
    endMs: command.timeMs + MINUTE_MS,
    stepMs: MINUTE_MS,
  }
  const outcome = outcomeOf(() => engine.range(storage, command.expr, times))
  if ('error' in outcome) return `in a range query: unexpected error: ${outcome.error}`
  const middle = stepOf(outcome.evaluation.result, command.timeMs, command.scalar !== undefined)
  const why = checkResult(middle, command)
  return why === undefined ? undefined : `in a range query: ${why}`
}

function stepOf(result: QueryResult, timestampMs: number, asScalar: boolean): QueryResult {
  if (result.type !== 'matrix') return result
  const samples = result.series.flatMap(({ labels, timestampsMs, values, histograms }) => {
    const at = timestampsMs.indexOf(timestampMs)
    return at < 0 ? [] : [{ labels, timestampMs, value: values[at]!, histogram: histograms?.[at] }]
  })
  if (asScalar && samples.length === 1) return { type: 'scalar', timestampMs, value: samples[0]!.value }
  return { type: 'vector', samples }
}

// Their value changes with the evaluation time even when everything below is fixed.
const TIME_FUNCTIONS =
  /^(?:time|timestamp|predict_linear|minute|hour|day_of_week|day_of_month|day_of_year|days_in_month|month|year)$/

function dependsOnTime(expr: Expr): boolean {
  let found = false
  walkExpr(expr, (inner) => {
    if (inner.kind === 'call' && TIME_FUNCTIONS.test(inner.name)) found = true
  })
  return found
}

/** Puts `@ time` on every outermost selector or subquery that has none. */
function fixByAt(expr: Expr, timestampMs: number): Expr {
  const fix = (inner: Expr): Expr => fixByAt(inner, timestampMs)
  const at = { kind: 'time', timestampMs } as const
  switch (expr.kind) {
    case 'vectorSelector':
      return { ...expr, at: expr.at ?? at }
    case 'matrixSelector':
      return { ...expr, selector: { ...expr.selector, at: expr.selector.at ?? at } }
    case 'subquery':
      return { ...expr, at: expr.at ?? at }
    case 'call':
      return { ...expr, args: expr.args.map(fix) }
    case 'aggregation':
      return { ...expr, expr: fix(expr.expr), param: expr.param && fix(expr.param) }
    case 'binary':
      return { ...expr, left: fix(expr.left), right: fix(expr.right) }
    case 'unary':
    case 'paren':
    case 'stepInvariant':
      return { ...expr, expr: fix(expr.expr) }
    default:
      return expr
  }
}

function checkOutcome(outcome: Outcome, command: EvalCommand): string | undefined {
  const fails = command.expectations.filter(({ kind }) => kind === 'fail')
  if ('error' in outcome) {
    if (fails.length === 0) return `unexpected error: ${outcome.error}`
    const missed = fails.find((expectation) => !matchesText(expectation, outcome.error))
    return missed === undefined ? undefined : `wrong error: ${outcome.error}`
  }
  if (fails.length > 0) return 'should have failed'
  return checkResult(outcome.evaluation.result, command)
}

function checkResult(result: QueryResult, command: EvalCommand): string | undefined {
  switch (result.type) {
    case 'scalar':
      if (command.scalar === undefined) return `unexpected scalar ${result.value}`
      return almostEqual(result.value, command.scalar) ? undefined : `${result.value} instead of ${command.scalar}`
    case 'string':
      return result.value === command.string ? undefined : `unexpected string ${JSON.stringify(result.value)}`
    case 'vector':
      if (command.scalar !== undefined) return 'vector instead of a scalar'
      return checkVector(result, command)
    case 'matrix':
      return checkMatrix(result, command)
  }
}

function checkVector(result: Extract<QueryResult, { type: 'vector' }>, command: EvalCommand): string | undefined {
  const wanted = command.series.map(({ labels, values }) => ({ labels, value: values[0] }))
  if (result.samples.length !== wanted.length) return `${result.samples.length} series instead of ${wanted.length}`
  const ordered = command.expectations.some(({ kind }) => kind === 'ordered')
  const byLabels = new Map(result.samples.map((sample) => [labelsKey(sample.labels), sample]))
  for (const [index, { labels, value }] of wanted.entries()) {
    const sample = ordered ? result.samples[index]! : byLabels.get(labelsKey(labels))
    if (sample === undefined || compareLabels(sample.labels, labels) !== 0) return `${labelsText(labels)} is missing`
    const why = value === undefined ? 'should be absent' : checkSample(sample.value, sample.histogram, value)
    if (why !== undefined) return `${labelsText(labels)}: ${why}`
  }
  return undefined
}

function checkMatrix(result: Extract<QueryResult, { type: 'matrix' }>, command: EvalCommand): string | undefined {
  const times = command.rangeVector ?? command.range
  if (times === undefined) return 'unexpected range vector'
  for (let i = 1; i < result.series.length; i++) {
    if (compareLabels(result.series[i - 1]!.labels, result.series[i]!.labels) >= 0) return 'not sorted by labels'
  }
  const wanted = command.scalar === undefined ? command.series : []
  if (result.series.length !== wanted.length) return `${result.series.length} series instead of ${wanted.length}`
  const byLabels = new Map(result.series.map((series) => [labelsKey(series.labels), series]))
  for (const { labels, values } of wanted) {
    const series = byLabels.get(labelsKey(labels))
    if (series === undefined) return `${labelsText(labels)} is missing`
    const why = checkPoints(series, values, times)
    if (why !== undefined) return `${labelsText(labels)}: ${why}`
  }
  return undefined
}

function checkPoints(
  series: MatrixSeries,
  wanted: ScriptSeries['values'],
  times: { readonly startMs: number; readonly stepMs: number },
): string | undefined {
  let at = 0
  for (const [step, want] of wanted.entries()) {
    if (want.kind === 'missing') continue
    const timeMs = times.startMs + step * times.stepMs
    if (series.timestampsMs[at] !== timeMs) return `no value at step ${step}`
    const why = checkSample(series.values[at]!, series.histograms?.[at], want)
    if (why !== undefined) return `${why} at step ${step}`
    at++
  }
  return at === series.timestampsMs.length ? undefined : `${series.timestampsMs.length - at} values too many`
}

function checkAnnotations(outcome: Outcome, expectations: readonly Expectation[]): string | undefined {
  const { warnings, infos } = 'error' in outcome ? { warnings: [], infos: [] } : outcome.evaluation
  return checkLevel('warn', warnings, expectations) ?? checkLevel('info', infos, expectations)
}

function checkLevel(
  level: 'warn' | 'info',
  actual: readonly string[],
  expectations: readonly Expectation[],
): string | undefined {
  if (expectations.some(({ kind }) => kind === `no_${level}`) && actual.length > 0) return `unexpected: ${actual[0]}`
  const wanted = expectations.filter(({ kind }) => kind === level)
  if (wanted.length === 0) return undefined
  const missed = wanted.find((expectation) => !actual.some((text) => matchesText(expectation, text)))
  if (missed !== undefined) return `no ${level} ${missed.text || 'at all'}; there is: ${actual.join(' | ')}`
  const extra = actual.find((text) => !wanted.some((expectation) => matchesText(expectation, text)))
  return extra === undefined ? undefined : `unexpected ${level}: ${extra}`
}

function matchesText(expectation: Expectation, text: string): boolean {
  if (expectation.match === 'any') return true
  if (expectation.match === 'text') return text === expectation.text
  return new RegExp(expectation.text).test(text)
}
