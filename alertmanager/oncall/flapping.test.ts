import { afterEach, describe, expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { type Scenario, START_MS } from '../test-support.ts'
import { fire, livesOf, resolve, startOnCall, withDataDir } from './test-support.ts'

const CONFIG = `
route:
  receiver: page
  group_by: [alertname]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 12h
  routes: [{ receiver: page, matchers: [alertname=Nightly], mute_time_intervals: [quarter] }]
receivers:
  - name: page
    webhook_configs: [{ url: 'http://hook/' }]
# Second 0 of a scenario is noon.
time_intervals: [{ name: quarter, time_intervals: [{ times: [{ start_time: '12:05', end_time: '12:20' }] }] }]
`
const MINUTE_S = 60
let s: Scenario
afterEach(() => s.alertmanager.stop())

/** `second alert status` for each alert of each message, and what a flapping one says. */
const told = (requests = s.client.requests): string[] =>
  requests.flatMap(({ atMs, request }) => {
    const { alerts } = JSON.parse(request.body as string) as {
      alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[]
    }
    return alerts.map(
      ({ status, labels, annotations }) =>
        `${(atMs - START_MS) / 1000} ${labels['alertname']} ${status}${annotations['flapping'] ? ' flapping' : ''}`,
    )
  })

describe('flap damping', () => {
  const ON_CALL = `flap_damping: [{ matchers: [alertname=Flappy], changes: 4, window: 20m, stable_for: 10m }]`
  /** A change each minute from second 0 on, beginning with firing. */
  const flap = async (of: Scenario, changes: number): Promise<void> => {
    for (let i = 0; i < changes; i++) {
      await of.until(i * MINUTE_S)
      if (i % 2 === 0) await of.push({ name: 'Flappy', startS: i * MINUTE_S, endS: 1_000_000 })
      else await of.push({ name: 'Flappy', startS: (i - 1) * MINUTE_S, endS: i * MINUTE_S })
    }
  }

  test('one notice, then quiet, then how it ended', async () => {
    s = await startOnCall(CONFIG, ON_CALL)
    await flap(s, 12)
    expect(s.alertmanager.onCall.flapping()).toEqual([
      expect.objectContaining({ sinceMs: START_MS + 4 * MINUTE_S * 1000, isFiring: false }),
    ])
    expect(s.alertmanager.explain(s.alertmanager.onCall.flapping()[0]!.labels).destinations[0]!.verdict).toMatch(
      /^Kept back: it changed its state 12 times/,
    )
    await s.until(25 * MINUTE_S)
    const lines = told()
    expect(lines.filter((line) => line.endsWith('flapping'))).toHaveLength(1)
    const at = lines.findIndex((line) => line.endsWith('flapping'))
    // The last change came after eleven minutes; ten later it is stable.
    expect(lines.slice(at).map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'Flappy firing flapping',
      'Flappy resolved',
    ])
    expect(Number(lines.at(-1)!.split(' ')[0])).toBeGreaterThanOrEqual(21 * MINUTE_S)
    expect(s.alertmanager.onCall.flapping()).toEqual([])
  })

  test('what fires on when it is stable is told anew', async () => {
    s = await startOnCall(CONFIG, ON_CALL)
    await flap(s, 7)
    await s.until(20 * MINUTE_S)
    expect(
      told()
        .slice(-2)
        .map((line) => line.replace(/^\d+ /, '')),
    ).toEqual(['Flappy firing flapping', 'Flappy firing'])
    await resolve(s, 'Flappy')
    await s.until(22 * MINUTE_S)
    expect(told().at(-1)).toMatch(/Flappy resolved$/)
  })

  test('others are not held, and without a rule nobody is', async () => {
    s = await startOnCall(CONFIG, ON_CALL)
    await flap(s, 8)
    await fire(s, 'Steady')
    await s.until(9 * MINUTE_S)
    expect(told().at(-1)).toMatch(/Steady firing$/)
    await s.alertmanager.stop()
    s = await startOnCall(CONFIG, '{}')
    await flap(s, 12)
    expect(told().every((line) => !line.endsWith('flapping'))).toBe(true)
    expect(s.alertmanager.onCall.flapping()).toEqual([])
  })

  test('the notice comes once to each integration, also where another one fails', async () => {
    const two = CONFIG.replace("[{ url: 'http://hook/' }]", "[{ url: 'http://hook/good' }, { url: 'http://hook/bad' }]")
    s = await startOnCall(two, ON_CALL)
    s.client.answer = ({ url }) => (url.endsWith('bad') ? 400 : 200)
    await flap(s, 12)
    const notices = (): string[] => told().filter((line) => line.endsWith('flapping'))
    expect(notices()).toHaveLength(1)
    // It is still on its way, although nothing else is to be told.
    expect(s.alertmanager.outgoing().map(({ index, reason }) => `${index} ${reason}`)).toEqual(['1 flapping'])
    s.client.answer = () => 200
    await s.until(14 * MINUTE_S)
    expect(notices()).toHaveLength(2)
    expect(s.client.requests.map(({ request }) => request.url).at(-1)).toBe('http://hook/bad')
    expect(s.alertmanager.outgoing()).toEqual([])
  })

  test('how it ended is told also where it was held for more than two repeat intervals', async () => {
    s = await startOnCall(CONFIG.replace('repeat_interval: 12h', 'repeat_interval: 10m'), ON_CALL)
    await flap(s, 60)
    await s.until(75 * MINUTE_S)
    expect(
      told()
        .slice(-2)
        .map((line) => line.replace(/^\d+ /, '')),
    ).toEqual(['Flappy firing flapping', 'Flappy resolved'])
  })

  test('what fires on is told anew once to each integration, also while another one fails', async () => {
    const two = CONFIG.replace("[{ url: 'http://hook/' }]", "[{ url: 'http://hook/good' }, { url: 'http://hook/bad' }]")
    s = await startOnCall(two, ON_CALL)
    await flap(s, 7)
    await s.until(10 * MINUTE_S)
    s.client.answer = ({ url }) => (url.endsWith('bad') ? 400 : 200)
    const before = s.client.requests.length
    await s.until(30 * MINUTE_S)
    const toGood = told(s.client.requests.slice(before).filter(({ request }) => request.url.endsWith('good')))
    expect(toGood.map((line) => line.replace(/^\d+ /, ''))).toEqual(['Flappy firing'])
    s.client.answer = () => 200
    await s.until(32 * MINUTE_S)
    expect(s.client.requests.map(({ request }) => request.url).at(-1)).toBe('http://hook/bad')
    expect(told().at(-1)).toMatch(/Flappy firing$/)
  })

  test('a death neither repeats the notice nor lets go', async () => {
    await withDataDir(async (dataDir) => {
      const endsS = [7.5, 9.5, 14.5].map((minute) => minute * MINUTE_S)
      const lives = await livesOf({ config: CONFIG, onCall: ON_CALL, endsS, dataDir }, (first) => flap(first, 7))
      s = lives.last
      await s.until(25 * MINUTE_S)
      const lines = told([...lives.requests, ...s.client.requests])
      expect(lines.filter((line) => line.endsWith('flapping'))).toHaveLength(1)
      expect(lines.at(-1)).toMatch(/Flappy firing$/)
      expect(lines.filter((line) => line.endsWith('Flappy firing')).length).toBeLessThanOrEqual(5)
    })
  })
})

