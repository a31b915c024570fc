import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { type Scenario, START_MS } from '../test-support.ts'
import { configOf, fire, livesOf, resolve, startOnCall, withDataDir } from './test-support.ts'

// Messages go to a gateway of one's own, which takes them as JSON.
const CONFIG = `
route: { receiver: page, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 1h }
receivers:
  - name: page
    sms_configs: &sms
      - { provider: http, to: ['+100'], url: 'http://gateway/', body: '{{ .To }}', text: 'on call: {{ .OnCall }}' }
  - name: manager
    sms_configs: *sms
`
const PEOPLE = `
people:
  - { name: anna, phone: '+1001', email: anna@example.com }
  - { name: boris, phone: '+1002' }
  - { name: carl, phone: '+1003' }
`
// Second 0 of a scenario is noon of Monday, 5 January.
const SCHEDULES = `
schedules:
  - name: primary
    time_zone: UTC
    layers: [{ people: [anna, boris], start: 2026-01-05, hand_over: '12:30', rotation: daily }]
`
const HOUR_S = 3600
const at = (second: number): number => START_MS + second * 1000

let s: Scenario
afterEach(() => s.alertmanager.stop())

const told = (requests = s.client.requests): string[] =>
  requests.map(({ atMs, request }) => `${(atMs - START_MS) / 1000} ${String(request.body)}`)

const BOUND = `${PEOPLE}${SCHEDULES}receivers: [{ receiver: page, schedule: primary }]`

describe('a receiver whose recipients are on call', () => {
  test('tells whoever has the shift, and of the end those who were told of the beginning', async () => {
    s = await startOnCall(CONFIG, BOUND)
    await s.until(HOUR_S)
    await fire(s, 'Down')
    await s.until(25 * HOUR_S)
    // Told to anna each hour, and to boris after the hand-over at 12:30 of the next day.
    expect(told()[0]).toBe('3600 +1001')
    expect(new Set(told().map((line) => line.split(' ')[1]))).toEqual(new Set(['+1001', '+1002']))
    const before = told().length
    await resolve(s, 'Down')
    await s.until(25 * HOUR_S + 90)
    expect(
      told()
        .slice(before)
        .map((line) => line.split(' ')[1]),
    ).toEqual(['+1001', '+1002'])
    expect(s.alertmanager.notifications()[0]).toMatchObject({ people: 'anna' })
  })

  test('that nobody is on call is said when somebody would be told, not at each tick', async () => {
    let warnings = 0
    const logger = pino(
      { level: 'warn' },
      { write: (line) => void (warnings += Number(/Nobody is on call/.test(line))) },
    )
    const later = BOUND.replace('start: 2026-01-05', 'start: 2026-02-05')
    s = await startOnCall(CONFIG, later, { logger })
    await fire(s, 'Down')
    await s.until(HOUR_S - 60)
    expect(told()).toEqual(['10 +100'])
    expect(warnings).toBe(1)
  })

  test('in a gap its own recipients are told', async () => {
    s = await startOnCall(CONFIG, BOUND)
    await fire(s, 'Down')
    await s.until(60)
    expect(told()).toEqual(['10 +100'])
  })

  test('an override takes the place of the shift, and survives a death', async () => {
    await withDataDir(async (dataDir) => {
      const lives = await livesOf({ config: CONFIG, onCall: BOUND, endsS: [HOUR_S], dataDir }, async (first) => {
        await first.until(100)
        await first.alertmanager.onCall.roster.addOverride({
          schedule: 'primary',
          people: ['carl'],
          fromMs: at(0),
          toMs: at(2 * HOUR_S),
          comment: 'swap',
          createdBy: 'anna',
        })
      })
      s = lives.last
      const { roster } = s.alertmanager.onCall
      expect(roster.view('primary', at(HOUR_S))).toMatchObject({
        people: [{ name: 'carl' }],
        source: 'override',
        untilMs: at(2 * HOUR_S),
        next: ['anna'],
      })
      await fire(s, 'Down')
      await s.until(HOUR_S + 60)
      expect(told()).toEqual(['3600 +1003'])
      await roster.removeOverride(roster.overrides()[0]!.id)
      expect(roster.peopleOn('primary', at(HOUR_S)).map(({ name }) => name)).toEqual(['anna'])
    })
  })

  test('a step may tell others through the same receiver', async () => {
    s = await startOnCall(
      CONFIG,
      `${PEOPLE}${SCHEDULES}
receivers:
  - receiver: page
    schedule: primary
    escalation: { steps: [{ after: 5m, receiver: page, people: [carl] }, { after: 5m, receiver: manager }] }
`,
    )
    await s.until(HOUR_S)
    await fire(s, 'Down')
    await s.until(HOUR_S + 1000)
    expect(told()).toEqual(['3600 +1001', '3900 +1003', '4200 +100'])
    await resolve(s, 'Down')
    await s.until(HOUR_S + 1100)
    expect(
      told()
        .slice(3)
        .map((line) => line.split(' ')[1])
        .sort(),
    ).toEqual(['+100', '+1001', '+1003'])
  })
})

