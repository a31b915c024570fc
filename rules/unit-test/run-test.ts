import { errorMessage } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import {
  formatDuration,
  formatFloatExponent,
  type InstantValue,
  type Labels,
  labelsFromRecord,
  labelsText,
  type QueryFunction,
  type VectorSample,
} from '../../model/index.ts'
import { ALL_FEATURES, createEngine, type Engine, histogramScriptText, parseSeriesLine } from '../../promql/index.ts'
import { AlertingRule } from '../alerting-rule.ts'
import { RuleEvaluationError } from '../errors.ts'
import { samplesOf } from '../evaluation.ts'
import type { RuleGroupConfig } from '../rule-config.ts'
import { RuleRunner } from '../rule-runner.ts'
import type { AlertTest, ExpectedAlert, ExprTest, RuleTest, RuleTestFile } from './test-file.ts'
import { TestStore } from './test-store.ts'

/** One thing that was not as expected, in the words of the original; `exp` and `got` are set where two lists differ. */
export interface RuleTestFailure {
  readonly text: string
  readonly exp?: string
  readonly got?: string
}

const LOOKBACK_MS = 300_000
const SAMPLES_MAX = 50_000_000

/** Runs one test of a file over the groups of its rule files; an empty list says that all is as expected. */
export async function runRuleTest(
  test: RuleTest,
  file: RuleTestFile,
  groups: readonly RuleGroupConfig[],
): Promise<RuleTestFailure[]> {
  const store = new TestStore()
  for (const { series, values } of test.inputSeries) {
    try {
      store.addInput(parseSeriesLine(`${series} ${values}`), test.startMs, test.intervalMs)
    } catch (error) {
      return [{ text: errorMessage(error) }]
    }
  }
  const engine = createEngine({
    lookbackDeltaMs: LOOKBACK_MS,
    defaultSubqueryStepMs: () => file.evaluationIntervalMs,
    maxSamples: SAMPLES_MAX,
    features: ALL_FEATURES,
  })
  const bench = new TestBench(test, file, { store, engine, groups })
  const failures = await bench.evaluateRules()
  // As in the original: what rules could not do is told before what they did wrong.
  if (failures.length > 0) return failures
  return [...bench.alertFailures, ...(await bench.checkExpressions())]
}

class TestBench {
  readonly alertFailures: RuleTestFailure[] = []
  readonly #test: RuleTest
  readonly #file: RuleTestFile
  readonly #store: TestStore
  readonly #query: QueryFunction
  readonly #groups: readonly { readonly config: RuleGroupConfig; readonly runners: readonly RuleRunner[] }[]

  constructor(
    test: RuleTest,
    file: RuleTestFile,
    parts: { readonly store: TestStore; readonly engine: Engine; readonly groups: readonly RuleGroupConfig[] },
  ) {
    this.#test = test
    this.#file = file
    this.#store = parts.store
    this.#query = async (expr, timeMs) => instantValue(parts.engine, parts.store, expr, timeMs)
    const place = (name: string): number => file.groupOrder.indexOf(name)
    this.#groups = parts.groups
      .toSorted((a, b) => place(a.name) - place(b.name))
      .map((config) => ({
        config,
        runners: config.rules.map((rule) => new RuleRunner(rule, { restores: false, logger: silentLogger })),
      }))
  }

