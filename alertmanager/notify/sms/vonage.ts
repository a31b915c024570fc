import type { SmsSettings } from '../../config/types.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type FailureReason } from '../notifier.ts'
import { joinUrl, secretValue, type Service } from '../service.ts'
import type { ReceiptReport, ReceiptRequest } from '../receipts/receipt.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'
import { smsSize } from './segments.ts'

type Settings = SmsSettings<'vonage'>

const API_URL = 'https://rest.nexmo.com'
/** Throttled, internal error, too many binds. */
const PASSING = new Set(['1', '5', '10'])
const REASONS: Readonly<Record<string, FailureReason>> = {
  '1': 'rateLimited',
  '4': 'authError',
  '5': 'serverError',
  '8': 'authError',
  '10': 'rateLimited',
  '14': 'authError',
}

interface Part {
  readonly status?: unknown
  readonly 'message-id'?: unknown
  readonly 'error-text'?: unknown
}

/** Vonage's SMS API: the HTTP status is always 200, each part of the message has a status of its own. */
export class VonageGateway implements SmsGateway {
  readonly charsMax = 3200
  readonly receipts = { read }
  readonly #service: Service
  readonly #settings: Settings

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
  }

  async send({ to, text, notification, timeoutMs, receiptUrl }: SmsMessage): Promise<string> {
    const { api_key, from, base_url } = this.#settings
    const secret = await secretValue(this.#settings, 'api_secret')
    const response = await this.#service.call(notification, {
      url: joinUrl(base_url ?? API_URL, 'sms/json'),
      form: new URLSearchParams({
        api_key,
        api_secret: secret,
        from,
        to: to.replace(/^\+/, ''),
        text,
        ...(smsSize(text).encoding === 'UCS-2' && { type: 'unicode' }),
        ...(receiptUrl && { callback: receiptUrl, 'status-report-req': '1' }),
      }),
      timeoutMs,
      secrets: [secret],
    })
    const parts = jsonOf(response)?.['messages']
    if (!Array.isArray(parts) || parts.length === 0) throw notItsAnswer(response, 'the status of a message')
    return idOf(parts as Part[])
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

/** A message of which a part was taken is under way: sending all of it again would page twice. */
function idOf(parts: readonly Part[]): string {
  const taken = parts.find(({ status }) => status === '0')
  if (taken) return String(taken['message-id'])
  const status = String(parts[0]!.status)
  throw new DeliveryError(`status ${status}: ${String(parts[0]!['error-text'])}`, {
    reason: REASONS[status] ?? 'clientError',
    retryable: PASSING.has(status),
  })
}

const FAILED = new Set(['failed', 'expired', 'rejected'])

async function read({ fields }: ReceiptRequest): Promise<ReceiptReport[]> {
  const status = fields.get('status') ?? ''
  const code = fields.get('err-code') ?? '0'
  const outcome = status === 'delivered' ? 'delivered' : FAILED.has(status) ? 'undelivered' : 'underway'
  return [{ id: fields.get('messageId') ?? '', outcome, detail: code === '0' ? status : `${status}, error ${code}` }]
}
