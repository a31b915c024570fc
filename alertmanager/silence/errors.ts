import { AppError } from '../../lib/index.ts'

/** A silence that cannot be: without effect, over a limit, or with impossible times. */
export class InvalidSilenceError extends AppError {
  override readonly code = 'ERR_SILENCE_INVALID'
  override readonly httpStatus = 400
}

/** No silence has this id. */
export class SilenceNotFoundError extends AppError {
  override readonly code = 'ERR_SILENCE_NOT_FOUND'
  override readonly httpStatus = 404

  constructor() {
    super('silence not found')
  }
}
