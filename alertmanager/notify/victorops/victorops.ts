import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { groupHash, isFiring, joinUrl, type NotifierOptions, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'victorops'>

const API_URL = 'https://alert.victorops.com/integrations/generic/20131114/alert/'
const STATE_MESSAGE_CHARS_MAX = 20_480
const FIRING_TYPES = new Set(['INFO', 'WARNING', 'CRITICAL'])
const byDefault = (name: string): string => `{{ template "victorops.default.${name}" . }}`

/** Splunk On-Call: one incident for each group, recovered when all of it has resolved. */
export class VictorOpsNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  readonly #customFields

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      routingKey: service.text('routing_key', settings.routing_key),
      messageType: service.text('message_type', settings.message_type ?? 'CRITICAL'),
      displayName: service.text(
        'entity_display_name',
        settings.entity_display_name ?? byDefault('entity_display_name'),
      ),
      stateMessage: service.text('state_message', settings.state_message ?? byDefault('state_message')),
      monitoringTool: service.text('monitoring_tool', settings.monitoring_tool ?? byDefault('monitoring_tool')),
    }
    this.#customFields = Object.fromEntries(
      Object.entries(settings.custom_fields ?? {}).map(([name, source]) => [
        name,
        service.text(`custom_fields.${name}`, source),
      ]),
    )
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const key = await secretValue(settings, 'api_key')
    const text = await filledIn(this.#texts, notification)
    const firingType = FIRING_TYPES.has(text.messageType) ? text.messageType : 'CRITICAL'
    const response = await this.#service.call(notification, {
      url: joinUrl(settings.api_url ?? API_URL, `${key}/${text.routingKey}`),
      urlIsSecret: true,
      secrets: [key],
      json: {
        message_type: isFiring(notification) ? firingType : 'RECOVERY',
        entity_id: groupHash(notification),
        entity_display_name: text.displayName,
        state_message: truncateChars(text.stateMessage, STATE_MESSAGE_CHARS_MAX),
        monitoring_tool: text.monitoringTool,
        ...(await filledIn(this.#customFields, notification)),
      },
    })
    const answer = jsonOf(response)
    if (!answer) throw notItsAnswer(response, 'an answer in JSON')
    const { result = 'success', entity_id } = answer
    if (result === 'success') return { detail: `entity ${String(entity_id ?? groupHash(notification))}` }
    const why = `result ${String(result)}: ${String(answer['messages'])}`
    throw new DeliveryError(why, { reason: 'clientError', retryable: false })
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
