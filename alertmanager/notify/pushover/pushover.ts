import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { finalFailure, type NotifierOptions, secretOf, Service } from '../service.ts'
import { readSecret } from '../secret.ts'
import type { Text } from '../templates.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'pushover'>

const API_URL = 'https://api.pushover.net/1/messages.json'
const TITLE_CHARS_MAX = 250
const MESSAGE_CHARS_MAX = 1024
const URL_CHARS_MAX = 512
const RETRY_DEFAULT_MS = 60_000
const EXPIRE_DEFAULT_MS = 3_600_000
const PRIORITY = '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'

/** A push message to the devices of a user or a group. */
export class PushoverNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  readonly #keys: Readonly<Record<'token' | 'user', Text>>
  readonly #apiUrl: string

  /** @param apiUrl where another server than the service's own is meant */
  constructor(options: NotifierOptions<Config>, apiUrl = API_URL) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#apiUrl = apiUrl
    const byDefault = (name: string): string => `{{ template "pushover.default.${name}" . }}`
    const message = settings.message ?? byDefault('message')
    this.#texts = {
      title: service.text('title', settings.title ?? byDefault('title')),
      message: settings.html ? service.html('message', message) : service.text('message', message),
      url: service.text('url', settings.url ?? byDefault('url')),
      urlTitle: service.text('url_title', settings.url_title),
      priority: service.text('priority', settings.priority ?? PRIORITY),
      device: service.text('device', settings.device),
      sound: service.text('sound', settings.sound),
    }
    this.#keys = { token: keyText(service, settings, 'token'), user: keyText(service, settings, 'user_key') }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { token, user } = await filledIn(this.#keys, notification)
    const keys = { token, user: notification.recipients?.join(',') ?? user }
    const query = new URLSearchParams({ ...keys, ...(await this.#parameters(notification)) })
    const response = await this.#service.call(notification, {
      url: `${this.#apiUrl}?${query}`,
      urlIsSecret: true,
      headers: { 'content-type': 'text/plain' },
      secrets: Object.values(keys),
      explain,
    })
    const answer = jsonOf(response)
    if (answer?.['status'] !== 1) throw notItsAnswer(response, 'status 1 in the answer')
    return { detail: `request ${String(answer['request'])}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #parameters(notification: Notification): Promise<Record<string, string>> {
    const { settings } = this.#config
    const text = await filledIn(this.#texts, notification)
    const seconds = (ms: number): string => String(Math.floor(ms / 1000))
    return {
      title: truncateChars(text.title, TITLE_CHARS_MAX),
      ...(settings.html && { html: '1' }),
      ...(settings.monospace && { monospace: '1' }),
      // The service refuses an empty message.
      message: truncateChars(text.message, MESSAGE_CHARS_MAX).trim() || '(no details)',
      url: truncateChars(text.url, URL_CHARS_MAX),
      url_title: text.urlTitle,
      priority: text.priority,
      retry: seconds(settings.retry ?? RETRY_DEFAULT_MS),
      expire: seconds(settings.expire ?? EXPIRE_DEFAULT_MS),
      device: text.device,
      sound: text.sound,
      ...(settings.ttl && { ttl: seconds(settings.ttl) }),
    }
  }
}

/** Keys may be chosen by labels. */
function keyText(service: Service, settings: Config['settings'], name: string): Text {
  const secret = secretOf(settings, name)
  if (!secret) return () => Promise.reject(finalFailure(`${name} is empty`))
  return secret.kind === 'file' ? () => readSecret(secret) : service.text(name, secret.value)
}

function explain(response: HttpResponse): string {
  const errors = jsonOf(response)?.['errors']
  return Array.isArray(errors) ? errors.join(', ') : ''
}
