import {
  EMPTY_LABELS,
  type InstantValue,
  type Labels,
  type NativeHistogram,
  type QueryFunction,
  type VectorSample,
} from '../model/index.ts'
import { RuleEvaluationError } from './errors.ts'

/** One evaluation of one rule. */
export interface Evaluation {
  /** The slot: what templates and alert times go by. */
  readonly timeMs: number
  /** `timeMs` less the group's query offset: the time of the query and of what is written. */
  readonly queryTimeMs: number
  readonly query: QueryFunction
  readonly externalLabels: Labels
  readonly externalUrl: string
  /** Results allowed; 0 for any number. */
  readonly limit: number
}

/** A series that a rule writes at this evaluation. */
export interface OutputSample {
  readonly labels: Labels
  readonly value: number
  /** Instead of the value. */
  readonly histogram?: NativeHistogram | undefined
}

export type RuleHealth = 'unknown' | 'ok' | 'err'

/** The elements of an answer; a scalar is one without labels. @throws {RuleEvaluationError} for a string */
export function samplesOf(answer: InstantValue): readonly VectorSample[] {
  switch (answer.type) {
    case 'vector':
      return answer.samples
    case 'scalar':
      return [{ labels: EMPTY_LABELS, timestampMs: answer.timestampMs, value: answer.value }]
    case 'string':
      throw new RuleEvaluationError('rule result is not a vector or scalar')
  }
}
