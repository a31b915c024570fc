import { z } from 'zod'
import { hostPort } from './global-schema.ts'
import { httpConfigSchema, oauth2Schema, tlsSchema } from './http-config.ts'
import { matrixSchema, ntfySchema, sigv4Schema, smsSchema, voiceSchema } from './own-schemas.ts'
import { count, duration, flag, text, textMap, templateUrl, url } from './scalars.ts'

const anyInt = z.int({ error: 'expected a whole number' })
const texts = z.array(text)
const t = text.optional()
const u = url.optional()
const b = flag.optional()

/** Keys that every entry has, then those of entries that speak HTTP. */
const base = { send_resolved: b }
const http = { ...base, http_config: httpConfigSchema.optional() }

const attachmentField = z.strictObject({ title: text, value: text, short: b })
const attachmentAction = z.strictObject({
  type: text,
  text,
  url: t,
  name: t,
  value: t,
  style: t,
  confirm: z.strictObject({ text, title: t, ok_text: t, dismiss_text: t }).optional(),
})

/** Chat attachments in Slack's old form, which others took over. */
const attachment = {
  color: t,
  fallback: t,
  fields: z.array(attachmentField).optional(),
  footer: t,
  image_url: t,
  pretext: t,
  text: t,
  thumb_url: t,
  title: t,
  title_link: t,
}

const authoredAttachment = { ...attachment, author_name: t, author_link: t, author_icon: t, footer_icon: t }

export const integrationSchemas = {
  email_configs: z.lazy(() =>
    z.strictObject({
      ...base,
      to: t,
      from: t,
      smarthost: hostPort.optional(),
      hello: t,
      auth_username: t,
      auth_password: t,
      auth_password_file: t,
      auth_secret: t,
      auth_secret_file: t,
      auth_identity: t,
      // Beyond the original: a token in place of a password, for providers that take no password any more.
      auth_oauth2: oauth2Schema.optional(),
      require_tls: b,
      force_implicit_tls: b,
      tls_config: tlsSchema.optional(),
      html: t,
      text: t,
      headers: textMap.optional(),
      threading: z.strictObject({ enabled: b, thread_by_date: z.enum(['daily', 'none']).optional() }).optional(),
    }),
  ),
  webhook_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      url: templateUrl.optional(),
      url_file: t,
      max_alerts: count.optional(),
      timeout: duration.optional(),
      payload: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
  sms_configs: smsSchema,
  voice_configs: voiceSchema,
  ntfy_configs: ntfySchema,
  matrix_configs: matrixSchema,
  slack_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      ...attachment,
      api_url: u,
      api_url_file: t,
      app_token: t,
      app_token_file: t,
      app_url: u,
      channel: t,
      username: t,
      message_text: t,
      callback_id: t,
      short_fields: b,
      icon_emoji: t,
      icon_url: t,
      link_names: b,
      mrkdwn_in: texts.optional(),
      actions: z.array(attachmentAction).optional(),
      timeout: duration.optional(),
      update_message: b,
    }),
  ),
  pagerduty_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      routing_key: t,
      routing_key_file: t,
      service_key: t,
      service_key_file: t,
      url: u,
      client: t,
      client_url: t,
      description: t,
      severity: t,
      source: t,
      details: z.record(z.string(), z.unknown()).optional(),
      images: z.array(z.strictObject({ src: t, alt: t, href: t })).optional(),
      links: z.array(z.strictObject({ href: t, text: t })).optional(),
      component: t,
      group: t,
      class: t,
      timeout: duration.optional(),
    }),
  ),
  opsgenie_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_key: t,
      api_key_file: t,
      api_url: u,
      message: t,
      description: t,
      source: t,
      details: textMap.optional(),
      responders: z.array(z.strictObject({ id: t, name: t, username: t, type: text })).optional(),
      tags: t,
      note: t,
      priority: t,
      update_alerts: b,
      entity: t,
      actions: t,
    }),
  ),
  telegram_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_url: u,
      bot_token: t,
      bot_token_file: t,
      chat_id: anyInt.optional(),
      chat_id_file: t,
      message_thread_id: anyInt.optional(),
      message: t,
      disable_notifications: b,
      parse_mode: z.enum(['', 'Markdown', 'MarkdownV2', 'HTML']).optional(),
    }),
  ),
  discord_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      webhook_url: u,
      webhook_url_file: t,
      title: t,
      message: t,
      content: t,
      username: t,
      avatar_url: t,
    }),
  ),
  msteams_configs: z.lazy(() =>
    z.strictObject({ ...http, webhook_url: u, webhook_url_file: t, title: t, summary: t, text: t }),
  ),
  msteamsv2_configs: z.lazy(() => z.strictObject({ ...http, webhook_url: u, webhook_url_file: t, title: t, text: t })),
  mattermost_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      webhook_url: u,
      webhook_url_file: t,
      channel: t,
      username: t,
      icon_url: t,
      icon_emoji: t,
      ...authoredAttachment,
      attachments: z.array(z.strictObject(authoredAttachment)).optional(),
      type: t,
      props: z.strictObject({ card: t }).optional(),
      priority: z.strictObject({ priority: t, requested_ack: b, persistent_notifications: b }).optional(),
    }),
  ),
  rocketchat_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_url: u,
      token: t,
      token_file: t,
      token_id: t,
      token_id_file: t,
      channel: t,
      color: t,
      title: t,
      title_link: t,
      text: t,
      fields: z.array(z.strictObject({ title: t, value: t, short: b })).optional(),
      short_fields: b,
      emoji: t,
      icon_url: t,
      image_url: t,
      thumb_url: t,
      link_names: b,
      actions: z
        .array(
          z.strictObject({
            type: t,
            text: t,
            url: t,
            msg: t,
            // The original's file knows these under their names without underscores, and does not send them.
            imageurl: t,
            iswebview: b,
            webviewheightratio: t,
            msginchatwindow: b,
            msgprocessingtype: t,
          }),
        )
        .optional(),
    }),
  ),
  pushover_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      user_key: t,
      user_key_file: t,
      token: t,
      token_file: t,
      title: t,
      message: t,
      url: t,
      url_title: t,
      device: t,
      sound: t,
      priority: t,
      retry: duration.optional(),
      expire: duration.optional(),
      ttl: duration.optional(),
      html: b,
      monospace: b,
    }),
  ),
  victorops_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_key: t,
      api_key_file: t,
      api_url: u,
      routing_key: t,
      message_type: t,
      entity_display_name: t,
      state_message: t,
      monitoring_tool: t,
      custom_fields: textMap.optional(),
    }),
  ),
  sns_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_url: t,
      sigv4: sigv4Schema.optional(),
      topic_arn: t,
      phone_number: t,
      target_arn: t,
      subject: t,
      message: t,
      attributes: textMap.optional(),
      use_aws_http_client: b,
    }),
  ),
  jira_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_url: u,
      api_type: z.enum(['auto', 'cloud', 'datacenter']).optional(),
      project: t,
      issue_type: t,
      summary: z.union([text, z.strictObject({ template: t, enable_update: b })]).optional(),
      description: z.union([text, z.strictObject({ template: t, enable_update: b })]).optional(),
      labels: texts.optional(),
      priority: t,
      resolve_transition: t,
      reopen_transition: t,
      reopen_duration: duration.optional(),
      wont_fix_resolution: t,
      fields: z.record(z.string(), z.unknown()).optional(),
      custom_fields: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
  webex_configs: z.lazy(() => z.strictObject({ ...http, api_url: u, room_id: t, message: t })),
  wechat_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      api_url: u,
      api_secret: t,
      api_secret_file: t,
      corp_id: t,
      agent_id: t,
      message: t,
      message_type: z.enum(['text', 'markdown']).optional(),
      to_user: t,
      to_party: t,
      to_tag: t,
    }),
  ),
  incidentio_configs: z.lazy(() =>
    z.strictObject({
      ...http,
      url: u,
      url_file: t,
      alert_source_token: t,
      alert_source_token_file: t,
      max_alerts: count.optional(),
      timeout: duration.optional(),
    }),
  ),
}

