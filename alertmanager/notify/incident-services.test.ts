// Services that keep an incident, and those that hand messages on.
import { createHash, createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { PushoverNotifier } from './pushover/pushover.ts'
import { Templates } from './templates.ts'
import { attempt, Double, GROUP_HASH, type Heard, notificationOf, notifierOf, type Said } from './test-support.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(() => ({ json: {} }))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await double.close()
})

describe('VictorOps', () => {
  const settings = (more: string): string =>
    `victorops_configs: [{ api_key: k, routing_key: 'team-{{ .GroupLabels.alertname }}', api_url: '${double.url}/alert', ${more} }]`

  test('an incident is opened and recovered', async () => {
    double.answer = () => ({ json: { result: 'success', entity_id: GROUP_HASH } })
    const notifier = notifierOf(
      settings("message_type: WHATEVER, custom_fields: { owner: '{{ .CommonLabels.severity }}' }"),
    )
    await attempt(notifier)
    expect(double.heard[0]!.path).toBe('/alert/k/team-Down')
    expect(double.json()).toMatchObject({
      message_type: 'CRITICAL',
      entity_id: GROUP_HASH,
      entity_display_name: '[FIRING:2] Down (critical)',
      monitoring_tool: 'Belltower',
      owner: 'critical',
    })
    await attempt(notifier, notificationOf('resolved'))
    expect(double.json()['message_type']).toBe('RECOVERY')
    double.answer = () => ({ json: { result: 'failure', messages: 'Invalid API key' } })
    expect(await attempt(notifier)).toMatchObject({
      failure: 'clientError',
      message: 'result failure: Invalid API key',
    })
  })
})

describe('incident.io', () => {
  test('the body in version 1; too large a one keeps its first alert', async () => {
    const notifier = notifierOf(`incidentio_configs: [{ url: '${double.url}', alert_source_token: t, max_alerts: 1 }]`)
    await attempt(notifier)
    expect(double.heard[0]!.headers.authorization).toBe('Bearer t')
    expect(double.json()).toMatchObject({
      version: '1',
      groupKey: '{}:{alertname="Down"}',
      truncatedAlerts: 1,
      alerts: [{}],
    })
    const all = notifierOf(`incidentio_configs: [{ url: '${double.url}', alert_source_token: t }]`)
    await attempt(all, notificationOf('firing', { annotations: { description: 'x'.repeat(300_000) } }))
    expect(double.json()['alerts']).toHaveLength(1)
    double.answer = () => ({ status: 422, json: { message: 'validation', errors: ['title is missing'] } })
    expect(await attempt(notifier)).toMatchObject({
      message: 'unexpected status code 422: validation: title is missing',
    })
  })
})

/** A Jira with one project, as far as issues, their search by label and their transitions go. */
class JiraDouble {
  issue: { labels: string[]; done: boolean; fields: Record<string, unknown> } | undefined

  answer = ({ method, path, body }: Heard): Said => {
    const json = body === '' ? {} : (JSON.parse(body) as Record<string, Record<string, unknown>>)
    const route = `${method} ${path.replace('/rest/api/2/', '')}`
    if (route === 'POST search') {
      const jql = String(json['jql'])
      const isWanted =
        this.issue &&
        this.issue.labels.some((label) => jql.includes(label)) &&
        (!this.issue.done || !jql.includes('!= Done'))
      const status = { statusCategory: { key: this.issue?.done ? 'done' : 'new' } }
      return { json: { issues: isWanted ? [{ key: 'P-1', fields: { status } }] : [] } }
    }
    if (route === 'POST issue') {
      this.issue = { labels: json['fields']!['labels'] as string[], done: false, fields: json['fields']! }
      return { status: 201, json: { id: '1', key: 'P-1' } }
    }
    if (route === 'PUT issue/P-1') {
      Object.assign(this.issue!.fields, json['fields'])
      return { status: 204 }
    }
    if (route === 'GET issue/P-1/transitions')
      return {
        json: {
          transitions: [
            { id: '5', name: 'Done' },
            { id: '6', name: 'Reopen' },
          ],
        },
      }
    if (route === 'POST issue/P-1/transitions') {
      this.issue!.done = json['transition']!['id'] === '5'
      return { status: 204 }
    }
    return { status: 404, json: { errorMessages: ['no such thing'] } }
  }
}

