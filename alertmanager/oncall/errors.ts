import { AppError } from '../../lib/index.ts'

/** A request about people on call that cannot be answered as it is: no such schedule, nobody of that name, times that never are. */
export class OnCallRequestError extends AppError {
  override readonly code = 'ERR_ALERT_ON_CALL'
  override readonly httpStatus: number

  constructor(message: string, httpStatus = 400) {
    super(message)
    this.httpStatus = httpStatus
  }
}