  /** From the start to the last time that is asked for. @returns what rules could not do */
  async evaluateRules(): Promise<RuleTestFailure[]> {
    const { startMs, alertTests, exprTests } = this.#test
    const lastMs = Math.max(0, ...alertTests.map((one) => one.evalTimeMs), ...exprTests.map((one) => one.evalTimeMs))
    const stepMs = this.#file.evaluationIntervalMs
    const failures: RuleTestFailure[] = []
    for (let offsetMs = 0; offsetMs <= lastMs; offsetMs += stepMs) {
      for (const group of this.#groups)
        failures.push(...(await this.#evaluateGroup(group, startMs + offsetMs, offsetMs)))
      // Rules are not run again until the next step, so every time up to it sees these alerts.
      for (const one of alertTests)
        if (one.evalTimeMs >= offsetMs && one.evalTimeMs < offsetMs + stepMs) this.#checkAlerts(one)
    }
    return failures
  }

  async #evaluateGroup(
    { config, runners }: { readonly config: RuleGroupConfig; readonly runners: readonly RuleRunner[] },
    timeMs: number,
    offsetMs: number,
  ): Promise<RuleTestFailure[]> {
    const failures: RuleTestFailure[] = []
    for (const runner of runners) {
      const evaluation = {
        timeMs,
        queryTimeMs: timeMs - (config.queryOffsetMs ?? 0),
        query: this.#query,
        externalLabels: labelsFromRecord(this.#test.externalLabels),
        externalUrl: this.#test.externalUrl,
        limit: config.limit,
      }
      const samples = await runner.evaluate(evaluation, () => timeMs)
      if (samples !== undefined) {
        const appender = this.#store.appender()
        runner.stage(appender, evaluation.queryTimeMs, samples)
        await appender.commit()
        runner.settle()
      }
      const { health, lastError } = runner.state()
      // Samples that the store refuses are no fault of the expression.
      if (health === 'err' && !/out of order|duplicate sample/.test(lastError))
        failures.push({ text: `rule: ${runner.rule.config.name}, time: ${timeText(offsetMs)}, err: ${lastError}` })
    }
    return failures
  }

  #checkAlerts(one: AlertTest): void {
    const rules = this.#groups.flatMap(({ runners }) => runners.map(({ rule }) => rule))
    const firing = rules
      .filter((rule) => rule instanceof AlertingRule)
      .filter((rule) => rule.config.name === one.alertName)
      .flatMap((rule) => rule.activeAlerts.filter(({ state }) => state === 'firing'))
    const got = firing.map(({ labels, annotations }) => alertText(labels, annotations)).sort()
    const exp = one.expected.map((alert) => expectedText(one.alertName, alert)).sort()
    if (got.join('\n') === exp.join('\n')) return
    const head = `${nameText(this.#test)}alertname: ${one.alertName}, time: ${timeText(one.evalTimeMs)}, `
    this.alertFailures.push(difference(head, exp, got))
  }

  async checkExpressions(): Promise<RuleTestFailure[]> {
    const failures: RuleTestFailure[] = []
    for (const one of this.#test.exprTests) {
      const failure = await this.#checkExpression(one)
      if (failure !== undefined) failures.push(failure)
    }
    return failures
  }

  async #checkExpression(one: ExprTest): Promise<RuleTestFailure | undefined> {
    const head = `${nameText(this.#test)}expr: ${JSON.stringify(one.expr)}, time: ${timeText(one.evalTimeMs)},`
    let exp: ComparableSample[]
    let got: ComparableSample[]
    try {
      const answer = await this.#query(one.expr, this.#test.startMs + one.evalTimeMs)
      got = samplesOf(answer).map(gotSample).sort(byText)
      exp = one.expected.map(expectedSample).sort(byText)
    } catch (error) {
      return { text: `${head} err: ${errorMessage(error)}` }
    }
    const isEqual = exp.length === got.length && exp.every((sample, i) => this.#equal(sample, got[i]!))
    if (isEqual) return undefined
    return difference(
      head,
      exp.map(({ text }) => text),
      got.map(({ text }) => text),
    )
  }

  #equal(exp: ComparableSample, got: ComparableSample): boolean {
    if (exp.labels !== got.labels || exp.histogram !== got.histogram) return false
    if (Object.is(exp.value, got.value) || exp.value === got.value) return true
    return this.#file.fuzzyCompare && isNextTo(exp.value, got.value)
  }
}

function instantValue(engine: Engine, store: TestStore, expr: string, timeMs: number): InstantValue {
  const { result } = engine.instant(store, expr, timeMs)
  if (result.type === 'matrix') throw new RuleEvaluationError('rule result is not a vector or scalar')
  return result
}

// ---- comparing and showing ---------------------------------------------------------------------------------------------

interface ComparableSample {
  readonly labels: string
  readonly value: number
  /** '' for a float. */
  readonly histogram: string
  readonly text: string
}

const byText = (a: ComparableSample, b: ComparableSample): number =>
  a.labels < b.labels ? -1 : a.labels > b.labels ? 1 : 0

function comparable(labels: Labels, value: number, histogram: string): ComparableSample {
  const shown =
    histogram === '' ? formatFloatExponent(value).toUpperCase().replace('NAN', 'NaN').replace('INF', 'Inf') : histogram
  const name = labels.length === 0 ? '{}' : fullText(labels)
  return { labels: name, value: histogram === '' ? value : 0, histogram, text: `${name} ${shown}` }
}

const gotSample = ({ labels, value, histogram }: VectorSample): ComparableSample =>
  comparable(labels, value, histogram === undefined ? '' : histogramScriptText(histogram))

/** @throws {Error} where the labels or the histogram cannot be read */
function expectedSample({ labels, value, histogram }: ExprTest['expected'][number]): ComparableSample {
  const parsed = parseSeriesLine(`${labels.trim() === '' ? '{}' : labels} ${histogram === '' ? '0' : histogram}`)
  const [item] = parsed.values
  return comparable(parsed.labels, value, item?.kind === 'histogram' ? histogramScriptText(item.histogram) : '')
}

/** `{__name__="x", a="b"}`: the name is a label like others. */
const fullText = (labels: Labels): string =>
  `{${Array.from({ length: labels.length / 2 }, (_, i) => `${labels[i * 2]}=${JSON.stringify(labels[i * 2 + 1])}`).join(', ')}}`

const alertText = (labels: Labels, annotations: Labels): string =>
  `Labels:${labelsText(labels)} \nAnnotations:${labelsText(annotations)}`

function expectedText(alertName: string, { labels, annotations }: ExpectedAlert): string {
  const named = labelsFromRecord({ ...labels, alertname: alertName })
  return alertText(named, labelsFromRecord(annotations))
}

function difference(head: string, exp: readonly string[], got: readonly string[]): RuleTestFailure {
  const listText = (items: readonly string[]): string =>
    items.length === 0
      ? '[]'
      : items.length === 1 && !items[0]!.includes('\n')
        ? items[0]!
        : `[\n${items.map((item, i) => `${i}:\n  ${item.replaceAll('\n', '\n  ')}`).join('\n')}\n]`
  return { text: head, exp: listText(exp), got: listText(got) }
}

const nameText = ({ name }: RuleTest): string => (name === '' ? '' : `name: ${name},\n`)

const timeText = (offsetMs: number): string => (offsetMs === 0 ? '0s' : formatDuration(offsetMs))

/** Whether two numbers are neighbours among the floats, or equal. */
function isNextTo(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b) || Math.sign(a) !== Math.sign(b)) return false
  const bits = new BigInt64Array(Float64Array.of(Math.abs(a), Math.abs(b)).buffer)
  const distance = bits[0]! - bits[1]!
  return distance >= -1n && distance <= 1n
}
