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

  constructor(message: string, httpStatus: 400 | 413 = 400, options?: ErrorOptions) {
    super(message, options)
    this.httpStatus = httpStatus
  }
}

export function tooLarge(bytesMax: number): PushBodyError {
  return new PushBodyError(`the pushed metrics are larger than the limit of ${bytesMax} bytes`, 413)
}

/** A header or URL parameter of ours that says nothing we know. */
export class PushOptionError extends AppError {
  override readonly code = 'ERR_PUSH_OPTION'
  override readonly httpStatus = 400
}

/** The push would make a group, or all groups together, larger than allowed. 413: this push; 429: the gateway is full. */
export class PushLimitError extends AppError {
  override readonly code = 'ERR_PUSH_LIMIT'
  override readonly httpStatus: number

  constructor(message: string, httpStatus: 413 | 429) {
    super(message)
    this.httpStatus = httpStatus
  }
}

/** No token, or one that may not push this job. */
export class PushAccessError extends AppError {
  override readonly code = 'ERR_PUSH_ACCESS'
  override readonly httpStatus: number

  constructor(message: string, httpStatus: 401 | 403) {
    super(message)
    this.httpStatus = httpStatus
  }
}

/** A file of another Pushgateway that cannot be taken over; nothing of it was. */
export class PushImportError extends AppError {
  override readonly code = 'ERR_PUSH_IMPORT'
}
