import { afterEach, describe, expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { type Scenario, START_MS } from '../test-support.ts'
import { fire, livesOf, resolve, startOnCall, withDataDir } from './test-support.ts'

const CONFIG = `
route: { receiver: first, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 12h }
receivers:
  - name: first
    webhook_configs: [{ url: 'http://hook/first' }]
  - name: second
    webhook_configs: [{ url: 'http://hook/second' }]
  - name: boss
    webhook_configs: [{ url: 'http://hook/boss' }]
`
const steps = (more = ''): string => `
receivers:
  - receiver: first
    escalation:
      steps: [{ after: 10m, receiver: second }, { after: 5m, receiver: boss }]
      ${more}
`
/** Each hour in place of twice a day. */
const HOURLY = CONFIG.replace('repeat_interval: 12h', 'repeat_interval: 1h')
const GROUP = '{}:{alertname="Down"}'
const MINUTE_S = 60

let s: Scenario
afterEach(() => s.alertmanager.stop())

/** `second path reason alert…` for each message. */
const told = (): string[] =>
  s.client.requests.map(({ atMs, request }) => {
    const { status } = JSON.parse(request.body as string) as { status: string }
    return `${(atMs - START_MS) / 1000} ${new URL(request.url).pathname.slice(1)} ${status}`
  })

describe('steps', () => {
  test('go on while nobody acknowledges, and all who were told hear that it is over', async () => {
    s = await startOnCall(CONFIG, steps())
    await fire(s, 'Down')
    await s.until(40 * MINUTE_S)
    expect(told()).toEqual(['10 first firing', '610 second firing', '910 boss firing'])
    await resolve(s, 'Down')
    await s.until(42 * MINUTE_S)
    expect(told().slice(3).sort()).toEqual(['2410 boss resolved', '2410 first resolved', '2410 second resolved'])
    expect(s.alertmanager.onCall.escalations()).toEqual([])
    expect(s.alertmanager.notifications().map(({ reason }) => reason)).toContain('escalated')
  })

  test('stop when somebody acknowledges, and go on where they were when it is taken back', async () => {
    s = await startOnCall(CONFIG, steps())
    await fire(s, 'Down')
    await s.until(11 * MINUTE_S)
    await s.alertmanager.acks.put({ groupKey: GROUP, by: 'anna', comment: '' })
    await s.until(60 * MINUTE_S)
    expect(told()).toEqual(['10 first firing', '610 second firing'])
    expect(s.alertmanager.onCall.escalations()[0]).toMatchObject({ acknowledgedBy: 'anna', nextReceiver: 'boss' })
    await s.alertmanager.acks.withdraw(GROUP)
    await s.until(60 * MINUTE_S + 1)
    expect(told()[2]).toBe('3600 boss firing')
  })

  test('go on when an acknowledgement is over', async () => {
    s = await startOnCall(CONFIG, steps())
    await fire(s, 'Down')
    await s.until(MINUTE_S)
    await s.alertmanager.acks.put({ groupKey: GROUP, by: 'anna', comment: '', durationMs: 30 * 60_000 })
    await s.until(32 * MINUTE_S)
    expect(told()).toEqual(['10 first firing', '1860 second firing'])
  })

  test('are not begun for what resolves in time; only those who were told hear of it', async () => {
    s = await startOnCall(CONFIG, steps())
    await fire(s, 'Down')
    await s.until(9 * MINUTE_S)
    await resolve(s, 'Down')
    await s.until(60 * MINUTE_S)
    expect(told()).toEqual(['10 first firing', '550 first resolved'])
  })

  test('are repeated, the receiver itself first', async () => {
    s = await startOnCall(CONFIG, steps('repeat: 1'))
    await fire(s, 'Down')
    await s.until(120 * MINUTE_S)
    expect(told()).toEqual([
      '10 first firing',
      '610 second firing',
      '910 boss firing',
      '1210 first firing',
      '1810 second firing',
      '2110 boss firing',
    ])
    expect(s.alertmanager.onCall.escalations()[0]).toMatchObject({ round: 1, nextReceiver: undefined })
  })

  test('wait for a silence to end', async () => {
    s = await startOnCall(CONFIG, steps())
    await fire(s, 'Down')
    await s.until(MINUTE_S)
    await s.alertmanager.setSilence({
      matchers: [createMatcher('=', 'alertname', 'Down')],
      startsAtMs: s.clock.nowMs(),
      endsAtMs: START_MS + 20 * 60_000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
    await s.until(30 * MINUTE_S)
    // The first tick of the group after the silence.
    expect(told()).toEqual(['10 first firing', '1210 second firing', '1510 boss firing'])
  })

  test('come at once when nobody could be reached, unless they are to wait', async () => {
    s = await startOnCall(CONFIG, steps())
    s.client.answer = ({ url }) => (url.endsWith('first') ? 400 : 200)
    await fire(s, 'Down')
    await s.until(6 * MINUTE_S)
    expect(told()).toEqual(['10 second firing', '310 boss firing'])
    await s.alertmanager.stop()
    s = await startOnCall(CONFIG, steps('on_failure: wait'))
    s.client.answer = ({ url }) => (url.endsWith('first') ? 400 : 200)
    await fire(s, 'Down')
    await s.until(11 * MINUTE_S)
    expect(told()).toEqual(['610 second firing'])
  })

  test('come at once when one way fails and the other reaches nobody', async () => {
    const config = `
global: { smtp_smarthost: 'localhost:25', smtp_from: 'a@b.c' }
route: { receiver: page, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 12h }
receivers:
  - name: page
    email_configs: [{ to: 'x@example.com' }]
    sms_configs: [{ provider: http, to: ['+100'], url: 'http://gateway/', text: x }]
  - name: second
    webhook_configs: [{ url: 'http://hook/second' }]
`
    // Boris has no e-mail address.
    const onCall = `
people: [{ name: boris, phone: '+1002' }]
schedules: [{ name: primary, time_zone: UTC, layers: [{ people: [boris], start: 2026-01-01, rotation: daily }] }]
receivers: [{ receiver: page, schedule: primary, escalation: { steps: [{ after: 30m, receiver: second }] } }]
`
    s = await startOnCall(config, onCall)
    s.client.answer = ({ url }) => (url.includes('gateway') ? 400 : 200)
    await fire(s, 'Down')
    await s.until(5 * MINUTE_S)
    expect(told()).toEqual(['10 second firing'])
  })

  test("go on while the receiver's own notification fails after a mute", async () => {
    s = await startOnCall(CONFIG.replace('repeat_interval: 12h', 'repeat_interval: 30m'), steps())
    await fire(s, 'Down')
    await s.until(12 * MINUTE_S)
    await s.alertmanager.setSilence({
      matchers: [createMatcher('=', 'alertname', 'Down')],
      startsAtMs: s.clock.nowMs(),
      endsAtMs: START_MS + 40 * 60_000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
    s.client.answer = ({ url }) => (url.endsWith('first') ? 400 : 200)
    await s.until(60 * MINUTE_S)
    expect(told().map((line) => line.replace(/^\d+ /, ''))).toEqual(['first firing', 'second firing', 'boss firing'])
  })

  test('are told of the end also after more than two repeat intervals', async () => {
    s = await startOnCall(HOURLY, steps())
    await fire(s, 'Down')
    await s.until(240 * MINUTE_S)
    const before = told().length
    await resolve(s, 'Down')
    await s.until(242 * MINUTE_S)
    expect(
      told()
        .slice(before)
        .map((line) => line.replace(/^\d+ /, ''))
        .sort(),
    ).toEqual(['boss resolved', 'first resolved', 'second resolved'])
  })

  test('survive a death at any moment: each is taken once', async () => {
    await withDataDir(async (dataDir) => {
      const endsS = Array.from({ length: 8 }, (_, i) => (i + 1) * 3 * MINUTE_S)
      const lives = await livesOf({ config: CONFIG, onCall: steps(), endsS, dataDir }, (first) => fire(first, 'Down'))
      s = lives.last
      await s.until(25 * MINUTE_S)
      s.client.requests.unshift(...lives.requests)
      expect(told()).toEqual(['10 first firing', '610 second firing', '910 boss firing'])
      await resolve(s, 'Down')
      await s.until(27 * MINUTE_S)
      expect(
        told()
          .slice(3)
          .map((line) => line.replace(/^\d+ /, ''))
          .sort(),
      ).toEqual(['boss resolved', 'first resolved', 'second resolved'])
    })
  })
})

test('what is said last of an acknowledgement counts, also within one millisecond', async () => {
  s = await startOnCall(CONFIG, '{}')
  const { acks } = s.alertmanager
  const said = async (by: string): Promise<string[]> => {
    if (by === '') await acks.withdraw(GROUP)
    else await acks.put({ groupKey: GROUP, by, comment: '' })
    return acks.all().map((one) => one.by)
  }
  expect([await said('anna'), await said(''), await said('boris')]).toEqual([['anna'], [], ['boris']])
})

test('a group that is acknowledged for more than two repeat intervals is not told as a new one', async () => {
  s = await startOnCall(HOURLY, '{}')
  await fire(s, 'Down')
  await s.until(5 * MINUTE_S)
  await s.alertmanager.acks.put({ groupKey: GROUP, by: 'anna', comment: '' })
  await s.until(240 * MINUTE_S)
  expect(told()).toEqual(['10 first firing'])
  await resolve(s, 'Down')
  await s.until(242 * MINUTE_S)
  expect(told()).toEqual(['10 first firing', '14410 first resolved'])
})

test('an acknowledgement outlives the notification log also where the repeat interval is short', async () => {
  s = await startOnCall(CONFIG.replace('repeat_interval: 12h', 'repeat_interval: 3m'), '{}')
  // Told so that the log, which is looked through each quarter of an hour, would have let go of it just before it is renewed.
  await s.until(7 * MINUTE_S)
  await fire(s, 'Down')
  await s.until(8 * MINUTE_S)
  await s.alertmanager.acks.put({ groupKey: GROUP, by: 'anna', comment: '' })
  await s.until(60 * MINUTE_S)
  expect(told()).toEqual([`${7 * MINUTE_S} first firing`])
})