export type IntegrationKey = keyof typeof integrationSchemas
export type IntegrationYaml<K extends IntegrationKey> = z.infer<(typeof integrationSchemas)[K]>
export const integrationKeys = Object.keys(integrationSchemas) as IntegrationKey[]

const listOf = <T extends z.ZodType>(entry: T) => z.array(entry).optional()

export const receiverSchema = z.strictObject({
  name: z.string({ error: 'expected a name' }).min(1, 'missing name in receiver'),
  labels: textMap.optional(),
  email_configs: listOf(integrationSchemas.email_configs),
  webhook_configs: listOf(integrationSchemas.webhook_configs),
  sms_configs: listOf(integrationSchemas.sms_configs),
  voice_configs: listOf(integrationSchemas.voice_configs),
  ntfy_configs: listOf(integrationSchemas.ntfy_configs),
  matrix_configs: listOf(integrationSchemas.matrix_configs),
  slack_configs: listOf(integrationSchemas.slack_configs),
  pagerduty_configs: listOf(integrationSchemas.pagerduty_configs),
  opsgenie_configs: listOf(integrationSchemas.opsgenie_configs),
  telegram_configs: listOf(integrationSchemas.telegram_configs),
  discord_configs: listOf(integrationSchemas.discord_configs),
  msteams_configs: listOf(integrationSchemas.msteams_configs),
  msteamsv2_configs: listOf(integrationSchemas.msteamsv2_configs),
  mattermost_configs: listOf(integrationSchemas.mattermost_configs),
  rocketchat_configs: listOf(integrationSchemas.rocketchat_configs),
  pushover_configs: listOf(integrationSchemas.pushover_configs),
  victorops_configs: listOf(integrationSchemas.victorops_configs),
  sns_configs: listOf(integrationSchemas.sns_configs),
  jira_configs: listOf(integrationSchemas.jira_configs),
  webex_configs: listOf(integrationSchemas.webex_configs),
  wechat_configs: listOf(integrationSchemas.wechat_configs),
  incidentio_configs: listOf(integrationSchemas.incidentio_configs),
})
export type ReceiverYaml = z.infer<typeof receiverSchema>
