import { createHash } from 'node:crypto'
import type { Clock, HttpClient, HttpClientConfig, HttpResponse } from '../../lib/index.ts'
import type { Secret } from '../config/types.ts'
import { exchange, statusError } from './http-delivery.ts'
import { DeliveryError, type FailureReason, type Notification } from './notifier.ts'
import type { ReceiptReport } from './receipts/receipt.ts'
import { readSecret } from './secret.ts'
import type { Templates, Text } from './templates.ts'

export interface NotifierOptions<C> {
  readonly config: C
  readonly client: HttpClient
  readonly templates: Templates
  readonly clock: Clock
  readonly userAgent: string
  /** For errors: `receiver/slack/0`. */
  readonly where: string
  /** `undefined` = nobody listens to what becomes of messages. */
  readonly receipts?: ReceiptDoor | undefined
}

/** The way in for what providers say about messages that they have taken. */
export interface ReceiptDoor {
  /** Where the provider of an integration reports to. */
  urlOf(where: string): string
  take(where: string, report: ReceiptReport): void
}

/** One request to a service. At most one of `json`, `form` and `body`. */
export interface ServiceCall {
  readonly url: string
  /** The URL, or its path, is as good as a password. */
  readonly urlIsSecret?: boolean
  /** Default POST. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly form?: URLSearchParams
  readonly body?: string
  /** 0 = until the flush's deadline. */
  readonly timeoutMs?: number
  /** Texts that must not show up in an error. */
  readonly secrets?: readonly string[]
  /** Statuses beside 429 and 5xx that may be tried again. */
  readonly retryStatuses?: readonly number[]
  /** Picks what went wrong out of a refusal; '' = show the answer as it is. */
  readonly explain?: (response: HttpResponse) => string
}

// What is shorter is a flag, a format or no secret; hiding it would hide the words of the error.
const SECRET_CHARS_MIN = 4

/** What the integrations over HTTP have in common: texts that know their place, and requests that end in an answer or an error. */
export class Service {
  readonly #options: NotifierOptions<unknown>

  constructor(options: NotifierOptions<unknown>) {
    this.#options = options
  }

  text(what: string, source = ''): Text {
    return this.#options.templates.text(`${this.#options.where} ${what}`, source)
  }

  html(what: string, source = ''): Text {
    return this.#options.templates.html(`${this.#options.where} ${what}`, source)
  }

  nowMs(): number {
    return this.#options.clock.nowMs()
  }

  /** Resolves with a 2xx. @throws {DeliveryError} */
  async call(notification: Notification, call: ServiceCall): Promise<HttpResponse> {
    const { client, clock, userAgent } = this.#options
    const leftMs = Math.max(1, notification.deadlineMs - clock.nowMs())
    const ownSecrets = [
      ...(call.secrets ?? []),
      ...(call.urlIsSecret ? secretsOfUrl(call.url) : []),
      ...secretsOfHttp(this.#options.config),
    ]
    const secrets = ownSecrets
      .flatMap((secret) => [secret, encodeURIComponent(secret)])
      .filter((text) => text.length >= SECRET_CHARS_MIN)
    const content = contentOf(call)
    const response = await exchange(
      client,
      {
        url: call.url,
        method: call.method ?? 'POST',
        headers: { 'user-agent': userAgent, ...content?.headers, ...call.headers },
        ...(content && { body: content.body }),
        timeoutMs: call.timeoutMs ? Math.min(call.timeoutMs, leftMs) : leftMs,
      },
      secrets,
    )
    const error = statusError(response, clock.nowMs(), call.explain?.(response), call.retryStatuses)
    if (error) throw withoutSecretsIn(error, secrets)
    return response
  }

  close(): Promise<void> {
    return this.#options.client.close()
  }
}

function contentOf(call: ServiceCall): { headers: Record<string, string>; body: string } | undefined {
  if (call.json !== undefined)
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(call.json) }
  if (call.form) return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: call.form.toString() }
  return call.body === undefined ? undefined : { headers: {}, body: call.body }
}

function secretsOfUrl(url: string): string[] {
  if (!URL.canParse(url)) return [url]
  const { pathname, search, searchParams } = new URL(url)
  return [url, pathname + search, search, pathname, ...searchParams.values()]
}

function secretsOfHttp(config: unknown): string[] {
  const { basicAuth, authorization } = (config as { http?: HttpClientConfig }).http ?? {}
  return [basicAuth?.password ?? '', authorization?.credentials ?? '']
}

/** A service may quote the request that it refuses. */
function withoutSecretsIn(error: DeliveryError, secrets: readonly string[]): DeliveryError {
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '<secret>'), error.message)
  const { reason, retryable, retryAfterMs } = error
  return message === error.message ? error : new DeliveryError(message, { reason, retryable, retryAfterMs })
}

/** Trying again would end the same. */
export const finalFailure = (message: string, reason: FailureReason = 'clientError'): DeliveryError =>
  new DeliveryError(message, { reason, retryable: false })

export const isFiring = (notification: Notification): boolean => notification.alerts.some(({ resolved }) => !resolved)

/** What incident services know the group by: the same digits as the original's, so that a move re-opens nothing. */
export const groupHash = (notification: Notification): string =>
  createHash('sha256').update(notification.groupKey).digest('hex')

type Entry = Readonly<Record<string, unknown>>

/** The secret of an entry of the configuration: `name`, or the file that `name_file` names. */
export function secretOf(entry: object, name: string): Secret | undefined {
  const settings = entry as Entry
  const path = settings[`${name}_file`]
  if (typeof path === 'string' && path !== '') return { kind: 'file', path }
  const value = settings[name]
  return typeof value === 'string' && value !== '' ? { kind: 'inline', value } : undefined
}

/** Its value now. @throws {DeliveryError} when there is none */
export async function secretValue(entry: object, name: string): Promise<string> {
  const secret = secretOf(entry, name)
  const value = secret ? await readSecret(secret) : ''
  if (value === '') throw finalFailure(`${name} is empty`)
  return value
}

/** `https://host/base` and `https://host/base/` alike, with `path` behind. */
export const joinUrl = (base: string, path: string): string => `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`

/** Without keys whose value says nothing. */
export function compact(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined && value !== '' && value !== false),
  )
}
