import type { Labels } from '../model/index.ts'
import type { RuleHealth } from './evaluation.ts'
import type { AlertingRuleConfig, RecordingRuleConfig } from './rule-config.ts'

/** A rule group as the rules page and `/api/v1/rules` show it. A copy: later evaluations do not change it. */
export interface RuleGroupState {
  readonly file: string
  readonly name: string
  readonly intervalMs: number
  readonly queryOffsetMs: number
  readonly limit: number
  /** Of the last evaluation of the whole group. */
  readonly evaluationSeconds: number
  /** `undefined` before the first one. */
  readonly lastEvaluationMs: number | undefined
  readonly rules: readonly RuleState[]
}

interface RuleStateBase {
  readonly health: RuleHealth
  /** '' when the last evaluation went well. */
  readonly lastError: string
  readonly evaluationSeconds: number
  readonly lastEvaluationMs: number | undefined
}

export type RuleState = RecordingRuleState | AlertingRuleState

export interface RecordingRuleState extends RuleStateBase {
  readonly kind: 'recording'
  readonly config: RecordingRuleConfig
}

export interface AlertingRuleState extends RuleStateBase {
  readonly kind: 'alerting'
  readonly config: AlertingRuleConfig
  /** The most advanced of its alerts'; `unknown` before the first evaluation. */
  readonly state: 'unknown' | 'inactive' | 'pending' | 'firing'
  readonly alerts: readonly AlertInfo[]
}

/** A pending or firing alert. Times are Unix milliseconds. */
export interface AlertInfo {
  readonly labels: Labels
  readonly annotations: Labels
  readonly state: 'pending' | 'firing'
  readonly activeAtMs: number
  readonly keepFiringSinceMs: number | undefined
  readonly value: number
}
