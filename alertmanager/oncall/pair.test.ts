import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { type HttpClient, HttpRequestError, ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { labelsFromRecord } from '../../model/index.ts'
import { type Alertmanager, createAlertmanager, ownAlertsApi } from '../index.ts'
import { START_MS } from '../test-support.ts'
import { configOf } from './test-support.ts'

const CONFIG = `
route: { receiver: first, group_by: [alertname], group_wait: 1s, group_interval: 30s, repeat_interval: 12h }
receivers:
  - { name: first, webhook_configs: [{ url: 'http://hook/first' }] }
  - { name: second, webhook_configs: [{ url: 'http://hook/second' }] }
`
const SMS_CONFIG = `
route: { receiver: page, group_by: [alertname], group_wait: 1s, group_interval: 30s, repeat_interval: 12h }
receivers:
  - name: page
    sms_configs: [{ to: ['+1'], text: hi, provider: smsc, base_url: 'http://smsc', login: me, password: geheim }]
`
const ON_CALL = `
people: [{ name: anna }, { name: boris }]
schedules:
  - { name: primary, time_zone: UTC, layers: [{ people: [anna], start: 2026-01-01, rotation: weekly }] }
receivers: [{ receiver: first, escalation: { steps: [{ after: 10m, receiver: second }] } }]
expected_heartbeats: [{ name: backup, interval: 5m }]
`
const clock = new ManualClock(START_MS)
const apps = new Map<string, FastifyInstance>()
const told: string[] = []
/** Requests at the SMS provider, and what it says of its one message: 0 = under way, 1 = delivered. */
const atProvider: string[] = []
/** What the two tell each other. */
const exchanged: string[] = []
let smsStatus = 0
/** What it says of the one to +2. */
const UNDELIVERED = 20

const clientOf = (from: string): HttpClient => ({
  async request({ url, headers, body }) {
    const { hostname, pathname } = new URL(url)
    if (hostname === 'hook') {
      const { status } = JSON.parse(String(body)) as { status: string }
      told.push(`${(clock.nowMs() - START_MS) / 1000} ${from} ${pathname} ${status}`)
      return { status: 200, headers: {}, body: new Uint8Array() }
    }
    if (hostname === 'smsc') {
      atProvider.push(`${from} ${pathname}`)
      const { id = '', phones = '' } = Object.fromEntries(new URLSearchParams(String(body)))
      if (phones === '+2') await new Promise<void>((resolve) => clock.schedule(1000, resolve))
      const status = id === '8' ? UNDELIVERED : smsStatus
      const answer = pathname.includes('status') ? { status } : { id: phones === '+2' ? 8 : 7, cnt: 1 }
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer)) }
    }
    const app = apps.get(hostname)
    if (!app) throw new HttpRequestError('nobody there', false)
    exchanged.push(String(body))
    const answer = await app.inject({
      method: 'POST',
      url: pathname,
      headers: { ...headers, 'content-type': 'application/json' },
      payload: String(body),
    })
    return { status: answer.statusCode, headers: {}, body: answer.rawPayload }
  },
  close: async () => {},
})

async function start(name: string, other: string, config = CONFIG, onCall = ON_CALL): Promise<Alertmanager> {
  const alertmanager = await createAlertmanager({
    config: configOf(config, onCall),
    dataDir: undefined,
    clock,
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: `http://${name}`,
    httpClientFactory: () => clientOf(name),
    cluster: { name, peerUrls: [`http://${other}`], key: 'a key that both have', peerTimeoutMs: 5000 },
  })
  const app = Fastify()
  await app.register(ownAlertsApi(alertmanager), { prefix: '/api/belltower/v1' })
  apps.set(name, app)
  return alertmanager
}

let both: Alertmanager[] = []
afterEach(async () => {
  for (const app of apps.values()) await app.close()
  for (const alertmanager of both) await alertmanager.stop()
})

