import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { attachmentFields, filledIn } from '../attachment.ts'
import { jsonOf, shown } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier, type ReceiverData } from '../notifier.ts'
import { compact, finalFailure, type NotifierOptions, secretOf, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'slack'>

const TITLE_CHARS_MAX = 1024
const APP_URL = 'https://slack.com/api/chat.postMessage'
/** Errors of the Web API that pass by themselves. */
const PASSING_ERRORS = /^(ratelimited|rate_limited|internal_error|fatal_error|service_unavailable|request_timeout)$/

const DEFAULTS = {
  color: '{{ template "slack.default.color" . }}',
  username: '{{ template "slack.default.username" . }}',
  title: '{{ template "slack.default.title" . }}',
  title_link: '{{ template "slack.default.titlelink" . }}',
  icon_emoji: '{{ template "slack.default.iconemoji" . }}',
  icon_url: '{{ template "slack.default.iconurl" . }}',
  pretext: '{{ template "slack.default.pretext" . }}',
  text: '{{ template "slack.default.text" . }}',
  fallback: '{{ template "slack.default.fallback" . }}',
  callback_id: '{{ template "slack.default.callbackid" . }}',
  footer: '{{ template "slack.default.footer" . }}',
  channel: '',
  message_text: '',
  image_url: '',
  thumb_url: '',
} as const

/** One message with one attachment, by an incoming webhook or by an app's token, which can also change its last message. */
export class SlackNotifier implements Notifier {
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
    this.#texts = Object.fromEntries(
      Object.entries(DEFAULTS).map(([name, source]) => [
        name,
        service.text(name, settings[name as keyof typeof DEFAULTS] ?? source),
      ]),
    ) as Record<keyof typeof DEFAULTS, ReturnType<Service['text']>>
    this.#fields = attachmentFields(service, 'fields', settings.fields ?? [], settings.short_fields ?? false)
    this.#actions = (settings.actions ?? []).map((action, i) => actionTexts(service, action, `actions.${i}`))
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const usesToken = secretOf(settings, 'app_token') !== undefined
    const previous = settings.update_message ? updatable(notification.receiverData) : undefined
    const message = await this.#message(notification)
    const postUrl = usesToken ? (settings.app_url ?? APP_URL) : await secretValue(settings, 'api_url')
    const token = usesToken ? await secretValue(settings, 'app_token') : ''
    const response = await this.#service
      .call(notification, {
        url: previous ? postUrl.replace(/chat\.postMessage$/, 'chat.update') : postUrl,
        urlIsSecret: !usesToken,
        ...(usesToken && { headers: { authorization: `Bearer ${token}` }, secrets: [token] }),
        json: previous ? { ...message, ...previous } : message,
        ...(settings.timeout !== undefined && { timeoutMs: settings.timeout }),
      })
      .catch((error: unknown) => {
        throw inChannel(error, String(message['channel'] ?? ''))
      })
    return resultOf(response, String(message['channel'] ?? ''), settings.update_message ?? false)
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #message(notification: Notification): Promise<Record<string, unknown>> {
    const { settings } = this.#config
    const text = await filledIn(this.#texts, notification)
    const fields = await this.#fields(notification)
    const actions = await Promise.all(this.#actions.map((action) => action(notification)))
    const attachment = {
      ...compact({ title: truncateChars(text.title, TITLE_CHARS_MAX), title_link: text.title_link }),
      ...compact({ pretext: text.pretext }),
      text: text.text,
      fallback: text.fallback,
      callback_id: text.callback_id,
      ...(fields.length > 0 && { fields }),
      ...(actions.length > 0 && { actions }),
      ...compact({ image_url: text.image_url, thumb_url: text.thumb_url }),
      footer: text.footer,
      ...compact({ color: text.color }),
      mrkdwn_in: settings.mrkdwn_in?.length ? settings.mrkdwn_in : ['fallback', 'pretext', 'text'],
    }
    const { channel, username, icon_emoji, icon_url } = text
    return {
      ...compact({ channel, username, icon_emoji, icon_url }),
      ...compact({ link_names: settings.link_names, text: text.message_text }),
      attachments: [attachment],
    }
  }
}

type ActionSettings = NonNullable<Config['settings']['actions']>[number]

function actionTexts(service: Service, action: ActionSettings, what: string) {
  // A link has no name of its own; the original drops what does not belong together.
  const wanted = action.url
    ? { type: action.type, text: action.text, url: action.url, style: action.style }
    : { type: action.type, text: action.text, style: action.style, name: action.name, value: action.value }
  const texts = textsOf(service, wanted, what)
  const confirm = action.confirm && !action.url ? textsOf(service, action.confirm, `${what}.confirm`) : undefined
  return async (notification: Notification): Promise<Record<string, unknown>> => ({
    ...compact(await filledIn(texts, notification)),
    ...(confirm && { confirm: compact(await filledIn(confirm, notification)) }),
  })
}

const textsOf = (service: Service, sources: Readonly<Record<string, string | undefined>>, what: string) =>
  Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, service.text(`${what}.${name}`, source)] as const),
  )

function updatable(data: ReceiverData | undefined): { ts: string; channel: string } | undefined {
  const { threadTs, channelId } = data ?? {}
  return threadTs && channelId ? { ts: threadTs, channel: channelId } : undefined
}

/** A webhook answers `ok` as text; the Web API says in JSON whether it liked the message, both with status 200. */
function resultOf(response: HttpResponse, channel: string, keepsMessage: boolean): DeliveryResult {
  const answer = response.headers['content-type']?.startsWith('application/json') ? jsonOf(response) : undefined
  if (!answer) {
    if (Buffer.from(response.body).toString('utf8') === 'ok') return { detail: 'ok' }
    throw inChannel(finalFailure(`Slack answered: ${shown(response)}`), channel)
  }
  if (answer['ok'] !== true) {
    const error = String(answer['error'])
    const isPassing = PASSING_ERRORS.test(error)
    const reason = /ratelimited|rate_limited/.test(error)
      ? 'rateLimited'
      : /auth|token/.test(error)
        ? 'authError'
        : 'clientError'
    throw inChannel(new DeliveryError(`error response from Slack: ${error}`, { reason, retryable: isPassing }), channel)
  }
  const { ts, channel: channelId } = answer
  const isKept = keepsMessage && typeof ts === 'string' && typeof channelId === 'string'
  return {
    detail: typeof ts === 'string' ? `ts ${ts}` : 'ok',
    ...(isKept && { receiverData: { threadTs: ts, channelId } }),
  }
}

function inChannel(error: unknown, channel: string): unknown {
  if (!(error instanceof DeliveryError)) return error
  const { reason, retryable, retryAfterMs, message } = error
  return new DeliveryError(`channel ${JSON.stringify(channel)}: ${message}`, { reason, retryable, retryAfterMs })
}
