import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { EMPTY_LABELS, labelsFromRecord } from '../../model/index.ts'
import { fingerprintOf } from '../alert/fingerprint.ts'
import { AlertMemo } from '../alert/stored-alert.ts'
import { parseAlertmanagerConfig } from '../index.ts'
import { buildIntegrations } from './integrations.ts'
import {
  DeliveryError,
  type DeliveryProgress,
  type Notification,
  type NotifiedAlert,
  type Notifier,
} from './notifier.ts'
import type { ReceiptDoor } from './service.ts'
import { Templates } from './templates.ts'

/** What a double was asked. */
export interface Heard {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** `undefined` = break off; `'hang'` = never answer. */
export type Said =
  | {
      readonly status?: number
      readonly headers?: Record<string, string>
      readonly json?: unknown
      readonly text?: string
    }
  | 'hang'
  | undefined

/** A service on loopback that remembers what it was asked and answers as told. */
export class Double {
  readonly heard: Heard[] = []
  answer: (request: Heard) => Said
  url = ''
  readonly #server: Server

  constructor(answer: (request: Heard) => Said) {
    this.answer = answer
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://double')
        const body = Buffer.concat(chunks).toString()
        const heard = {
          method: request.method ?? '',
          path: pathname,
          query: searchParams,
          headers: request.headers,
          body,
        }
        this.heard.push(heard)
        const said = this.answer(heard)
        if (said === 'hang') return
        if (!said) {
          request.socket.destroy()
          return
        }
        const content = said.json === undefined ? (said.text ?? '') : JSON.stringify(said.json)
        const type = said.json === undefined ? 'text/plain' : 'application/json'
        response.writeHead(said.status ?? 200, { 'content-type': type, ...said.headers }).end(content)
      })
    })
  }

  static async start(answer: (request: Heard) => Said): Promise<Double> {
    const double = new Double(answer)
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve))
    double.url = `http://127.0.0.1:${(double.#server.address() as AddressInfo).port}`
    return double
  }

  /** The JSON of the n-th request, by default the last. */
  json(index = -1): Record<string, unknown> {
    return JSON.parse(this.heard.at(index)?.body ?? '') as Record<string, unknown>
  }

  form(index = -1): Record<string, string> {
    return Object.fromEntries(new URLSearchParams(this.heard.at(index)?.body ?? ''))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/**
 * The notifier that a receiver's settings give, with a real HTTP client.
 *
 * @param receipts who listens to what becomes of messages
 */
export function notifierOf(settings: string, global = '{}', receipts?: ReceiptDoor): Notifier {
  const config = parseAlertmanagerConfig(
    '/etc/a.yml',
    `global: ${global}\nroute: { receiver: r }\nreceivers: [{ name: r, ${settings} }]`,
  )
  const templates = new Templates([], systemClock)
  const integrations = buildIntegrations({
    config,
    templates,
    clock: systemClock,
    httpClientFactory: (http) => createHttpClient(http),
    userAgent: 'Alertmanager/test',
    logger: silentLogger,
    receipts,
  })
  return integrations.get('r')![0]!.notifier
}

export const START_MS = Date.UTC(2026, 0, 5, 12)

/** Two alerts of one group; what is given replaces what they have. */
export function notificationOf(
  status: 'firing' | 'resolved',
  facts: { labels?: Record<string, string>; annotations?: Record<string, string>; patienceMs?: number } = {},
): Notification {
  const alerts = ['one', 'two'].map((instance): NotifiedAlert => {
    const labels = labelsFromRecord({ alertname: 'Down', instance, severity: 'critical', ...facts.labels })
    const alert = {
      fingerprint: fingerprintOf(labels),
      labels,
      annotations: labelsFromRecord({ summary: `${instance} is down`, ...facts.annotations }),
      startsAtMs: START_MS,
      endsAtMs: START_MS + 60_000,
      updatedAtMs: START_MS,
      generatorUrl: 'http://prometheus/graph',
      timeout: false,
      memo: new AlertMemo(),
    }
    return { alert, resolved: status === 'resolved' }
  })
  return {
    receiver: 'r',
    groupKey: '{}:{alertname="Down"}',
    groupLabels: labelsFromRecord({ alertname: 'Down' }),
    routeLabels: EMPTY_LABELS,
    alerts,
    reason: status === 'firing' ? 'first notification' : 'all alerts resolved',
    externalUrl: 'http://am',
    deadlineMs: Date.now() + (facts.patienceMs ?? 5000),
  }
}

/** SHA-256 of the group key of `notificationOf`, as the original computes it. */
export const GROUP_HASH = 'af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e'

/** Remembers over attempts who was served. */
export function memoryProgress(): DeliveryProgress & { readonly served: ReadonlySet<string> } {
  const served = new Set<string>()
  return {
    served,
    isDone: (recipient) => served.has(recipient),
    done: async (recipient) => {
      served.add(recipient)
    },
  }
}

export interface Attempt {
  /** What the other side answered; '' = it failed. */
  readonly detail: string
  readonly warning?: string
  /** `reason`, `+ retry` when another try can help, and the pause that was asked for. */
  readonly failure?: string
  readonly message?: string
  readonly receiverData?: unknown
}

/** One attempt, as a value. */
export async function attempt(
  notifier: Notifier,
  notification: Notification = notificationOf('firing'),
  progress: DeliveryProgress = memoryProgress(),
): Promise<Attempt> {
  try {
    return await notifier.send(notification, progress)
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error
    const pause = error.retryAfterMs === undefined ? '' : ` after ${error.retryAfterMs / 1000} s`
    return {
      detail: '',
      failure: `${error.reason}${error.retryable ? ' + retry' : ''}${pause}`,
      message: error.message,
    }
  }
}
