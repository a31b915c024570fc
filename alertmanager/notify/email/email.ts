import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { SMTPSentMessageInfo, SMTPTransportOptions } from 'nodemailer'
import addressparser from 'nodemailer/lib/addressparser'
import { type Clock, errorMessage } from '../../../lib/index.ts'
import type { OAuth2Tokens } from '../../../lib/oauth2.ts'
import type { EmailConfig } from '../../config/types.ts'
import {
  DeliveryError,
  type DeliveryProgress,
  type DeliveryResult,
  type FailureReason,
  type Notification,
  type Notifier,
} from '../notifier.ts'
import { readSecret, readSecretVerbatim } from '../secret.ts'
import type { Templates, Text } from '../templates.ts'
import { tlsOptions } from '../tls-options.ts'
import { smtpAuth } from './smtp-auth.ts'

const STEP_TIMEOUT_MS = 30_000

export interface EmailOptions {
  readonly config: EmailConfig
  readonly templates: Templates
  readonly clock: Clock
  /** Set for XOAUTH2; closed with the notifier. */
  readonly tokens: OAuth2Tokens | undefined
  /** For errors: `receiver/email/0`. */
  readonly where: string
}

/** One SMTP connection for each message; every recipient of `to` gets the same one. */
export class EmailNotifier implements Notifier {
  readonly #config: EmailConfig
  readonly #clock: Clock
  readonly #tokens: OAuth2Tokens | undefined
  readonly #from: Text
  readonly #to: Text
  readonly #headers: readonly (readonly [name: string, text: Text])[]
  readonly #html: Text | undefined
  readonly #text: Text | undefined

  constructor({ config, templates, clock, tokens, where }: EmailOptions) {
    const text = (what: string, source: string): Text => templates.text(`${where} ${what}`, source)
    this.#config = config
    this.#clock = clock
    this.#tokens = tokens
    this.#from = text('from', config.from)
    this.#to = text('to', config.to)
    const headers = new Map([['Subject', '{{ template "email.default.subject" . }}']])
    for (const [name, value] of Object.entries(config.headers)) headers.set(canonicalHeader(name), value)
    this.#headers = [...headers].map(([name, value]) => [name, text(`header ${name}`, value)])
    this.#html = config.html === '' ? undefined : templates.html(`${where} html`, config.html)
    this.#text = config.text === '' ? undefined : text('text', config.text)
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const from = addressesOf(await this.#from(notification), 'from')
    if (from.length !== 1) throw permanent(`"from" must be exactly one address, found ${from.length}`)
    const recipients = addressesOf(await this.#recipients(notification), 'to')
    if (recipients.length === 0) throw permanent('"to" holds no address')
    const open = recipients.filter((address) => !progress.isDone(address))
    if (open.length === 0) return { detail: 'all recipients had it already' }
    const message = await this.#message(notification, from[0]!, open)
    // Loaded with the first mail: most processes start without sending one.
    const { createTransport } = await import('nodemailer')
    const options = await this.#transportOptions().catch((error: unknown) => {
      throw error instanceof DeliveryError ? error : this.#deliveryError(error)
    })
    const transport = createTransport(options)
    try {
      const info = await transport.sendMail(message)
      await Promise.all(info.accepted.map((address) => progress.done(address)))
      return this.#result(info)
    } catch (error) {
      throw error instanceof DeliveryError ? error : this.#deliveryError(error)
    } finally {
      transport.close()
    }
  }

