import type { SmsConfig } from '../../config/types.ts'
import type { DeliveryProgress, DeliveryResult, Notification, Notifier } from '../notifier.ts'
import type { ReceiptSource } from '../receipts/receipt.ts'
import { recipientList, serveEach } from '../recipients.ts'
import { finalFailure, type NotifierOptions, Service } from '../service.ts'
import type { Text } from '../templates.ts'
import type { SmsGateway } from './gateway.ts'
import { HttpSmsGateway } from './http-gateway.ts'
import { MessageBirdGateway } from './messagebird.ts'
import { cutText, smsSize } from './segments.ts'
import { SmppGateway } from './smpp.ts'
import { SmscGateway } from './smsc.ts'
import { SmsRuGateway } from './smsru.ts'
import { SnsSmsGateway } from './sns-sms.ts'
import { TwilioGateway } from './twilio.ts'
import { VonageGateway } from './vonage.ts'

/** One SMS for the whole group to each recipient, by the provider that the configuration names. */
export class SmsNotifier implements Notifier {
  readonly #config: SmsConfig
  readonly #gateway: SmsGateway
  readonly #to: readonly Text[]
  readonly #text: Text
  readonly #receiptUrl: string | undefined
  /** `undefined` = it does not say what becomes of a message, or is not asked to. */
  readonly receipts: ReceiptSource | undefined

  constructor(options: NotifierOptions<SmsConfig>) {
    const service = new Service(options)
    this.#config = options.config
    const wantsReceipts = options.receipts !== undefined && wantsReceiptsOf(options.config.settings)
    this.#gateway = gatewayOf(service, wantsReceipts ? options : { ...options, receipts: undefined })
    this.receipts = wantsReceipts ? (this.#gateway.receipts ?? {}) : undefined
    this.#receiptUrl = this.receipts?.read && options.receipts?.urlOf(options.where)
    this.#to = options.config.to.map((to, i) => service.text(`to.${i}`, to))
    this.#text = service.text('text', options.config.text)
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const text = cutText((await this.#text(notification)).trim(), this.#gateway.charsMax)
    if (text === '') throw finalFailure('the text is empty')
    const to =
      notification.recipients ?? recipientList(await Promise.all(this.#to.map((recipient) => recipient(notification))))
    const { timeoutMs } = this.#config
    const { ids, warning } = await serveEach(to, progress, async (recipient) => {
      const message = { to: recipient, text, notification, timeoutMs, receiptUrl: this.#receiptUrl }
      const id = await this.#gateway.send(message)
      // Parts of a long message are told about one by one.
      const parts = this.#config.settings.provider === 'smpp' ? id.split('+') : [id]
      if (this.receipts) for (const part of parts) notification.onTaken?.({ id: part, recipient })
      return id
    })
    const { segments, encoding } = smsSize(text)
    const said = ids.length > 0 ? ids.join(', ') : 'all recipients had it already'
    const detail = `${said} (${segments} ${segments === 1 ? 'segment' : 'segments'} ${encoding})`
    return warning === '' ? { detail } : { detail, warning }
  }

  close(): Promise<void> {
    return this.#gateway.close()
  }
}

/** Asking costs nothing and needs no way in from outside; being told does. */
function wantsReceiptsOf(settings: SmsConfig['settings']): boolean {
  const isAsked = settings.provider === 'smsc' || settings.provider === 'smsru'
  return 'delivery_receipts' in settings ? (settings.delivery_receipts ?? isAsked) : isAsked
}

function gatewayOf(service: Service, { config, templates, where, receipts }: NotifierOptions<SmsConfig>): SmsGateway {
  const { settings } = config
  switch (settings.provider) {
    case 'twilio':
      return new TwilioGateway(service, settings)
    case 'sns':
      return new SnsSmsGateway(service, settings)
    case 'vonage':
      return new VonageGateway(service, settings)
    case 'messagebird':
      return new MessageBirdGateway(service, settings)
    case 'smsc':
      return new SmscGateway(service, settings)
    case 'smsru':
      return new SmsRuGateway(service, settings)
    case 'smpp':
      return new SmppGateway(settings, receipts && ((report) => receipts.take(where, report)))
    case 'http':
      return new HttpSmsGateway(service, settings, templates, where)
  }
}
