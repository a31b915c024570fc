import { AppError } from '../lib/index.ts'

/** A rule's result cannot be used: wrong type, equal label sets, too many. The rule's health shows it. */
export class RuleEvaluationError extends AppError {
  override readonly code = 'ERR_RULE_EVALUATION'
  override readonly httpStatus = 422
}
