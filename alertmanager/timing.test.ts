import { describe, expect, test } from 'vitest'
import { createMatcher } from '../model/index.ts'
import { type Alertmanager, parseAlertmanagerConfig } from './index.ts'
import { Scenario, START_MS } from './test-support.ts'

const HOOK = `
receivers:
  - name: hook
    webhook_configs: [{ url: 'http://hook/' }]
`
const route = (settings: string): string => `route: { receiver: hook, ${settings} }\n${HOOK}`

const silence = (alertmanager: Alertmanager, pattern: string, startS: number, endS: number): Promise<string> =>
  alertmanager.setSilence({
    matchers: [createMatcher('=~', 'alertname', pattern)],
    startsAtMs: START_MS + startS * 1000,
    endsAtMs: START_MS + endS * 1000,
    createdBy: 'test',
    comment: '',
    annotations: {},
  })

describe('when notifications go out', () => {
  test('overlapping activities of one alert merge', async () => {
    const s = await Scenario.start(
      route('group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1ms'),
    )
    await s.run(
      [
        [1, () => s.push({ name: 'T', startS: 1.1 })],
        [1.2, () => s.push({ name: 'T', startS: 1 })],
        [2.1, () => s.push({ name: 'T', annotation: 'v1', startS: 2 })],
        [3.6, () => s.push({ name: 'T', annotation: 'v2', startS: 1.5 })],
        [4.6, () => s.push({ name: 'T', annotation: 'v2', startS: 3, endS: 4.5 })],
        [4.8, () => s.push({ name: 'T', annotation: 'v3', startS: 2.9, endS: 4.8 })],
        [4.8, () => s.push({ name: 'T', annotation: 'v3', startS: 2.9, endS: 4.1 })],
        [5.3, () => s.push({ name: 'T', startS: 5 })],
      ],
      6.5,
    )
    expect(s.received()).toEqual(['2: T 1', '3: T v1 1', '4: T v2 1', '5: T v3 1-4.8', '6: T 5'])
  })

  test('a repeat waits for its tick', async () => {
    const s = await Scenario.start(
      route('group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1ms'),
    )
    await s.run(
      [
        [1, () => s.push({ name: 'T', startS: 1 })],
        [3.5, () => s.push({ name: 'T', startS: 1, endS: 3 })],
      ],
      6,
    )
    expect(s.received()).toEqual(['2: T 1', '3: T 1', '4: T 1-3'])
  })

  test('a failing integration does not hold up the other, and is tried again at the next tick', async () => {
    const s = await Scenario.start(`
route: { receiver: two, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 3s }
receivers:
  - name: two
    webhook_configs: [{ url: 'http://hook/1' }, { url: 'http://hook/2' }]
`)
    // A status that is final for the flush.
    s.client.answer = (request, atMs) => (request.url.endsWith('2') && atMs < START_MS + 4500 ? 400 : 200)
    await s.run([[1, () => s.push({ name: 'T', startS: 1 })]], 7)
    expect(s.received('/1')).toEqual(['2: T 1', '6: T 1'])
    expect(s.received('/2')).toEqual(['6: T 1'])
    expect(s.alertmanager.notifications().map((n) => `${n.index} ${n.outcome} ${n.reason} ${n.error}`)).toEqual([
      '0 delivered first notification ',
      '1 failed first notification unexpected status code 400',
      '1 failed first notification unexpected status code 400',
      '0 delivered repeat interval elapsed ',
      '1 delivered first notification ',
    ])
  })

  test('alerts that arrive in between wait for the interval and come together', async () => {
    const s = await Scenario.start(route('group_by: [], group_wait: 1s, group_interval: 1s, repeat_interval: 4900ms'))
    await s.run(
      [
        [1.1, () => s.push({ name: 't1', startS: 1 })],
        [1.7, () => s.push({ name: 't5', startS: 1 })],
        [3.3, () => s.push({ name: 't2', startS: 1.5 }, { name: 't3', startS: 1.5 }, { name: 't4', startS: 1.6 })],
      ],
      9.5,
    )
    expect(s.received()).toEqual([
      '2.1: t1 1, t5 1',
      '4.1: t1 1, t2 1.5, t3 1.5, t4 1.6, t5 1',
      '9.1: t1 1, t2 1.5, t3 1.5, t4 1.6, t5 1',
    ])
  })

  test('without an end an alert resolves after resolve_timeout', async () => {
    const s = await Scenario.start(
      `global: { resolve_timeout: 10s }\n${route('group_by: [x], group_wait: 1s, group_interval: 5s')}`,
    )
    await s.run([[1, () => s.push({ name: 'a' }, { name: 'b' }, { name: 'c' })]], 20)
    expect(s.received()).toEqual(['2: a 1, b 1, c 1', '12: a 1-11, b 1-11, c 1-11'])
  })

  test('send_resolved false leaves resolved alerts out', async () => {
    const s = await Scenario.start(`
global: { resolve_timeout: 10s }
route: { receiver: two, group_by: [x], group_wait: 1s, group_interval: 5s }
receivers:
  - name: two
    webhook_configs: [{ url: 'http://hook/1' }, { url: 'http://hook/2', send_resolved: false }]
`)
    await s.run(
      [
        [1, () => s.push({ name: 'v1', startS: 1 }, { name: 'v2', startS: 1 })],
        [3, () => s.push({ name: 'v1', startS: 1, endS: 4 }, { name: 'v3' })],
        [8, () => s.push({ name: 'v3', startS: 3 })],
      ],
      12.5,
    )
    expect(s.received('/1')).toEqual(['2: v1 1, v2 1', '7: v1 1-4, v2 1, v3 3', '12: v2 1-11, v3 3'])
    expect(s.received('/2')).toEqual(['2: v1 1, v2 1', '7: v2 1, v3 3'])
  })

  const reload = (s: Scenario, config: string) => () =>
    s.alertmanager.applyConfig(parseAlertmanagerConfig('/etc/alertmanager.yml', config))

  test('a start delay holds first notifications; a reload restarts the timers', async () => {
    const config = route('group_by: [], group_wait: 1s, group_interval: 6s, repeat_interval: 10m')
    const s = await Scenario.start(config, { startDelayMs: 5000 })
    await s.run(
      [
        [1, () => s.push({ name: 't1', startS: -100 })],
        [2, () => s.push({ name: 't2' })],
        [5.5, reload(s, config)],
        [6, () => s.push({ name: 't3', startS: -100 })],
        [7, () => s.push({ name: 't4' })],
      ],
      12,
    )
    expect(s.received()).toEqual(['5: t1 -100, t2 2', '11.5: t1 -100, t2 2, t3 -100, t4 7'])
  })

  test('a reload repeats nothing', async () => {
    const config = route('group_by: [], group_wait: 1s, group_interval: 6s, repeat_interval: 10m')
    const s = await Scenario.start(config)
    await s.run(
      [
        [1, () => s.push({ name: 't1' })],
        [3, reload(s, config)],
        [4, () => s.push({ name: 't2' })],
      ],
      12,
    )
    // Exactly group_wait after t1 began the reload's first flush has nothing new to tell; the next is an interval later.
    expect(s.received()).toEqual(['2: t1 1', '9: t1 1, t2 4'])
  })

  test('a webhook that does not answer in time is tried again', async () => {
    const s = await Scenario.start(`
route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1m }
receivers:
  - name: hook
    webhook_configs: [{ url: 'http://hook/', timeout: 500ms }]
`)
    const timeouts: number[] = []
    s.client.answer = (request, atMs) => {
      timeouts.push(request.timeoutMs)
      return atMs < START_MS + 3000 ? 'timeout' : 200
    }
    await s.run([[1, () => s.push({ name: 't1' })]], 10)
    expect(s.received()).toHaveLength(1)
    expect(timeouts.length).toBeGreaterThan(1)
    expect(new Set(timeouts)).toEqual(new Set([500]))
  })

  const INHIBIT = `
route: { receiver: hook, group_by: [], group_wait: 1s, group_interval: 1s, repeat_interval: 1s }
inhibit_rules:
  - source_match: { alertname: JobDown }
    target_match: { alertname: InstanceDown }
    equal: [job, zone]
${HOOK}`
  const zone = (name: string, value: string) => ({ name, labels: { job: 'testjob', zone: value } })

  test('an inhibited alert is silent until its source ends', async () => {
    const s = await Scenario.start(INHIBIT)
    await s.run(
      [
        [1, () => s.push(zone('test1', 'aa'), zone('InstanceDown', 'aa'), zone('InstanceDown', 'ab'))],
        [2.2, () => s.push(zone('JobDown', 'aa'))],
        [3.6, () => s.push({ ...zone('JobDown', 'aa'), startS: 2.2, endS: 3.6 })],
      ],
      4.5,
    )
    const aa = '/testjob/aa'
    const ab = '/testjob/ab'
    expect(s.received()).toEqual([
      `2: InstanceDown${aa} 1, InstanceDown${ab} 1, test1${aa} 1`,
      `3: InstanceDown${ab} 1, JobDown${aa} 2.2, test1${aa} 1`,
      `4: InstanceDown${aa} 1, InstanceDown${ab} 1, JobDown${aa} 2.2-3.6, test1${aa} 1`,
    ])
  })

  test('source and target that come and go together', async () => {
    const s = await Scenario.start(INHIBIT)
    const ended = { startS: 1, endS: 2.6 }
    await s.run(
      [
        [1, () => s.push(zone('InstanceDown', 'aa'), zone('JobDown', 'aa'))],
        [2.6, () => s.push({ ...zone('InstanceDown', 'aa'), ...ended }, { ...zone('JobDown', 'aa'), ...ended })],
      ],
      4.5,
    )
    expect(s.received()).toEqual([
      '2: JobDown/testjob/aa 1',
      '3: InstanceDown/testjob/aa 1-2.6, JobDown/testjob/aa 1-2.6',
    ])
  })

  test('an empty inhibition rule does nothing', async () => {
    const s = await Scenario.start(`${route('group_wait: 1s')}\ninhibit_rules: [null]`)
    await s.run([[1, () => s.push({ name: 'a' }, { name: 'b' })]], 3)
    expect(s.received()).toEqual(['2: a 1, b 1'])
  })

  const FAST = route('group_by: [], group_wait: 1s, group_interval: 1s, repeat_interval: 1ms')

  test('a silence mutes while it lasts', async () => {
    const s = await Scenario.start(FAST)
    await s.run(
      [
        [1, () => s.push({ name: 't1' }, { name: 't2' })],
        [2.3, () => silence(s.alertmanager, 't1', 2.5, 4.5)],
      ],
      5.5,
    )
    expect(s.received()).toEqual(['2: t1 1, t2 1', '3: t2 1', '4: t2 1', '5: t1 1, t2 1'])
  })

  test('an expired silence lets the next tick through', async () => {
    const s = await Scenario.start(FAST)
    let id = ''
    await s.run(
      [
        [1, () => s.push({ name: 't1' }, { name: 't2' })],
        [1.3, async () => (id = await silence(s.alertmanager, '.+', 1.5, 100))],
        [3.5, () => s.alertmanager.expireSilence(id)],
      ],
      4.5,
    )
    expect(s.received()).toEqual(['4: t1 1, t2 1'])
  })

  test('mute and active time intervals hold back; the first tick outside tells', async () => {
    // The scenario starts on Monday 2026-01-05 at 12:00 UTC.
    const s = await Scenario.start(`
route:
  receiver: hook
  routes:
    - { matchers: [team=a], mute_time_intervals: [noon], group_wait: 1s, group_interval: 30s }
    - { matchers: [team=b], active_time_intervals: [noon], group_wait: 1s, group_interval: 30s }
    - { matchers: [team=c], mute_time_intervals: [noon in Berlin], group_wait: 1s, group_interval: 30s }
time_intervals:
  - name: noon
    time_intervals: [{ times: [{ start_time: 12:00, end_time: 12:01 }], weekdays: [monday], days_of_month: ['1:7'], months: [january], years: [2026] }]
  - name: noon in Berlin
    time_intervals: [{ times: [{ start_time: '13:00', end_time: '13:01' }], location: Europe/Berlin }]
${HOOK}`)
    const team = (value: string) => ({ name: 'T', labels: { team: value } })
    await s.run([[1, () => s.push(team('a'), team('b'), team('c'))]], 100)
    expect(s.received()).toEqual(['2: T/b 1', '62: T/a 1', '62: T/c 1'])
  })

  test('429 is tried again, no earlier than Retry-After says', async () => {
    const s = await Scenario.start(route('group_wait: 1s'))
    const attempts: number[] = []
    s.client.answer = (_request, atMs) => {
      attempts.push((atMs - START_MS) / 1000)
      s.client.headers = attempts.length === 1 ? { 'retry-after': '7' } : {}
      return attempts.length === 1 ? 429 : 200
    }
    await s.run([[1, () => s.push({ name: 't1' })]], 30)
    expect(attempts).toEqual([2, 9])
    expect(s.received()).toEqual(['9: t1 1'])
  })
})
