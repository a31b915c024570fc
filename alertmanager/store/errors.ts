import { AppError } from '../../lib/index.ts'

/** The state log could not be written or opened; what was to be stored is not acknowledged. */
export class StateLogError extends AppError {
  override readonly code = 'ERR_ALERT_STATE_LOG'
}
