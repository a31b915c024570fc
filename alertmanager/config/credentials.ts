import type { GlobalYaml } from './global-schema.ts'
import type { IntegrationKey } from './integration-schemas.ts'

/** [path inside the entry, why] */
export type EntryFault = readonly [path: readonly (string | number)[], why: string]
type Entry = Readonly<Record<string, unknown>>

/** One thing that an integration cannot do without: any of these keys, in the entry or under another name in `global`. */
interface Need {
  readonly anyOf: readonly string[]
  readonly global?: readonly (keyof GlobalYaml)[]
}

const NEEDS: Readonly<Record<IntegrationKey, readonly Need[]>> = {
  email_configs: [
    { anyOf: ['to'] },
    { anyOf: ['smarthost'], global: ['smtp_smarthost'] },
    { anyOf: ['from'], global: ['smtp_from'] },
  ],
  webhook_configs: [{ anyOf: ['url', 'url_file'] }],
  // By provider, below.
  sms_configs: [],
  voice_configs: [{ anyOf: ['auth_token', 'auth_token_file'] }],
  ntfy_configs: [],
  matrix_configs: [{ anyOf: ['access_token', 'access_token_file'] }],
  slack_configs: [
    {
      anyOf: ['api_url', 'api_url_file', 'app_token', 'app_token_file'],
      global: ['slack_api_url', 'slack_api_url_file', 'slack_app_token', 'slack_app_token_file'],
    },
  ],
  pagerduty_configs: [{ anyOf: ['routing_key', 'routing_key_file', 'service_key', 'service_key_file'] }],
  opsgenie_configs: [{ anyOf: ['api_key', 'api_key_file'], global: ['opsgenie_api_key', 'opsgenie_api_key_file'] }],
  telegram_configs: [
    { anyOf: ['chat_id', 'chat_id_file'] },
    { anyOf: ['bot_token', 'bot_token_file'], global: ['telegram_bot_token', 'telegram_bot_token_file'] },
  ],
  discord_configs: [{ anyOf: ['webhook_url', 'webhook_url_file'] }],
  msteams_configs: [{ anyOf: ['webhook_url', 'webhook_url_file'] }],
  msteamsv2_configs: [{ anyOf: ['webhook_url', 'webhook_url_file'] }],
  mattermost_configs: [
    {
      anyOf: ['webhook_url', 'webhook_url_file'],
      global: ['mattermost_webhook_url', 'mattermost_webhook_url_file'],
    },
  ],
  rocketchat_configs: [
    { anyOf: ['token', 'token_file'], global: ['rocketchat_token', 'rocketchat_token_file'] },
    { anyOf: ['token_id', 'token_id_file'], global: ['rocketchat_token_id', 'rocketchat_token_id_file'] },
  ],
  pushover_configs: [{ anyOf: ['user_key', 'user_key_file'] }, { anyOf: ['token', 'token_file'] }],
  victorops_configs: [
    { anyOf: ['routing_key'] },
    { anyOf: ['api_key', 'api_key_file'], global: ['victorops_api_key', 'victorops_api_key_file'] },
  ],
  sns_configs: [{ anyOf: ['topic_arn', 'phone_number', 'target_arn'] }],
  jira_configs: [{ anyOf: ['api_url'], global: ['jira_api_url'] }, { anyOf: ['project'] }, { anyOf: ['issue_type'] }],
  webex_configs: [{ anyOf: ['room_id'] }],
  wechat_configs: [
    { anyOf: ['api_secret', 'api_secret_file'], global: ['wechat_api_secret', 'wechat_api_secret_file'] },
    { anyOf: ['corp_id'], global: ['wechat_api_corp_id'] },
  ],
  incidentio_configs: [{ anyOf: ['url', 'url_file'] }],
}

const SMS_NEEDS: Readonly<Record<string, readonly Need[]>> = {
  twilio: [{ anyOf: ['auth_token', 'auth_token_file'] }, { anyOf: ['from', 'messaging_service_sid'] }],
  vonage: [{ anyOf: ['api_secret', 'api_secret_file'] }],
  messagebird: [{ anyOf: ['access_key', 'access_key_file'] }],
  smsc: [{ anyOf: ['api_key', 'api_key_file', 'login'] }],
  smsru: [{ anyOf: ['api_id', 'api_id_file'] }],
  smpp: [{ anyOf: ['password', 'password_file'] }],
}

/** Keys of which only one may be set, beyond `x` beside `x_file`. */
const EXCLUSIVE: Readonly<Partial<Record<IntegrationKey, readonly (readonly string[])[]>>> = {
  sms_configs: [['from', 'messaging_service_sid']],
  pagerduty_configs: [['routing_key', 'service_key']],
  sns_configs: [['topic_arn', 'phone_number', 'target_arn']],
  slack_configs: [['api_url', 'app_token']],
  pushover_configs: [['html', 'monospace']],
}

const SLACK_APP_URL = 'https://slack.com/api/chat.postMessage'