  async #recipients(notification: Notification): Promise<string> {
    return notification.recipients?.join(', ') ?? this.#to(notification)
  }

  async close(): Promise<void> {
    // Connections to the mail server end with their message.
    await this.#tokens?.close()
  }

  async #message(notification: Notification, from: string, recipients: readonly string[]) {
    const headers = new Map<string, string>()
    for (const [name, text] of this.#headers) headers.set(name, await text(notification))
    const take = (name: string): string | undefined => {
      const value = headers.get(name)
      headers.delete(name)
      return value
    }
    const subject = take('Subject')
    const fromHeader = take('From') ?? (await this.#from(notification))
    const ownTo = take('To')
    const toHeader = notification.recipients || ownTo === undefined ? await this.#recipients(notification) : ownTo
    const replyTo = take('Reply-To')
    const thread = this.#threadId(notification)
    return {
      envelope: { from, to: [...recipients] },
      ...(subject !== undefined && { subject: subject.replace(/\s*[\r\n]+\s*/g, ' ') }),
      from: fromHeader,
      to: toHeader,
      ...(replyTo !== undefined && { replyTo }),
      ...(this.#text && { text: await this.#text(notification) }),
      ...(this.#html && { html: await this.#html(notification) }),
      textEncoding: 'quoted-printable' as const,
      encoding: 'quoted-printable',
      date: new Date(this.#clock.nowMs()),
      messageId: `<${this.#clock.nowMs()}.${randomBytes(8).toString('hex')}@${hostname()}>`,
      ...(thread !== undefined && { inReplyTo: thread, references: thread }),
      headers: {
        // Keeps vacation responders from answering.
        'Auto-Submitted': 'auto-generated',
        ...Object.fromEntries(headers),
      },
      disableFileAccess: true,
      disableUrlAccess: true,
    }
  }

  /** The id of a message that never was: mail programs gather everything that answers it. */
  #threadId(notification: Notification): string | undefined {
    if (this.#config.threading === 'off') return undefined
    const hash = createHash('sha256').update(notification.groupKey).digest('hex').slice(0, 16)
    const day = this.#config.threading === 'daily' ? new Date(this.#clock.nowMs()).toISOString().slice(0, 10) : ''
    return `<alert-${hash}-${day}@alertmanager>`
  }

  async #transportOptions(): Promise<SMTPTransportOptions> {
    const config = this.#config
    const { host, port, hello, implicitTls, requireTls } = config
    const encrypted = implicitTls || requireTls || /^(localhost|127\.0\.0\.1|::1)$/.test(host)
    return {
      host,
      port,
      name: hello,
      secure: implicitTls,
      requireTLS: !implicitTls && requireTls,
      ignoreTLS: !requireTls,
      tls: { servername: config.tls?.server_name ?? host, ...(config.tls && (await tlsOptions(config.tls))) },
      connectionTimeout: STEP_TIMEOUT_MS,
      greetingTimeout: STEP_TIMEOUT_MS,
      socketTimeout: STEP_TIMEOUT_MS,
      ...(config.authUsername !== '' && smtpAuth(await this.#credentials(), encrypted)),
    }
  }

  async #credentials() {
    const config = this.#config
    return {
      username: config.authUsername,
      password: config.authPassword && (await readSecret(config.authPassword)),
      secret: config.authSecret && (await readSecretVerbatim(config.authSecret)),
      identity: config.authIdentity,
      accessToken: await this.#tokens?.token(),
    }
  }

  /** Some were accepted. Those refused for now get another attempt of their own; those refused for good are named. */
  #result(info: SMTPSentMessageInfo): DeliveryResult {
    const detail = info.response
    if (info.rejected.length === 0) return { detail }
    const refusals = info.rejectedErrors ?? []
    const warning = `refused recipients: ${info.rejected.join(', ')}: ${refusals.map(errorMessage).join('; ')}`
    const isTemporary = refusals.some(({ responseCode }) => responseCode !== undefined && responseCode < 500)
    if (isTemporary) throw new DeliveryError(warning, { reason: 'other', retryable: true })
    return { detail, warning }
  }

  #deliveryError(error: unknown): DeliveryError {
    const code = (error as { code?: string }).code ?? ''
    const config = this.#config
    // Whatever the server says may be over in a minute; only we know that the address or the text is wrong.
    const reason: FailureReason =
      code === 'EAUTH' ? 'authError' : code === 'ETIMEDOUT' ? 'contextDeadlineExceeded' : 'other'
    const message =
      code === 'ETLS' && config.requireTls && !config.implicitTls
        ? `'require_tls' is true (default) but "${config.host}" does not advertise the STARTTLS extension, or it failed: ${errorMessage(error)}`
        : errorMessage(error)
    return new DeliveryError(message, { reason, retryable: true }, { cause: error })
  }
}

const permanent = (message: string): DeliveryError =>
  new DeliveryError(message, { reason: 'clientError', retryable: false })

function addressesOf(list: string, what: string): string[] {
  const addresses = addressparser(list, { flatten: true }).map(({ address }) => address)
  const bad = addresses.find((address) => !/^[^\s@<>]+@[^\s@<>]+$/.test(address))
  if (bad !== undefined) throw permanent(`"${what}" holds something that is no address: ${JSON.stringify(list)}`)
  return addresses
}

/** `reply-to` → `Reply-To`. */
const canonicalHeader = (name: string): string =>
  name.toLowerCase().replace(/(^|-)[a-z]/g, (part) => part.toUpperCase())
