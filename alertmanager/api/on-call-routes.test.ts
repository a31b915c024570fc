import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownAlertsApi } from '../index.ts'
import { fire, resolve, startOnCall } from '../oncall/test-support.ts'
import type { Scenario } from '../test-support.ts'

const CONFIG = `
route: { receiver: page, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 12h }
receivers: [{ name: page, sms_configs: [{ provider: http, url: 'http://gateway/', to: ['+100'] }] }]
`
const ON_CALL = `
people: [{ name: anna, phone: '+1001' }, { name: boris, phone: '+1002' }]
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{ name: weeks, people: [anna, boris], start: 2026-01-05, hand_over: '09:00', rotation: weekly }]
receivers:
  - receiver: page
    schedule: primary
    escalation: { steps: [{ after: 10m, receiver: page, people: [boris] }] }
heartbeats: [{ name: outside, url: 'http://ping/' }]
expected_heartbeats: [{ name: backup, interval: 1h, token: geheim }]
flap_damping: [{ changes: 2, window: 1h }]
`
let s: Scenario
let app: FastifyInstance
beforeEach(async () => {
  s = await startOnCall(CONFIG, ON_CALL)
  app = Fastify()
  await app.register(ownAlertsApi(s.alertmanager), { prefix: '/api/belltower/v1' })
})
afterEach(async () => {
  await app.close()
  await s.alertmanager.stop()
})

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object, headers = {}): Promise<unknown> {
  const url = `/api/belltower/v1/alerting${path}`
  const response = await app.inject({ method, url, headers, ...(payload && { payload }) })
  return response.statusCode === 200 ? response.json() : `${response.statusCode} ${response.body}`
}

test('who is on call, over time, and who takes over', async () => {
  expect(await call('GET', '/on-call')).toEqual([
    {
      schedule: 'primary',
      timeZone: 'Europe/Berlin',
      people: ['anna'],
      source: 'weeks',
      until: '2026-01-12T08:00:00.000Z',
      next: ['boris'],
    },
  ])
  expect(await call('GET', '/on-call/schedules/primary?at=2026-01-13T00:00:00Z')).toMatchObject({ people: ['boris'] })
  expect(await call('GET', '/on-call/schedules/other')).toMatch(/^404 .*no schedule/)
  expect(await call('GET', '/on-call/schedules/primary?at=8640000000000')).toMatch(/^400 .*no time/)
  const wanted = { schedule: 'primary', people: ['boris'], to: '2026-01-05T18:00:00Z', comment: 'dentist' }
  const made = (await call('POST', '/on-call/overrides', wanted)) as { id: string }
  expect(await call('GET', '/on-call/schedules/primary/shifts?to=2026-01-13T00:00:00Z')).toEqual([
    { people: ['boris'], source: 'override', from: '2026-01-05T12:00:00.000Z', to: '2026-01-05T18:00:00.000Z' },
    { people: ['anna'], source: 'weeks', from: '2026-01-05T18:00:00.000Z', to: '2026-01-12T08:00:00.000Z' },
    { people: ['boris'], source: 'weeks', from: '2026-01-12T08:00:00.000Z', to: '2026-01-13T00:00:00.000Z' },
  ])
  expect(await call('GET', '/on-call/overrides')).toMatchObject([{ id: made.id, comment: 'dentist' }])
  expect(await call('DELETE', `/on-call/overrides/${made.id}`)).toEqual({})
  expect(await call('DELETE', `/on-call/overrides/${made.id}`)).toMatch(/^404 /)
  expect(await call('GET', '/on-call')).toMatchObject([{ people: ['anna'] }])
})

test.each([
  ['/on-call/overrides', { schedule: 'primary', people: ['zoe'], to: '2026-01-06' }, '400 .*nobody is called'],
  ['/on-call/overrides', { schedule: 'primary', people: 'anna', to: '2026-01-06' }, '400 .*no list of names'],
  ['/on-call/overrides', { schedule: 'primary', people: [], to: '2026-01-01' }, '400 .*not after the start'],
  ['/on-call/overrides', { schedule: 'primary', people: [], to: 'soon' }, '400 .*no time'],
  // The last instant that a date can have: its day ends beyond.
  ['/on-call/overrides', { schedule: 'primary', people: [], to: '8640000000000' }, '400 .*no time'],
  // In microseconds by mistake.
  ['/on-call/overrides', { schedule: 'primary', people: [], to: '1767614400000000' }, '400 .*no time'],
  ['/on-call/overrides', { schedule: 'x', people: [], to: '2026-01-06' }, '404 .*no schedule'],
])('%s %j is refused', async (path, body, why) => {
  expect(await call('POST', path, body)).toMatch(new RegExp(why))
})

test('heartbeats come by request, whatever the body calls itself', async () => {
  expect(await call('POST', '/heartbeats/backup')).toMatch(/^403 /)
  expect(await call('GET', '/heartbeats/backup?token=geheim')).toEqual({})
  await s.until(60)
  const headers = { authorization: 'Bearer geheim', 'content-type': 'application/x-yaml' }
  const response = await app.inject({
    method: 'POST',
    url: '/api/belltower/v1/alerting/heartbeats/backup',
    headers,
    payload: 'done: true',
  })
  expect(response.statusCode).toBe(200)
  expect(await call('GET', '/heartbeats')).toMatchObject({
    sent: [{ name: 'outside', lastSentAt: null, withheld: 'the alert that always fires does not' }],
    expected: [{ name: 'backup', lastAt: '2026-01-05T12:01:00.000Z', isMissing: false }],
  })
})

test('explain knows of all of it', async () => {
  await fire(s, 'Down')
  await s.until(30)
  const explained = async () =>
    ((await call('GET', '/explain?label=alertname=Down')) as { destinations: Record<string, unknown>[] })
      .destinations[0]
  expect(await explained()).toMatchObject({
    onCall: { schedule: 'primary', people: ['anna'] },
    escalation: { nextReceiver: 'page', nextAt: '2026-01-05T12:10:10.000Z', told: [] },
    flapping: null,
    verdict: expect.stringContaining('if nobody acknowledges it, page is told at 2026-01-05T12:10:10.000Z.'),
  })
  expect(await call('GET', '/escalations')).toMatchObject([{ receiver: 'page', round: 0, acknowledgedBy: null }])
  await resolve(s, 'Down')
  await fire(s, 'Down')
  expect(await explained()).toMatchObject({ flapping: { isFiring: true } })
  expect(await call('GET', '/flapping')).toMatchObject([{ labels: { alertname: 'Down' } }])
  expect(await s.alertmanager.registry.metrics()).toMatch(
    /belltower_flapping_alerts 1[\s\S]*belltower_on_call_people\{schedule="primary"\} 1/,
  )
})
