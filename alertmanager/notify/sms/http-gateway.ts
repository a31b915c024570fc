import type { SmsSettings } from '../../config/types.ts'
import { shown } from '../http-delivery.ts'
import { DeliveryError, type Notification } from '../notifier.ts'
import { finalFailure, type Service } from '../service.ts'
import type { Templates, Text } from '../templates.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'

type Settings = SmsSettings<'http'>

/**
 * Any other gateway, described in the configuration: URL, headers and body are templates that also know `.To` and `.Text`;
 * what counts as sent is said by statuses and a regular expression on the body.
 */
export class HttpSmsGateway implements SmsGateway {
  readonly charsMax = 1600
  readonly #service: Service
  readonly #settings: Settings
  readonly #url: Text
  readonly #body: Text | undefined
  readonly #headers: readonly (readonly [name: string, value: Text])[]

  constructor(service: Service, settings: Settings, templates: Templates, where: string) {
    const text = (what: string, source: string): Text => templates.text(`${where} ${what}`, source, ['To', 'Text'])
    this.#service = service
    this.#settings = settings
    this.#url = text('url', settings.url)
    this.#body = settings.body === undefined ? undefined : text('body', settings.body)
    this.#headers = Object.entries(settings.headers ?? {}).map(([name, value]) => [
      name,
      text(`headers.${name}`, value),
    ])
  }

  async send({ to, text, notification, timeoutMs }: SmsMessage): Promise<string> {
    const { method, success_status, retry_status } = this.#settings
    const about: Notification = { ...notification, extra: { To: to, Text: text } }
    const url = (await this.#url(about)).trim()
    if (!URL.canParse(url)) throw finalFailure('the url template does not give a URL')
    const body = await this.#body?.(about)
    const headers: Record<string, string> = {}
    for (const [name, value] of this.#headers) headers[name.toLowerCase()] = await value(about)
    const response = await this.#service.call(notification, {
      url,
      urlIsSecret: true,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      ...(body !== undefined && { body }),
      timeoutMs,
      // Keys stand where the gateway wants them, so none of it may show.
      secrets: Object.values(headers).filter((value) => value.length > 7),
      ...(retry_status && { retryStatuses: retry_status }),
    })
    const said = Buffer.from(response.body).toString('utf8')
    const isTaken =
      (success_status?.includes(response.status) ?? true) && (this.#settings.success_body?.matcher(said).find() ?? true)
    if (!isTaken) throw this.#refusal(response.status, said, shown(response))
    return this.#messageId(said) ?? `status ${response.status}`
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  #refusal(status: number, said: string, shownText: string): DeliveryError {
    const retryable =
      this.#settings.retry_status?.includes(status) || this.#settings.retry_body?.matcher(said).find() || false
    const why = `status ${status}, but the answer is none of success: ${shownText}`
    return new DeliveryError(why, { reason: retryable ? 'rateLimited' : 'clientError', retryable })
  }

  #messageId(said: string): string | undefined {
    const matcher = this.#settings.message_id?.matcher(said)
    if (!matcher?.find()) return undefined
    return (matcher.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? undefined
  }
}
