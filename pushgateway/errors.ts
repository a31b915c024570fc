import { AppError } from '../lib/index.ts'

/** The text of the body is not the exposition format; the message has the line. */
export class PushSyntaxError extends AppError {
  override readonly code = 'ERR_PUSH_SYNTAX'
  override readonly httpStatus = 400

  constructor(lineNumber: number, why: string) {
    super(`text format parsing error in line ${lineNumber}: ${why}`)
  }
}

/** The path does not name a group. */
export class PushPathError extends AppError {
  override readonly code = 'ERR_PUSH_PATH'
  override readonly httpStatus = 400
}

/** The push is well formed, but would make the page contradict itself. Nothing but the failure time was stored. */
export class PushRejectedError extends AppError {
  override readonly code = 'ERR_PUSH_REJECTED'
  override readonly httpStatus = 400

  constructor(reasons: readonly string[]) {
    const list =
      reasons.length === 1
        ? reasons[0]!
        : `${reasons.length} error(s) occurred:\n${reasons.map((reason) => `* ${reason}`).join('\n')}`
    super(`pushed metrics are invalid or inconsistent with existing metrics: ${list}`)
  }
}

/** The body cannot be read: bad compression, or a format that is not understood. */
export class PushBodyError extends AppError {
  override readonly code = 'ERR_PUSH_BODY'
  override readonly httpStatus: number

  constructor(message: string, httpStatus: 400 | 413 | 415) {
    super(message)
    this.httpStatus = httpStatus
  }
}
