import { createHash } from 'node:crypto'
import type { HttpResponse } from '../../../lib/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { groupHash, joinUrl, type NotifierOptions, secretValue, Service } from '../service.ts'
import { truncateBytes } from '../truncate.ts'

type Config = ServiceConfig<'matrix'>

// An event has 64 KiB in all; text and HTML share it.
const PART_BYTES_MAX = 28 * 1024

/** A message to a room, under a transaction id that makes a repeated attempt the same message. */
export class MatrixNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      roomId: service.text('room_id', settings.room_id),
      body: service.text('message', settings.message ?? '{{ template "matrix.default.message" . }}'),
      html: service.html('html', settings.html ?? '{{ template "matrix.default.html" . }}'),
    }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const token = await secretValue(settings, 'access_token')
    const { roomId, body, html } = await filledIn(this.#texts, notification)
    const path = `_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${transactionId(notification)}`
    const response = await this.#service
      .call(notification, {
        url: joinUrl(settings.homeserver_url, path),
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        secrets: [token],
        json: {
          msgtype: settings.message_type ?? 'm.text',
          body: truncateBytes(body.trim(), PART_BYTES_MAX),
          ...(html !== '' &&
            Buffer.byteLength(html) <= PART_BYTES_MAX && {
              format: 'org.matrix.custom.html',
              formatted_body: html.trim(),
            }),
        },
        explain,
        ...(settings.timeout !== undefined && { timeoutMs: settings.timeout }),
      })
      .catch((error: unknown) => {
        throw withPause(error)
      })
    const id = jsonOf(response)?.['event_id']
    if (typeof id !== 'string') throw notItsAnswer(response, 'an event_id')
    return { detail: id }
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}

/** The same for every attempt at one notification: the server then takes it once. */
const transactionId = (notification: Notification): string =>
  createHash('sha256')
    .update(groupHash(notification))
    .update(notification.reason)
    .update(String(notification.deadlineMs))
    .update(notification.alerts.map(({ alert, resolved }) => `${alert.fingerprint}${resolved}`).join(' '))
    .digest('hex')
    .slice(0, 32)

const RETRY_AFTER = /retry_after_ms (\d+)/

function explain(response: HttpResponse): string {
  const answer = jsonOf(response)
  if (typeof answer?.['errcode'] !== 'string') return ''
  const pause = answer['retry_after_ms'] === undefined ? '' : `; retry_after_ms ${String(answer['retry_after_ms'])}`
  return `${answer['errcode']}: ${String(answer['error'])}${pause}`
}

/** The pause stands in the body where older servers do not send the header. */
function withPause(error: unknown): unknown {
  if (!(error instanceof DeliveryError) || error.retryAfterMs !== undefined) return error
  const pauseMs = RETRY_AFTER.exec(error.message)?.[1]
  if (pauseMs === undefined) return error
  const { message, reason, retryable } = error
  return new DeliveryError(message, { reason, retryable, retryAfterMs: Number(pauseMs) })
}
