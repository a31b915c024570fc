import type { ServiceConfig } from '../../config/services.ts'
import type { DeliveryProgress, DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { recipientList, serveEach } from '../recipients.ts'
import { finalFailure, type NotifierOptions, Service } from '../service.ts'
import type { Text } from '../templates.ts'
import { twilioCreate } from '../twilio-api.ts'

type Config = ServiceConfig<'voice'>

const TIMEOUT_DEFAULT_MS = 30_000
const REPEAT_DEFAULT = 2
const SPOKEN_CHARS_MAX = 1000

/** Calls each recipient and reads the notification out, by Twilio's REST API. */
export class VoiceNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #to: readonly Text[]
  readonly #text: Text

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#to = settings.to.map((to, i) => service.text(`to.${i}`, to))
    this.#text = service.text('text', settings.text ?? '{{ template "voice.default.text" . }}')
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const { settings } = this.#config
    const text = Array.from((await this.#text(notification)).trim())
      .slice(0, SPOKEN_CHARS_MAX)
      .join('')
    if (text === '') throw finalFailure('the text is empty')
    const to =
      notification.recipients ?? recipientList(await Promise.all(this.#to.map((recipient) => recipient(notification))))
    const { ids, warning } = await serveEach(to, progress, (recipient) =>
      twilioCreate(this.#service, settings, notification, {
        resource: 'Calls',
        fields: { To: recipient, From: settings.from, Twiml: spoken(text, settings) },
        timeoutMs: settings.timeout ?? TIMEOUT_DEFAULT_MS,
      }),
    )
    const detail = ids.length > 0 ? ids.join(', ') : 'all recipients had it already'
    return warning === '' ? { detail } : { detail, warning }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

/** Twilio's markup: the text, with a pause before it is said again. */
function spoken(text: string, { language, voice, repeat = REPEAT_DEFAULT }: Config['settings']): string {
  const attributes = Object.entries({ language, voice })
    .filter(([, value]) => value)
    .map(([name, value]) => ` ${name}="${escaped(value!)}"`)
    .join('')
  const say = `<Say${attributes}>${escaped(text)}</Say>`
  return `<Response>${Array.from({ length: repeat }, () => say).join('<Pause length="1"/>')}</Response>`
}

const escaped = (text: string): string => text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`)
