import { type Labels, labelValue, type Matcher } from '../../model/index.ts'
import { isResolved, type StoredAlert } from '../alert/stored-alert.ts'
import { matchesAll } from '../matcher/parse.ts'

export interface InhibitRule {
  readonly name: string
  readonly sourceMatchers: readonly Matcher[]
  readonly targetMatchers: readonly Matcher[]
  /** Labels that must have the same value on both sides; a missing one counts as ''. */
  readonly equal: readonly string[]
}

interface RuleState {
  readonly rule: InhibitRule
  /** Source alerts by fingerprint, by the values of the `equal` labels. */
  readonly sourcesByEqual: Map<string, Map<string, StoredAlert>>
}

/** Knows which alerts are muted because a more important one fires. */
export class Inhibitor {
  readonly #states: readonly RuleState[]

  constructor(rules: readonly InhibitRule[]) {
    this.#states = rules.map((rule) => ({ rule, sourcesByEqual: new Map() }))
  }

  get ruleCount(): number {
    return this.#states.length
  }

  /** To be told of every alert and every change to one. */
  observe(alert: StoredAlert): void {
    for (const { rule, sourcesByEqual } of this.#states) {
      if (!matchesAll(rule.sourceMatchers, alert.labels)) continue
      const key = equalKey(rule, alert.labels)
      let sources = sourcesByEqual.get(key)
      if (!sources) sourcesByEqual.set(key, (sources = new Map()))
      sources.set(alert.fingerprint, alert)
    }
  }

  /** The fingerprint of one live alert that inhibits these labels. */
  inhibitedBy(labels: Labels, nowMs: number): string | undefined {
    for (const { rule, sourcesByEqual } of this.#states) {
      if (!matchesAll(rule.targetMatchers, labels)) continue
      // What is source and target at once may not be muted by another that is both: they would mute each other.
      const isSourceToo = matchesAll(rule.sourceMatchers, labels)
      for (const source of sourcesByEqual.get(equalKey(rule, labels))?.values() ?? []) {
        if (isResolved(source, nowMs)) continue
        if (!isSourceToo || !matchesAll(rule.targetMatchers, source.labels)) return source.fingerprint
      }
    }
    return undefined
  }

  collectGarbage(nowMs: number): void {
    for (const { sourcesByEqual } of this.#states) {
      for (const [key, sources] of sourcesByEqual) {
        for (const source of sources.values()) if (isResolved(source, nowMs)) sources.delete(source.fingerprint)
        if (sources.size === 0) sourcesByEqual.delete(key)
      }
    }
  }
}

const equalKey = (rule: InhibitRule, labels: Labels): string =>
  rule.equal.map((name) => labelValue(labels, name)).join('\xff')
