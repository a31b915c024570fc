// Beside a real Alertmanager, in real time: the same alerts must lead to the same notifications. Skipped where it is missing.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import { undisturbed } from '../tests/support/undisturbed.ts'
import { type Alertmanager, alertmanagerApi, createAlertmanager, parseAlertmanagerConfig } from './index.ts'

const PROGRAM = 'prometheus-alertmanager'
const isThere = spawnSync(PROGRAM, ['--version']).status === 0
if (!isThere) console.log(`skipping the comparison with a real Alertmanager: no ${PROGRAM} on PATH`)

interface Message {
  readonly receiver: string
  readonly groupKey: string
  readonly status: string
  readonly alerts: readonly {
    readonly labels: Record<string, string>
    readonly status: string
    readonly endsAt: string
  }[]
}

let dir = ''
let hooks: Server
let hooksUrl = ''
/** By who sent it. */
let told: Record<string, Message[]> = {}
let real: ChildProcess | undefined
let app: FastifyInstance | undefined
let ours: Alertmanager | undefined

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alert-diff-'))
  told = { '/real': [], '/ours': [] }
  hooks = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      told[request.url!]!.push(JSON.parse(Buffer.concat(chunks).toString()) as Message)
      response.end()
    })
  })
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve))
  hooksUrl = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`
})
afterEach(async () => {
  await stopReal()
  await stopOurs()
  hooks.closeAllConnections()
  await new Promise((resolve) => hooks.close(resolve))
  await rm(dir, { recursive: true })
})

async function beginAgain(): Promise<void> {
  await stopReal()
  await stopOurs()
  told = { '/real': [], '/ours': [] }
  await rm(join(dir, 'data'), { recursive: true, force: true })
}

async function stopReal(): Promise<void> {
  if (!real || real.exitCode !== null) return
  const ended = once(real, 'exit')
  real.kill('SIGTERM')
  await ended
  real = undefined
}

async function stopOurs(): Promise<void> {
  await app?.close()
  await ours?.stop()
  app = ours = undefined
}

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startReal(config: string): Promise<string> {
  const file = join(dir, 'real.yml')
  await writeFile(file, config.replaceAll('HOOK', `${hooksUrl}/real`))
  const address = `127.0.0.1:${await freePort()}`
  const flags = [`--config.file=${file}`, `--storage.path=${join(dir, 'data')}`, `--web.listen-address=${address}`]
  real = spawn(PROGRAM, [...flags, '--cluster.listen-address=', '--log.level=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://${address}`
  for (let i = 0; i < 400; i++) {
    if (
      await fetch(`${url}/-/ready`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return url
    await sleep(50)
  }
  throw new Error('the real Alertmanager does not get ready')
}

async function startOurs(config: string, dataDir: string | undefined): Promise<string> {
  ours = await createAlertmanager({
    config: parseAlertmanagerConfig(join(dir, 'ours.yml'), config.replaceAll('HOOK', `${hooksUrl}/ours`)),
    dataDir,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: 'http://127.0.0.1',
    httpClientFactory: (http) => createHttpClient(http),
  })
  app = Fastify()
  await app.register(alertmanagerApi(ours))
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function post(urls: readonly string[], path: string, body: unknown): Promise<void> {
  for (const url of urls) {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(`${url}/api/v2${path}`, init)
    expect(response.status, await response.text()).toBe(200)
  }
}

/** Of all alerts, and not long ago: of old ones the real one tells as soon as the first of a request has come in. */
let startsAt = ''
const alert = (labels: Record<string, string>, ended = false) => ({
  labels,
  annotations: { summary: `about ${labels['alertname']}` },
  startsAt,
  ...(ended && { endsAt: new Date(Date.now() - 50).toISOString() }),
})

/** Each group's story: what was told about it, one after the other. Times that the clock decides are left out. */
function stories(messages: readonly Message[]): Record<string, unknown[]> {
  const byGroup: Record<string, unknown[]> = {}
  for (const message of messages) {
    // 0.34 says more than 0.25; the address is each one's own.
    const {
      externalURL: _url,
      routeLabels: _labels,
      notification_reason: _reason,
      ...facts
    } = message as unknown as Record<string, unknown>
    const alerts = message.alerts.map(({ endsAt, ...rest }) => ({ ...rest, ended: endsAt !== '0001-01-01T00:00:00Z' }))
    ;(byGroup[`${message.receiver} ${message.groupKey}`] ??= []).push({ ...facts, alerts })
  }
  return byGroup
}

const CONFIG = `
route:
  receiver: all
  group_by: [alertname]
  group_wait: 1s
  group_interval: 3s
  repeat_interval: 1h
  routes:
    - { matchers: [team="a"], receiver: a.team, continue: true, group_by: [team] }
    - { match_re: { team: a|b }, receiver: ab, group_by: ['...'] }
    - { matchers: [muted="yes"], receiver: all, mute_time_intervals: [always] }
receivers:
  - { name: all, webhook_configs: [{ url: 'HOOK', send_resolved: true }] }
  - { name: a.team, webhook_configs: [{ url: 'HOOK', max_alerts: 1 }] }
  - { name: ab, webhook_configs: [{ url: 'HOOK', send_resolved: false }] }
inhibit_rules: [{ source_matchers: [alertname="Outage"], target_matchers: [alertname!="Outage"], equal: [zone] }]
time_intervals: [{ name: always, time_intervals: [{ years: ['2000:2100'] }] }]
`

describe.skipIf(!isThere)('beside a real Alertmanager', () => {
  test('the same groups are told the same, in the same order', { timeout: 120_000 }, async () => {
    const attempt = async (): Promise<void> => {
      const urls = [await startReal(CONFIG), await startOurs(CONFIG, undefined)]
      await post(urls, '/silences', {
        matchers: [{ name: 'alertname', value: 'Qu.*', isRegex: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 60_000).toISOString(),
        createdBy: 'me',
        comment: 'test',
      })
      startsAt = new Date().toISOString()
      await post(urls, '/alerts', [
        alert({ alertname: 'Down', instance: 'one' }),
        alert({ alertname: 'Down', instance: 'two' }),
        alert({ alertname: 'Quiet' }),
        alert({ alertname: 'Muted', muted: 'yes' }),
        alert({ alertname: 'Team', team: 'a', empty: '' }),
        alert({ alertname: 'Team', team: 'b' }),
        alert({ alertname: 'Outage', zone: 'z' }),
        alert({ alertname: 'Inhibited', zone: 'z' }),
      ])
      await sleep(2000)
      await post(urls, '/alerts', [
        alert({ alertname: 'Down', instance: 'one' }, true),
        alert({ alertname: 'Down', instance: 'three "quoted"\n' }),
        alert({ alertname: 'Team', team: 'a', more: 'ж' }),
        alert({ alertname: 'Team', team: 'b' }, true),
        alert({ alertname: 'Outage', zone: 'z' }, true),
      ])
      await sleep(7500)
      expect(Object.keys(stories(told['/real']!)).length).toBeGreaterThan(5)
      expect(stories(told['/ours']!)).toEqual(stories(told['/real']!))
    }
    // What comes half a second late may be told with others.
    await undisturbed(500, attempt, beginAgain)
  })

  test('its data folder is taken over: nothing is told again, silences hold', { timeout: 60_000 }, async () => {
    const url = await startReal(CONFIG)
    await post([url], '/silences', {
      matchers: [{ name: 'alertname', value: 'Quiet', isRegex: false, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 600_000).toISOString(),
      createdBy: 'Ann',
      comment: 'works',
    })
    startsAt = new Date().toISOString()
    const alerts = [
      alert({ alertname: 'Down', instance: 'one' }),
      alert({ alertname: 'Down', instance: 'two with a longer name than thirty-two bytes' }),
      alert({ alertname: 'Quiet' }),
    ]
    await post([url], '/alerts', alerts)
    for (let i = 0; i < 100 && told['/real']!.length === 0; i++) await sleep(50)
    await sleep(300)
    await stopReal()
    const ourUrl = await startOurs(CONFIG, join(dir, 'data'))
    expect(ours!.silences()).toMatchObject([
      { createdBy: 'Ann', comment: 'works', matchers: [{ name: 'alertname', value: 'Quiet' }] },
    ])
    await post([ourUrl], '/alerts', [...alerts, alert({ alertname: 'New' })])
    await sleep(2500)
    await expect.poll(() => told['/ours']!.map(({ groupKey }) => groupKey)).toEqual(['{}:{alertname="New"}'])
    await post([ourUrl], '/alerts', [alert({ alertname: 'Down', instance: 'three' })])
    const ofThree = { groupKey: '{}:{alertname="Down"}', alerts: [{}, {}, {}] }
    await expect.poll(() => told['/ours']!.at(-1)).toMatchObject(ofThree)
  })
})
