import type { SmsSettings } from '../../config/types.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type FailureReason, type SentMessage } from '../notifier.ts'
import type { ReceiptReport } from '../receipts/receipt.ts'
import { finalFailure, joinUrl, secretOf, secretValue, type Service } from '../service.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'
import { pollNotification } from './poll-notification.ts'

type Settings = SmsSettings<'smsc'>

const API_URL = 'https://smsc.ru'
const MINUTE_MS = 60_000
/** Delivered, read, its link was opened. */
const ARRIVED = new Set([1, 2, 4])
/** Expired, impossible, wrong number, forbidden, no money, number out of reach. */
const LOST = new Set([3, 20, 22, 23, 24, 25])
const TOO_MANY = 9
const BLOCKED_FOR_ERRORS = 4
/** Where the status of a message is asked for. */
const UNKNOWN_MESSAGE = 3
const REASONS: Readonly<Record<number, FailureReason>> = {
  2: 'authError',
  [BLOCKED_FOR_ERRORS]: 'rateLimited',
  [TOO_MANY]: 'rateLimited',
}
/** The address is shut out for a while after repeated errors; asking again soon prolongs it. */
const PAUSES_MS: Readonly<Record<number, number>> = { [TOO_MANY]: MINUTE_MS, [BLOCKED_FOR_ERRORS]: 10 * MINUTE_MS }

/** SMSC.ru (and smsc.kz, smsc.ua): status 200 whatever happens, the verdict is in the body. */
export class SmscGateway implements SmsGateway {
  readonly charsMax = 1000
  readonly receipts = { poll: (messages: readonly SentMessage[]) => this.#poll(messages) }
  readonly #service: Service
  readonly #settings: Settings

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
  }

  async send({ to, text, notification, timeoutMs }: SmsMessage): Promise<string> {
    const { from, translit, base_url } = this.#settings
    const credentials = await this.#credentials()
    const response = await this.#service.call(notification, {
      url: joinUrl(base_url ?? API_URL, 'sys/send.php'),
      form: new URLSearchParams({
        ...credentials,
        phones: to,
        mes: text,
        charset: 'utf-8',
        fmt: '3',
        ...(from && { sender: from }),
        ...(translit && { translit: '1' }),
      }),
      timeoutMs,
      secrets: [credentials['psw'] ?? '', credentials['apikey'] ?? ''],
    })
    const answer = jsonOf(response)
    const { id, error, error_code: code } = answer ?? {}
    if (typeof code === 'number') {
      const pauseMs = PAUSES_MS[code]
      throw new DeliveryError(`error ${code}: ${String(error)}`, {
        reason: REASONS[code] ?? 'clientError',
        retryable: pauseMs !== undefined,
        retryAfterMs: pauseMs,
      })
    }
    if (id === undefined || answer?.['cnt'] === undefined) throw notItsAnswer(response, 'an id and a count')
    return String(id)
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  /** Each id with its number: the service asks for both. */
  async #poll(messages: readonly SentMessage[]): Promise<ReceiptReport[]> {
    const credentials = await this.#credentials()
    const reports: ReceiptReport[] = []
    for (const message of messages) {
      try {
        reports.push(await this.#pollOne(message, credentials))
      } catch (error) {
        // It would be the same for the rest; what is known of the others counts all the same.
        if (reports.length === 0) throw error
        break
      }
    }
    return reports
  }

  async #pollOne({ id, recipient }: SentMessage, credentials: Record<string, string>): Promise<ReceiptReport> {
    const response = await this.#service.call(pollNotification(this.#service.nowMs()), {
      url: joinUrl(this.#settings.base_url ?? API_URL, 'sys/status.php'),
      form: new URLSearchParams({ ...credentials, id, phone: recipient, fmt: '3', charset: 'utf-8' }),
      secrets: [credentials['psw'] ?? '', credentials['apikey'] ?? ''],
    })
    const { status, err, error, error_code: code } = jsonOf(response) ?? {}
    // It says nothing about the others.
    if (code === UNKNOWN_MESSAGE) return { id, outcome: 'underway', detail: String(error) }
    if (error !== undefined) throw finalFailure(String(error))
    if (typeof status !== 'number') throw notItsAnswer(response, 'a status')
    const outcome = ARRIVED.has(status) ? 'delivered' : LOST.has(status) ? 'undelivered' : 'underway'
    return { id, outcome, detail: err ? `status ${status}, error ${String(err)}` : `status ${status}` }
  }

  async #credentials(): Promise<Record<string, string>> {
    if (secretOf(this.#settings, 'api_key')) return { apikey: await secretValue(this.#settings, 'api_key') }
    return { login: this.#settings.login ?? '', psw: await secretValue(this.#settings, 'password') }
  }
}
