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
import { alertSeriesLabels } from './alert-series.ts'
import { type AlertTemplate, type AlertTemplateData, compileAlertTemplate } from './alert-template.ts'
import { RuleEvaluationError } from './errors.ts'
import { type Evaluation, type OutputSample, samplesOf } from './evaluation.ts'
import { tableUrl } from './graph-link.ts'
import type { AlertingRuleConfig } from './rule-config.ts'

const ALERT_NAME = 'alertname'

type NamedTemplate = readonly [name: string, template: AlertTemplate]

/** The labels of an alert, and what they were made from beside those of its sample. */
interface KnownLabels {
  readonly own: readonly (readonly [name: string, value: string])[]
  readonly labels: Labels
  readonly key: string
}

/** One alerting rule with its alerts. */
export class AlertingRule {
  readonly kind = 'alerting'
  readonly config: AlertingRuleConfig
  /** By label set; resolved ones stay for a while. */
  #alerts = new Map<string, ActiveAlert>()
  /** As they were when somebody last asked for them in order. */
  #sorted: readonly ActiveAlert[] = []
  /** Until the state before the restart is known, no series are written: they would hide what is to be restored. */
  #isRestored: boolean
  /** By the labels of the sample: it is the very same object as long as the expression yields the same. */
  readonly #knownLabels = new WeakMap<Labels, KnownLabels>()
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
    // An alert that is looked for again and again stands where it stood.
    if (!hasAll(this.#sorted, this.#alerts))
      this.#sorted = [...this.#alerts.values()].sort((a, b) => compareLabels(a.labels, b.labels))
    return this.#sorted.filter((alert) => alert.resolvedAtMs === undefined)
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
      const { alert, key } = await this.#createAlert(sample, evaluation)
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

  async #createAlert(sample: VectorSample, evaluation: Evaluation): Promise<{ alert: ActiveAlert; key: string }> {
    const data: AlertTemplateData = {
      labels: sample.labels,
      externalLabels: evaluation.externalLabels,
      externalUrl: evaluation.externalUrl,
      value: sample.value,
      timeMs: evaluation.timeMs,
      query: evaluation.query,
    }
    const { labels, key } = this.#labelsOf(sample.labels, await this.#expandAll(this.#labels, data))
    const alert: ActiveAlert = {
      labels,
      annotations: labelsFromEntries(await this.#expandAll(this.#annotations, data)),
      state: 'pending',
      value: sample.value,
      activeAtMs: evaluation.timeMs,
      firedAtMs: undefined,
      resolvedAtMs: undefined,
      lastSentAtMs: undefined,
      keepFiringSinceMs: undefined,
      series: undefined,
    }
    return { alert, key }
  }

  #labelsOf(sampleLabels: Labels, own: readonly (readonly [string, string])[]): KnownLabels {
    const known = this.#knownLabels.get(sampleLabels)
    if (known?.own.every(([, value], i) => value === own[i]![1])) return known
    const labels = withLabels(sampleLabels, [[METRIC_NAME, ''], ...own, [ALERT_NAME, this.config.name]])
    const made = { own, labels, key: labelsKey(labels) }
    this.#knownLabels.set(sampleLabels, made)
    return made
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
    const { state } = alert
    if (alert.series?.state !== state) alert.series = { state, ...alertSeriesLabels(alert) }
    const { alerts, forState } = alert.series
    return [
      { labels: alerts, value: 1 },
      { labels: forState, value: Math.floor(alert.activeAtMs / 1000) },
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

/** Whether the list holds just the alerts of the map. */
function hasAll(list: readonly ActiveAlert[], alerts: ReadonlyMap<string, ActiveAlert>): boolean {
  if (list.length !== alerts.size) return false
  const known = new Set(list)
  for (const alert of alerts.values()) if (!known.has(alert)) return false
  return true
}
