import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseAlertmanagerConfig, withOnCall } from '../../alertmanager/index.ts'
import { ManualClock } from '../../lib/index.ts'
import { registerOnCallCommand } from './oncall.ts'
import { CommandRig } from './test-support.ts'

const ON_CALL = `
people: [{ name: anna }, { name: boris }]
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{ people: [anna, boris], start: 2026-01-05, hand_over: '09:00', rotation: weekly }]
`
let rig: CommandRig

beforeEach(async () => {
  const own = parseAlertmanagerConfig('/etc/a.yml', 'route: { receiver: one }\nreceivers: [{ name: one }]')
  const config = withOnCall(own, { fileName: '/etc/on-call.yml', text: ON_CALL })
  rig = await CommandRig.start(config, new ManualClock(Date.UTC(2026, 0, 6)))
})
afterEach(() => rig.close())

async function oncall(...words: string[]): Promise<string[]> {
  const printed = await rig.run(['oncall', ...words], registerOnCallCommand)
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
