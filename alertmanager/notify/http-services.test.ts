// What every integration over HTTP has to get right, whatever its service is called.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Notifier } from './notifier.ts'
import { PushoverNotifier } from './pushover/pushover.ts'
import { attempt, Double, notificationOf, notifierOf, type Said } from './test-support.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { systemClock } from '../../lib/index.ts'
import { Templates } from './templates.ts'

interface Service {
  /** Settings of a receiver whose secrets hold the word `geheim`. */
  readonly settings: (url: string) => string
  /** What the service answers when all is well. */
  readonly ok: Said
  /** Statuses that the service wants repeated although they are refusals. */
  readonly repeats?: readonly number[]
}

const services: Readonly<Record<string, Service>> = {
  slack: { settings: (url) => `slack_configs: [{ api_url: '${url}/geheim' }]`, ok: { text: 'ok' } },
  pagerduty: {
    settings: (url) => `pagerduty_configs: [{ routing_key: geheim, url: '${url}' }]`,
    ok: { status: 202, json: { status: 'success', dedup_key: 'x' } },
  },
  'pagerduty v1': {
    settings: (url) => `pagerduty_configs: [{ service_key: geheim, url: '${url}' }]`,
    ok: { json: { status: 'success', incident_key: 'x' } },
    repeats: [403],
  },
  opsgenie: {
    settings: (url) => `opsgenie_configs: [{ api_key: geheim, api_url: '${url}' }]`,
    ok: { status: 202, json: { result: 'Request will be processed', requestId: 'x' } },
  },
  telegram: {
    settings: (url) => `telegram_configs: [{ bot_token: 'geheim', chat_id: 1, api_url: '${url}' }]`,
    ok: { json: { ok: true, result: { message_id: 7 } } },
    repeats: [400, 401, 403],
  },
  discord: { settings: (url) => `discord_configs: [{ webhook_url: '${url}/geheim' }]`, ok: { status: 204 } },
  msteams: { settings: (url) => `msteams_configs: [{ webhook_url: '${url}/geheim' }]`, ok: { text: '1' } },
  msteamsv2: { settings: (url) => `msteamsv2_configs: [{ webhook_url: '${url}/geheim' }]`, ok: { status: 202 } },
  mattermost: { settings: (url) => `mattermost_configs: [{ webhook_url: '${url}/geheim' }]`, ok: { text: 'ok' } },
  rocketchat: {
    settings: (url) => `rocketchat_configs: [{ token: geheim, token_id: geheim-id, api_url: '${url}' }]`,
    ok: { json: { success: true } },
  },
  victorops: {
    settings: (url) => `victorops_configs: [{ api_key: geheim, routing_key: team, api_url: '${url}' }]`,
    ok: { json: { result: 'success', entity_id: 'x' } },
  },
  webex: {
    settings: (url) =>
      `webex_configs: [{ room_id: x, api_url: '${url}', http_config: { authorization: { credentials: geheim } } }]`,
    ok: { json: { id: 'x' } },
  },
  wechat: {
    settings: (url) => `wechat_configs: [{ api_secret: geheim, corp_id: c, api_url: '${url}' }]`,
    ok: { json: { errcode: 0, errmsg: 'ok', access_token: 'geheim-token' } },
  },
  incidentio: {
    settings: (url) => `incidentio_configs: [{ url: '${url}', alert_source_token: geheim }]`,
    ok: { status: 202, json: { status: 'accepted' } },
  },
  jira: {
    settings: (url) =>
      `jira_configs: [{ api_url: '${url}/rest/api/2', project: P, issue_type: Bug, http_config: { basic_auth: { username: u, password: geheim } } }]`,
    ok: { json: { issues: [], key: 'P-1' } },
  },
  sns: {
    settings: (url) =>
      `sns_configs: [{ topic_arn: 'arn:x', api_url: '${url}', sigv4: { region: r, access_key: a, secret_key: geheim } }]`,
    ok: { text: '<PublishResponse><PublishResult><MessageId>m1</MessageId></PublishResult></PublishResponse>' },
  },
  ntfy: { settings: (url) => `ntfy_configs: [{ url: '${url}', topic: t, token: geheim }]`, ok: { json: { id: 'x' } } },
  matrix: {
    settings: (url) => `matrix_configs: [{ homeserver_url: '${url}', room_id: '!r:x', access_token: geheim }]`,
    ok: { json: { event_id: '$1' } },
  },
  voice: {
    settings: (url) =>
      `voice_configs: [{ provider: twilio, account_sid: AC1, auth_token: geheim, from: '+1', to: ['+2'], base_url: '${url}' }]`,
    ok: { status: 201, json: { sid: 'CA1' } },
  },
  'sms by vonage': {
    settings: (url) =>
      `sms_configs: [{ provider: vonage, api_key: k, api_secret: geheim, from: me, to: ['+2'], base_url: '${url}' }]`,
    ok: { json: { messages: [{ status: '0', 'message-id': 'x' }] } },
  },
  'sms by messagebird': {
    settings: (url) =>
      `sms_configs: [{ provider: messagebird, access_key: geheim, from: me, to: ['+2'], base_url: '${url}' }]`,
    ok: { status: 201, json: { id: 'x' } },
  },
  'sms by smsc': {
    settings: (url) => `sms_configs: [{ provider: smsc, login: me, password: geheim, to: ['+2'], base_url: '${url}' }]`,
    ok: { json: { id: 1, cnt: 1 } },
  },
  'sms by smsru': {
    settings: (url) => `sms_configs: [{ provider: smsru, api_id: geheim, to: ['+2'], base_url: '${url}' }]`,
    ok: { json: { status: 'OK', status_code: 100, sms: { '2': { status_code: 100, sms_id: 'x' } } } },
  },
  'sms by sns': {
    settings: (url) =>
      `sms_configs: [{ provider: sns, to: ['+2'], base_url: '${url}', sigv4: { region: r, access_key: a, secret_key: geheim } }]`,
    ok: { text: '<PublishResult><MessageId>m1</MessageId></PublishResult>' },
  },
  'sms by a described gateway': {
    settings: (url) =>
      `sms_configs: [{ provider: http, url: '${url}/send?key=geheim&to={{ .To | urlquery }}&text={{ .Text | urlquery }}', to: ['+2'] }]`,
    ok: { text: 'sent' },
  },
}

