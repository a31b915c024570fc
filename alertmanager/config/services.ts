import type { HttpClientConfig } from '../../lib/index.ts'
import type { GlobalYaml } from './global-schema.ts'
import type { IntegrationYaml } from './integration-schemas.ts'

/** Integrations whose settings are their entry in the file as it is written, with the global values filled in. */
export const serviceKeys = [
  'slack_configs',
  'pagerduty_configs',
  'opsgenie_configs',
  'telegram_configs',
  'discord_configs',
  'msteams_configs',
  'msteamsv2_configs',
  'mattermost_configs',
  'rocketchat_configs',
  'pushover_configs',
  'victorops_configs',
  'sns_configs',
  'jira_configs',
  'webex_configs',
  'wechat_configs',
  'incidentio_configs',
  'ntfy_configs',
  'matrix_configs',
  'voice_configs',
] as const
export type ServiceKey = (typeof serviceKeys)[number]

type KindOf<K extends ServiceKey> = K extends `${infer Kind}_configs` ? Kind : never

type ServiceConfigs = {
  [K in ServiceKey as KindOf<K>]: {
    /** As in metrics and in the notification log: the key less `_configs`. */
    readonly kind: KindOf<K>
    readonly sendResolved: boolean
    readonly http: HttpClientConfig
    readonly settings: IntegrationYaml<K>
  }
}
export type ServiceKind = keyof ServiceConfigs
/** The configuration of one such integration; texts in `settings` are templates. */
export type ServiceConfig<Kind extends ServiceKind = ServiceKind> = ServiceConfigs[Kind]

/** Where the original does not send resolved notifications unless it is told to. */
const SILENT_ON_RESOLVE: ReadonlySet<ServiceKey> = new Set<ServiceKey>([
  'slack_configs',
  'rocketchat_configs',
  'wechat_configs',
])

/** Entry keys that a global value stands in for, as long as the entry has none of the first list. */
const GLOBALS: Readonly<Partial<Record<ServiceKey, readonly GlobalFallback[]>>> = {
  pagerduty_configs: [{ unless: ['url'], take: { url: 'pagerduty_url' } }],
  opsgenie_configs: [
    { unless: ['api_url'], take: { api_url: 'opsgenie_api_url' } },
    fallback('api_key', 'opsgenie_api_key'),
  ],
  telegram_configs: [
    { unless: ['api_url'], take: { api_url: 'telegram_api_url' } },
    fallback('bot_token', 'telegram_bot_token'),
  ],
  mattermost_configs: [fallback('webhook_url', 'mattermost_webhook_url')],
  rocketchat_configs: [
    { unless: ['api_url'], take: { api_url: 'rocketchat_api_url' } },
    fallback('token', 'rocketchat_token'),
    fallback('token_id', 'rocketchat_token_id'),
  ],
  victorops_configs: [
    { unless: ['api_url'], take: { api_url: 'victorops_api_url' } },
    fallback('api_key', 'victorops_api_key'),
  ],
  jira_configs: [{ unless: ['api_url'], take: { api_url: 'jira_api_url' } }],
  webex_configs: [{ unless: ['api_url'], take: { api_url: 'webex_api_url' } }],
  wechat_configs: [
    { unless: ['api_url'], take: { api_url: 'wechat_api_url' } },
    { unless: ['corp_id'], take: { corp_id: 'wechat_api_corp_id' } },
    fallback('api_secret', 'wechat_api_secret'),
  ],
  slack_configs: [
    { unless: ['app_url'], take: { app_url: 'slack_app_url' } },
    // A token of the entry, a URL or an authorization of its own is meant instead of the global token.
    {
      unless: ['app_token', 'app_token_file', 'api_url', 'http_config.authorization'],
      take: { app_token: 'slack_app_token', app_token_file: 'slack_app_token_file' },
    },
    fallback('api_url', 'slack_api_url'),
  ],
}

interface GlobalFallback {
  readonly unless: readonly string[]
  /** Key in the entry, key in `global`. */
  readonly take: Readonly<Record<string, keyof GlobalYaml>>
}

/** A secret that may stand in a file. */
function fallback(key: string, globalKey: keyof GlobalYaml): GlobalFallback {
  const take = { [key]: globalKey, [`${key}_file`]: `${globalKey}_file` as keyof GlobalYaml }
  return { unless: [key, `${key}_file`], take }
}

/** @param http the entry's own `http_config` or the global one, ready for use */
export function toService<K extends ServiceKey>(
  key: K,
  entry: IntegrationYaml<K>,
  context: { readonly global: GlobalYaml; readonly http: HttpClientConfig },
): ServiceConfig {
  const settings: Record<string, unknown> = { ...entry }
  for (const { unless, take } of GLOBALS[key] ?? []) {
    if (unless.some((name) => isSet(settings, name))) continue
    for (const [name, globalName] of Object.entries(take)) {
      const value = context.global[globalName]
      if (value !== undefined && value !== '') settings[name] = value
    }
  }
  return {
    kind: key.replace(/_configs$/, ''),
    sendResolved: (entry as { send_resolved?: boolean }).send_resolved ?? !SILENT_ON_RESOLVE.has(key),
    http: context.http,
    settings,
  } as ServiceConfig
}

function isSet(entry: Readonly<Record<string, unknown>>, path: string): boolean {
  const [first = '', second] = path.split('.')
  const value = entry[first]
  if (second === undefined || typeof value !== 'object' || value === null) return second === undefined && Boolean(value)
  return Boolean((value as Record<string, unknown>)[second])
}
