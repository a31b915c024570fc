import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { ownAlertsApi } from '../index.ts'
import { Scenario, START_MS } from '../test-support.ts'

const CONFIG = `
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 1s
  group_interval: 10s
  repeat_interval: 20s
  routes: [{ receiver: quiet, matchers: [severity=info], mute_time_intervals: [always] }]
receivers:
  - name: hook
    webhook_configs: [{ url: 'http://hook/', payload: { link: '{{ .AckURL }}', status: '{{ .Status }}' } }]
  - name: quiet
inhibit_rules: [{ source_matchers: [alertname=Outage], target_matchers: [alertname!=Outage], equal: [zone] }]
time_intervals: [{ name: always, time_intervals: [{ years: ['2000:2100'] }] }]
`
let app: FastifyInstance
let scenario: Scenario

async function start(): Promise<void> {
  scenario = await Scenario.start(CONFIG)
  app = Fastify()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(body as string))
  })
  await app.register(ownAlertsApi(scenario.alertmanager), { prefix: '/api/belltower/v1' })
}
afterEach(async () => {
  await app.close()
  await scenario.alertmanager.stop()
})

const get = async (path: string) => (await app.inject({ url: `/api/belltower/v1${path}` })).json() as unknown
const verdict = async (labels: string): Promise<string> =>
  ((await get(`/alerting/explain?${labels}`)) as { destinations: { verdict: string }[] }).destinations[0]!.verdict

test('why an alert does or does not notify', async () => {
  await start()
  expect(await verdict('label=alertname=New')).toContain('hook would be told after')
  expect(await verdict('label=severity=info')).toBe('Kept back: the route is quiet now by its time intervals always.')
  await scenario.push({ name: 'Down', labels: { zone: 'a' } })
  expect(await verdict('label=alertname=Down&label=zone=a')).toBe('hook is told (first notification) in 1 s.')
  await scenario.until(2)
  expect(await verdict('label=alertname=Down&label=zone=a')).toMatch(/^hook was told at 2026-01-05T12:00:01.000Z/)
  await scenario.push({ name: 'Outage', labels: { zone: 'a' } })
  expect(await verdict('label=alertname=Down&label=zone=a')).toBe(
    'Kept back: the firing alert {alertname="Outage", zone="a"} inhibits it.',
  )
  await scenario.alertmanager.setSilence({
    matchers: [createMatcher('=', 'alertname', 'Outage')],
    startsAtMs: START_MS,
    endsAtMs: START_MS + 60_000,
    createdBy: 'me',
    comment: 'works',
    annotations: {},
  })
  expect(await verdict('label=alertname=Outage&label=zone=a')).toMatch(/^Kept back: silence .* by me covers it\.$/)
  expect(await get('/alerting/explain?label=alertname=Down&label=zone=a')).toMatchObject({
    state: 'firing',
    destinations: [
      {
        routePath: ['{}'],
        groupKey: '{}:{alertname="Down"}',
        alertCount: 1,
        integrations: [{ integration: 'webhook' }],
      },
    ],
  })
  expect((await app.inject({ url: '/api/belltower/v1/alerting/explain?fingerprint=00' })).statusCode).toBe(404)
})

test('what is held up, and what was sent', async () => {
  await start()
  scenario.client.answer = () => 503
  await scenario.push({ name: 'Down' })
  await scenario.until(4)
  expect(await get('/alerting/outgoing')).toMatchObject([
    {
      receiver: 'hook',
      integration: 'webhook',
      reason: 'first notification',
      lastError: 'unexpected status code 503',
      alertCount: 1,
    },
  ])
  expect(await verdict('label=alertname=Down')).toContain('webhook has not taken it yet: unexpected status code 503')
  await scenario.until(12)
  scenario.client.answer = () => 200
  await scenario.until(30)
  expect(await get('/alerting/outgoing')).toEqual([])
  expect(await get('/alerting/notifications?outcome=failed')).toMatchObject([
    { groupLabels: { alertname: 'Down' }, outcome: 'failed' },
  ])
  expect(await get('/alerting/notifications?q=DOWN&limit=1')).toMatchObject([{ outcome: 'delivered' }])
  expect(await get('/alerting/notifications?receiver=nobody')).toEqual([])
  expect((await app.inject({ url: '/api/belltower/v1/alerting/notifications?outcome=maybe' })).statusCode).toBe(400)
})

test('a link acknowledges: no repetition, but new alerts and the end are told', async () => {
  await start()
  await scenario.push({ name: 'Down', labels: { instance: '1' } })
  await scenario.until(2)
  const { link } = JSON.parse(scenario.client.requests[0]!.request.body as string) as { link: string }
  const path = link.slice(link.indexOf('/api/'))
  const page = await app.inject({ url: path })
  expect(page.body).toContain('{}:{alertname=&#34;Down&#34;}')
  expect(await get('/alerting/acknowledgements')).toEqual([])
  expect((await app.inject({ url: `${path}0` })).statusCode).toBe(403)
  const done = await app.inject({
    method: 'POST',
    url: path.split('?')[0]!,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `${path.split('?')[1]}&by=Ann`,
  })
  expect(done.body).toContain('Acknowledged by Ann')
  await scenario.until(60)
  expect(scenario.client.requests).toHaveLength(1)
  expect(await verdict('label=alertname=Down&label=instance=1')).toBe('Acknowledged by Ann: it is not repeated.')
  await scenario.push({ name: 'Down', labels: { instance: '2' } })
  await scenario.until(75)
  expect(scenario.client.requests).toHaveLength(2)
  await scenario.push(
    { name: 'Down', labels: { instance: '1' }, startS: 0, endS: 76 },
    { name: 'Down', labels: { instance: '2' }, startS: 60, endS: 76 },
  )
  await scenario.until(100)
  expect(
    scenario.client.requests.map(({ request }) => (JSON.parse(request.body as string) as { status: string }).status),
  ).toEqual(['firing', 'firing', 'resolved'])
  expect(await get('/alerting/acknowledgements')).toEqual([])
})

test('acknowledgements by the API, routes, a test of a receiver', async () => {
  await start()
  const groupKey = '{}:{alertname="Down"}'
  const post = await app.inject({
    method: 'POST',
    url: '/api/belltower/v1/alerting/acknowledgements',
    payload: { groupKey, by: 'me', duration: '1h' },
  })
  expect(post.json()).toMatchObject([{ groupKey, by: 'me', until: new Date(START_MS + 3_600_000).toISOString() }])
  const gone = await app.inject({
    method: 'DELETE',
    url: `/api/belltower/v1/alerting/acknowledgements?groupKey=${encodeURIComponent(groupKey)}`,
  })
  expect(gone.json()).toEqual([])
  expect(await get('/alerting/routes')).toMatchObject({
    receiver: 'hook',
    routes: [{ receiver: 'quiet', matchers: '{severity="info"}' }],
  })
  expect(await get('/alerting/routes/test?label=severity=info')).toMatchObject([{ receiver: 'quiet' }])
  const tested = await app.inject({ method: 'POST', url: '/api/belltower/v1/alerting/receivers/hook/test' })
  expect(tested.json()).toMatchObject([{ integration: 'webhook', delivered: true }])
})
