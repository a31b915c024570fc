import { errorMessage, type Logger } from '../lib/index.ts'
import type { Appendable } from '../model/index.ts'
import { AlertingRule } from './alerting-rule.ts'
import type { Evaluation, RuleHealth } from './evaluation.ts'
import { OutputSeries } from './output-series.ts'
import { RecordingRule } from './recording-rule.ts'
import type { RuleConfig } from './rule-config.ts'
import type { AlertInfo, RuleState } from './rule-state.ts'

/** One rule of a running group: evaluates it, keeps its series and how it went. */
export class RuleRunner {
  readonly rule: RecordingRule | AlertingRule
  readonly series = new OutputSeries()
  readonly #logger: Logger
  #health: RuleHealth = 'unknown'
  #lastError = ''
  #durationMs = 0
  #lastEvaluationMs: number | undefined

  constructor(config: RuleConfig, options: { readonly restores: boolean; readonly logger: Logger }) {
    this.#logger = options.logger
    this.rule = config.kind === 'recording' ? new RecordingRule(config) : new AlertingRule(config, options)
  }

  /** Rules of one name and labels are the same rule, whatever else has changed. */
  get identity(): string {
    const { name, labels } = this.rule.config
    return JSON.stringify([this.rule.kind, name, Object.entries(labels).sort()])
  }

  takeStateFrom(other: RuleRunner): void {
    this.series.takeFrom(other.series)
    this.#health = other.#health
    this.#lastError = other.#lastError
    this.#durationMs = other.#durationMs
    this.#lastEvaluationMs = other.#lastEvaluationMs
    if (this.rule instanceof AlertingRule && other.rule instanceof AlertingRule) this.rule.takeAlertsFrom(other.rule)
  }

  /**
   * Never rejects: what goes wrong is the rule's health.
   *
   * @param onEvaluated called between the evaluation and the writing of its result
   * @returns the number of samples, `undefined` where it failed
   */
  async run(
    evaluation: Evaluation,
    options: { readonly appendable: Appendable; readonly nowMs: () => number; readonly onEvaluated: () => void },
  ): Promise<number | undefined> {
    const startMs = options.nowMs()
    this.#lastEvaluationMs = evaluation.timeMs
    try {
      const samples = await this.rule.evaluate(evaluation)
      options.onEvaluated()
      const refusal = await this.series.write(options.appendable, evaluation.queryTimeMs, samples, this.#logger)
      this.#health = refusal === undefined ? 'ok' : 'err'
      this.#lastError = refusal ?? ''
      return samples.length
    } catch (error) {
      this.#health = 'err'
      this.#lastError = errorMessage(error)
      this.#logger.warn({ rule: this.rule.config.name, err: error }, 'evaluating a rule failed')
      return undefined
    } finally {
      this.#durationMs = options.nowMs() - startMs
    }
  }

  get durationSeconds(): number {
    return this.#durationMs / 1000
  }

  state(): RuleState {
    const base = {
      health: this.#health,
      lastError: this.#lastError,
      evaluationSeconds: this.durationSeconds,
      lastEvaluationMs: this.#lastEvaluationMs,
    }
    if (this.rule instanceof RecordingRule) return { kind: 'recording', config: this.rule.config, ...base }
    const alerts = alertsOf(this.rule)
    return { kind: 'alerting', config: this.rule.config, state: this.#alertState(alerts), alerts, ...base }
  }

  #alertState(alerts: readonly AlertInfo[]): 'unknown' | 'inactive' | 'pending' | 'firing' {
    if (this.#lastEvaluationMs === undefined) return 'unknown'
    if (alerts.some((alert) => alert.state === 'firing')) return 'firing'
    return alerts.length > 0 ? 'pending' : 'inactive'
  }
}

/** Copies, so that an answer under construction does not change. */
export function alertsOf(rule: AlertingRule): AlertInfo[] {
  return rule.activeAlerts.map((alert) => ({
    labels: alert.labels,
    annotations: alert.annotations,
    state: alert.state === 'firing' ? 'firing' : 'pending',
    activeAtMs: alert.activeAtMs,
    keepFiringSinceMs: alert.keepFiringSinceMs,
    value: alert.value,
  }))
}
