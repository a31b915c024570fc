import { type Clock, errorMessage, type HttpClient, type HttpResponse } from '../../../lib/index.ts'
import type { SmsConfig } from '../../config/types.ts'
import { exchange, shown, statusError } from '../http-delivery.ts'
import {
  DeliveryError,
  type DeliveryProgress,
  type DeliveryResult,
  type Notification,
  type Notifier,
} from '../notifier.ts'
import { readSecret } from '../secret.ts'
import type { Templates, Text } from '../templates.ts'
import { cutText, smsSize } from './segments.ts'

// Twilio refuses more with error 21617.
const BODY_CHARS_MAX = 1600
const TOO_MANY_REQUESTS = 20429

export interface TwilioOptions {
  readonly config: SmsConfig
  readonly client: HttpClient
  readonly templates: Templates
  readonly clock: Clock
  readonly userAgent: string
  /** For errors: `receiver/sms/0`. */
  readonly where: string
}

/** One SMS for the whole group to each recipient, by Twilio's REST API or a gateway that speaks it. */
export class TwilioNotifier implements Notifier {
  readonly #options: TwilioOptions
  readonly #text: Text

  constructor(options: TwilioOptions) {
    this.#options = options
    this.#text = options.templates.text(`${options.where} text`, options.config.text)
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const body = cutText((await this.#text(notification)).trim(), BODY_CHARS_MAX)
    if (body === '') throw new DeliveryError('the text is empty', { reason: 'clientError', retryable: false })
    const token = await readSecret(this.#options.config.authToken)
    const sent: string[] = []
    const failures: DeliveryError[] = []
    for (const to of this.#options.config.to) {
      if (progress.isDone(to)) continue
      try {
        sent.push(await this.#sendTo(to, body, token, notification.deadlineMs))
        await progress.done(to)
      } catch (thrown) {
        failures.push(asRecipientError(to, thrown))
      }
    }
    return this.#outcome(body, sent, failures, progress)
  }

  close(): Promise<void> {
    return this.#options.client.close()
  }

  /**
   * Recipients who may still be reached make it an attempt to repeat. Of the rest one who was reached is enough: repeating
   * would page that one again for as long as another's number is wrong.
   */
  #outcome(
    body: string,
    sent: readonly string[],
    failures: readonly DeliveryError[],
    progress: DeliveryProgress,
  ): DeliveryResult {
    const { segments, encoding } = smsSize(body)
    const ids = sent.length > 0 ? sent.join(', ') : 'all recipients had it already'
    const detail = `${ids} (${segments} ${segments === 1 ? 'segment' : 'segments'} ${encoding})`
    if (failures.length === 0) return { detail }
    const retryable = failures.find((failure) => failure.retryable)
    const message = failures.map((failure) => failure.message).join('; ')
    if (!retryable && this.#options.config.to.some((to) => progress.isDone(to))) return { detail, warning: message }
    const { reason, retryAfterMs } = retryable ?? failures[0]!
    throw new DeliveryError(message, { reason, retryable: retryable !== undefined, retryAfterMs })
  }

  /** @returns the provider's id of the message */
  async #sendTo(to: string, body: string, token: string, deadlineMs: number): Promise<string> {
    const { client, clock, config, userAgent } = this.#options
    const form = new URLSearchParams({ To: to, ...senderFields(config), Body: body })
    const authorization = `Basic ${Buffer.from(`${config.accountSid}:${token}`).toString('base64')}`
    const response = await exchange(
      client,
      {
        url: `${config.baseUrl}/2010-04-01/Accounts/${encodeURIComponent(config.accountSid)}/Messages.json`,
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          'user-agent': userAgent,
        },
        body: form.toString(),
        timeoutMs: Math.max(1, Math.min(config.timeoutMs, deadlineMs - clock.nowMs())),
      },
      [token, authorization],
    )
    const answer = jsonOf(response)
    const error = statusError(response, clock.nowMs(), errorText(answer))
    if (error) throw answer?.code === TOO_MANY_REQUESTS ? asRateLimited(error) : error
    // Only a message id is a promise to deliver; a proxy's page with status 200 is not.
    if (typeof answer?.sid === 'string') return answer.sid
    throw new DeliveryError(`status ${response.status} without a message id: ${shown(response)}`, {
      reason: 'other',
      retryable: true,
    })
  }
}

interface TwilioAnswer {
  readonly sid?: unknown
  readonly code?: unknown
  readonly message?: unknown
}

function jsonOf(response: HttpResponse): TwilioAnswer | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(response.body).toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    // Not from the service itself; the status and the text say what can be said.
    return undefined
  }
}

const errorText = (answer: TwilioAnswer | undefined): string =>
  answer?.message === undefined ? '' : `${String(answer.message)} (code ${String(answer.code)})`

const senderFields = (config: SmsConfig): Record<string, string> =>
  'from' in config.sender ? { From: config.sender.from } : { MessagingServiceSid: config.sender.messagingServiceSid }

const asRateLimited = (error: DeliveryError): DeliveryError =>
  new DeliveryError(error.message, { reason: 'rateLimited', retryable: true, retryAfterMs: error.retryAfterMs })

function asRecipientError(to: string, thrown: unknown): DeliveryError {
  const known = thrown instanceof DeliveryError ? thrown : undefined
  return new DeliveryError(
    `${to}: ${errorMessage(thrown)}`,
    { reason: known?.reason ?? 'other', retryable: known?.retryable ?? false, retryAfterMs: known?.retryAfterMs },
    { cause: thrown },
  )
}
