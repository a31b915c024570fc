import { errorMessage, type Logger } from '../lib/index.ts'
import type { Appender } from '../model/index.ts'
import { AlertingRule } from './alerting-rule.ts'
import type { Evaluation, OutputSample, RuleHealth } from './evaluation.ts'
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
   * Runs the expression. Never rejects: what goes wrong is the rule's health.
   *
   * @returns what is to be written, `undefined` where it failed
   */
  async evaluate(evaluation: Evaluation, nowMs: () => number): Promise<readonly OutputSample[] | undefined> {
    const startMs = nowMs()
    this.#lastEvaluationMs = evaluation.timeMs
    try {
      const samples = await this.rule.evaluate(evaluation)
      this.#health = 'ok'
      this.#lastError = ''
      return samples
    } catch (error) {
      this.#fail(error)
      return undefined
    } finally {
      this.#durationMs = nowMs() - startMs
    }
  }

  /** Puts what `evaluate` gave into a batch; `settle` when that is committed. @throws what the store throws but refusals */
  stage(appender: Appender, timestampMs: number, samples: readonly OutputSample[]): void {
    const refusal = this.series.stage(appender, timestampMs, samples, this.#logger)
    if (refusal === undefined) return
    this.#health = 'err'
    this.#lastError = refusal
  }

  /** The batch is committed, or failed. */
  settle(error?: unknown): void {
    if (error === undefined) this.series.settle()
    else this.#fail(error)
  }

  #fail(error: unknown): void {
    this.#health = 'err'
    this.#lastError = errorMessage(error)
    this.#logger.warn({ rule: this.rule.config.name, err: error }, 'evaluating a rule failed')
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