/** Missing and contradicting credentials of one entry of a receiver. */
export function credentialFaults(key: IntegrationKey, entry: Entry, global: GlobalYaml): EntryFault[] {
  const faults: EntryFault[] = [...secretAndFileFaults(entry)]
  const smsNeeds = key === 'sms_configs' ? (SMS_NEEDS[String(entry['provider'])] ?? []) : []
  for (const need of [...NEEDS[key], ...smsNeeds]) {
    const isMet = isSet(entry, need.anyOf) || isSet(global as Entry, need.global ?? [])
    if (!isMet) faults.push([[need.anyOf[0]!], missingText(need)])
  }
  for (const keys of EXCLUSIVE[key] ?? []) {
    const set = keys.filter((name) => isSet(entry, [name, `${name}_file`]))
    if (set.length > 1) faults.push([[set[1]!], `at most one of ${keys.join(' & ')} must be configured`])
  }
  return [...faults, ...(SPECIAL[key]?.(entry, global) ?? [])]
}

export function globalFaults(global: GlobalYaml): EntryFault[] {
  const faults = secretAndFileFaults(global as Entry)
  // A bot token with the Web API's own URL is an old habit from before slack_app_token, and means the same.
  const url = global.slack_api_url
  const hasToken = isSet(global as Entry, ['slack_app_token', 'slack_app_token_file'])
  if (hasToken && url !== undefined && url !== (global.slack_app_url ?? SLACK_APP_URL))
    faults.push([['slack_api_url'], 'at most one of slack_api_url & slack_app_token must be configured'])
  return faults
}

/** `x` and `x_file` exclude each other everywhere. */
function secretAndFileFaults(entry: Entry): EntryFault[] {
  return Object.keys(entry)
    .filter((key) => isSet(entry, [key]) && isSet(entry, [`${key}_file`]))
    .map((key) => [[`${key}_file`], `at most one of ${key} & ${key}_file must be configured`])
}

const isSet = (entry: Entry, keys: readonly string[]): boolean =>
  keys.some((key) => entry[key] !== undefined && entry[key] !== '')

function missingText(need: Need): string {
  const here = `missing ${need.anyOf.join(' or ')}`
  return need.global ? `${here}, and no global ${need.global[0]} set` : here
}

const VICTOROPS_RESERVED = [
  'routing_key',
  'message_type',
  'state_message',
  'entity_display_name',
  'monitoring_tool',
  'entity_id',
  'entity_state',
]
const RESPONDER_TYPES = /^(team|teams|user|escalation|schedule)$/i

const SPECIAL: Readonly<Partial<Record<IntegrationKey, (entry: Entry, global: GlobalYaml) => EntryFault[]>>> = {
  email_configs: (entry) => {
    const names = Object.keys((entry['headers'] ?? {}) as Entry).map((name) => name.toLowerCase())
    const repeated = names.find((name, i) => names.indexOf(name) < i)
    const threading = (entry['threading'] ?? {}) as Entry
    const conflicting = threading['enabled'] ? names.find((name) => /^(references|in-reply-to)$/.test(name)) : undefined
    return [
      ...(repeated === undefined ? [] : [[['headers'], `duplicate header "${repeated}"`] as const]),
      ...(conflicting === undefined
        ? []
        : [[['headers'], `threading.enabled conflicts with a header "${conflicting}" of your own`] as const]),
    ]
  },
  slack_configs: (entry, global) => [...slackActionFaults(entry), ...slackUpdateFaults(entry, global)],
  opsgenie_configs: (entry) =>
    ((entry['responders'] ?? []) as Entry[]).flatMap((responder, i): EntryFault[] => {
      const type = String(responder['type'])
      if (!isSet(responder, ['id', 'name', 'username']))
        return [[['responders', i], 'a responder needs at least one of id, username or name']]
      return type.includes('{{') || RESPONDER_TYPES.test(type)
        ? []
        : [[['responders', i, 'type'], 'expected team, teams, user, escalation or schedule']]
    }),
  victorops_configs: (entry) =>
    Object.keys((entry['custom_fields'] ?? {}) as Entry)
      .filter((name) => VICTOROPS_RESERVED.includes(name))
      .map((name) => [['custom_fields', name], 'this name is used by the integration itself']),
  webex_configs: (entry) => {
    const http = entry['http_config'] as Entry | undefined
    return http?.['authorization'] ? [] : [[['http_config'], 'missing authorization']]
  },
  incidentio_configs: (entry) => {
    const http = entry['http_config'] as Entry | undefined
    const known = isSet(entry, ['alert_source_token', 'alert_source_token_file']) || http?.['authorization']
    return known
      ? []
      : [[['alert_source_token'], 'missing alert_source_token, alert_source_token_file or authorization']]
  },
}

/** An action leads somewhere or has a name that the workspace's app knows. */
const slackActionFaults = (entry: Entry): EntryFault[] =>
  ((entry['actions'] ?? []) as Entry[]).flatMap((action, i): EntryFault[] =>
    isSet(action, ['url', 'name']) ? [] : [[['actions', i], 'missing name or url in Slack action configuration']],
  )

function slackUpdateFaults(entry: Entry, global: GlobalYaml): EntryFault[] {
  if (!entry['update_message']) return []
  const appUrl = entry['app_url'] ?? global.slack_app_url ?? SLACK_APP_URL
  const url = entry['api_url'] ?? (isSet(entry, ['app_token', 'app_token_file']) ? undefined : global.slack_api_url)
  const needsToken = (url !== undefined && url !== appUrl) || isSet(entry, ['api_url_file'])
  return needsToken ? [[['update_message'], 'a message can be updated only with an app token, not a webhook']] : []
}
