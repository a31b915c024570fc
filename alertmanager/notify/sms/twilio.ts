import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SmsSettings } from '../../config/types.ts'
import type { ReceiptReport, ReceiptRequest } from '../receipts/receipt.ts'
import { finalFailure, secretValue, type Service } from '../service.ts'
import { twilioCreate } from '../twilio-api.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'

type Settings = SmsSettings<'twilio'>

/** Twilio's REST API, or a gateway that speaks it. */
export class TwilioGateway implements SmsGateway {
  // It refuses more with error 21617.
  readonly charsMax = 1600
  readonly receipts = {
    verify: (request: ReceiptRequest) => this.#verify(request),
    read: (request: ReceiptRequest) => this.#read(request),
  }
  readonly #service: Service
  readonly #settings: Settings

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
  }

  send({ to, text, notification, timeoutMs, receiptUrl }: SmsMessage): Promise<string> {
    const { from, messaging_service_sid: serviceSid } = this.#settings
    const sender = serviceSid === undefined ? { From: from ?? '' } : { MessagingServiceSid: serviceSid }
    const fields = { To: to, ...sender, Body: text, ...(receiptUrl && { StatusCallback: receiptUrl }) }
    return twilioCreate(this.#service, this.#settings, notification, { resource: 'Messages', fields, timeoutMs })
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  /** Signed with the token over the URL and the sorted fields. */
  async #verify({ url, form, headers }: ReceiptRequest): Promise<void> {
    const token = await secretValue(this.#settings, 'auth_token')
    const sorted = [...form].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    const signed = url + sorted.map(([name, value]) => name + value).join('')
    const wanted = createHmac('sha1', token).update(signed).digest()
    const given = Buffer.from(String(headers['x-twilio-signature'] ?? ''), 'base64')
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given))
      throw finalFailure('the signature is not from Twilio', 'authError')
  }

  async #read(request: ReceiptRequest): Promise<ReceiptReport[]> {
    await this.#verify(request)
    const { form } = request
    const status = form.get('MessageStatus') ?? ''
    const code = form.get('ErrorCode') ?? ''
    const id = form.get('MessageSid') ?? ''
    return [{ id, outcome: outcomeOf(status), detail: code === '' ? status : `${status}, error ${code}` }]
  }
}

const outcomeOf = (status: string): ReceiptReport['outcome'] =>
  status === 'delivered' || status === 'read'
    ? 'delivered'
    : status === 'undelivered' || status === 'failed' || status === 'canceled'
      ? 'undelivered'
      : 'underway'
