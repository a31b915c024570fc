import type { SmsSettings } from '../../config/types.ts'
import type { Service } from '../service.ts'
import { messageAttributes, SnsPublisher } from '../sns/publish.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'

type Settings = SmsSettings<'sns'>

/** AWS SNS straight to a phone number. What it accepts it may still drop: a sandbox, a monthly limit. */
export class SnsSmsGateway implements SmsGateway {
  readonly charsMax = 1600
  readonly #service: Service
  readonly #settings: Settings
  readonly #publisher: SnsPublisher

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
    this.#publisher = new SnsPublisher(service, settings.sigv4)
  }

  send({ to, text, notification, timeoutMs }: SmsMessage): Promise<string> {
    const { from, sms_type, max_price, base_url } = this.#settings
    const attributes = {
      'AWS.SNS.SMS.SMSType': sms_type ?? 'Transactional',
      ...(from && (/^\+\d+$/.test(from) ? { 'AWS.MM.SMS.OriginationNumber': from } : { 'AWS.SNS.SMS.SenderID': from })),
      ...(max_price && { 'AWS.SNS.SMS.MaxPrice': max_price }),
    }
    const parameters = { PhoneNumber: to, Message: text, ...messageAttributes(attributes) }
    return this.#publisher.publish(notification, base_url ?? '', parameters, timeoutMs)
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