let double: Double
let notifier: Notifier | undefined

beforeEach(async () => {
  double = await Double.start(() => undefined)
})
afterEach(async () => {
  await notifier?.close()
  notifier = undefined
  await double.close()
})

/** Pushover's address is not to be configured. */
function built(name: string, url: string): Notifier {
  if (name !== 'pushover') return notifierOf(services[name]!.settings(url))
  const options = {
    templates: new Templates([], systemClock),
    clock: systemClock,
    userAgent: 'x',
    where: 'r/pushover/0',
  }
  const settings = { user_key: 'geheim', token: 'geheim-token' }
  const config = { kind: 'pushover', sendResolved: true, http: {}, settings } as const
  return new PushoverNotifier({ ...options, config, client: createHttpClient() }, url)
}

const everybody = [...Object.keys(services), 'pushover']
const okOf = (name: string): Said => services[name]?.ok ?? { json: { status: 1, request: 'x' } }

describe.each(everybody)('%s', (name) => {
  beforeEach(() => {
    notifier = built(name, double.url)
  })

  test('a message that is taken, firing and resolved', async () => {
    double.answer = () => okOf(name)
    const fired = await attempt(notifier!)
    expect(fired).not.toHaveProperty('failure')
    expect(fired.detail).not.toBe('')
    expect(await attempt(notifier!, notificationOf('resolved'))).not.toHaveProperty('failure')
    expect(double.heard[0]!.headers['user-agent']).toBeDefined()
  })

  const answers: [what: string, answer: Said, failure: string][] = [
    ['503', { status: 503, text: 'down' }, 'serverError + retry'],
    ['429 with a pause', { status: 429, headers: { 'retry-after': '7' } }, 'rateLimited + retry after 7 s'],
    ['403', { status: 403 }, 'authError'],
    ['401', { status: 401 }, 'authError'],
    ['400', { status: 400, text: 'no' }, 'clientError'],
    ['a connection that breaks off', undefined, 'other + retry'],
  ]
  test.each(answers)('%s', async (_what, answer, failure) => {
    double.answer = () => answer
    const status = answer === undefined || answer === 'hang' ? 0 : (answer.status ?? 200)
    const repeats = services[name]?.repeats?.includes(status) ?? false
    const { failure: said, message } = await attempt(notifier!)
    expect(said).toBe(repeats ? `${failure} + retry` : failure)
    expect(message).not.toContain('geheim')
  })

  test('no answer at all: the flush ends, and the secret does not show', async () => {
    double.answer = () => 'hang'
    const { failure, message } = await attempt(notifier!, notificationOf('firing', { patienceMs: 150 }))
    expect(failure).toBe('contextDeadlineExceeded + retry')
    expect(message).not.toContain('geheim')
  })

  test('a refusal that quotes the request does not show the secret', async () => {
    double.answer = ({ body, path, query, headers }) => ({
      status: 400,
      text: `cannot take ${path} ${query} ${body.slice(0, 60)} ${String(headers.authorization)}`,
    })
    expect((await attempt(notifier!)).message).not.toContain('geheim')
  })
})
