import {
  errorMessage,
  type HttpClient,
  type HttpRequest,
  HttpRequestError,
  type HttpResponse,
} from '../../lib/index.ts'
import { DeliveryError, type FailureReason } from './notifier.ts'

const ANSWER_BYTES_MAX = 64 * 1024
const ANSWER_SHOWN_MAX = 300

/**
 * Sends and turns transport failures into `DeliveryError`s; any status resolves.
 *
 * @param secrets texts that must not show up in an error
 */
export async function exchange(
  client: HttpClient,
  request: Omit<HttpRequest, 'bodyBytesMax'>,
  secrets: readonly string[],
): Promise<HttpResponse> {
  try {
    return await client.request({ ...request, bodyBytesMax: ANSWER_BYTES_MAX })
  } catch (cause) {
    const timedOut = cause instanceof HttpRequestError && cause.timedOut
    throw new DeliveryError(withoutSecrets(errorMessage(cause), secrets), {
      reason: timedOut ? 'contextDeadlineExceeded' : 'other',
      retryable: true,
    })
  }
}

/**
 * The rule for services that say it all in the status: 2xx is done, 429 and 5xx may be tried again, the rest is final.
 *
 * @param what what the service said, where that is not simply its whole answer
 * @param retryStatuses further ones that may be tried again
 */
export function statusError(
  response: HttpResponse,
  nowMs: number,
  what = '',
  retryStatuses: readonly number[] = [],
): DeliveryError | undefined {
  const { status } = response
  if (status >= 200 && status < 300) return undefined
  const reason: FailureReason =
    status === 429
      ? 'rateLimited'
      : status === 401 || status === 403
        ? 'authError'
        : status >= 500
          ? 'serverError'
          : 'clientError'
  const said = what || shown(response)
  return new DeliveryError(`unexpected status code ${status}${said === '' ? '' : `: ${said}`}`, {
    reason,
    retryable: status === 429 || status >= 500 || retryStatuses.includes(status),
    retryAfterMs: retryAfterMs(response.headers['retry-after'], nowMs),
  })
}

/** The beginning of what the other side said, on one line. */
export const shown = (response: HttpResponse): string =>
  Buffer.from(response.body).toString('utf8').replace(/\s+/g, ' ').trim().slice(0, ANSWER_SHOWN_MAX)

/** The answer as a JSON object; `undefined` when it is something else, such as a proxy's page. */
export function jsonOf(response: HttpResponse): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(response.body).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not from the service itself; the status and the text say what can be said.
    return undefined
  }
}

/** For a 2xx whose body is not what the service answers: a captive page, a half written answer. Another try may meet the service. */
export const notItsAnswer = (response: HttpResponse, expected: string): DeliveryError =>
  new DeliveryError(`status ${response.status} without ${expected}: ${shown(response)}`, {
    reason: 'other',
    retryable: true,
  })

function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const delayMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return delayMs > 0 ? delayMs : undefined
}

const withoutSecrets = (message: string, secrets: readonly string[]): string =>
  secrets.reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '<secret>')), message)
