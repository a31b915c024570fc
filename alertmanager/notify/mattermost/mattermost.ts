import type { ServiceConfig } from '../../config/services.ts'
import { attachmentFields, filledIn } from '../attachment.ts'
import { shown } from '../http-delivery.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { compact, finalFailure, type NotifierOptions, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'mattermost'>
type Attachment = NonNullable<Config['settings']['attachments']>[number]

const TEXT_CHARS_MAX = 16_383
const byDefault = (name: string): string => `{{ template "mattermost.default.${name}" . }}`
const ATTACHMENT_KEYS = [
  'fallback',
  'color',
  'pretext',
  'text',
  'author_name',
  'author_link',
  'author_icon',
  'title',
  'title_link',
  'thumb_url',
  'footer',
  'footer_icon',
  'image_url',
] as const

/** A message by an incoming webhook: attachments of the entry, or one made of the entry's own texts. */
export class MattermostNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  readonly #attachments

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      channel: service.text('channel', settings.channel),
      username: service.text('username', settings.username ?? byDefault('username')),
      icon_url: service.text('icon_url', settings.icon_url),
      icon_emoji: service.text('icon_emoji', settings.icon_emoji),
      type: service.text('type', settings.type),
      text: service.text('text', settings.text ?? byDefault('text')),
      card: service.text('props.card', settings.props?.card),
      priority: service.text('priority.priority', settings.priority?.priority),
    }
    const own = settings.attachments ?? []
    this.#attachments =
      own.length > 0
        ? own.map((attachment, i) => attachmentOf(service, attachment, `attachments.${i}.`))
        : [attachmentOf(service, withDefaults(settings), '')]
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const text = await filledIn(this.#texts, notification)
    const { channel, username, icon_url, icon_emoji, type } = text
    const response = await this.#service.call(notification, {
      url: await secretValue(settings, 'webhook_url'),
      urlIsSecret: true,
      json: {
        // Only beside attachments of the entry's own; otherwise the text is in the one attachment.
        ...compact({ text: settings.attachments?.length ? truncateChars(text.text, TEXT_CHARS_MAX) : '' }),
        ...compact({ channel, username, icon_url, icon_emoji, type }),
        attachments: await Promise.all(this.#attachments.map((attachment) => attachment(notification))),
        ...(text.card !== '' && { props: { card: text.card } }),
        ...(text.priority !== '' && { priority: priorityOf(text.priority, settings.priority) }),
      },
    })
    const said = shown(response)
    // A webhook says "ok"; a login page in its place is no delivery.
    if (said.startsWith('<')) throw finalFailure(`status ${response.status} with a page instead of "ok": ${said}`)
    return { detail: `status ${response.status}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

const withDefaults = (settings: Config['settings']): Attachment => ({
  ...settings,
  text: settings.text ?? byDefault('text'),
  color: settings.color ?? byDefault('color'),
  title: settings.title ?? byDefault('title'),
  title_link: settings.title_link ?? byDefault('titlelink'),
  fallback: settings.fallback ?? byDefault('fallback'),
})

function attachmentOf(service: Service, attachment: Attachment, what: string) {
  const texts = Object.fromEntries(ATTACHMENT_KEYS.map((name) => [name, service.text(what + name, attachment[name])]))
  const fields = attachmentFields(service, `${what}fields`, attachment.fields ?? [], false)
  return async (notification: Notification): Promise<Record<string, unknown>> => {
    const filled = await filledIn(texts, notification)
    const list = await fields(notification)
    return {
      ...compact({ ...filled, text: truncateChars(filled['text'] ?? '', TEXT_CHARS_MAX) }),
      ...(list.length > 0 && { fields: list }),
    }
  }
}

type Priority = Config['settings']['priority']

/** The server refuses combinations that make no sense; better a plain message than none. */
function priorityOf(wanted: string, settings: Priority): Record<string, unknown> {
  const lower = wanted.toLowerCase()
  const priority = ['urgent', 'important', 'standard'].includes(lower) ? lower : 'standard'
  return {
    priority,
    ...compact({
      requested_ack: settings?.requested_ack && priority !== 'standard',
      persistent_notifications: settings?.persistent_notifications && priority === 'urgent',
    }),
  }
}
