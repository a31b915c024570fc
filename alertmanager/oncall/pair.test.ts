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

const clientOf = (from: string): HttpClient => ({
  async request({ url, headers, body }) {
    const { hostname, pathname } = new URL(url)
    if (hostname === 'hook') {
      const { status } = JSON.parse(String(body)) as { status: string }
      told.push(`${(clock.nowMs() - START_MS) / 1000} ${from} ${pathname} ${status}`)
      return { status: 200, headers: {}, body: new Uint8Array() }
    }
    const app = apps.get(hostname)
    if (!app) throw new HttpRequestError('nobody there', false)
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

async function start(name: string, other: string): Promise<Alertmanager> {
  const alertmanager = await createAlertmanager({
    config: configOf(CONFIG, ON_CALL),
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
