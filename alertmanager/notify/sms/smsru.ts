import type { SmsSettings } from '../../config/types.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type FailureReason, type SentMessage } from '../notifier.ts'
import type { ReceiptReport } from '../receipts/receipt.ts'
import { joinUrl, secretValue, type Service } from '../service.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'
import { pollNotification } from './poll-notification.ts'

type Settings = SmsSettings<'smsru'>

const API_URL = 'https://sms.ru'
const OK = 100
const IDS_MAX = 100
/** Delivered, read. */
const ARRIVED = new Set([103, 110])
/** Expired, removed by the operator, a fault of the telephone, of an unknown cause, rejected, no route. */
const LOST = new Set([104, 105, 106, 107, 108, 150])
/** Temporarily unavailable, an error of theirs. */
const PASSING = new Set([220, 500])
/** Limits a number, a text or a day has. */
const LIMITS = new Set([206, 230, 231, 232])
const AUTH = new Set([200, 300, 301, 302])

interface Verdict {
  readonly status_code?: unknown
  readonly status_text?: unknown
  readonly sms_id?: unknown
}

/** SMS.RU: the request and each number in it have a code; only two times 100 is sent. */
export class SmsRuGateway implements SmsGateway {
  readonly charsMax = 1000
  readonly receipts = { poll: (messages: readonly SentMessage[]) => this.#poll(messages) }
  readonly #service: Service
  readonly #settings: Settings

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
  }

  async send({ to, text, notification, timeoutMs }: SmsMessage): Promise<string> {
    const { from, translit, test, base_url } = this.#settings
    const id = await secretValue(this.#settings, 'api_id')
    const response = await this.#service.call(notification, {
      url: joinUrl(base_url ?? API_URL, 'sms/send'),
      form: new URLSearchParams({
        api_id: id,
        to: to.replace(/^\+/, ''),
        msg: text,
        json: '1',
        ...(from && { from }),
        ...(translit && { translit: '1' }),
        ...(test && { test: '1' }),
      }),
      timeoutMs,
      secrets: [id],
    })
    const answer = jsonOf(response)
    if (typeof answer?.['status_code'] !== 'number') throw notItsAnswer(response, 'a status_code')
    if (answer['status_code'] !== OK) throw refusal(answer)
    const [verdict] = Object.values((answer['sms'] ?? {}) as Record<string, Verdict>)
    if (!verdict) throw notItsAnswer(response, 'the code of the number')
    if (verdict.status_code !== OK) throw refusal(verdict)
    return String(verdict.sms_id)
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #poll(messages: readonly SentMessage[]): Promise<ReceiptReport[]> {
    const reports: ReceiptReport[] = []
    const key = await secretValue(this.#settings, 'api_id')
    for (let i = 0; i < messages.length; i += IDS_MAX) {
      const ids = messages.slice(i, i + IDS_MAX).map(({ id }) => id)
      const response = await this.#service.call(pollNotification(this.#service.nowMs()), {
        url: joinUrl(this.#settings.base_url ?? API_URL, 'sms/status'),
        form: new URLSearchParams({ api_id: key, sms_id: ids.join(','), json: '1' }),
        secrets: [key],
      })
      const answer = jsonOf(response)
      if (typeof answer?.['status_code'] !== 'number') throw notItsAnswer(response, 'a status_code')
      if (answer['status_code'] !== OK) throw refusal(answer)
      for (const [id, verdict] of Object.entries((answer['sms'] ?? {}) as Record<string, Verdict>)) {
        const code = Number(verdict.status_code)
        const outcome = ARRIVED.has(code) ? 'delivered' : LOST.has(code) ? 'undelivered' : 'underway'
        const said = verdict.status_text === undefined ? '' : `: ${String(verdict.status_text)}`
        reports.push({ id, outcome, detail: `code ${code}${said}` })
      }
    }
    return reports
  }
}

function refusal({ status_code, status_text }: Verdict): DeliveryError {
  const code = Number(status_code)
  const reason: FailureReason = AUTH.has(code) ? 'authError' : LIMITS.has(code) ? 'rateLimited' : 'clientError'
  const said = status_text === undefined ? '' : `: ${String(status_text)}`
  return new DeliveryError(`code ${code}${said}`, {
    reason: PASSING.has(code) ? 'serverError' : reason,
    retryable: PASSING.has(code),
  })
}
