import type { HttpClientConfig } from '../../lib/index.ts'
import { labelsFromRecord } from '../../model/index.ts'
import type { GlobalYaml } from './global-schema.ts'
import { type HttpConfigYaml, toHttpClientConfig, toOAuth2 } from './http-config.ts'
import type { IntegrationYaml, ReceiverYaml } from './integration-schemas.ts'
import { type ServiceConfig, type ServiceKey, serviceKeys, toService } from './services.ts'
import type { EmailConfig, IntegrationConfig, ReceiverConfig, Secret, SmsConfig, WebhookConfig } from './types.ts'

interface Context {
  readonly global: GlobalYaml
  /** Makes a path inside `http_config` absolute; other `*_file` keys stay as they are written, as in the original. */
  readonly resolvePath: (path: string) => string
}

const SMS_TIMEOUT_MS = 30_000

export function toReceiver(yaml: ReceiverYaml, context: Context): ReceiverConfig {
  const integrations: IntegrationConfig[] = [
    ...(yaml.webhook_configs ?? []).map((entry) => toWebhook(entry, context)),
    ...(yaml.email_configs ?? []).map((entry) => toEmail(entry, context.global)),
    ...(yaml.sms_configs ?? []).map((entry) => toSms(entry, context)),
    ...serviceKeys.flatMap((key) => servicesOf(key, yaml, context)),
  ]
  return { name: yaml.name, labels: labelsFromRecord({ ...yaml.labels, name: yaml.name }), integrations }
}

const servicesOf = (key: ServiceKey, yaml: ReceiverYaml, context: Context): ServiceConfig[] =>
  (yaml[key] ?? []).map((entry) =>
    toService(key, entry, { global: context.global, http: httpOf(entry.http_config, context) }),
  )

function toWebhook(yaml: IntegrationYaml<'webhook_configs'>, context: Context): WebhookConfig {
  return {
    kind: 'webhook',
    sendResolved: yaml.send_resolved ?? true,
    http: httpOf(yaml.http_config, context),
    url: secret(yaml.url, yaml.url_file) ?? { kind: 'inline', value: '' },
    alertsMax: yaml.max_alerts ?? 0,
    timeoutMs: yaml.timeout ?? 0,
    payload: yaml.payload,
  }
}

function toSms(yaml: IntegrationYaml<'sms_configs'>, context: Context): SmsConfig {
  return {
    kind: 'sms',
    sendResolved: yaml.send_resolved ?? true,
    http: httpOf(yaml.http_config, context),
    to: yaml.to,
    text: yaml.text ?? '{{ template "sms.default.text" . }}',
    timeoutMs: yaml.timeout ?? SMS_TIMEOUT_MS,
    settings: yaml,
  }
}

function toEmail(yaml: IntegrationYaml<'email_configs'>, global: GlobalYaml): EmailConfig {
  const [, host = '', port = ''] = /^(.*):(\w+)$/s.exec(yaml.smarthost ?? global.smtp_smarthost ?? '') ?? []
  const portNumber = SMTP_PORT_NAMES[port] ?? Number(port)
  return {
    kind: 'email',
    sendResolved: yaml.send_resolved ?? false,
    to: yaml.to ?? '',
    from: yaml.from ?? global.smtp_from ?? '',
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: portNumber,
    hello: yaml.hello || global.smtp_hello || 'localhost',
    authUsername: yaml.auth_username || global.smtp_auth_username || '',
    authPassword:
      secret(yaml.auth_password, yaml.auth_password_file) ??
      secret(global.smtp_auth_password, global.smtp_auth_password_file),
    authSecret:
      secret(yaml.auth_secret, yaml.auth_secret_file) ?? secret(global.smtp_auth_secret, global.smtp_auth_secret_file),
    authIdentity: yaml.auth_identity || global.smtp_auth_identity || '',
    authOAuth2: yaml.auth_oauth2 && toOAuth2(yaml.auth_oauth2, (path) => path),
    requireTls: yaml.require_tls ?? global.smtp_require_tls ?? true,
    implicitTls: yaml.force_implicit_tls ?? global.smtp_force_implicit_tls ?? portNumber === 465,
    tls: yaml.tls_config ?? global.smtp_tls_config,
    html: yaml.html ?? '{{ template "email.default.html" . }}',
    text: yaml.text ?? '{{ template "email.default.text" . }}',
    headers: yaml.headers ?? {},
    threading: yaml.threading?.enabled ? (yaml.threading.thread_by_date ?? 'daily') : 'off',
  }
}

const SMTP_PORT_NAMES: Readonly<Record<string, number>> = { smtp: 25, submission: 587, smtps: 465, submissions: 465 }

/** A receiver's own `http_config` replaces the global one as a whole. */
const httpOf = (own: HttpConfigYaml | undefined, context: Context): HttpClientConfig =>
  toHttpClientConfig(own ?? context.global.http_config ?? {}, context.resolvePath)

function secret(value: string | undefined, path: string | undefined): Secret | undefined {
  if (path !== undefined && path !== '') return { kind: 'file', path }
  return value === undefined || value === '' ? undefined : { kind: 'inline', value }
}
