import type { HttpResponse } from '../../lib/index.ts'
import { jsonOf, notItsAnswer } from './http-delivery.ts'
import { DeliveryError, type Notification } from './notifier.ts'
import { joinUrl, secretValue, type Service } from './service.ts'

const API_URL = 'https://api.twilio.com'
const TOO_MANY_REQUESTS = /\(code 20429\)$/

export interface TwilioAccount {
  readonly account_sid: string
  readonly auth_token?: string | undefined
  readonly auth_token_file?: string | undefined
  readonly base_url?: string | undefined
  readonly timeout?: number | undefined
}

/**
 * One POST to a resource of a Twilio account.
 *
 * @param resource `Messages` or `Calls`
 * @returns the id of what was made of it
 * @throws {DeliveryError}
 */
export async function twilioCreate(
  service: Service,
  account: TwilioAccount,
  notification: Notification,
  request: { readonly resource: string; readonly fields: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<string> {
  const token = await secretValue(account, 'auth_token')
  const authorization = `Basic ${Buffer.from(`${account.account_sid}:${token}`).toString('base64')}`
  const path = `2010-04-01/Accounts/${encodeURIComponent(account.account_sid)}/${request.resource}.json`
  const response = await service
    .call(notification, {
      url: joinUrl(account.base_url ?? API_URL, path),
      headers: { authorization, accept: 'application/json' },
      form: new URLSearchParams(request.fields),
      timeoutMs: request.timeoutMs,
      secrets: [token, authorization],
      explain,
    })
    .catch((error: unknown) => {
      throw asRateLimited(error)
    })
  // Only an id is a promise to deliver; a proxy's page with status 200 is not.
  const sid = jsonOf(response)?.['sid']
  if (typeof sid !== 'string') throw notItsAnswer(response, 'a message id')
  return sid
}

function explain(response: HttpResponse): string {
  const answer = jsonOf(response)
  return answer?.['message'] === undefined ? '' : `${String(answer['message'])} (code ${String(answer['code'])})`
}

function asRateLimited(error: unknown): unknown {
  if (!(error instanceof DeliveryError) || !TOO_MANY_REQUESTS.test(error.message)) return error
  const { message, retryAfterMs } = error
  return new DeliveryError(message, { reason: 'rateLimited', retryable: true, retryAfterMs })
}
