import { type Labels, labelValue, type Matcher, textsKey } from '../../model/index.ts'
import { isResolved, type StoredAlert } from '../alert/stored-alert.ts'
import { matchesAll } from '../matcher/parse.ts'

export interface InhibitRule {
  readonly name: string
  readonly sourceMatchers: readonly Matcher[]
  readonly targetMatchers: readonly Matcher[]
  /** Labels that must have the same value on both sides; a missing one counts as ''. */
  readonly equal: readonly string[]
}

/** A rule and what it knows of. */
export interface RuleState {
  readonly rule: InhibitRule
  /** Source alerts by fingerprint, by the values of the `equal` labels. */
  readonly sourcesByEqual: Map<string, Map<string, StoredAlert>>
}

const NONE: readonly RuleState[] = []

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
    return sourceOf(this.#rulesFor(labels), labels, nowMs)
  }

  /** The same for an alert, with which it is remembered what rules are about it: usually none. */
  sourceFor({ labels, memo }: StoredAlert, nowMs: number): string | undefined {
    if (memo.inhibitor !== this) {
      memo.inhibitor = this
      memo.inhibitRules = this.#rulesFor(labels)
    }
    return memo.inhibitRules.length === 0 ? undefined : sourceOf(memo.inhibitRules, labels, nowMs)
  }

  #rulesFor(labels: Labels): readonly RuleState[] {
    const rules = this.#states.filter(({ rule }) => matchesAll(rule.targetMatchers, labels))
    return rules.length === 0 ? NONE : rules.length === this.#states.length ? this.#states : rules
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

/** @param states of rules whose targets the labels are */
function sourceOf(states: readonly RuleState[], labels: Labels, nowMs: number): string | undefined {
  for (const { rule, sourcesByEqual } of states) {
    // What is source and target at once may not be muted by another that is both: they would mute each other.
    const isSourceToo = matchesAll(rule.sourceMatchers, labels)
    for (const source of sourcesByEqual.get(equalKey(rule, labels))?.values() ?? []) {
      if (isResolved(source, nowMs)) continue
      if (!isSourceToo || !matchesAll(rule.targetMatchers, source.labels)) return source.fingerprint
    }
  }
  return undefined
}

const equalKey = (rule: InhibitRule, labels: Labels): string =>
  textsKey(rule.equal.map((name) => labelValue(labels, name)))
