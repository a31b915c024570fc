import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import {
  DeliveryError,
  type DeliveryProgress,
  type DeliveryResult,
  type Notification,
  type Notifier,
} from '../notifier.ts'
import { serveEach } from '../recipients.ts'
import { compact, finalFailure, joinUrl, type NotifierOptions, secretValue, Service } from '../service.ts'
import type { Text } from '../templates.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'telegram'>

const API_URL = 'https://api.telegram.org'
const MESSAGE_CHARS_MAX = 4096
// Cutting HTML would leave tags open, which Telegram refuses.
const TOO_LONG = 'A notification is longer than Telegram allows. Please shorten the template of the message.'

/** A message of a bot to one chat. */
export class TelegramNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #message: Text

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    this.#config = options.config
    this.#service = new Service(options)
    const source = settings.message ?? '{{ template "telegram.default.message" . }}'
    this.#message = this.#isHtml ? this.#service.html('message', source) : this.#service.text('message', source)
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const { recipients } = notification
    if (!recipients) return { detail: `message ${await this.#sendTo(await this.#chatId(), notification)}` }
    const { ids, warning } = await serveEach(recipients, progress, (chat) => this.#sendTo(chat, notification))
    const detail = ids.length > 0 ? `messages ${ids.join(', ')}` : 'all recipients had it already'
    return warning === '' ? { detail } : { detail, warning }
  }

  async #sendTo(chat: number | string, notification: Notification): Promise<string> {
    const { settings } = this.#config
    const token = await secretValue(settings, 'bot_token')
    const json = {
      chat_id: chat,
      text: await this.#text(notification),
      disable_web_page_preview: true,
      ...compact({
        disable_notification: settings.disable_notifications,
        parse_mode: settings.parse_mode ?? 'HTML',
        message_thread_id: settings.message_thread_id || undefined,
      }),
    }
    const url = joinUrl(settings.api_url ?? API_URL, `bot${token}/sendMessage`)
    const response = await this.#service
      .call(notification, { url, urlIsSecret: true, secrets: [token], json, explain })
      .catch((error: unknown) => {
        throw tryAgain(error)
      })
    const answer = jsonOf(response)
    if (answer?.['ok'] !== true) throw notItsAnswer(response, 'the confirmation "ok"')
    const { message_id } = (answer['result'] ?? {}) as { message_id?: unknown }
    return String(message_id)
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  get #isHtml(): boolean {
    return (this.#config.settings.parse_mode ?? 'HTML') === 'HTML'
  }

  async #text(notification: Notification): Promise<string> {
    const text = await this.#message(notification)
    if (!this.#isHtml) return truncateChars(text, MESSAGE_CHARS_MAX)
    return Array.from(text).length > MESSAGE_CHARS_MAX ? TOO_LONG : text
  }

  async #chatId(): Promise<number> {
    const { settings } = this.#config
    if (settings.chat_id !== undefined) return settings.chat_id
    const text = await secretValue(settings, 'chat_id')
    if (!/^-?\d+$/.test(text)) throw finalFailure(`chat_id_file holds no number: ${JSON.stringify(text)}`)
    return Number(text)
  }
}

function explain(response: HttpResponse): string {
  const description = jsonOf(response)?.['description']
  return typeof description === 'string' ? description : ''
}

/** Every refusal may be over soon, as the original has it: a bot is let into a group after the first message. */
function tryAgain(error: unknown): unknown {
  if (!(error instanceof DeliveryError)) return error
  // The pause also stands in the text: "Too Many Requests: retry after 5".
  const said = /retry after (\d+)/.exec(error.message)?.[1]
  const retryAfterMs = error.retryAfterMs ?? (said === undefined ? undefined : Number(said) * 1000)
  return new DeliveryError(error.message, { reason: error.reason, retryable: true, retryAfterMs })
}
