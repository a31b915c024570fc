import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { type HttpClient, HttpRequestError, ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createMatcher, labelsFromRecord } from '../../model/index.ts'
import { type Alertmanager, createAlertmanager, ownAlertsApi, parseAlertmanagerConfig } from '../index.ts'
import { START_MS } from '../test-support.ts'

const CONFIG = `
route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 30s, repeat_interval: 2m }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://hook/' }] }]
`
const KEY = 'a key that both have'

/** Instances on one clock that reach each other unless they are cut off. */
class Pair {
  readonly clock = new ManualClock(START_MS)
  readonly apps = new Map<string, FastifyInstance>()
  readonly running = new Map<string, Alertmanager>()
  /** Who told what, at which second. */
  readonly told: string[] = []
  /** What peers were told beside the key, where their port has users. */
  readonly authorizations = new Set<string | undefined>()
  /** Names that nobody reaches and who reach nobody. */
  readonly cutOff = new Set<string>()

  async start(name: string, others: readonly string[], key = KEY): Promise<Alertmanager> {
    const alertmanager = await createAlertmanager({
      config: parseAlertmanagerConfig('/etc/a.yml', CONFIG),
      dataDir: undefined,
      clock: this.clock,
      logger: silentLogger,
      registry: new Registry(),
      externalUrl: `http://${name}`,
      httpClientFactory: () => this.#client(name),
      cluster: { name, peerUrls: others.map((other) => `http://${other}`), key, peerTimeoutMs: 5000 },
    })
    const app = Fastify()
    await app.register(ownAlertsApi(alertmanager), { prefix: '/api/belltower/v1' })
    this.apps.set(name, app)
    this.running.set(name, alertmanager)
    return alertmanager
  }

  async kill(name: string): Promise<void> {
    this.cutOff.add(name)
    await this.running.get(name)!.stop()
  }

  async push(alertname: string, endsAtMs?: number): Promise<void> {
    const input = {
      labels: labelsFromRecord({ alertname }),
      annotations: [],
      generatorUrl: '',
      startsAtMs: this.clock.nowMs() - 10,
      endsAtMs,
    }
    for (const [name, alertmanager] of this.running) if (!this.dead.has(name)) await alertmanager.receive([input])
  }
  readonly dead = new Set<string>()

  seconds(count: number): Promise<void> {
    return this.clock.advance(count * 1000)
  }

  #client(from: string): HttpClient {
    return {
      request: async ({ url, headers, body }) => {
        const { hostname, pathname } = new URL(url)
        if (hostname === 'hook') {
          const { status, groupLabels } = JSON.parse(String(body)) as {
            status: string
            groupLabels: { alertname: string }
          }
          this.told.push(`${(this.clock.nowMs() - START_MS) / 1000} ${from}: ${groupLabels.alertname} ${status}`)
          return { status: 200, headers: {}, body: new Uint8Array() }
        }
        this.authorizations.add(headers?.['authorization'])
        const app = this.apps.get(hostname)
        if (!app || this.cutOff.has(from) || this.cutOff.has(hostname)) throw new HttpRequestError('unreachable', false)
        const answer = await app.inject({
          method: 'POST',
          url: pathname,
          headers: { ...headers },
          payload: String(body),
        })
        return { status: answer.statusCode, headers: {}, body: answer.rawPayload }
      },
      close: async () => {},
    }
  }
}

let pair: Pair
afterEach(async () => {
  for (const app of pair.apps.values()) await app.close()
  for (const [name, alertmanager] of pair.running) if (!pair.dead.has(name)) await alertmanager.stop()
})

async function started(): Promise<void> {
  pair = new Pair()
  await pair.start('a', ['b'])
  await pair.start('b', ['a'])
  await pair.seconds(3)
}

const silence = (alertmanager: Alertmanager, name: string): Promise<string> =>
  alertmanager.setSilence({
    matchers: [createMatcher('=', 'alertname', name)],
    startsAtMs: pair.clock.nowMs(),
    endsAtMs: pair.clock.nowMs() + 3_600_000,
    createdBy: '',
    comment: '',
    annotations: {},
  })