describe('a resolve inside a mute', () => {
  const silence = (fromMinute: number, toMinute: number): Promise<string> =>
    s.alertmanager.setSilence({
      matchers: [createMatcher('=', 'alertname', 'Down')],
      startsAtMs: START_MS + fromMinute * 60_000,
      endsAtMs: START_MS + toMinute * 60_000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
  const run = async (mode: string): Promise<string[]> => {
    s = await startOnCall(CONFIG, `muted_resolved: ${mode}`)
    await fire(s, 'Down')
    await fire(s, 'Nightly')
    await s.until(2 * MINUTE_S)
    await silence(5, 15)
    await s.until(7 * MINUTE_S)
    await resolve(s, 'Down')
    await resolve(s, 'Nightly')
    // Fires and resolves within the mute: nobody was told of it.
    await s.push({ name: 'Down', labels: { instance: 'short' }, startS: 420, endS: 430 })
    await s.until(60 * MINUTE_S)
    return told()
  }

  test('drop: it is lost, as in the original', async () => {
    expect(await run('drop')).toEqual(['10 Down firing', '10 Nightly firing'])
  })

  test('after: told at the first tick behind the mute, to those who were told of firing', async () => {
    expect(await run('after')).toEqual([
      '10 Down firing',
      '10 Nightly firing',
      '910 Down resolved',
      '1210 Nightly resolved',
    ])
  })

  test('after, where the mute is longer than two repeat intervals', async () => {
    s = await startOnCall(CONFIG.replace('repeat_interval: 12h', 'repeat_interval: 1h'), 'muted_resolved: after')
    await fire(s, 'Down')
    await s.until(5 * MINUTE_S)
    await silence(5, 300)
    await s.until(240 * MINUTE_S)
    await resolve(s, 'Down')
    await s.until(302 * MINUTE_S)
    expect(told()).toEqual(['10 Down firing', `${300 * MINUTE_S + 10} Down resolved`])
  })

  test('through: told at once', async () => {
    expect(await run('through')).toEqual([
      '10 Down firing',
      '10 Nightly firing',
      '430 Down resolved',
      '430 Nightly resolved',
    ])
  })

  test('after, over a death', async () => {
    await withDataDir(async (dataDir) => {
      const endsS = [3, 9, 12].map((minute) => minute * MINUTE_S)
      const lives = await livesOf(
        { config: CONFIG, onCall: 'muted_resolved: after', endsS, dataDir },
        async (first) => {
          s = first
          await fire(s, 'Down')
          await s.until(MINUTE_S)
          await silence(1, 15)
          await s.until(2 * MINUTE_S)
          await resolve(s, 'Down')
        },
      )
      s = lives.last
      await s.until(20 * MINUTE_S)
      expect(told([...lives.requests, ...s.client.requests]).map((line) => line.replace(/^\d+ /, ''))).toEqual([
        'Down firing',
        'Down resolved',
      ])
    })
  })
})