describe('what cannot be meant is refused, with its place', () => {
  const faults = (onCall: string): string => {
    try {
      configOf(CONFIG, onCall)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  test.each([
    ['receivers: [{ receiver: nobody }]', /on-call\.yml:1:15: receivers\.0\.receiver: .* no receiver "nobody"/],
    ['receivers: [{ receiver: page, schedule: x }]', /receivers\.0\.schedule: there is no schedule "x"/],
    ['people: [{ name: a, phone: abc }]', /people\.0\.phone: expected a number/],
    ['people: [{ name: a }, { name: a }]', /people\.1\.name: "a" is not unique/],
    [
      'schedules: [{ name: s, time_zone: Mars/Base, layers: [{ people: [a], start: 2026-01-01, rotation: daily }] }]',
      /schedules\.0\.time_zone: .*Mars/,
    ],
    [
      'schedules: [{ name: s, time_zone: UTC, layers: [{ people: [a], start: tomorrow, rotation: hourly }] }]',
      /layers\.0\.start: expected a date[\s\S]*layers\.0\.rotation: expected daily/,
    ],
    [
      'schedules: [{ name: s, time_zone: UTC, layers: [{ people: [a], start: 2026-02-31, rotation: daily }] }]',
      /layers\.0\.start: expected a date and time such as .*, not 2026-02-31/,
    ],
    [
      'schedules: [{ name: s, time_zone: UTC, layers: [{ people: [a], start: 2026-01-01, rotation: 7d }] }]',
      /layers\.0\.people\.0: nobody under people is called "a"/,
    ],
    [
      `people: [{ name: a, email: a@b }]\nschedules: [{ name: s, time_zone: UTC, layers: [{ people: [a], start: 2026-01-01, rotation: 7d }] }]\nreceivers: [{ receiver: page, schedule: s }]`,
      /receivers\.0\.schedule: "a" has none of: phone/,
    ],
    ['heartbeats: [{ name: h }]', /heartbeats\.0\.url: exactly one of url & url_file/],
    [
      `people: [{ name: a }]\nschedules: [{ name: s, time_zone: UTC, layers: [{ people: [a], start: 2026-01-05, end: 2026-01-05T08:00, hand_over: '09:00', rotation: daily }] }]`,
      /layers\.0\.end: is not after the first hand-over/,
    ],
    [
      `heartbeats: [{ name: h, url: 'http://x/', headers: { Host: a, content-length: '5', 'a b': c, X-Ok: d, X-Line: "e\\nf" } }]`,
      /headers\.Host: it is set by[^]*headers\.content-length: it is set by[^]*headers\.a b: that is no name[^]*headers\.X-Line: its value/,
    ],
    ["heartbeats: [{ name: h, url: 'http://x/', body: hi }]", /heartbeats\.0\.body: GET sends none/],
    ['heartbeats: [{ name: h, url: ftp://x }]', /heartbeats\.0\.url: expected an http or https URL/],
    ['expected_heartbeats: [{ name: "a b", interval: 1m }]', /expected_heartbeats\.0\.name: /],
    ['flap_damping: [{ changes: 1, window: 1m }]', /flap_damping\.0\.changes/],
    ['muted_resolved: never', /muted_resolved/],
    ['pople: []', /pople: unknown key/],
    [
      'receivers: [{ receiver: page, escalation: { steps: [{ after: 5m, receiver: boss }] } }]',
      /steps\.0\.receiver: .* no receiver "boss"/,
    ],
  ])('%s', (onCall, why) => {
    expect(faults(onCall)).toMatch(why)
    s ??= undefined as never
  })
})
