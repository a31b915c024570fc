// Message shapes of the chat services that have a webhook or one endpoint.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { attempt, Double, notificationOf, notifierOf } from './test-support.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(() => ({ text: 'ok' }))
})
afterEach(() => double.close())

describe('discord', () => {
  const settings = (more: string): string =>
    `discord_configs: [{ webhook_url: '${double.url}/api/webhooks/1/x', ${more} }]`

  test('one card, red or green, each part cut to its limit', async () => {
    double.answer = () => ({ status: 204 })
    const long = "title: '{{ .CommonLabels.x }}', message: '{{ .CommonLabels.x }}', content: '{{ .CommonLabels.x }}'"
    const notifier = notifierOf(settings(`${long}, username: bot, avatar_url: 'http://a/b.png'`))
    await attempt(notifier, notificationOf('firing', { labels: { x: 'z'.repeat(5000) } }))
    const { content, embeds, ...others } = double.json() as {
      content: string
      embeds: Record<string, string | number>[]
    }
    expect(content).toHaveLength(2000)
    expect(embeds[0]!['title']).toHaveLength(256)
    expect(embeds[0]!['description']).toHaveLength(4096)
    expect(embeds[0]!['color']).toBe(0x992d22)
    expect(others).toEqual({ username: 'bot', avatar_url: 'http://a/b.png' })
    await attempt(notifierOf(settings('')), notificationOf('resolved'))
    expect(double.json()).toMatchObject({
      content: '',
      embeds: [{ title: '[RESOLVED] Down (critical)', color: 0x2ecc71 }],
    })
  })

  test('a rate limit is waited for', async () => {
    double.answer = () => ({
      status: 429,
      headers: { 'retry-after': '2' },
      json: { message: 'You are being rate limited.', retry_after: 1.5 },
    })
    expect(await attempt(notifierOf(settings('')))).toMatchObject({ failure: 'rateLimited + retry after 2 s' })
  })
})

describe('Microsoft Teams', () => {
  test('a message card by the old connectors', async () => {
    const notifier = notifierOf(`msteams_configs: [{ webhook_url: '${double.url}/x', summary: s }]`)
    await attempt(notifier)
    expect(double.json()).toMatchObject({
      '@context': 'http://schema.org/extensions',
      '@type': 'MessageCard',
      title: '[FIRING:2] Down (critical)',
      summary: 's',
      themeColor: '8C1A1A',
      text: expect.stringContaining('### Firing: 2'),
    })
    double.answer = () => ({
      text: 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x',
    })
    expect(await attempt(notifier)).toMatchObject({ failure: 'rateLimited + retry' })
  })

  test('an adaptive card by a workflow', async () => {
    double.answer = () => ({ status: 202 })
    await attempt(
      notifierOf(`msteamsv2_configs: [{ webhook_url: '${double.url}/x', text: t }]`),
      notificationOf('resolved'),
    )
    expect(double.json()).toEqual({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.2',
            body: [
              {
                type: 'TextBlock',
                text: '[RESOLVED] Down (critical)',
                weight: 'Bolder',
                size: 'Medium',
                wrap: true,
                style: 'heading',
                color: 'Good',
              },
              { type: 'TextBlock', text: 't', wrap: true },
            ],
            msteams: { width: 'full' },
          },
        },
      ],
    })
  })
})

describe('mattermost', () => {
  const settings = (more: string): string => `mattermost_configs: [{ webhook_url: '${double.url}/hooks/x', ${more} }]`

  test('the texts of the entry become one attachment', async () => {
    await attempt(notifierOf(settings('channel: town, text: t, author_name: me, fields: [{ title: a, value: b }]')))
    expect(double.json()).toEqual({
      channel: 'town',
      username: 'Belltower',
      attachments: [
        {
          fallback: '[FIRING:2] Down (critical) | http://am/#/alerts?receiver=r',
          color: 'danger',
          text: 't',
          author_name: 'me',
          title: '[FIRING:2] Down (critical)',
          title_link: 'http://am/#/alerts?receiver=r',
          fields: [{ title: 'a', value: 'b', short: false }],
        },
      ],
    })
  })

  test('attachments of its own, a card and a priority that the server will take', async () => {
    const priority = 'priority: { priority: Important, requested_ack: true, persistent_notifications: true }'
    await attempt(notifierOf(settings(`text: t, attachments: [{ title: x }], props: { card: c }, ${priority}`)))
    expect(double.json()).toMatchObject({
      text: 't',
      attachments: [{ title: 'x' }],
      props: { card: 'c' },
      priority: { priority: 'important', requested_ack: true },
    })
    expect(double.json()['priority']).not.toHaveProperty('persistent_notifications')
  })

  test('a login page is no delivery', async () => {
    double.answer = () => ({ text: '<!doctype html>' })
    expect(await attempt(notifierOf(settings('')))).toMatchObject({ failure: 'clientError' })
  })
})

