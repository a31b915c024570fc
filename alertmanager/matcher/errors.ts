import { AppError } from '../../lib/index.ts'

/** A text that is no matcher in either grammar. */
export class MatcherError extends AppError {
  override readonly code = 'ERR_ALERT_MATCHER'
  override readonly httpStatus = 400
}
