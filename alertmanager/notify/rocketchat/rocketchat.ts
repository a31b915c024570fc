import type { ServiceConfig } from '../../config/services.ts'
import { attachmentFields, filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { compact, joinUrl, type NotifierOptions, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'rocketchat'>

const API_URL = 'https://open.rocket.chat/'
const TITLE_CHARS_MAX = 1024
const byDefault = (name: string): string => `{{ template "rocketchat.default.${name}" . }}`

/** A message with one attachment, by the REST API. */
export class RocketChatNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  readonly #fields
  readonly #actions

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      channel: service.text('channel', settings.channel),
      emoji: service.text('emoji', settings.emoji ?? byDefault('emoji')),
      avatar: service.text('icon_url', settings.icon_url ?? byDefault('iconurl')),
      title: service.text('title', settings.title ?? byDefault('title')),
      title_link: service.text('title_link', settings.title_link ?? byDefault('titlelink')),
      text: service.text('text', settings.text ?? byDefault('text')),
      image_url: service.text('image_url', settings.image_url),
      thumb_url: service.text('thumb_url', settings.thumb_url),
      color: service.text('color', settings.color ?? '{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
    }
    this.#fields = attachmentFields(service, 'fields', settings.fields ?? [], settings.short_fields ?? false)
    this.#actions = (settings.actions ?? []).map((action, i) => ({
      text: service.text(`actions.${i}.text`, action.text),
      url: service.text(`actions.${i}.url`, action.url),
      msg: service.text(`actions.${i}.msg`, action.msg),
    }))
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const token = await secretValue(settings, 'token')
    const userId = await secretValue(settings, 'token_id')
    const { channel, emoji, avatar, title, ...text } = await filledIn(this.#texts, notification)
    const fields = await this.#fields(notification)
    const actions = await Promise.all(
      // The service knows buttons only.
      this.#actions.map(async (action) => ({ type: 'button', ...compact(await filledIn(action, notification)) })),
    )
    const response = await this.#service.call(notification, {
      url: joinUrl(settings.api_url ?? API_URL, 'api/v1/chat.postMessage'),
      headers: { 'x-auth-token': token, 'x-user-id': userId },
      secrets: [token, userId],
      json: {
        ...compact({ channel, emoji, avatar }),
        attachments: [
          {
            ...compact({ title: truncateChars(title, TITLE_CHARS_MAX), ...text }),
            ...(fields.length > 0 && { fields }),
            ...(actions.length > 0 && { actions }),
          },
        ],
      },
    })
    const answer = jsonOf(response)
    if (!answer) throw notItsAnswer(response, 'an answer in JSON')
    if (answer['success'] === true) return { detail: `status ${response.status}` }
    const why = `channel ${JSON.stringify(channel)}: error response from Rocket.Chat: ${String(answer['error'])}`
    throw new DeliveryError(why, { reason: 'clientError', retryable: false })
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
