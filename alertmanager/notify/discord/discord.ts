import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { compact, isFiring, type NotifierOptions, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'discord'>

const TITLE_CHARS_MAX = 256
const MESSAGE_CHARS_MAX = 4096
const CONTENT_CHARS_MAX = 2000
const RED = 0x992d22
const GREEN = 0x2ecc71

/** One message with one coloured card, by a channel's webhook. */
export class DiscordNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      title: service.text('title', settings.title ?? '{{ template "discord.default.title" . }}'),
      message: service.text('message', settings.message ?? '{{ template "discord.default.message" . }}'),
      content: service.text('content', settings.content ?? '{{ template "discord.default.content" . }}'),
    }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const text = await filledIn(this.#texts, notification)
    const { avatar_url } = settings
    const response = await this.#service.call(notification, {
      url: await secretValue(settings, 'webhook_url'),
      urlIsSecret: true,
      json: {
        content: truncateChars(text.content, CONTENT_CHARS_MAX),
        embeds: [
          {
            title: truncateChars(text.title, TITLE_CHARS_MAX),
            description: truncateChars(text.message, MESSAGE_CHARS_MAX),
            color: isFiring(notification) ? RED : GREEN,
          },
        ],
        ...compact({ username: settings.username }),
        ...(avatar_url !== undefined && URL.canParse(avatar_url) && { avatar_url }),
      },
    })
    return { detail: `status ${response.status}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
