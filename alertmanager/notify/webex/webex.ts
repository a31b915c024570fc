import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { type NotifierOptions, Service } from '../service.ts'
import { truncateBytes } from '../truncate.ts'

type Config = ServiceConfig<'webex'>

const API_URL = 'https://webexapis.com/v1/messages'
// The service counts bytes.
const MESSAGE_BYTES_MAX = 7439

/** A message to a room; the bot's token is in `http_config.authorization`. */
export class WebexNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      message: service.text('message', settings.message ?? '{{ template "webex.default.message" . }}'),
      roomId: service.text('room_id', settings.room_id),
    }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { message, roomId } = await filledIn(this.#texts, notification)
    const response = await this.#service.call(notification, {
      url: this.#config.settings.api_url ?? API_URL,
      json: { markdown: truncateBytes(message, MESSAGE_BYTES_MAX), roomId },
    })
    const answer = jsonOf(response)
    if (!answer) throw notItsAnswer(response, 'an answer in JSON')
    return { detail: `message ${String(answer['id'])}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
