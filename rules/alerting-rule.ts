import { errorMessage, type Logger } from '../lib/index.ts'
import {
  type Alert,
  compareLabels,
  type Labels,
  labelsFromEntries,
  labelsKey,
  METRIC_NAME,
  type VectorSample,
  withLabels,
} from '../model/index.ts'
import { type ActiveAlert, advanceAlert, needsSending } from './active-alert.ts'
import { ALERTS_FOR_STATE_METRIC, ALERTS_METRIC } from './alert-series.ts'
import { type AlertTemplate, type AlertTemplateData, compileAlertTemplate } from './alert-template.ts'
import { RuleEvaluationError } from './errors.ts'
import { type Evaluation, type OutputSample, samplesOf } from './evaluation.ts'
import { tableUrl } from './graph-link.ts'
import type { AlertingRuleConfig } from './rule-config.ts'

const ALERT_NAME = 'alertname'
const ALERT_STATE = 'alertstate'

type NamedTemplate = readonly [name: string, template: AlertTemplate]

/** One alerting rule with its alerts. */
export class AlertingRule {
  readonly kind = 'alerting'
  readonly config: AlertingRuleConfig
  /** By label set; resolved ones stay for a while. */
  #alerts = new Map<string, ActiveAlert>()
  /** Until the state before the restart is known, no series are written: they would hide what is to be restored. */
  #isRestored: boolean
  readonly #labels: readonly NamedTemplate[]
  readonly #annotations: readonly NamedTemplate[]
  readonly #logger: Logger

  /** @throws {TemplateParseError} */
  constructor(config: AlertingRuleConfig, options: { readonly restores: boolean; readonly logger: Logger }) {
    this.config = config
    this.#isRestored = !options.restores
    this.#logger = options.logger
    const compile = ([name, text]: [string, string]): NamedTemplate => [name, compileAlertTemplate(config.name, text)]
    this.#labels = Object.entries(config.labels).map(compile)
    this.#annotations = Object.entries(config.annotations).map(compile)
  }

  get isRestored(): boolean {
    return this.#isRestored
  }

  /** Pending and firing, in the order of their labels. */
  get activeAlerts(): readonly ActiveAlert[] {
    const active = [...this.#alerts.values()].filter((alert) => alert.resolvedAtMs === undefined)
    return active.sort((a, b) => compareLabels(a.labels, b.labels))
  }

  /** Of a rule that this one takes the place of. */
  takeAlertsFrom(other: AlertingRule): void {
    this.#alerts = other.#alerts
  }

  /** The alerts' beginnings are right now: from here on they are written. */
  finishRestore(): void {
    this.#isRestored = true
  }

  /** @throws {RuleEvaluationError} and whatever the query throws; the alerts are as before, unless the limit was passed */
  async evaluate(evaluation: Evaluation): Promise<OutputSample[]> {
    const samples = samplesOf(await evaluation.query(this.config.expr, evaluation.queryTimeMs))
    const returned = new Map<string, ActiveAlert>()
    for (const sample of samples) {
      const alert = await this.#createAlert(sample, evaluation)
      const key = labelsKey(alert.labels)
      if (returned.has(key))
        throw new RuleEvaluationError('vector contains metrics with the same labelset after applying alert labels')
      returned.set(key, alert)
    }
    this.#merge(returned)
    const active = this.#advance(returned, evaluation.timeMs)
    if (evaluation.limit > 0 && active.length > evaluation.limit) {
      this.#alerts.clear()
      throw new RuleEvaluationError(`exceeded limit of ${evaluation.limit} with ${active.length} alerts`)
    }
    return this.#isRestored ? active.flatMap((alert) => this.#series(alert)) : []
  }

  async #createAlert(sample: VectorSample, evaluation: Evaluation): Promise<ActiveAlert> {
    const data: AlertTemplateData = {
      labels: sample.labels,
      externalLabels: evaluation.externalLabels,
      externalUrl: evaluation.externalUrl,
      value: sample.value,
      timeMs: evaluation.timeMs,
      query: evaluation.query,
    }
    const own = await this.#expandAll(this.#labels, data)
    return {
      labels: withLabels(sample.labels, [[METRIC_NAME, ''], ...own, [ALERT_NAME, this.config.name]]),
      annotations: labelsFromEntries(await this.#expandAll(this.#annotations, data)),
      state: 'pending',
      value: sample.value,
      activeAtMs: evaluation.timeMs,
      firedAtMs: undefined,
      resolvedAtMs: undefined,
      lastSentAtMs: undefined,
      keepFiringSinceMs: undefined,
    }
  }

  async #expandAll(templates: readonly NamedTemplate[], data: AlertTemplateData): Promise<[string, string][]> {
    const expanded: [string, string][] = []
    for (const [name, template] of templates) expanded.push([name, await this.#expand(template, data)])
    return expanded
  }

  /** A broken template must not keep the alert from being told: its error stands where its text should. */
  async #expand(template: AlertTemplate, data: AlertTemplateData): Promise<string> {
    try {
      return await template.expand(data)
    } catch (error) {
      this.#logger.warn({ alert: this.config.name, err: error }, 'expanding an alert template failed')
      return `<error expanding template: error executing template __alert_${this.config.name}: ${errorMessage(error)}>`
    }
  }

  /** Known alerts keep their state and take the new value and texts. */
  #merge(returned: ReadonlyMap<string, ActiveAlert>): void {
    for (const [key, fresh] of returned) {
      const known = this.#alerts.get(key)
      if (known && known.state !== 'inactive') {
        known.value = fresh.value
        known.annotations = fresh.annotations
      } else this.#alerts.set(key, fresh)
    }
  }

  #advance(returned: ReadonlyMap<string, ActiveAlert>, timeMs: number): ActiveAlert[] {
    const active: ActiveAlert[] = []
    for (const [key, alert] of this.#alerts) {
      const fate = advanceAlert(alert, returned.has(key), timeMs, this.config)
      if (fate === 'forget') this.#alerts.delete(key)
      else if (fate === 'active') active.push(alert)
    }
    return active
  }

  #series(alert: ActiveAlert): OutputSample[] {
    return [
      {
        labels: withLabels(alert.labels, [
          [METRIC_NAME, ALERTS_METRIC],
          [ALERT_STATE, alert.state],
        ]),
        value: 1,
      },
      {
        labels: forStateLabels(alert),
        value: Math.floor(alert.activeAtMs / 1000),
      },
    ]
  }

  /** What the sink is to hear of at this time; marks it as sent. */
  takeAlertsToSend(options: {
    readonly timeMs: number
    readonly resendDelayMs: number
    readonly intervalMs: number
    readonly externalUrl: string
  }): Alert[] {
    const { timeMs, resendDelayMs, intervalMs, externalUrl } = options
    const alerts: Alert[] = []
    for (const alert of this.#alerts.values()) {
      if (!needsSending(alert, timeMs, resendDelayMs)) continue
      alert.lastSentAtMs = timeMs
      alerts.push({
        labels: alert.labels,
        annotations: alert.annotations,
        startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
        // Outlives four evaluations or sendings that fail.
        endsAtMs: alert.resolvedAtMs ?? timeMs + 4 * Math.max(intervalMs, resendDelayMs),
        generatorUrl: tableUrl(externalUrl, this.config.expr),
      })
    }
    return alerts
  }
}

/** The series that remembers when an alert began. */
export const forStateLabels = (alert: ActiveAlert): Labels =>
  withLabels(alert.labels, [[METRIC_NAME, ALERTS_FOR_STATE_METRIC]])
