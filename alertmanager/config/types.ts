import type { HttpClientConfig, OAuth2Config } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { InhibitRule } from '../inhibit/inhibitor.ts'
import type { OnCallConfig } from '../oncall/types.ts'
import type { RouteConfig } from '../route/route.ts'
import type { TimeInterval } from '../route/time-interval.ts'
import type { TlsYaml } from './http-config.ts'
import type { IntegrationYaml } from './integration-schemas.ts'
import type { ServiceConfig } from './services.ts'

/** A value that stands in the configuration or in a file, which is read at each use. */
export type Secret =
  | { readonly kind: 'inline'; readonly value: string }
  | { readonly kind: 'file'; readonly path: string }

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
  /** Where a token for XOAUTH2 comes from; goes before passwords. */
  readonly authOAuth2: OAuth2Config | undefined
  readonly requireTls: boolean
  readonly implicitTls: boolean
  readonly tls: TlsYaml | undefined
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

type SmsYaml = IntegrationYaml<'sms_configs'>
export type SmsSettings<Provider extends SmsYaml['provider']> = Extract<SmsYaml, { provider: Provider }>

export interface SmsConfig {
  readonly kind: 'sms'
  readonly sendResolved: boolean
  readonly http: HttpClientConfig
  /** (T) One message to each; a text may name several with commas between them. */
  readonly to: readonly string[]
  /** (T) */
  readonly text: string
  readonly timeoutMs: number
  /** What the provider needs. */
  readonly settings: SmsYaml
}

/** Writes to our own log: what an Alertmanager without a configuration does. */
export interface LogConfig {
  readonly kind: 'log'
  readonly sendResolved: boolean
}

export type IntegrationConfig = EmailConfig | WebhookConfig | SmsConfig | LogConfig | ServiceConfig

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
  /** What our own section adds; `undefined` = the original's behaviour and nothing else. */
  readonly onCall?: OnCallConfig | undefined
  /** The configuration with its secrets masked, as YAML. */
  readonly printed: string
  /** A fault of a setting as `file:line:column: path: why`, by the integration it stands in (`receiver/slack/0`). */
  readonly faultAt: (where: string, what: string, why: string) => string
}
