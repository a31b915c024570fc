import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf } from '../http-delivery.ts'
import type { DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { renderedObject } from '../rendered.ts'
import { compact, groupHash, isFiring, type NotifierOptions, secretOf, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'pagerduty'>

const V2_URL = 'https://events.pagerduty.com/v2/enqueue'
const V1_URL = 'https://events.pagerduty.com/generic/2010-04-15/create_event.json'
const SUMMARY_CHARS_MAX = 1024
const EVENT_BYTES_MAX = 512_000
// The first version of the API says 403 when it is asked too often.
const V1_RETRY_STATUSES = [403]

const CLIENT = '{{ template "pagerduty.default.client" . }}'
const DETAILS = {
  firing: '{{ .Alerts.Firing | toJson }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
}

/** Triggers and resolves one incident for each group: Events API v2 by `routing_key`, v1 by `service_key`. */
export class PagerDutyNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  readonly #details
  readonly #images
  readonly #links
  readonly #key

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    const client = settings.client ?? CLIENT
    this.#texts = {
      client: service.text('client', client),
      clientUrl: service.text('client_url', settings.client_url ?? '{{ template "pagerduty.default.clientURL" . }}'),
      description: service.text(
        'description',
        settings.description ?? '{{ template "pagerduty.default.description" . }}',
      ),
      severity: service.text('severity', settings.severity || 'error'),
      source: service.text('source', settings.source || client),
      component: service.text('component', settings.component),
      group: service.text('group', settings.group),
      class: service.text('class', settings.class),
    }
    this.#details = renderedObject({ ...DETAILS, ...settings.details }, options.templates, `${options.where} details`)
    this.#images = (settings.images ?? []).map((image, i) => ({
      src: service.text(`images.${i}.src`, image.src),
      alt: service.text(`images.${i}.alt`, image.alt),
      href: service.text(`images.${i}.href`, image.href),
    }))
    this.#links = (settings.links ?? []).map((link, i) => ({
      href: service.text(`links.${i}.href`, link.href),
      text: service.text(`links.${i}.text`, link.text),
    }))
    // A key may be chosen by labels.
    const inline = settings.routing_key ?? settings.service_key
    this.#key = inline?.includes('{{') ? service.text('routing_key', inline) : undefined
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const isV1 = secretOf(settings, 'service_key') !== undefined
    const key = (await this.#key?.(notification)) ?? (await secretValue(settings, isV1 ? 'service_key' : 'routing_key'))
    const event = isV1 ? await this.#eventV1(notification, key) : await this.#eventV2(notification, key)
    const response = await this.#service.call(notification, {
      url: isV1 ? (settings.url ?? V1_URL) : (settings.url ?? V2_URL),
      headers: { 'content-type': 'application/json' },
      body: encoded(event, isV1),
      secrets: [key],
      explain,
      ...(isV1 && { retryStatuses: V1_RETRY_STATUSES }),
      ...(settings.timeout !== undefined && { timeoutMs: settings.timeout }),
    })
    return { detail: `status ${response.status}, incident ${groupHash(notification).slice(0, 12)}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #eventV2(notification: Notification, key: string): Promise<Record<string, unknown>> {
    const text = await filledIn(this.#texts, notification)
    const [images, links] = await Promise.all([
      Promise.all(this.#images.map((image) => filledIn(image, notification))),
      Promise.all(this.#links.map((link) => filledIn(link, notification))),
    ])
    return {
      ...compact({ client: text.client, client_url: text.clientUrl }),
      routing_key: key,
      event_action: isFiring(notification) ? 'trigger' : 'resolve',
      dedup_key: groupHash(notification),
      ...some(
        'images',
        images.filter(({ src }) => src !== ''),
      ),
      ...some(
        'links',
        links.filter(({ href }) => href !== ''),
      ),
      payload: {
        summary: truncateChars(text.description, SUMMARY_CHARS_MAX),
        source: text.source,
        severity: text.severity,
        ...compact({ class: text.class, component: text.component, group: text.group }),
        custom_details: await this.#details(notification),
      },
    }
  }

  async #eventV1(notification: Notification, key: string): Promise<Record<string, unknown>> {
    const text = await filledIn(this.#texts, notification)
    const firing = isFiring(notification)
    return {
      service_key: key,
      event_type: firing ? 'trigger' : 'resolve',
      incident_key: groupHash(notification),
      description: truncateChars(text.description, SUMMARY_CHARS_MAX),
      ...(firing && compact({ client: text.client, client_url: text.clientUrl })),
      details: await this.#details(notification),
    }
  }
}

const some = (name: string, list: readonly unknown[]): Record<string, unknown> =>
  list.length > 0 ? { [name]: list } : {}

/** Too large an event is refused whole; without its details it still wakes somebody. */
function encoded(event: Record<string, unknown>, isV1: boolean): string {
  const text = JSON.stringify(event)
  if (Buffer.byteLength(text) <= EVENT_BYTES_MAX) return text
  const details = { error: `the details were left out: with them the event is larger than ${EVENT_BYTES_MAX} bytes` }
  return JSON.stringify(
    isV1 ? { ...event, details } : { ...event, payload: { ...(event['payload'] as object), custom_details: details } },
  )
}

function explain(response: HttpResponse): string {
  const answer = jsonOf(response)
  if (typeof answer?.['message'] !== 'string') return ''
  const errors = Array.isArray(answer['errors']) ? `: ${answer['errors'].join(', ')}` : ''
  return answer['message'] + errors
}
