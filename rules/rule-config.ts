/** A rule as its file describes it, the group's labels already laid under its own. Durations in milliseconds. */
export type RuleConfig = RecordingRuleConfig | AlertingRuleConfig

export interface RecordingRuleConfig {
  readonly kind: 'recording'
  /** The metric it writes. */
  readonly name: string
  readonly expr: string
  /** An empty value takes the label away. */
  readonly labels: Readonly<Record<string, string>>
}

export interface AlertingRuleConfig {
  readonly kind: 'alerting'
  readonly name: string
  readonly expr: string
  /** Values are templates. */
  readonly labels: Readonly<Record<string, string>>
  /** Values are templates. */
  readonly annotations: Readonly<Record<string, string>>
  readonly forMs: number
  readonly keepFiringForMs: number
}

export interface RuleGroupConfig {
  readonly file: string
  /** Unique within its file. */
  readonly name: string
  /** `undefined` for the global one. */
  readonly intervalMs: number | undefined
  /** How far in the past it evaluates; `undefined` for the global one. */
  readonly queryOffsetMs: number | undefined
  /** Series or alerts one rule may yield; 0 for any number. */
  readonly limit: number
  readonly rules: readonly RuleConfig[]
}

/** How metrics and logs name a group. */
export const groupKey = (group: { readonly file: string; readonly name: string }): string =>
  `${group.file};${group.name}`