describe('Rocket.Chat', () => {
  const settings = (more: string): string =>
    `rocketchat_configs: [{ api_url: '${double.url}', token: t, token_id: u, channel: '#ops', ${more} }]`

  test('a message by the REST API', async () => {
    double.answer = ({ headers }) => ({
      json: { success: headers['x-auth-token'] === 't' && headers['x-user-id'] === 'u' },
    })
    const more =
      "emoji: ':x:', text: hi, fields: [{ title: a, value: b, short: true }], actions: [{ text: Go, url: 'http://x' }]"
    expect(await attempt(notifierOf(settings(more)))).toEqual({ detail: 'status 200' })
    expect(double.heard[0]!.path).toBe('/api/v1/chat.postMessage')
    expect(double.json()).toEqual({
      channel: '#ops',
      emoji: ':x:',
      attachments: [
        {
          title: '[FIRING:2] Down (critical)',
          title_link: 'http://am/#/alerts?receiver=r',
          text: 'hi',
          color: 'red',
          fields: [{ title: 'a', value: 'b', short: true }],
          actions: [{ type: 'button', text: 'Go', url: 'http://x' }],
        },
      ],
    })
  })

  test('status 200 that means no', async () => {
    double.answer = () => ({ json: { success: false, error: 'error-room-not-found' } })
    expect(await attempt(notifierOf(settings('')))).toMatchObject({
      failure: 'clientError',
      message: 'channel "#ops": error response from Rocket.Chat: error-room-not-found',
    })
  })
})

describe('webex, ntfy, matrix', () => {
  test('webex takes 7439 bytes and the token of http_config', async () => {
    double.answer = ({ headers }) => (headers.authorization === 'Bearer T' ? { json: { id: 'm1' } } : { status: 401 })
    const config = `webex_configs: [{ api_url: '${double.url}', room_id: R, message: '{{ .CommonLabels.x }}', http_config: { authorization: { credentials: T } } }]`
    expect(await attempt(notifierOf(config), notificationOf('firing', { labels: { x: 'ж'.repeat(5000) } }))).toEqual({
      detail: 'message m1',
    })
    const { markdown, roomId } = double.json() as { markdown: string; roomId: string }
    expect(roomId).toBe('R')
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(7439)
    expect(markdown.endsWith('ж…')).toBe(true)
  })

  test('ntfy publishes JSON at the root, with priority, tags and a link', async () => {
    double.answer = () => ({ json: { id: 'n1' } })
    expect(
      await attempt(notifierOf(`ntfy_configs: [{ url: '${double.url}', topic: ops, token: T, markdown: true }]`)),
    ).toEqual({ detail: 'message n1' })
    expect(double.heard[0]).toMatchObject({ path: '/', headers: { authorization: 'Bearer T' } })
    expect(double.json()).toEqual({
      topic: 'ops',
      title: '[FIRING:2] Down (critical)',
      message: 'one is down\ntwo is down',
      priority: 4,
      tags: ['rotating_light'],
      click: 'http://am/#/alerts?receiver=r',
      markdown: true,
    })
  })

  test('matrix: a repeated attempt has the same transaction id, the next message another', async () => {
    double.answer = () => ({ json: { event_id: '$1' } })
    const notifier = notifierOf(
      `matrix_configs: [{ homeserver_url: '${double.url}/', room_id: '!r:x', access_token: T }]`,
    )
    const firing = notificationOf('firing')
    await attempt(notifier, firing)
    await attempt(notifier, firing)
    await attempt(notifier, notificationOf('resolved'))
    const [first, second, third] = double.heard.map(({ method, path }) => `${method} ${path}`)
    expect(first).toMatch(/^PUT \/_matrix\/client\/v3\/rooms\/!r%3Ax\/send\/m\.room\.message\/[0-9a-f]{32}$/)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
    expect(double.json(0)).toMatchObject({
      msgtype: 'm.text',
      format: 'org.matrix.custom.html',
      formatted_body: expect.stringContaining('<li>one is down</li>'),
    })
    double.answer = () => ({
      status: 429,
      json: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 2000 },
    })
    expect(await attempt(notifier)).toMatchObject({ failure: 'rateLimited + retry after 2 s' })
  })
})
