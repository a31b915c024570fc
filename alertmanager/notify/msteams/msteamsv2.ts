import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { isFiring, type NotifierOptions, secretValue, Service } from '../service.ts'

type Config = ServiceConfig<'msteamsv2'>

/** An adaptive card, by a workflow's webhook. */
export class MsTeamsV2Notifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      title: service.text('title', settings.title ?? '{{ template "msteamsv2.default.title" . }}'),
      text: service.text('text', settings.text ?? '{{ template "msteamsv2.default.text" . }}'),
    }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { title, text } = await filledIn(this.#texts, notification)
    const response = await this.#service.call(notification, {
      url: await secretValue(this.#config.settings, 'webhook_url'),
      urlIsSecret: true,
      json: {
        type: 'message',
        attachments: [
          {
            contentType: 'application/vnd.microsoft.card.adaptive',
            contentUrl: null,
            content: adaptiveCard(title, text, isFiring(notification)),
          },
        ],
      },
    })
    // A workflow answers 202: it has taken the message, not shown it yet.
    return { detail: `status ${response.status}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

const adaptiveCard = (title: string, text: string, firing: boolean) => ({
  $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
  type: 'AdaptiveCard',
  version: '1.2',
  body: [
    {
      type: 'TextBlock',
      text: title,
      weight: 'Bolder',
      size: 'Medium',
      wrap: true,
      style: 'heading',
      color: firing ? 'Attention' : 'Good',
    },
    { type: 'TextBlock', text, wrap: true },
  ],
  msteams: { width: 'full' },
})
