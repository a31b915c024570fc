import type { HttpClientConfig } from '../../lib/index.ts'
import { labelsFromRecord } from '../../model/index.ts'
import type { GlobalYaml } from './global-schema.ts'
import { type HttpConfigYaml, type TlsYaml, toHttpClientConfig } from './http-config.ts'
import type { IntegrationYaml, ReceiverYaml } from './integration-schemas.ts'
import type {
  EmailConfig,
  IntegrationConfig,
  ReceiverConfig,
  Secret,
  SmsConfig,
  TlsConfig,
  WebhookConfig,
} from './types.ts'

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
  ]
  return { name: yaml.name, labels: labelsFromRecord({ ...yaml.labels, name: yaml.name }), integrations }
}

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
    baseUrl: (yaml.base_url ?? 'https://api.twilio.com').replace(/\/+$/, ''),
    accountSid: yaml.account_sid,
    authToken: secret(yaml.auth_token, yaml.auth_token_file) ?? { kind: 'inline', value: '' },
    sender:
      yaml.messaging_service_sid === undefined
        ? { from: yaml.from ?? '' }
        : { messagingServiceSid: yaml.messaging_service_sid },
    to: yaml.to,
    text: yaml.text ?? '{{ template "sms.default.text" . }}',
    timeoutMs: yaml.timeout ?? SMS_TIMEOUT_MS,
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
    requireTls: yaml.require_tls ?? global.smtp_require_tls ?? true,
    implicitTls: yaml.force_implicit_tls ?? global.smtp_force_implicit_tls ?? portNumber === 465,
    tls: toTls(yaml.tls_config ?? global.smtp_tls_config),
    html: yaml.html ?? '{{ template "email.default.html" . }}',
    text: yaml.text ?? '{{ template "email.default.text" . }}',
    headers: yaml.headers ?? {},
    threading: yaml.threading?.enabled ? (yaml.threading.thread_by_date ?? 'daily') : 'off',
  }
}

const SMTP_PORT_NAMES: Readonly<Record<string, number>> = { smtp: 25, submission: 587, smtps: 465, submissions: 465 }

const TLS_VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const

function toTls(yaml: TlsYaml | undefined): TlsConfig | undefined {
  return (
    yaml && {
      ca: secret(yaml.ca, yaml.ca_file),
      cert: secret(yaml.cert, yaml.cert_file),
      key: secret(yaml.key, yaml.key_file),
      serverName: yaml.server_name,
      insecureSkipVerify: yaml.insecure_skip_verify ?? false,
      minVersion: yaml.min_version && TLS_VERSIONS[yaml.min_version],
      maxVersion: yaml.max_version && TLS_VERSIONS[yaml.max_version],
    }
  )
}

/** A receiver's own `http_config` replaces the global one as a whole. */
const httpOf = (own: HttpConfigYaml | undefined, context: Context): HttpClientConfig =>
  toHttpClientConfig(own ?? context.global.http_config ?? {}, context.resolvePath)

function secret(value: string | undefined, path: string | undefined): Secret | undefined {
  if (path !== undefined && path !== '') return { kind: 'file', path }
  return value === undefined || value === '' ? undefined : { kind: 'inline', value }
}
