import type { Registry } from '../lib/index.ts'
import { Counter, Gauge, Summary } from '../lib/metrics.ts'

const WINDOW_SECONDS = 600
const AGE_BUCKETS = 5

/** What the rules tell about themselves, under Prometheus' names. */
export class RuleMetrics {
  readonly evaluationDuration: Summary
  readonly groupDuration: Summary
  readonly evaluations: Counter
  readonly evaluationFailures: Counter
  readonly iterations: Counter
  readonly iterationsMissed: Counter
  readonly lastDuration: Gauge
  readonly lastEvaluation: Gauge
  readonly lastSamples: Gauge
  readonly interval: Gauge
  readonly rules: Gauge

  constructor(registry: Registry) {
    const summary = (name: string, help: string, percentiles: number[]): Summary =>
      new Summary({
        name,
        help,
        percentiles,
        maxAgeSeconds: WINDOW_SECONDS,
        ageBuckets: AGE_BUCKETS,
        registers: [registry],
      })
    const perGroup = { labelNames: ['rule_group'], registers: [registry] }
    this.evaluationDuration = summary(
      'prometheus_rule_evaluation_duration_seconds',
      'The duration for a rule to execute.',
      [0.5, 0.9, 0.99],
    )
    this.groupDuration = summary(
      'prometheus_rule_group_duration_seconds',
      'The duration of rule group evaluations.',
      [0.01, 0.05, 0.5, 0.9, 0.99],
    )
    this.evaluations = new Counter({
      name: 'prometheus_rule_evaluations_total',
      help: 'The total number of rule evaluations.',
      ...perGroup,
    })
    this.evaluationFailures = new Counter({
      name: 'prometheus_rule_evaluation_failures_total',
      help: 'The total number of rule evaluation failures.',
      ...perGroup,
    })
    this.iterations = new Counter({
      name: 'prometheus_rule_group_iterations_total',
      help: 'The total number of scheduled rule group evaluations, whether executed or missed.',
      ...perGroup,
    })
    this.iterationsMissed = new Counter({
      name: 'prometheus_rule_group_iterations_missed_total',
      help: 'The total number of rule group evaluations missed due to slow rule group evaluation.',
      ...perGroup,
    })
    this.lastDuration = new Gauge({
      name: 'prometheus_rule_group_last_duration_seconds',
      help: 'The duration of the last rule group evaluation.',
      ...perGroup,
    })
    this.lastEvaluation = new Gauge({
      name: 'prometheus_rule_group_last_evaluation_timestamp_seconds',
      help: 'The timestamp of the last rule group evaluation in seconds.',
      ...perGroup,
    })
    this.lastSamples = new Gauge({
      name: 'prometheus_rule_group_last_evaluation_samples',
      help: 'The number of samples returned during the last rule group evaluation.',
      ...perGroup,
    })
    this.interval = new Gauge({
      name: 'prometheus_rule_group_interval_seconds',
      help: 'The interval of a rule group.',
      ...perGroup,
    })
    this.rules = new Gauge({ name: 'prometheus_rule_group_rules', help: 'The number of rules.', ...perGroup })
  }

  /** A group that has just been loaded shows zeros, not nothing. */
  addGroup(ruleGroup: string, ruleCount: number, intervalSeconds: number): void {
    const labels = { rule_group: ruleGroup }
    for (const counter of [this.evaluations, this.evaluationFailures, this.iterations, this.iterationsMissed])
      counter.inc(labels, 0)
    this.rules.set(labels, ruleCount)
    this.interval.set(labels, intervalSeconds)
  }

  removeGroup(ruleGroup: string): void {
    const perGroup = [
      this.evaluations,
      this.evaluationFailures,
      this.iterations,
      this.iterationsMissed,
      this.lastDuration,
      this.lastEvaluation,
      this.lastSamples,
      this.interval,
      this.rules,
    ]
    for (const metric of perGroup) metric.remove({ rule_group: ruleGroup })
  }
}
