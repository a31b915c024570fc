import { afterEach, beforeEach, expect, test } from 'vitest'
import { attempt, Double, GROUP_HASH, memoryProgress, notificationOf, notifierOf } from '../test-support.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(({ headers }) =>
    headers.authorization === 'GenieKey key'
      ? { status: 202, json: { requestId: 'x' } }
      : { status: 401, json: { message: 'no' } },
  )
})
afterEach(() => double.close())

const settings = (more: string): string =>
  `opsgenie_configs: [{ api_key: key, api_url: '${double.url}/base', ${more} }]`

test('creates and closes one alert for the group', async () => {
  const more = `
    tags: 'a,,{{ .Status }}', priority: P1, note: n, entity: e, actions: 'x,y', details: { severity: own, extra: '{{ len .Alerts }}' },
    responders: [{ type: teams, name: 'A,B' }, { type: user, username: '{{ .CommonLabels.nobody }}' }, { type: schedule, name: S }]`
  const notifier = notifierOf(settings(more))
  await attempt(notifier)
  expect(double.heard[0]).toMatchObject({ method: 'POST', path: '/base/v2/alerts' })
  expect(double.json()).toMatchObject({
    alias: GROUP_HASH,
    message: '[FIRING:2] Down (critical)',
    details: { alertname: 'Down', severity: 'own', extra: '2' },
    source: 'http://am/#/alerts?receiver=r',
    responders: [
      { name: 'A', type: 'team' },
      { name: 'B', type: 'team' },
      { name: 'S', type: 'schedule' },
    ],
    tags: ['a', 'firing'],
    actions: ['x', 'y'],
    note: 'n',
    priority: 'P1',
    entity: 'e',
  })
  await attempt(notifier, notificationOf('resolved'))
  expect(double.heard[1]).toMatchObject({ method: 'POST', path: `/base/v2/alerts/${GROUP_HASH}/close` })
  expect(double.heard[1]!.query.get('identifierType')).toBe('alias')
  expect(double.json()).toEqual({ source: 'http://am/#/alerts?receiver=r' })
})

test('an update that fails is repeated alone', async () => {
  const notifier = notifierOf(settings('update_alerts: true, message: "{{ .CommonLabels.long }}"'))
  const progress = memoryProgress()
  const notification = notificationOf('firing', { labels: { long: 'm'.repeat(200) } })
  double.answer = ({ path }) => (path.endsWith('/description') ? { status: 503 } : { status: 202, json: {} })
  expect(await attempt(notifier, notification, progress)).toMatchObject({ failure: 'serverError + retry' })
  double.answer = () => ({ status: 202, json: {} })
  expect(await attempt(notifier, notification, progress)).not.toHaveProperty('failure')
  const paths = double.heard.map(({ method, path }) => `${method} ${path.replace(`/base/v2/alerts/${GROUP_HASH}`, '')}`)
  expect(paths).toEqual(['POST /base/v2/alerts', 'PUT /message', 'PUT /description', 'PUT /description'])
  const { message } = double.json(1) as { message: string }
  expect(message).toBe(`${'m'.repeat(129)}…`)
})
