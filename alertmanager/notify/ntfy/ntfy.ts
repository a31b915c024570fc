import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import type { DeliveryProgress, DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { serveEach } from '../recipients.ts'
import { compact, type NotifierOptions, secretOf, secretValue, Service } from '../service.ts'
import { truncateBytes } from '../truncate.ts'

type Config = ServiceConfig<'ntfy'>

const URL_DEFAULT = 'https://ntfy.sh/'
// Longer ones become a file that has to be opened.
const MESSAGE_BYTES_MAX = 4096
const PRIORITY_NAMES: Readonly<Record<string, number>> = { min: 1, low: 2, default: 3, high: 4, max: 5, urgent: 5 }

/** A push message to everybody who follows a topic. */
export class NtfyNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      topic: service.text('topic', settings.topic),
      title: service.text('title', settings.title ?? '{{ template "ntfy.default.title" . }}'),
      message: service.text('message', settings.message ?? '{{ template "ntfy.default.message" . }}'),
      priority: service.text(
        'priority',
        settings.priority ?? '{{ if eq .Status "firing" }}high{{ else }}default{{ end }}',
      ),
      tags: service.text(
        'tags',
        settings.tags ?? '{{ if eq .Status "firing" }}rotating_light{{ else }}white_check_mark{{ end }}',
      ),
      click: service.text('click', settings.click ?? '{{ template "__alertmanagerURL" . }}'),
      icon: service.text('icon', settings.icon),
      email: service.text('email', settings.email),
    }
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const { recipients } = notification
    if (!recipients) return { detail: `message ${await this.#sendTo(undefined, notification)}` }
    const { ids, warning } = await serveEach(recipients, progress, (topic) => this.#sendTo(topic, notification))
    const detail = ids.length > 0 ? `messages ${ids.join(', ')}` : 'all recipients had it already'
    return warning === '' ? { detail } : { detail, warning }
  }

  /** @param topic in place of the configured one */
  async #sendTo(topic: string | undefined, notification: Notification): Promise<string> {
    const { settings } = this.#config
    const { tags, priority, message, ...text } = await filledIn(this.#texts, notification)
    const token = secretOf(settings, 'token') && (await secretValue(settings, 'token'))
    const response = await this.#service.call(notification, {
      url: settings.url ?? URL_DEFAULT,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` }, secrets: [token] }),
      json: compact({
        ...text,
        ...(topic !== undefined && { topic }),
        message: truncateBytes(message.trim(), MESSAGE_BYTES_MAX),
        priority: PRIORITY_NAMES[priority] ?? (Number(priority) || undefined),
        tags: listOf(tags),
        markdown: settings.markdown,
      }),
      explain,
      ...(settings.timeout !== undefined && { timeoutMs: settings.timeout }),
    })
    const id = jsonOf(response)?.['id']
    if (typeof id !== 'string') throw notItsAnswer(response, 'a message id')
    return id
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

function listOf(tags: string): string[] | undefined {
  const list = tags
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  return list.length > 0 ? list : undefined
}

function explain(response: HttpResponse): string {
  const answer = jsonOf(response)
  return typeof answer?.['error'] === 'string' ? `${answer['error']} (code ${String(answer['code'])})` : ''
}
