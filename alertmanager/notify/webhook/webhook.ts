import type { Clock, HttpClient } from '../../../lib/index.ts'
import { labelsToRecord } from '../../../model/index.ts'
import type { NotificationAlert } from '../../../template/index.ts'
import type { Secret, WebhookConfig } from '../../config/types.ts'
import { exchange, statusError } from '../http-delivery.ts'
import { messageOf } from '../message.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { readSecret } from '../secret.ts'
import type { Templates, Text } from '../templates.ts'

const GO_ZERO_TIME = '0001-01-01T00:00:00Z'

export interface WebhookOptions {
  readonly config: WebhookConfig
  readonly client: HttpClient
  readonly templates: Templates
  readonly clock: Clock
  readonly userAgent: string
  /** For errors: `receiver/webhook/0`. */
  readonly where: string
}

/** POSTs the group as JSON, version 4, or the payload that the receiver describes. */
export class WebhookNotifier implements Notifier {
  readonly #options: WebhookOptions
  readonly #url: (notification: Notification) => Promise<string>
  readonly #payload: Rendered | undefined

  constructor(options: WebhookOptions) {
    const { config, templates, where } = options
    this.#options = options
    this.#url = urlText(config.url, templates, where)
    this.#payload = config.payload && rendered(config.payload, templates, `${where} payload`)
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { client, clock, config, userAgent } = this.#options
    const url = await this.#url(notification)
    const body = this.#payload ? await this.#payload(notification) : webhookBody(notification, config.alertsMax)
    const leftMs = Math.max(1, notification.deadlineMs - clock.nowMs())
    const response = await exchange(
      client,
      {
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': userAgent },
        body: JSON.stringify(body),
        timeoutMs: config.timeoutMs > 0 ? Math.min(config.timeoutMs, leftMs) : leftMs,
      },
      [url, pathOf(url)],
    )
    const error = statusError(response, clock.nowMs())
    if (error) throw error
    return { detail: `status ${response.status}` }
  }

  close(): Promise<void> {
    return this.#options.client.close()
  }
}

/** @param alertsMax 0 = all */
export function webhookBody(notification: Notification, alertsMax: number): Record<string, unknown> {
  const message = messageOf(notification)
  const alerts = alertsMax > 0 ? message.alerts.slice(0, alertsMax) : message.alerts
  return {
    receiver: message.receiver,
    status: message.status,
    alerts: alerts.map(alertBody),
    groupLabels: labelsToRecord(message.groupLabels),
    commonLabels: labelsToRecord(message.commonLabels),
    commonAnnotations: labelsToRecord(message.commonAnnotations),
    routeLabels: labelsToRecord(message.routeLabels),
    externalURL: message.externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: message.alerts.length - alerts.length,
    notification_reason: message.notificationReason,
  }
}

const alertBody = (alert: NotificationAlert): Record<string, unknown> => ({
  status: alert.status,
  labels: labelsToRecord(alert.labels),
  annotations: labelsToRecord(alert.annotations),
  startsAt: goTime(alert.startsAtMs),
  endsAt: alert.endsAtMs === undefined ? GO_ZERO_TIME : goTime(alert.endsAtMs),
  generatorURL: alert.generatorUrl,
  fingerprint: alert.fingerprint,
})

/** As Go marshals a time: no zeros at the end of the fraction. */
const goTime = (atMs: number): string => new Date(atMs).toISOString().replace(/\.?0+Z$/, 'Z')

function urlText(secret: Secret, templates: Templates, where: string): (n: Notification) => Promise<string> {
  if (secret.kind === 'file') return () => readSecret(secret)
  const text = templates.text(`${where} url`, secret.value)
  return async (notification) => {
    const url = (await text(notification)).trim()
    if (!URL.canParse(url))
      throw new DeliveryError('the url template does not give a URL', { reason: 'clientError', retryable: false })
    return url
  }
}

const pathOf = (url: string): string => {
  const { pathname, search } = URL.canParse(url) ? new URL(url) : { pathname: '', search: '' }
  return pathname.length > 1 ? pathname + search : search
}

type Rendered = (notification: Notification) => Promise<unknown>

/** A structure whose texts are templates; a text that gives JSON of another type (`{{ toJson … }}`, a number) becomes it. */
function rendered(value: unknown, templates: Templates, where: string): Rendered {
  if (typeof value === 'string') {
    const text: Text = templates.text(where, value)
    return async (notification) => typed(await text(notification))
  }
  if (Array.isArray(value)) {
    const items = value.map((item, i) => rendered(item, templates, `${where}[${i}]`))
    return (notification) => Promise.all(items.map((item) => item(notification)))
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, inner]) => [key, rendered(inner, templates, `${where}.${key}`)] as const,
    )
    return async (notification) =>
      Object.fromEntries(await Promise.all(entries.map(async ([key, inner]) => [key, await inner(notification)])))
  }
  return async () => value
}

function typed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' || value === null ? text : value
  } catch {
    // Not JSON, so it is what it looks like: a text.
    return text
  }
}
