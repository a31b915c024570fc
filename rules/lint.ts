import { quoteGo } from '../model/index.ts'
import type { RuleConfig, RuleGroupConfig } from './rule-config.ts'

/** Rules of one metric or alert and the same labels: whichever is evaluated last has the word. */
export interface DuplicateRule {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly count: number
}

/** Rules that are there more than once among these groups, by name and labels. */
export function findDuplicateRules(groups: readonly RuleGroupConfig[]): DuplicateRule[] {
  const seen = new Map<string, { rule: RuleConfig; count: number }>()
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    const key = JSON.stringify([rule.name, Object.entries(rule.labels).sort()])
    const known = seen.get(key)
    if (known === undefined) seen.set(key, { rule, count: 1 })
    else known.count++
  }
  return [...seen.values()]
    .filter(({ count }) => count > 1)
    .map(({ rule: { name, labels }, count }) => ({ name, labels, count }))
}

/** One line for people. */
export function duplicateRuleText({ name, labels, count }: DuplicateRule): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${quoteGo(value)}`)
  return `${count} rules write ${name}{${pairs.join(', ')}}: which one counts depends on their order`
}
