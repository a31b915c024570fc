import { Readable } from 'node:stream'
import { AppError, errorMessage } from '../../lib/index.ts'

/** A refusal in the original's two manners: a bare JSON string, or `{code, message}` from its request checks. */
export class AlertmanagerApiError extends AppError {
  override readonly code = 'ERR_ALERT_API'
  override readonly httpStatus: number
  readonly body: string | { readonly code: number; readonly message: string }

  constructor(httpStatus: number, body: AlertmanagerApiError['body']) {
    super(typeof body === 'string' ? body : body.message)
    this.httpStatus = httpStatus
    this.body = body
  }
}

/** A body that is longer than is taken; the rest of it is not read. */
export class BodyTooLongError extends AlertmanagerApiError {
  /** As errors of the router say it. */
  readonly statusCode = 413

  constructor() {
    super(413, { code: 413, message: 'Request body is too large' })
  }
}

export const refused = (message: string): AlertmanagerApiError => new AlertmanagerApiError(400, message)

const CHECK_REQUIRED = 602
const CHECK_FORMAT = 601
const CHECK_MIN_ITEMS = 612

export const missing = (path: string): AlertmanagerApiError =>
  new AlertmanagerApiError(422, { code: CHECK_REQUIRED, message: `${path} in body is required` })

export const malformed = (what: string, type: string, value: unknown): AlertmanagerApiError =>
  new AlertmanagerApiError(422, { code: CHECK_FORMAT, message: `${what} must be of type ${type}: "${String(value)}"` })

export const tooFew = (path: string): AlertmanagerApiError =>
  new AlertmanagerApiError(422, { code: CHECK_MIN_ITEMS, message: `${path} in body should have at least 1 items` })

/** The JSON of a request's body. @throws {AlertmanagerApiError} */
export function parseBody(what: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const message = `parsing ${what} body from "" failed, because ${errorMessage(error)}`
    throw new AlertmanagerApiError(400, { code: 400, message })
  }
}

/** With the newline at the end that Go's encoder writes. What is bytes is JSON already. */
export const jsonBody = (value: unknown): string | Buffer | Readable =>
  value instanceof Buffer || value instanceof Readable ? value : `${JSON.stringify(value)}\n`
