import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { compact, finalFailure, groupHash, type NotifierOptions, Service } from '../service.ts'
import { truncateBytes } from '../truncate.ts'
import { messageAttributes, SnsPublisher } from './publish.ts'

type Config = ServiceConfig<'sns'>

const MESSAGE_BYTES_MAX = 256 * 1024
const SMS_BYTES_MAX = 1600

/** Publishes to a topic, a phone number or an application's endpoint of AWS SNS. */
export class SnsNotifier implements Notifier {
  readonly #service: Service
  readonly #publisher: SnsPublisher
  readonly #isSms: boolean
  readonly #texts
  readonly #attributes

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#service = service
    this.#publisher = new SnsPublisher(service, settings.sigv4)
    this.#isSms = Boolean(settings.phone_number)
    this.#texts = {
      endpoint: service.text('api_url', settings.api_url),
      TopicArn: service.text('topic_arn', settings.topic_arn),
      PhoneNumber: service.text('phone_number', settings.phone_number),
      TargetArn: service.text('target_arn', settings.target_arn),
      Subject: service.text('subject', settings.subject ?? '{{ template "sns.default.subject" . }}'),
      Message: service.text('message', settings.message ?? '{{ template "sns.default.message" . }}'),
    }
    this.#attributes = Object.entries(settings.attributes ?? {}).map(([name, value]) => ({
      name: service.text(`attributes key ${name}`, name),
      value: service.text(`attributes.${name}`, value),
    }))
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { endpoint, Message, ...target } = await filledIn(this.#texts, notification)
    if (Message === '') throw finalFailure('the message is empty')
    const message = truncateBytes(Message, this.#isSms ? SMS_BYTES_MAX : MESSAGE_BYTES_MAX, '')
    const attributes: Record<string, string> = {}
    for (const { name, value } of this.#attributes) attributes[await name(notification)] = await value(notification)
    if (message !== Message) attributes['truncated'] = 'true'
    const isFifo = target.TopicArn.endsWith('.fifo')
    const id = await this.#publisher.publish(notification, endpoint, {
      ...(compact(target) as Record<string, string>),
      Message: message,
      ...messageAttributes(attributes),
      ...(isFifo && {
        MessageGroupId: groupHash(notification),
        MessageDeduplicationId: groupHash(notification),
      }),
    })
    return { detail: id }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
