import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type HttpClient, systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { type Alert, labelValue, withLabels } from '../../model/index.ts'
import { createExternalNotifier, fanOutSink, labellingSink } from '../index.ts'

interface Received {
  readonly path: string
  readonly alerts: { labels: Record<string, string>; startsAt: string; endsAt: string; generatorURL: string }[]
}

const servers: Server[] = []
const clients: HttpClient[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

/** An Alertmanager's receiving end. `onRequest` may hold an answer back. */
async function startReceiver(onRequest: (count: number) => number | Promise<number> = () => 200) {
  const received: Received[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    received.push({ path: `${request.method} ${request.url}`, alerts: JSON.parse(Buffer.concat(chunks).toString()) })
    response.statusCode = await onRequest(received.length)
    response.end()
  }
  const server = createServer((request, response) => void answer(request, response))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = createHttpClient({})
  clients.push(client)
  return {
    received,
    target: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/am`, client, timeoutMs: 5000 },
  }
}

const createAlert = (i: number, more: Record<string, string> = {}): Alert => ({
  labels: withLabels(['alertname', `A${i}`], Object.entries(more)),
  annotations: ['text', 'x'],
  startsAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  endsAtMs: Date.UTC(2026, 0, 2, 3, 8, 5),
  generatorUrl: 'http://bell.example/graph',
})

function createNotifier(more: { queueCapacity?: number; batchSize?: number } = {}) {
  const registry = new Registry()
  const notifier = createExternalNotifier({ clock: systemClock, logger: silentLogger, registry, ...more })
  return { notifier, registry }
}

const alerts = (count: number, from = 0): Alert[] => Array.from({ length: count }, (_, i) => createAlert(from + i))

test('alerts are posted in batches to every Alertmanager, in order', async () => {
  const [a, b] = [await startReceiver(), await startReceiver()]
  const { notifier, registry } = createNotifier({ batchSize: 3 })
  notifier.setAlertmanagers([a.target, b.target])
  await notifier.send(alerts(7))
  await notifier.stop(5000)
  for (const { received } of [a, b]) {
    expect(received.map((r) => [r.path, r.alerts.length])).toEqual([
      ['POST /am/api/v2/alerts', 3],
      ['POST /am/api/v2/alerts', 3],
      ['POST /am/api/v2/alerts', 1],
    ])
    expect(received[0]!.alerts[0]).toEqual({
      labels: { alertname: 'A0' },
      annotations: { text: 'x' },
      startsAt: '2026-01-02T03:04:05.000Z',
      endsAt: '2026-01-02T03:08:05.000Z',
      generatorURL: 'http://bell.example/graph',
    })
  }
  expect(notifier.alertmanagerUrls()).toEqual([`${a.target.url}/api/v2/alerts`, `${b.target.url}/api/v2/alerts`])
  const metrics = await registry.metrics()
  expect(metrics).toContain(`prometheus_notifications_sent_total{alertmanager="${a.target.url}"} 7`)
  expect(metrics).toContain(`prometheus_notifications_errors_total{alertmanager="${a.target.url}"} 0`)
  expect(metrics).toContain(`prometheus_notifications_queue_length{alertmanager="${a.target.url}"} 0`)
  expect(metrics).toContain('prometheus_notifications_queue_capacity 10000')
  expect(metrics).toContain('prometheus_notifications_alertmanagers_discovered 2')
})

test('a failure is counted and not tried again; the next alerts go out', async () => {
  const a = await startReceiver((count) => (count === 1 ? 500 : 200))
  const { notifier, registry } = createNotifier({ batchSize: 2 })
  notifier.setAlertmanagers([a.target, { ...a.target, url: 'http://127.0.0.1:1' }])
  await notifier.send(alerts(3))
  await notifier.stop(5000)
  expect(a.received.map((r) => r.alerts.map(({ labels }) => labels['alertname']))).toEqual([['A0', 'A1'], ['A2']])
  const metrics = await registry.metrics()
  expect(metrics).toContain(`prometheus_notifications_errors_total{alertmanager="${a.target.url}"} 2`)
  expect(metrics).toContain(`prometheus_notifications_dropped_total{alertmanager="${a.target.url}"} 2`)
  expect(metrics).toContain('prometheus_notifications_errors_total{alertmanager="http://127.0.0.1:1"} 3')
})

test('a slow Alertmanager loses its oldest alerts and does not hold up another one', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = await startReceiver(() => held.then(() => 200))
  const fast = await startReceiver()
  const { notifier, registry } = createNotifier({ queueCapacity: 4, batchSize: 2 })
  notifier.setAlertmanagers([slow.target, fast.target])
  await notifier.send(alerts(2))
  await notifier.send(alerts(6, 2))
  await new Promise<void>((resolve) => {
    const look = () => (fast.received.length === 3 && slow.received.length === 1 ? resolve() : setTimeout(look, 5))
    look()
  })
  release()
  await notifier.stop(5000)
  const names = slow.received.flatMap((r) => r.alerts.map(({ labels }) => labels['alertname']))
  expect(names).toEqual(['A0', 'A1', 'A4', 'A5', 'A6', 'A7'])
  expect(await registry.metrics()).toContain(
    `prometheus_notifications_dropped_total{alertmanager="${slow.target.url}"} 2`,
  )
})

test('the Alertmanagers can change; relabelling of one is its own', async () => {
  const [a, b] = [await startReceiver(), await startReceiver()]
  const { notifier } = createNotifier()
  notifier.setAlertmanagers([a.target])
  const relabel = (labels: Alert['labels']) =>
    labelValue(labels, 'alertname') === 'A0' ? undefined : withLabels(labels, [['am', 'b']])
  notifier.setAlertmanagers([{ ...b.target, relabel }])
  await notifier.send(alerts(2))
  await notifier.stop(5000)
  expect(a.received).toEqual([])
  expect(b.received.map((r) => r.alerts.map(({ labels }) => labels))).toEqual([[{ alertname: 'A1', am: 'b' }]])
})

test('stop gives up at its deadline', async () => {
  let release: () => void = () => undefined
  const held = new Promise<number>((resolve) => {
    release = () => resolve(200)
  })
  const slow = await startReceiver(() => held)
  const { notifier } = createNotifier({ batchSize: 1 })
  notifier.setAlertmanagers([slow.target])
  await notifier.send(alerts(3))
  await notifier.stop(1)
  await notifier.send(alerts(1))
  release()
  expect(slow.received.length).toBeLessThanOrEqual(1)
})

test('fan-out: all sinks get all alerts, whatever one of them does', async () => {
  const got: string[] = []
  const sink = (name: string) => ({ send: async (a: readonly Alert[]) => void got.push(`${name}${a.length}`) })
  const broken = { send: () => Promise.reject(new Error('full')) }
  await fanOutSink([sink('a'), broken, sink('b')], silentLogger).send(alerts(2))
  expect(got).toEqual(['a2', 'b2'])
})

test('labelling: external labels where the alert has none, then relabelling', async () => {
  const got: Alert[] = []
  const sink = labellingSink(
    { send: async (a) => void got.push(...a) },
    {
      externalLabels: () => ['dc', 'eu', 'team', 'x'],
      relabel: () => (labels) => (labelValue(labels, 'alertname') === 'A1' ? undefined : labels),
    },
  )
  await sink.send([createAlert(0, { team: 'own' }), createAlert(1)])
  expect(got.map(({ labels }) => labels)).toEqual([['alertname', 'A0', 'dc', 'eu', 'team', 'own']])
  await sink.send([createAlert(1)])
  expect(got).toHaveLength(1)
})
