import { randomUUID } from 'node:crypto'
import type { HttpResponse } from '../../../lib/index.ts'
import type { SmsSettings } from '../../config/types.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { joinUrl, secretValue, type Service } from '../service.ts'
import type { ReceiptReport, ReceiptRequest } from '../receipts/receipt.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'

type Settings = SmsSettings<'messagebird'>

const API_URL = 'https://rest.messagebird.com'

/** MessageBird's (Bird's) SMS API. */
export class MessageBirdGateway implements SmsGateway {
  readonly charsMax = 1377
  readonly receipts = { read }
  readonly #service: Service
  readonly #settings: Settings

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
  }

  async send({ to, text, notification, timeoutMs, receiptUrl }: SmsMessage): Promise<string> {
    const key = await secretValue(this.#settings, 'access_key')
    const response = await this.#service.call(notification, {
      url: joinUrl(this.#settings.base_url ?? API_URL, 'messages'),
      headers: { authorization: `AccessKey ${key}` },
      json: {
        originator: this.#settings.from,
        recipients: [to.replace(/^\+/, '')],
        body: text,
        datacoding: 'auto',
        // Without a reference it does not report.
        ...(receiptUrl && { reportUrl: receiptUrl, reference: randomUUID() }),
      },
      timeoutMs,
      secrets: [key],
      explain,
    })
    const id = jsonOf(response)?.['id']
    if (typeof id !== 'string') throw notItsAnswer(response, 'a message id')
    return id
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

function explain(response: HttpResponse): string {
  const errors = jsonOf(response)?.['errors']
  if (!Array.isArray(errors)) return ''
  return (errors as { code?: unknown; description?: unknown }[])
    .map(({ code, description }) => `${String(description)} (code ${String(code)})`)
    .join('; ')
}

const FAILED = new Set(['delivery_failed', 'expired'])

async function read({ fields }: ReceiptRequest): Promise<ReceiptReport[]> {
  const status = fields.get('status') ?? ''
  const code = fields.get('statusErrorCode') ?? ''
  const outcome = status === 'delivered' ? 'delivered' : FAILED.has(status) ? 'undelivered' : 'underway'
  return [{ id: fields.get('id') ?? '', outcome, detail: code === '' ? status : `${status}, error ${code}` }]
}