describe('Jira', () => {
  const settings = (more = ''): string =>
    `jira_configs: [{ api_url: '${double.url}/rest/api/2', project: P, issue_type: Bug, ${more} }]`

  test('an issue is created, updated, resolved and reopened', async () => {
    const jira = new JiraDouble()
    double.answer = jira.answer
    const more = `labels: ['x-{{ .Status }}'], summary: { template: '{{ .Status }}', enable_update: true }, resolve_transition: Done, reopen_transition: Reopen, reopen_duration: 1h, fields: { customfield_1: { value: '{{ .CommonLabels.severity }}' } }`
    const notifier = notifierOf(settings(more))
    expect(await attempt(notifier)).toEqual({ detail: 'created P-1' })
    expect(jira.issue!.fields).toMatchObject({
      project: { key: 'P' },
      issuetype: { name: 'Bug' },
      summary: 'firing',
      labels: [`ALERT{${GROUP_HASH}}`, 'x-firing'],
      priority: { name: 'High' },
      customfield_1: { value: 'critical' },
    })
    expect(jira.issue!.fields['description']).toContain('### Firing: 2')
    expect(await attempt(notifier, notificationOf('resolved'))).toEqual({ detail: 'updated P-1, Done' })
    expect(jira.issue).toMatchObject({ done: true, fields: { summary: 'resolved' } })
    // Only the summary is to be updated.
    expect(jira.issue!.fields['description']).toContain('### Firing: 2')
    expect(await attempt(notifier)).toEqual({ detail: 'updated P-1, Reopen' })
    expect(jira.issue!.done).toBe(false)
    expect(double.json(-4)['jql']).toBe(
      `(resolutiondate is EMPTY OR resolutiondate >= -60m) and project="P" and labels="ALERT{${GROUP_HASH}}" order by status ASC,resolutiondate DESC`,
    )
  })

  test('nothing is opened for what is over; a transition that is missing is named', async () => {
    const jira = new JiraDouble()
    double.answer = jira.answer
    expect(await attempt(notifierOf(settings()), notificationOf('resolved'))).toEqual({
      detail: 'no open issue to resolve',
    })
    const notifier = notifierOf(
      settings("resolve_transition: Nowhere, wont_fix_resolution: 'Won\\'t \"Fix\"'".replaceAll("\\'", "''")),
    )
    await attempt(notifier)
    expect(double.json(0)['jql']).toContain('statusCategory != Done')
    expect(double.json(-2)['jql']).toMatch(/^\(resolution is EMPTY or resolution != "Won't \\"Fix\\""\) and /)
    expect(await attempt(notifier, notificationOf('resolved'))).toMatchObject({
      message: 'issue P-1 has no transition "Nowhere"',
    })
  })

  test('the cloud searches elsewhere, and version 3 takes a document', async () => {
    const cloud = `jira_configs: [{ api_url: '${double.url}/rest/api/3', api_type: cloud, project: P, issue_type: Bug, description: '{ "type": "doc", "version": 1 }' }]`
    double.answer = ({ path }) =>
      path === '/rest/api/3/search/jql' ? { json: { issues: [] } } : { status: 201, json: { key: 'P-2' } }
    expect(await attempt(notifierOf(cloud))).toEqual({ detail: 'created P-2' })
    expect(double.json()['fields']).toMatchObject({ description: { type: 'doc', version: 1 } })
  })
})

describe('WeChat Work', () => {
  const settings = (): string =>
    `wechat_configs: [{ api_secret: s, corp_id: c, api_url: '${double.url}/cgi-bin', to_user: '@all', agent_id: '7', message: hi, message_type: markdown }]`

  test('the token is kept, and fetched again when it has expired', async () => {
    let expired = false
    double.answer = ({ path }) => {
      if (path === '/cgi-bin/gettoken') return { json: { errcode: 0, access_token: `t${double.heard.length}` } }
      return expired
        ? { json: { errcode: 42001, errmsg: 'access_token expired' } }
        : { json: { errcode: 0, msgid: 'm' } }
    }
    const notifier = notifierOf(settings())
    expect(await attempt(notifier)).toEqual({ detail: 'message m' })
    expect(double.json()).toEqual({
      touser: '@all',
      agentid: '7',
      msgtype: 'markdown',
      markdown: { content: 'hi' },
      safe: '0',
    })
    expired = true
    expect(await attempt(notifier)).toMatchObject({ failure: 'authError + retry' })
    expired = false
    await attempt(notifier)
    const tokens = double.heard.map(({ path, query }) =>
      path.endsWith('gettoken') ? 'gettoken' : query.get('access_token'),
    )
    expect(tokens).toEqual(['gettoken', 't1', 't1', 'gettoken', 't4'])
  })

  test('status 200 that means no', async () => {
    double.answer = () => ({ json: { errcode: 40013, errmsg: 'invalid corpid' } })
    expect(await attempt(notifierOf(settings()))).toMatchObject({
      failure: 'authError',
      message: expect.stringContaining('invalid corpid'),
    })
    double.answer = ({ path }) =>
      path.endsWith('gettoken')
        ? { json: { access_token: 't' } }
        : { json: { errcode: 45009, errmsg: 'api freq out of limit' } }
    expect(await attempt(notifierOf(settings()))).toMatchObject({ failure: 'rateLimited + retry' })
  })
})

