import type { HttpClientConfig } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { InhibitRule } from '../inhibit/inhibitor.ts'
import type { RouteConfig } from '../route/route.ts'
import type { TimeInterval } from '../route/time-interval.ts'

/** A value that stands in the configuration or in a file, which is read at each use. */
export type Secret =
  | { readonly kind: 'inline'; readonly value: string }
  | { readonly kind: 'file'; readonly path: string }

export interface TlsConfig {
  readonly ca: Secret | undefined
  readonly cert: Secret | undefined
  readonly key: Secret | undefined
  readonly serverName: string | undefined
  readonly insecureSkipVerify: boolean
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined
  readonly maxVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined
}

/** Texts marked (T) are templates. */
export interface EmailConfig {
  readonly kind: 'email'
  readonly sendResolved: boolean
  /** (T) Addresses with commas between them. */
  readonly to: string
  /** (T) */
  readonly from: string
  readonly host: string
  readonly port: number
  /** What we call ourselves in EHLO. */
  readonly hello: string
  readonly authUsername: string
  readonly authPassword: Secret | undefined
  readonly authSecret: Secret | undefined
  readonly authIdentity: string
  readonly requireTls: boolean
  readonly implicitTls: boolean
  readonly tls: TlsConfig | undefined
  /** (T) '' = no HTML part. */
  readonly html: string
  /** (T) '' = no text part. */
  readonly text: string
  /** (T) */
  readonly headers: Readonly<Record<string, string>>
  readonly threading: 'off' | 'daily' | 'none'
}

export interface WebhookConfig {
  readonly kind: 'webhook'
  readonly sendResolved: boolean
  readonly http: HttpClientConfig
  /** (T) */
  readonly url: Secret
  /** 0 = all. */
  readonly alertsMax: number
  /** 0 = until the flush's deadline. */
  readonly timeoutMs: number
  /** Texts inside are (T); replaces the standard body. */
  readonly payload: Readonly<Record<string, unknown>> | undefined
}

export interface SmsConfig {
  readonly kind: 'sms'
  readonly sendResolved: boolean
  readonly http: HttpClientConfig
  readonly baseUrl: string
  readonly accountSid: string
  readonly authToken: Secret
  readonly sender: { readonly from: string } | { readonly messagingServiceSid: string }
  /** (T) One message to each. */
  readonly to: readonly string[]
  /** (T) */
  readonly text: string
  readonly timeoutMs: number
}

/** Writes to our own log: what an Alertmanager without a configuration does. */
export interface LogConfig {
  readonly kind: 'log'
  readonly sendResolved: boolean
}

export type IntegrationConfig = EmailConfig | WebhookConfig | SmsConfig | LogConfig

export interface ReceiverConfig {
  readonly name: string
  /** For `receiver_matchers`; `name` among them. */
  readonly labels: Labels
  readonly integrations: readonly IntegrationConfig[]
}

/** A checked configuration: defaults filled in, globals and parents applied. */
export interface AlertmanagerConfig {
  readonly route: RouteConfig
  readonly receivers: readonly ReceiverConfig[]
  readonly inhibitRules: readonly InhibitRule[]
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  /** Absolute paths; the last component may hold wildcards. */
  readonly templates: readonly string[]
  readonly resolveTimeoutMs: number
  /** The configuration with its secrets masked, as YAML. */
  readonly printed: string
}
