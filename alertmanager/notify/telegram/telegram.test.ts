import { afterEach, beforeEach, expect, test } from 'vitest'
import { attempt, Double, notificationOf, notifierOf } from '../test-support.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(({ path }) =>
    path === '/bot12:key/sendMessage'
      ? { json: { ok: true, result: { message_id: 7 } } }
      : { status: 404, json: { ok: false, error_code: 404, description: 'Not Found' } },
  )
})
afterEach(() => double.close())

const settings = (more: string): string =>
  `telegram_configs: [{ bot_token: '12:key', chat_id: -100, api_url: '${double.url}', ${more} }]`

test('a message in HTML; what the alerts say is escaped', async () => {
  const message = "message: '<b>{{ .CommonLabels.x }}</b>', message_thread_id: 3, disable_notifications: true"
  expect(await attempt(notifierOf(settings(message)), notificationOf('firing', { labels: { x: 'a<b' } }))).toEqual({
    detail: 'message 7',
  })
  expect(double.json()).toEqual({
    chat_id: -100,
    text: '<b>a&lt;b</b>',
    parse_mode: 'HTML',
    message_thread_id: 3,
    disable_notification: true,
    disable_web_page_preview: true,
  })
})

test('too long a text: HTML is replaced, plain text is cut', async () => {
  const long = notificationOf('firing', { labels: { x: 'y'.repeat(5000) } })
  await attempt(notifierOf(settings("message: '{{ .CommonLabels.x }}'")), long)
  expect(double.json()['text']).toContain('longer than Telegram allows')
  await attempt(notifierOf(settings("message: '{{ .CommonLabels.x }}', parse_mode: ''")), long)
  expect(double.json()['text']).toBe(`${'y'.repeat(4095)}…`)
  expect(double.json()).not.toHaveProperty('parse_mode')
})

test('a flood wait is kept, and a 200 that is no confirmation does not count', async () => {
  const description = 'Too Many Requests: retry after 5'
  double.answer = () => ({
    status: 429,
    json: { ok: false, error_code: 429, description, parameters: { retry_after: 5 } },
  })
  expect(await attempt(notifierOf(settings('')))).toMatchObject({ failure: 'rateLimited + retry after 5 s' })
  double.answer = () => ({ text: '<html>login</html>' })
  expect(await attempt(notifierOf(settings('')))).toMatchObject({ failure: 'other + retry' })
})