describe('Pushover', () => {
  const pushover = (settings: object): PushoverNotifier => {
    const options = {
      templates: new Templates([], systemClock),
      clock: systemClock,
      userAgent: 'x',
      where: 'r/pushover/0',
    }
    const config = { kind: 'pushover', sendResolved: true, http: {}, settings } as const
    return new PushoverNotifier({ ...options, config, client: createHttpClient() }, double.url)
  }

  test('everything is in the query, cut to what the service takes', async () => {
    double.answer = () => ({ json: { status: 1, request: 'q' } })
    const notifier = pushover({
      user_key: 'u',
      token: 't',
      message: '{{ .CommonLabels.x }}',
      html: true,
      ttl: 60_000,
      sound: 's',
    })
    expect(await attempt(notifier, notificationOf('firing', { labels: { x: `<${'y'.repeat(2000)}` } }))).toEqual({
      detail: 'request q',
    })
    const query = Object.fromEntries(double.heard[0]!.query)
    expect(query).toMatchObject({
      token: 't',
      user: 'u',
      priority: '2',
      retry: '60',
      expire: '3600',
      ttl: '60',
      html: '1',
      sound: 's',
      url: 'http://am/#/alerts?receiver=r',
    })
    expect(query['message']).toHaveLength(1024)
    expect(query['message']!.startsWith('&lt;yy')).toBe(true)
    await attempt(pushover({ user_key: 'u', token: 't', message: ' ' }), notificationOf('resolved'))
    expect(Object.fromEntries(double.heard[1]!.query)).toMatchObject({ priority: '0', message: '(no details)' })
    await notifier.close()
  })

  test('a refusal lists what is wrong', async () => {
    double.answer = () => ({
      status: 400,
      json: { status: 0, errors: ['user identifier is invalid'], user: 'invalid' },
    })
    expect(await attempt(pushover({ user_key: 'u', token: 't' }))).toMatchObject({
      failure: 'clientError',
      message: 'unexpected status code 400: user identifier is invalid',
    })
  })
})

/** What AWS does with a request: computes its signature from the secret. */
function signatureOf({ method, path, headers, body }: Heard, secret: string): string {
  const authorization = String(headers.authorization)
  const [, scope = '', names = ''] = /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(authorization) ?? []
  const canonical = names
    .split(';')
    .map((name) => `${name}:${String(headers[name])}\n`)
    .join('')
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const request = [method, path, '', canonical, names, sha256(body)].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(request)].join('\n')
  const key = scope
    .split('/')
    .reduce<Buffer | string>((k, part) => createHmac('sha256', k).update(part).digest(), `AWS4${secret}`)
  return createHmac('sha256', key).update(toSign).digest('hex')
}

