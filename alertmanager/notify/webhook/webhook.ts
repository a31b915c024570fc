import type { Clock, HttpClient } from '../../../lib/index.ts'
import type { Secret, WebhookConfig } from '../../config/types.ts'
import { exchange, statusError } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { type Rendered, renderedObject } from '../rendered.ts'
import { readSecret } from '../secret.ts'
import type { Templates } from '../templates.ts'
import { webhookBody } from './body.ts'

export interface WebhookOptions {
  readonly config: WebhookConfig
  readonly client: HttpClient
  readonly templates: Templates
  readonly clock: Clock
  readonly userAgent: string
  /** For errors: `receiver/webhook/0`. */
  readonly where: string
}

/** POSTs the group as JSON, version 4, or the payload that the receiver describes. */
export class WebhookNotifier implements Notifier {
  readonly #options: WebhookOptions
  readonly #url: (notification: Notification) => Promise<string>
  readonly #payload: Rendered | undefined

  constructor(options: WebhookOptions) {
    const { config, templates, where } = options
    this.#options = options
    this.#url = urlText(config.url, templates, where)
    this.#payload = config.payload && renderedObject(config.payload, templates, `${where} payload`)
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { client, clock, config, userAgent } = this.#options
    const url = await this.#url(notification)
    const body = this.#payload ? await this.#payload(notification) : webhookBody(notification, config.alertsMax)
    const leftMs = Math.max(1, notification.deadlineMs - clock.nowMs())
    const response = await exchange(
      client,
      {
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': userAgent },
        body: JSON.stringify(body),
        timeoutMs: config.timeoutMs > 0 ? Math.min(config.timeoutMs, leftMs) : leftMs,
      },
      [url, pathOf(url)],
    )
    const error = statusError(response, clock.nowMs())
    if (error) throw error
    return { detail: `status ${response.status}` }
  }

  close(): Promise<void> {
    return this.#options.client.close()
  }
}

function urlText(secret: Secret, templates: Templates, where: string): (n: Notification) => Promise<string> {
  if (secret.kind === 'file') return () => readSecret(secret)
  const text = templates.text(`${where} url`, secret.value)
  return async (notification) => {
    const url = (await text(notification)).trim()
    if (!URL.canParse(url))
      throw new DeliveryError('the url template does not give a URL', { reason: 'clientError', retryable: false })
    return url
  }
}

const pathOf = (url: string): string => {
  const { pathname, search } = URL.canParse(url) ? new URL(url) : { pathname: '', search: '' }
  return pathname.length > 1 ? pathname + search : search
}