test('one page, not two; silences and acknowledgements hold on both', async () => {
  await started()
  const [a, b] = [pair.running.get('a')!, pair.running.get('b')!]
  await silence(b, 'Quiet')
  await pair.seconds(2)
  await pair.push('Down')
  await pair.push('Quiet')
  await pair.seconds(40)
  expect(pair.told).toEqual(['6 a: Down firing'])
  await b.acks.put({ groupKey: '{}:{alertname="Down"}', by: 'Ann', comment: '' })
  await pair.seconds(2)
  expect(a.acks.all()).toMatchObject([{ by: 'Ann' }])
  await a.acks.withdraw('{}:{alertname="Down"}')
  await pair.seconds(2)
  expect(b.acks.all()).toEqual([])
  await a.expireSilence(b.silences()[0]!.id)
  await pair.seconds(2)
  expect(b.silences()[0]!.endsAtMs).toBeLessThanOrEqual(pair.clock.nowMs())
})

test('the first one dies: the other tells, at once from then on', async () => {
  await started()
  pair.dead.add('a')
  await pair.kill('a')
  await pair.seconds(3)
  await pair.push('Down')
  await pair.seconds(3)
  expect(pair.told).toEqual(['7 b: Down firing'])
})

test('a partition: nobody goes without a page, and at most one comes twice; healed, the states agree', async () => {
  await started()
  pair.cutOff.add('a')
  await pair.seconds(3)
  await pair.push('Down')
  await silence(pair.running.get('a')!, 'Later')
  await pair.seconds(3)
  expect(pair.told).toEqual(['7 a: Down firing', '7 b: Down firing'])
  pair.cutOff.clear()
  await pair.seconds(3)
  expect(pair.running.get('b')!.silences()).toEqual(pair.running.get('a')!.silences())
  await pair.push('Later')
  await pair.seconds(60)
  expect(pair.told).toHaveLength(2)
})

test('the acknowledgement of what has resolved does not come back with one that was away', async () => {
  await started()
  const [a, b] = [pair.running.get('a')!, pair.running.get('b')!]
  await pair.push('Down', START_MS + 86_400_000)
  await pair.seconds(20)
  await a.acks.put({ groupKey: '{}:{alertname="Down"}', by: 'Ann', comment: '' })
  await pair.seconds(3)
  expect(b.acks.all()).toHaveLength(1)
  pair.cutOff.add('b')
  const labels = labelsFromRecord({ alertname: 'Down' })
  await a.receive([{ labels, annotations: [], generatorUrl: '', endsAtMs: pair.clock.nowMs() }])
  await pair.seconds(2 * 3600)
  expect(a.acks.all()).toEqual([])
  expect(b.acks.all()).toHaveLength(1)
  pair.cutOff.clear()
  await pair.seconds(3)
  expect([a.acks.all(), b.acks.all()]).toEqual([[], []])
})

test('one that comes back learns what was told meanwhile', async () => {
  pair = new Pair()
  await pair.start('b', ['a'])
  await pair.push('Down')
  await pair.seconds(3)
  expect(pair.told).toEqual(['1 b: Down firing'])
  await pair.start('a', ['b'])
  await pair.push('Down')
  await pair.seconds(40)
  expect(pair.told).toHaveLength(1)
})

test('a peer whose port has users is told who asks, and nobody else hears of it', async () => {
  pair = new Pair()
  const a = await pair.start('a', ['ann:p%40ss@b'])
  await pair.start('b', ['a'])
  await pair.seconds(2)
  const basic = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`
  expect(pair.authorizations).toEqual(new Set([basic, undefined]))
  expect(a.cluster!.status.peers).toEqual([{ name: 'b', address: 'http://b', isAlive: true }])
})

test('without the key nothing is taken and nothing given', async () => {
  pair = new Pair()
  await pair.start('a', ['b'])
  const b = await pair.start('b', ['a'], 'another key')
  await silence(b, 'Everything')
  await pair.seconds(3)
  expect(pair.running.get('a')!.silences()).toEqual([])
  const answer = await pair.apps.get('a')!.inject({
    method: 'POST',
    url: '/api/belltower/v1/alerting/cluster/exchange',
    payload: { name: 'x', full: true, records: [] },
  })
  expect(answer.statusCode).toBe(401)
})
