import { Command } from 'commander'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  type Alertmanager,
  createAlertmanager,
  ownAlertsApi,
  parseAlertmanagerConfig,
  withOnCall,
} from '../../alertmanager/index.ts'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { registerOnCallCommand } from './oncall.ts'

const ON_CALL = `
people: [{ name: anna }, { name: boris }]
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{ people: [anna, boris], start: 2026-01-05, hand_over: '09:00', rotation: weekly }]
`
let app: FastifyInstance
let alertmanager: Alertmanager
let url = ''
let printed: string[] = []

beforeEach(async () => {
  const own = parseAlertmanagerConfig('/etc/a.yml', 'route: { receiver: one }\nreceivers: [{ name: one }]')
  alertmanager = await createAlertmanager({
    config: withOnCall(own, { fileName: '/etc/on-call.yml', text: ON_CALL }),
    dataDir: undefined,
    clock: new ManualClock(Date.UTC(2026, 0, 6)),
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: 'http://127.0.0.1/alertmanager',
    httpClientFactory: (http) => createHttpClient(http),
  })
  app = Fastify()
  await app.register(ownAlertsApi(alertmanager), { prefix: '/api/belltower/v1' })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  vi.spyOn(console, 'log').mockImplementation((text: unknown) => void printed.push(String(text)))
  vi.spyOn(console, 'error').mockImplementation((text: unknown) => void printed.push(`! ${String(text)}`))
  process.exitCode = 0
})
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = 0
  await app.close()
  await alertmanager.stop()
})

async function oncall(...words: string[]): Promise<string[]> {
  printed = []
  const program = new Command('belltower').exitOverride()
  registerOnCallCommand(program)
  await program.parseAsync(['oncall', ...words, '--server.url', url], { from: 'user' })
  return printed.map((line) => line.replace(/ {2,}/g, ' | '))
}

test('who is on call, who will be, and who takes over', async () => {
  const now = 'primary | anna | layer 1 | 2026-01-12T08:00:00.000Z | boris'
  expect(await oncall()).toEqual(['Schedule | On call | By | Until | Then', now])
  expect((await oncall('now', '--at', '2026-01-13T00:00:00Z'))[1]).toMatch(/^primary \| boris/)
  expect(await oncall('shifts', 'primary', '--to', '2026-01-13T00:00:00Z')).toEqual([
    'From | To | On call | By',
    '2026-01-06T00:00:00.000Z | 2026-01-12T08:00:00.000Z | anna | layer 1',
    '2026-01-12T08:00:00.000Z | 2026-01-13T00:00:00.000Z | boris | layer 1',
  ])
  const words = ['primary', 'boris', '--to', '2026-01-07T00:00:00Z', '-c', 'dentist', '-a', 'anna']
  const [id] = await oncall('override', 'add', ...words)
  expect((await oncall())[1]).toBe('primary | boris | override | 2026-01-07T00:00:00.000Z | anna')
  expect((await oncall('override'))[1]).toContain('| anna | dentist')
  expect(await oncall('override', 'remove', id!)).toEqual([])
  expect((await oncall())[1]).toBe(now)
  expect((await oncall('shifts', 'other'))[0]).toMatch(/^! belltower: .*status 404: there is no schedule "other"/)
  expect(process.exitCode).toBe(1)
})
