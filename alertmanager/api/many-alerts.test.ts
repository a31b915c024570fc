import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { alertmanagerApi } from '../index.ts'
import { fingerprintOf } from '../alert/fingerprint.ts'
import { Scenario, START_MS } from '../test-support.ts'

const CONFIG = `
route: { receiver: hook, group_by: [alertname], group_wait: 10s, group_interval: 1m }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://hook/' }] }]
`
const ALERTS = 6000
const GROUPS = 300
const apps: FastifyInstance[] = []

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
})

/** As the server's own: queries are no plain objects there. */
async function start(): Promise<{ scenario: Scenario; app: FastifyInstance }> {
  const scenario = await Scenario.start(CONFIG)
  const app = Fastify({
    routerOptions: { querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown> },
  })
  apps.push(app)
  app.addHook('onClose', () => scenario.alertmanager.stop())
  await app.register(alertmanagerApi(scenario.alertmanager))
  return { scenario, app }
}

const alertOf = (id: number) => ({
  labels: { alertname: `Alert${id % GROUPS}`, instance: `host${id}`, severity: id % 10 === 0 ? 'page' : 'warning' },
  annotations: {
    summary: `"quoted", [brackets], {braces}, a backslash \\, a tab \t, a 😀 and a ü on host${id}`,
    padding: 'x'.repeat(99),
  },
  startsAt: new Date(START_MS).toISOString(),
  endsAt: new Date(START_MS + 3_600_000).toISOString(),
})

const post = (app: FastifyInstance, payload: string) =>
  app.inject({ method: 'POST', url: '/api/v2/alerts', headers: { 'content-type': 'application/json' }, payload })

async function get<T>(app: FastifyInstance, path: string): Promise<T> {
  const answer = await app.inject(`/api/v2${path}`)
  expect(answer.statusCode).toBe(200)
  expect(answer.payload.endsWith('\n')).toBe(true)
  return JSON.parse(answer.payload) as T
}

interface Shown {
  readonly fingerprint: string
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
}

test('thousands of alerts in one request: each is there once, whole, in order, in its group, and is told', async () => {
  const { scenario, app } = await start()
  const sent = Array.from({ length: ALERTS }, (_, id) => alertOf(id))
  expect((await post(app, JSON.stringify(sent))).statusCode).toBe(200)

  const shown = await get<Shown[]>(app, '/alerts')
  const fingerprints = shown.map(({ fingerprint }) => fingerprint)
  expect(fingerprints).toEqual([...new Set(fingerprints)].sort())
  const byHost = new Map(shown.map((alert) => [alert.labels['instance'], alert]))
  expect(byHost.size).toBe(ALERTS)
  for (const { labels, annotations } of sent) expect(byHost.get(labels.instance)).toMatchObject({ labels, annotations })

  const pages = await get<Shown[]>(app, `/alerts?filter=${encodeURIComponent('severity="page"')}`)
  expect(pages).toHaveLength(ALERTS / 10)
  expect(await get(app, `/alerts?filter=${encodeURIComponent('severity="none"')}`)).toEqual([])
  expect(await get(app, '/alerts?active=false')).toEqual([])

  const groups = await get<{ labels: { alertname: string }; alerts: Shown[] }[]>(app, '/alerts/groups')
  expect(groups).toHaveLength(GROUPS)
  expect(groups.map(({ labels }) => labels.alertname)).toEqual(groups.map(({ labels }) => labels.alertname).sort())
  for (const { labels, alerts } of groups) {
    expect(alerts).toHaveLength(ALERTS / GROUPS)
    expect(alerts.every((alert) => alert.labels['alertname'] === labels.alertname)).toBe(true)
  }
  expect(await get(app, '/alerts/groups?receiver=nobody')).toEqual([])

  await scenario.clock.advance(11_000)
  for (let i = 0; i < 100 && scenario.alertmanager.notifications().length < GROUPS; i++)
    await new Promise((resolve) => setImmediate(resolve))
  const told = scenario.alertmanager.notifications()
  expect(new Set(told.map(({ groupKey }) => groupKey)).size).toBe(GROUPS)
  expect(told.map(({ firingCount }) => firingCount)).toEqual(Array(GROUPS).fill(ALERTS / GROUPS))
})

describe('what is wrong with a large request is told as for a small one, and nothing of it is kept', () => {
  const good = JSON.stringify(Array.from({ length: 3000 }, (_, id) => alertOf(id))).slice(1, -1)
  const cases: [what: string, body: string, status: number, message: string | RegExp][] = [
    ['a late item without labels', `[${good},{}]`, 422, '3000.labels in body is required'],
    ['cut off', `[${good}`, 400, /^parsing alerts body from "" failed, because /],
    ['cut off in a text', `[${good},{"labels":{"a":"b`, 400, /^parsing alerts body/],
    ['nothing between commas', `[${good},,${good}]`, 400, /^parsing alerts body/],
    ['nothing after the last comma', `[${good},]`, 400, /^parsing alerts body/],
    ['something after the end', `[${good}] x`, 400, /^parsing alerts body/],
    ['brackets that do not fit', `[${good},{"labels":[}]`, 400, /^parsing alerts body/],
    ['no list', `{"alerts":[${good}]}`, 400, 'parsing alerts body from "" failed, because expected a list of alerts'],
  ]
  test.each(cases)('%s', async (_what, body, status, message) => {
    const { app } = await start()
    const answer = await post(app, body)
    expect(answer.statusCode).toBe(status)
    expect((JSON.parse(answer.payload) as { message: string }).message).toMatch(message)
    expect(await get(app, '/alerts')).toEqual([])
  })
})

test('a request that says it is too long is not read', async () => {
  const { app } = await start()
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v2/alerts',
    headers: { 'content-type': 'application/json', 'content-length': String(65 * 1024 * 1024) },
    payload: '[]',
  })
  expect(answer.statusCode).toBe(413)
  expect(answer.headers.connection).toBe('close')
  expect(JSON.parse(answer.payload)).toEqual({ code: 413, message: 'Request body is too large' })
})

test('fingerprints are 64-bit FNV-1a of the bytes', () => {
  expect(fingerprintOf([])).toBe('cbf29ce484222325')
  const bytes = (text: string): number[] => [...Buffer.from(text), 0xff]
  for (const labels of [
    ['a', 'b'],
    ['alertname', 'Ü😀 ok'],
    ['x', 'y'.repeat(300), 'z', '\u{10ffff}é'],
  ]) {
    let hash = 0xcbf29ce484222325n
    for (const byte of labels.flatMap(bytes)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
    expect(fingerprintOf(labels)).toBe(hash.toString(16).padStart(16, '0'))
  }
})
