import { labelsKey, METRIC_NAME, withLabels } from '../model/index.ts'
import { RuleEvaluationError } from './errors.ts'
import { type Evaluation, type OutputSample, samplesOf } from './evaluation.ts'
import type { RecordingRuleConfig } from './rule-config.ts'

/** Writes the result of its expression under its own name. */
export class RecordingRule {
  readonly kind = 'recording'
  readonly config: RecordingRuleConfig
  readonly #changes: readonly (readonly [string, string])[]

  constructor(config: RecordingRuleConfig) {
    this.config = config
    this.#changes = [[METRIC_NAME, config.name], ...Object.entries(config.labels)]
  }

  /** @throws {RuleEvaluationError} and whatever the query throws */
  async evaluate(evaluation: Evaluation): Promise<OutputSample[]> {
    const samples = samplesOf(await evaluation.query(this.config.expr, evaluation.queryTimeMs))
    const outputs = new Map<string, OutputSample>()
    for (const sample of samples) {
      const labels = withLabels(sample.labels, this.#changes)
      outputs.set(labelsKey(labels), { labels, value: sample.value, histogram: sample.histogram })
    }
    if (outputs.size < samples.length)
      throw new RuleEvaluationError('vector contains metrics with the same labelset after applying rule labels')
    if (evaluation.limit > 0 && outputs.size > evaluation.limit)
      throw new RuleEvaluationError(`exceeded limit of ${evaluation.limit} with ${outputs.size} series`)
    return [...outputs.values()]
  }
}
