import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { jsonOf } from '../http-delivery.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { type NotifierOptions, secretOf, secretValue, Service } from '../service.ts'
import { webhookBody } from '../webhook/body.ts'

type Config = ServiceConfig<'incidentio'>

const PAYLOAD_BYTES_MAX = 512 * 1024

/** The webhook's body in a version of its own, with the alert source's token. */
export class IncidentIoNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service

  constructor(options: NotifierOptions<Config>) {
    this.#config = options.config
    this.#service = new Service(options)
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const token = secretOf(settings, 'alert_source_token') && (await secretValue(settings, 'alert_source_token'))
    const response = await this.#service.call(notification, {
      url: await secretValue(settings, 'url'),
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: encoded(notification, settings.max_alerts ?? 0),
      secrets: [token ?? ''],
      explain,
      ...(settings.timeout !== undefined && { timeoutMs: settings.timeout }),
    })
    return { detail: `status ${response.status}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

/** A body that is too large is answered as too frequent; one alert of the group is enough to open an incident. */
function encoded(notification: Notification, alertsMax: number): string {
  const cut = alertsMax > 0 ? { ...notification, alerts: notification.alerts.slice(0, alertsMax) } : notification
  const body = {
    ...webhookBody(cut, 0),
    version: '1',
    truncatedAlerts: notification.alerts.length - cut.alerts.length,
  }
  const text = JSON.stringify(body)
  if (Buffer.byteLength(text) <= PAYLOAD_BYTES_MAX) return text
  return JSON.stringify({ ...body, alerts: (body as { alerts?: unknown[] }).alerts?.slice(0, 1) })
}

function explain(response: HttpResponse): string {
  const answer = jsonOf(response) ?? {}
  const errors = Array.isArray(answer['errors']) ? answer['errors'].map(textOf).join(', ') : ''
  return [answer['message'], answer['error'], errors]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(': ')
}

const textOf = (error: unknown): string => (typeof error === 'string' ? error : JSON.stringify(error))
