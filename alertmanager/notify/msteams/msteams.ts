import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { shown } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { isFiring, type NotifierOptions, secretValue, Service } from '../service.ts'

type Config = ServiceConfig<'msteams'>

const RED = '8C1A1A'
const GREEN = '2DC72D'

/** A message card, by the connectors that Teams had before its workflows. */
export class MsTeamsNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      title: service.text('title', settings.title ?? '{{ template "msteams.default.title" . }}'),
      summary: service.text('summary', settings.summary ?? '{{ template "msteams.default.summary" . }}'),
      text: service.text('text', settings.text ?? '{{ template "msteams.default.text" . }}'),
    }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const text = await filledIn(this.#texts, notification)
    const response = await this.#service.call(notification, {
      url: await secretValue(this.#config.settings, 'webhook_url'),
      urlIsSecret: true,
      json: {
        '@context': 'http://schema.org/extensions',
        '@type': 'MessageCard',
        // What the original has always sent; connectors take either.
        type: 'MessageCard',
        title: text.title,
        summary: text.summary,
        text: text.text,
        themeColor: isFiring(notification) ? RED : GREEN,
      },
    })
    // A connector reports its own rate limit with status 200.
    const said = shown(response)
    const status = /returned HTTP error (\d{3})/.exec(said)?.[1]
    if (status === undefined) return { detail: `status ${response.status}` }
    throw new DeliveryError(`Teams answered: ${said}`, {
      reason: status === '429' ? 'rateLimited' : status.startsWith('5') ? 'serverError' : 'clientError',
      retryable: status === '429' || status.startsWith('5'),
    })
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
