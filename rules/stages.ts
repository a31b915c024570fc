import { type Matcher, matches, METRIC_NAME } from '../model/index.ts'
import { ALL_FEATURES, parseExpr, walkExpr } from '../promql/index.ts'
import { ALERTS_FOR_STATE_METRIC, ALERTS_METRIC } from './alert-series.ts'
import type { RuleConfig } from './rule-config.ts'

/** A family of series that a rule writes: what is known of its labels before it has run. */
interface Output {
  readonly name: string
  /** Values that every series has; '' = none has the label. Others may be there too. */
  readonly labels: ReadonlyMap<string, string>
}

/**
 * Puts the rules of a group into stages: those of one stage can be evaluated at once, and their results written together,
 * with the same outcome as one rule after the other. A rule comes after the rules before it whose series it may read, not
 * before the rules before it that read its own, and after those that may write the same series.
 *
 * @returns indexes of rules, ascending within a stage
 */
export function stagesOf(rules: readonly RuleConfig[]): number[][] {
  const outputs = rules.map(outputsOf)
  const writers = new Map<string, number[]>()
  for (const [index, list] of outputs.entries())
    for (const { name } of list) {
      const indexes = writers.get(name)
      if (indexes === undefined) writers.set(name, [index])
      else indexes.push(index)
    }
  const everybody = rules.map((_, index) => index)
  const readers = rules.map((): Set<number> => new Set())
  const stageOf: number[] = []
  const selectors = rules.map(selectorsOf)
  const reads = selectors.map((sets) => readIndexes(sets, { outputs, writers, everybody }))
  for (const [index, found] of reads.entries()) for (const written of found) readers[written]!.add(index)
  for (const index of everybody) {
    let stage = 0
    for (const before of reads[index]!) if (before < index) stage = Math.max(stage, stageOf[before]! + 1)
    for (const reader of readers[index]!) if (reader < index) stage = Math.max(stage, stageOf[reader]!)
    for (const { name } of outputs[index]!)
      for (const other of writers.get(name)!)
        if (other < index && mayCollide(outputs[other]!, outputs[index]!)) stage = Math.max(stage, stageOf[other]! + 1)
    stageOf.push(stage)
  }
  const stages: number[][] = []
  for (const [index, stage] of stageOf.entries()) (stages[stage] ??= []).push(index)
  return stages
}

/** The rules that may write what one of the selectors reads. */
function readIndexes(
  sets: readonly (readonly Matcher[])[] | 'anything',
  rules: {
    readonly outputs: readonly (readonly Output[])[]
    readonly writers: ReadonlyMap<string, readonly number[]>
    readonly everybody: readonly number[]
  },
): ReadonlySet<number> {
  if (sets === 'anything') return new Set(rules.everybody)
  const found = new Set<number>()
  for (const matchers of sets) {
    const exact = matchers.find(({ name, type }) => name === METRIC_NAME && type === '=')?.value
    const candidates = exact === undefined ? rules.everybody : (rules.writers.get(exact) ?? [])
    for (const index of candidates)
      if (!found.has(index) && rules.outputs[index]!.some((output) => mayRead(matchers, output))) found.add(index)
  }
  return found
}

function mayRead(matchers: readonly Matcher[], { name, labels }: Output): boolean {
  return matchers.every((matcher) => {
    const value = matcher.name === METRIC_NAME ? name : labels.get(matcher.name)
    return value === undefined || matches(matcher, value)
  })
}

function mayCollide(a: readonly Output[], b: readonly Output[]): boolean {
  return a.some((one) =>
    b.some(
      (other) =>
        one.name === other.name &&
        [...one.labels].every(([label, value]) => (other.labels.get(label) ?? value) === value),
    ),
  )
}

function outputsOf(rule: RuleConfig): Output[] {
  if (rule.kind === 'recording') return [{ name: rule.name, labels: new Map(Object.entries(rule.labels)) }]
  // Labels of alerts are templates; what they are is known only once they have been filled in.
  const plain = Object.entries(rule.labels).filter(([, value]) => !value.includes('{{'))
  const labels = new Map([...plain, ['alertname', rule.name] as const])
  return [ALERTS_METRIC, ALERTS_FOR_STATE_METRIC].map((name) => ({ name, labels }))
}

function selectorsOf(rule: RuleConfig): (readonly Matcher[])[] | 'anything' {
  const texts = rule.kind === 'alerting' ? [...Object.values(rule.labels), ...Object.values(rule.annotations)] : []
  // A template can ask whatever it likes.
  if (texts.some((text) => /\{\{[^]*\bquery\b/.test(text))) return 'anything'
  const found: (readonly Matcher[])[] = []
  walkExpr(parseExpr(rule.expr, ALL_FEATURES), (expr) => {
    if (expr.kind === 'vectorSelector') found.push(expr.matchers)
  })
  return found
}
