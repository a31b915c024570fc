import { z } from 'zod'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { parseDuration, parseGoFloat } from '../../model/index.ts'

/** A file of unit tests in promtool's format. Durations and times in milliseconds. */
export interface RuleTestFile {
  /** Patterns, relative to the file. */
  readonly ruleFiles: readonly string[]
  readonly evaluationIntervalMs: number
  readonly groupOrder: readonly string[]
  /** Values that differ in the last bit only are equal. */
  readonly fuzzyCompare: boolean
  readonly tests: readonly RuleTest[]
}

export interface RuleTest {
  readonly name: string
  readonly intervalMs: number
  readonly startMs: number
  readonly inputSeries: readonly { readonly series: string; readonly values: string }[]
  readonly alertTests: readonly AlertTest[]
  readonly exprTests: readonly ExprTest[]
  readonly externalLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
}

export interface AlertTest {
  readonly evalTimeMs: number
  readonly alertName: string
  readonly expected: readonly ExpectedAlert[]
}

export interface ExpectedAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface ExprTest {
  readonly expr: string
  readonly evalTimeMs: number
  readonly expected: readonly { readonly labels: string; readonly value: number; readonly histogram: string }[]
}

const DEFAULT_INTERVAL_MS = 60_000

// Scalars arrive as text; an empty value is YAML's null.
const text = z.string()
function read<T>(what: string, reader: (value: string) => T | undefined) {
  return text.transform((value, context): T => {
    let result: T | undefined
    try {
      result = reader(value)
    } catch {
      result = undefined
    }
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: `not a valid ${what}: ${JSON.stringify(value)}` })
    return z.NEVER
  })
}
const duration = read('duration', (value) => (value === '' ? 0 : parseDuration(value)))
const number = read('number', (value) => (value === '' ? 0 : parseGoFloat(value)))
const boolean = read('boolean', (value) => ({ true: true, false: false, '': false })[value])
const time = read('start time', (value) => {
  if (value === '') return 0
  const seconds = parseGoFloat(value)
  const timeMs = seconds === undefined ? Date.parse(value) : seconds * 1000
  return Number.isNaN(timeMs) ? undefined : Math.round(timeMs)
})
const empty = <T>(make: () => T) => z.literal('').transform(make)
const listOf = <T extends z.ZodType>(item: T) =>
  z.union([empty((): z.output<T>[] => []), z.array(item)]).default([] as never)
const stringMap = z.union([empty((): Record<string, string> => ({})), z.record(text, text)]).default({})

const alertSchema = z.union([
  empty(() => ({ exp_labels: {}, exp_annotations: {} })),
  z.strictObject({ exp_labels: stringMap, exp_annotations: stringMap }),
])
const sampleSchema = z.strictObject({ labels: text.default(''), value: number.default(0), histogram: text.default('') })
const testSchema = z.strictObject({
  interval: duration.default(0),
  name: text.default(''),
  start_timestamp: time.default(0),
  input_series: listOf(z.strictObject({ series: text, values: text.default('') })),
  alert_rule_test: listOf(
    z.strictObject({ eval_time: duration.default(0), alertname: text.default(''), exp_alerts: listOf(alertSchema) }),
  ),
  promql_expr_test: listOf(
    z.strictObject({ expr: text.default(''), eval_time: duration.default(0), exp_samples: listOf(sampleSchema) }),
  ),
  external_labels: stringMap,
  external_url: text.default(''),
})
const fileSchema = z.strictObject({
  rule_files: listOf(text),
  evaluation_interval: duration.default(0),
  group_eval_order: listOf(text),
  fuzzy_compare: boolean.default(false),
  tests: listOf(testSchema),
})
type RawFile = z.output<typeof fileSchema>

/** @throws {ConfigError} with every fault as `file:line:column: path: why` */
export function parseRuleTestFile(fileName: string, fileText: string): RuleTestFile {
  const parsed = parseConfig<RawFile>(fileName, fileText, fileSchema as z.ZodType<RawFile>, { scalarsAsText: true })
  const { value } = parsed
  const doubled = value.group_eval_order.find((name, i, all) => all.indexOf(name) < i)
  if (doubled !== undefined)
    throw new ConfigError([parsed.fault(['group_eval_order'], `group name repeated in evaluation order: ${doubled}`)])
  const evaluationIntervalMs = value.evaluation_interval || DEFAULT_INTERVAL_MS
  return {
    ruleFiles: value.rule_files,
    evaluationIntervalMs,
    groupOrder: value.group_eval_order,
    fuzzyCompare: value.fuzzy_compare,
    tests: value.tests.map((test) => convertTest(test, evaluationIntervalMs)),
  }
}

const convertTest = (test: RawFile['tests'][number], evaluationIntervalMs: number): RuleTest => ({
  name: test.name,
  intervalMs: test.interval || evaluationIntervalMs,
  startMs: test.start_timestamp,
  inputSeries: test.input_series,
  alertTests: test.alert_rule_test.map(({ eval_time, alertname, exp_alerts }) => ({
    evalTimeMs: eval_time,
    alertName: alertname,
    expected: exp_alerts.map(({ exp_labels, exp_annotations }) => ({
      labels: exp_labels,
      annotations: exp_annotations,
    })),
  })),
  exprTests: test.promql_expr_test.map(({ expr, eval_time, exp_samples }) => ({
    expr,
    evalTimeMs: eval_time,
    expected: exp_samples,
  })),
  externalLabels: test.external_labels,
  externalUrl: test.external_url,
})