test('of two instances one takes each step, and both know who takes over and what has been heard', async () => {
  both = [await start('a', 'b'), await start('b', 'a')]
  const [a, b] = both as [Alertmanager, Alertmanager]
  await clock.advance(2000)
  const push = async (endsAtMs: number): Promise<void> => {
    const labels = labelsFromRecord({ alertname: 'Down' })
    const input = { labels, annotations: [], generatorUrl: '', startsAtMs: START_MS, endsAtMs }
    for (const one of both) await one.receive([input])
  }
  await push(START_MS + 10_000_000)
  const override = { schedule: 'primary', people: ['boris'], fromMs: START_MS, toMs: START_MS + 3_600_000 }
  const { id } = await a.onCall.roster.addOverride({ ...override, comment: '', createdBy: '' })
  for (let minute = 0; minute < 12; minute += 4) {
    await a.onCall.beat('backup', undefined)
    await clock.advance(4 * 60_000)
  }
  expect(b.onCall.roster.peopleOn('primary', clock.nowMs()).map(({ name }) => name)).toEqual(['boris'])
  expect(b.onCall.expectedHeartbeats()[0]).toMatchObject({ isMissing: false })
  expect(b.alerts().map(({ alert }) => alert.labels)).toEqual([labelsFromRecord({ alertname: 'Down' })])
  await b.onCall.roster.removeOverride(id)
  await push(clock.nowMs())
  await clock.advance(60_000)
  expect(a.onCall.roster.overrides()).toEqual([])
  expect(told.map((line) => line.split(' ').slice(2).join(' '))).toEqual([
    '/first firing',
    '/second firing',
    expect.stringMatching(/resolved$/),
    expect.stringMatching(/resolved$/),
  ])
})

test('an acknowledgement is told to the other once, and does not come back', async () => {
  both = [await start('a', 'b'), await start('b', 'a')]
  const [a, b] = both as [Alertmanager, Alertmanager]
  await clock.advance(2000)
  exchanged.length = 0
  await a.acks.put({ groupKey: '{}:{alertname="Down"}', by: 'anna', comment: '' })
  await clock.advance(20_000)
  expect(b.acks.all()).toEqual(a.acks.all())
  // One back from the other, which writes what it takes.
  expect(exchanged.filter((text) => text.includes('"ack"')).length).toBeLessThanOrEqual(2)
})

test('either of two instances can say what became of a message; the one that sent it asks', async () => {
  both = [await start('a', 'b', SMS_CONFIG, '{}'), await start('b', 'a', SMS_CONFIG, '{}')]
  const [a, b] = both as [Alertmanager, Alertmanager]
  await clock.advance(2000)
  const labels = labelsFromRecord({ alertname: 'Texted' })
  const endsAtMs = clock.nowMs() + 10_000_000
  for (const one of both) await one.receive([{ labels, annotations: [], generatorUrl: '', endsAtMs }])
  const outcomes = () => both.map((one) => one.onCall.receipt('page/sms/0', '7')?.outcome)
  await clock.advance(40_000)
  expect(outcomes()).toEqual(['pending', 'pending'])
  smsStatus = 1
  await clock.advance(60_000)
  expect(outcomes()).toEqual(['delivered', 'delivered'])
  expect(atProvider.filter((line) => line.includes('send'))).toHaveLength(1)
  expect(new Set(atProvider.map((line) => line.split(' ')[0])).size).toBe(1)
  // Nothing goes round between the two any more.
  await clock.advance(60_000)
  expect(b.onCall.receipt('page/sms/0', '7')).toEqual(a.onCall.receipt('page/sms/0', '7'))
})

test('one whom a message of the other instance has reached is enough', async () => {
  const config = SMS_CONFIG.replace("['+1']", "['+1', '+2']").replace(
    'receivers:',
    "receivers:\n  - { name: second, webhook_configs: [{ url: 'http://hook/second' }] }",
  )
  const onCall = 'receivers: [{ receiver: page, escalation: { steps: [{ after: 1h, receiver: second }] } }]'
  both = [await start('a', 'b', config, onCall), await start('b', 'a', config, onCall)]
  const [a, b] = both as [Alertmanager, Alertmanager]
  await clock.advance(2000)
  told.length = 0
  smsStatus = 0
  const labels = labelsFromRecord({ alertname: 'Twice' })
  const endsAtMs = clock.nowMs() + 10_000_000
  for (const one of both) await one.receive([{ labels, annotations: [], generatorUrl: '', endsAtMs }])
  await clock.advance(20_000)
  const outcomes = () => ['7', '8'].map((id) => b.onCall.receipt('page/sms/0', id)?.outcome)
  expect(outcomes()).toEqual(['pending', 'pending'])
  // The one that has sent them dies, and the other asks in its place.
  await a.stop()
  apps.delete('a')
  smsStatus = 1
  await clock.advance(20 * 60_000)
  expect(outcomes()).toEqual(['delivered', 'undelivered'])
  expect(told).toEqual([])
  await clock.advance(60 * 60_000)
  expect(told.map((line) => line.replace(/^\S+ /, ''))).toEqual(['b /second firing'])
})
