import { type Labels, labelsKey, METRIC_NAME, type VectorSample, withLabels } from '../model/index.ts'
import { RuleEvaluationError } from './errors.ts'
import { type Evaluation, type OutputSample, samplesOf } from './evaluation.ts'
import type { RecordingRuleConfig } from './rule-config.ts'

/** Writes the result of its expression under its own name. */
export class RecordingRule {
  readonly kind = 'recording'
  readonly config: RecordingRuleConfig
  readonly #changes: readonly (readonly [string, string])[]
  /** What the expression yielded last, and what is written for it: kept while it yields the very same label objects. */
  #yielded: readonly Labels[] = []
  #written: readonly Labels[] = []

  constructor(config: RecordingRuleConfig) {
    this.config = config
    this.#changes = [[METRIC_NAME, config.name], ...Object.entries(config.labels)]
  }

  /** @throws {RuleEvaluationError} and whatever the query throws */
  async evaluate(evaluation: Evaluation): Promise<OutputSample[]> {
    const samples = samplesOf(await evaluation.query(this.config.expr, evaluation.queryTimeMs))
    if (!this.#isAsBefore(samples)) this.#relabel(samples)
    if (evaluation.limit > 0 && samples.length > evaluation.limit)
      throw new RuleEvaluationError(`exceeded limit of ${evaluation.limit} with ${samples.length} series`)
    const written = this.#written
    return samples.map(({ value, histogram }, i) => ({ labels: written[i]!, value, histogram }))
  }

  #isAsBefore(samples: readonly VectorSample[]): boolean {
    const yielded = this.#yielded
    if (samples.length !== yielded.length) return false
    for (let i = 0; i < yielded.length; i++) if (samples[i]!.labels !== yielded[i]) return false
    return true
  }

  #relabel(samples: readonly VectorSample[]): void {
    const written = samples.map(({ labels }) => withLabels(labels, this.#changes))
    if (new Set(written.map(labelsKey)).size < samples.length)
      throw new RuleEvaluationError('vector contains metrics with the same labelset after applying rule labels')
    this.#yielded = samples.map(({ labels }) => labels)
    this.#written = written
  }
}