describe('AWS SNS', () => {
  const error = (status: number, code: string): Said => ({
    status,
    text: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>a &lt; b</Message></Error></ErrorResponse>`,
  })
  const checked =
    (secret: string) =>
    (heard: Heard): Said =>
      String(heard.headers.authorization).endsWith(`Signature=${signatureOf(heard, secret)}`)
        ? { text: '<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>' }
        : error(403, 'SignatureDoesNotMatch')
  const settings = (more: string): string =>
    `sns_configs: [{ api_url: '${double.url}', sigv4: { region: eu-central-1, access_key: AK, secret_key: SK }, ${more} }]`

  test('a signed publication with attributes', async () => {
    double.answer = checked('SK')
    const notifier = notifierOf(
      settings("topic_arn: 'arn:aws:sns:eu:1:t.fifo', attributes: { who: '{{ .Status }}' }, message: m"),
    )
    expect(await attempt(notifier)).toEqual({ detail: 'm-1' })
    expect(double.form()).toEqual({
      Action: 'Publish',
      Version: '2010-03-31',
      TopicArn: 'arn:aws:sns:eu:1:t.fifo',
      Subject: '[FIRING:2] Down (critical)',
      Message: 'm',
      'MessageAttributes.entry.1.Name': 'who',
      'MessageAttributes.entry.1.Value.DataType': 'String',
      'MessageAttributes.entry.1.Value.StringValue': 'firing',
      MessageGroupId: GROUP_HASH,
      MessageDeduplicationId: GROUP_HASH,
    })
    double.answer = checked('another')
    expect(await attempt(notifier)).toMatchObject({
      failure: 'authError',
      message: 'unexpected status code 403: SignatureDoesNotMatch: a < b',
    })
  })

  test('an SMS is cut at 1600 bytes between characters and says so', async () => {
    double.answer = checked('SK')
    const long = notificationOf('firing', { labels: { x: 'ж'.repeat(1001) } })
    await attempt(notifierOf(settings("phone_number: '+1', subject: '', message: 'a{{ .CommonLabels.x }}'")), long)
    expect(double.form()['Message']).toBe(`a${'ж'.repeat(799)}`)
    expect(double.form()['MessageAttributes.entry.1.Name']).toBe('truncated')
    expect(double.form()).not.toHaveProperty('Subject')
  })

  test('throttling comes as 400 and is tried again; a bad number is not', async () => {
    const notifier = notifierOf(settings("phone_number: '+1'"))
    double.answer = () => error(400, 'Throttling')
    expect(await attempt(notifier)).toMatchObject({ failure: 'rateLimited + retry' })
    double.answer = () => error(400, 'InvalidParameter')
    expect(await attempt(notifier)).toMatchObject({ failure: 'clientError' })
    double.answer = () => error(500, 'InternalError')
    expect(await attempt(notifier)).toMatchObject({ failure: 'serverError + retry' })
  })

  test('a role is assumed with the keys of the environment, once', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'EK')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'ES')
    vi.stubEnv('AWS_REGION', 'eu-west-1')
    vi.stubEnv('AWS_ENDPOINT_URL_STS', `${double.url}/sts`)
    const ends = new Date(Date.now() + 3_600_000).toISOString()
    const session = `<Credentials><AccessKeyId>TK</AccessKeyId><SecretAccessKey>TS</SecretAccessKey><SessionToken>TT</SessionToken><Expiration>${ends}</Expiration></Credentials>`
    double.answer = (heard) => {
      const isSts = heard.path === '/sts'
      const proven = String(heard.headers.authorization).endsWith(
        `Signature=${signatureOf(heard, isSts ? 'ES' : 'TS')}`,
      )
      return proven ? { text: isSts ? session : '<MessageId>m-2</MessageId>' } : error(403, 'SignatureDoesNotMatch')
    }
    const notifier = notifierOf(
      `sns_configs: [{ api_url: '${double.url}/', topic_arn: a, sigv4: { role_arn: 'arn:r', external_id: E } }]`,
    )
    expect(await attempt(notifier)).toEqual({ detail: 'm-2' })
    expect(await attempt(notifier)).toEqual({ detail: 'm-2' })
    expect(double.heard.map(({ path }) => path)).toEqual(['/sts', '/', '/'])
    expect(double.form(0)).toMatchObject({ Action: 'AssumeRole', RoleArn: 'arn:r', ExternalId: 'E' })
    expect(double.heard[1]!.headers['x-amz-security-token']).toBe('TT')
  })

  test('without keys and without a region it says so', async () => {
    for (const name of [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_PROFILE',
    ])
      vi.stubEnv(name, '')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials')
    expect(await attempt(notifierOf('sns_configs: [{ topic_arn: a, sigv4: { region: r } }]'))).toMatchObject({
      failure: 'authError',
      message: expect.stringContaining('/nowhere/credentials'),
    })
    expect(await attempt(notifierOf('sns_configs: [{ topic_arn: a }]'))).toMatchObject({
      message: expect.stringContaining('no AWS region'),
    })
  })
})
