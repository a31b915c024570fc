import { afterEach, beforeEach, expect, test } from 'vitest'
import { attempt, Double, notificationOf, notifierOf } from '../test-support.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(() => ({ text: 'ok' }))
})
afterEach(() => double.close())

const settings = (more: string): string => `slack_configs: [{ api_url: '${double.url}/services/T/B/X', ${more} }]`

test('a webhook gets one attachment with the defaults that users know', async () => {
  expect(await attempt(notifierOf(settings("channel: '#ops'")))).toEqual({ detail: 'ok' })
  const link = 'http://am/#/alerts?receiver=r'
  const title = '[FIRING:2] Down (critical)'
  expect(double.heard[0]).toMatchObject({ method: 'POST', path: '/services/T/B/X' })
  expect(double.json()).toEqual({
    channel: '#ops',
    username: 'Belltower',
    attachments: [
      {
        title,
        title_link: link,
        text: '',
        fallback: `${title} | ${link}`,
        callback_id: '',
        footer: '',
        color: 'danger',
        mrkdwn_in: ['fallback', 'pretext', 'text'],
      },
    ],
  })
  await attempt(notifierOf(settings('')), notificationOf('resolved'))
  expect(double.json()['attachments']).toMatchObject([{ color: 'good', title: '[RESOLVED] Down (critical)' }])
})

test('fields, actions and everything else are templates', async () => {
  const more = `
    link_names: true, icon_emoji: ':fire:', message_text: '{{ .Status }}', short_fields: true, mrkdwn_in: [text],
    fields: [{ title: '{{ .Status }}', value: v }, { title: t, value: v, short: false }],
    actions: [
      { type: button, text: Go, url: 'http://x/{{ .GroupLabels.alertname }}', name: dropped },
      { type: button, text: Ack, name: ack, value: '1', confirm: { text: 'Sure?' } } ]`
  await attempt(notifierOf(settings(more)))
  expect(double.json()).toMatchObject({ link_names: true, icon_emoji: ':fire:', text: 'firing' })
  expect(double.json()['attachments']).toMatchObject([
    {
      mrkdwn_in: ['text'],
      fields: [
        { title: 'firing', value: 'v', short: true },
        { title: 't', value: 'v', short: false },
      ],
      actions: [
        { type: 'button', text: 'Go', url: 'http://x/Down' },
        { type: 'button', text: 'Ack', name: 'ack', value: '1', confirm: { text: 'Sure?' } },
      ],
    },
  ])
})

test('a title ends at 1024 characters', async () => {
  await attempt(
    notifierOf(settings("title: '{{ range .Alerts }}{{ .Labels.long }}{{ end }}'")),
    notificationOf('firing', { labels: { long: 'ж'.repeat(600) } }),
  )
  const [attachment] = double.json()['attachments'] as { title: string }[]
  expect(Array.from(attachment!.title)).toHaveLength(1024)
  expect(attachment!.title.endsWith('ж…')).toBe(true)
})

test('status 200 that means no', async () => {
  const notifier = notifierOf(settings("channel: '#ops'"))
  double.answer = () => ({ text: 'no_text' })
  expect(await attempt(notifier)).toMatchObject({
    failure: 'clientError',
    message: 'channel "#ops": Slack answered: no_text',
  })
  double.answer = () => ({ json: { ok: false, error: 'channel_not_found' } })
  expect(await attempt(notifier)).toMatchObject({
    failure: 'clientError',
    message: 'channel "#ops": error response from Slack: channel_not_found',
  })
  double.answer = () => ({ json: { ok: false, error: 'ratelimited' } })
  expect(await attempt(notifier)).toMatchObject({ failure: 'rateLimited + retry' })
  double.answer = () => ({ json: { ok: false, error: 'invalid_auth' } })
  expect(await attempt(notifier)).toMatchObject({ failure: 'authError' })
})

test('with a token the message is sent by the Web API, and changed next time if that is wanted', async () => {
  double.answer = ({ headers }) =>
    headers.authorization === 'Bearer xoxb-1'
      ? { json: { ok: true, ts: '17.5', channel: 'C9' } }
      : { json: { ok: false, error: 'not_authed' } }
  const app = `app_token: xoxb-1, app_url: '${double.url}/api/chat.postMessage'`
  const notifier = notifierOf(`slack_configs: [{ ${app}, channel: ops, update_message: true }]`)
  const first = await attempt(notifier)
  expect(first).toEqual({ detail: 'ts 17.5', receiverData: { threadTs: '17.5', channelId: 'C9' } })
  expect(double.heard[0]!.path).toBe('/api/chat.postMessage')
  await attempt(notifier, { ...notificationOf('resolved'), receiverData: { threadTs: '17.5', channelId: 'C9' } })
  expect(double.heard[1]!.path).toBe('/api/chat.update')
  expect(double.json()).toMatchObject({ ts: '17.5', channel: 'C9' })
})

test('a global token stands in where a receiver names no way of its own', async () => {
  double.answer = () => ({ json: { ok: true } })
  const global = `{ slack_app_token: xoxb-global, slack_app_url: '${double.url}/api/chat.postMessage' }`
  await attempt(notifierOf('slack_configs: [{ channel: ops }]', global))
  expect(double.heard[0]!.headers.authorization).toBe('Bearer xoxb-global')
})
