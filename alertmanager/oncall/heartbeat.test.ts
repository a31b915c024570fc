import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { type Scenario, START_MS } from '../test-support.ts'
import { configOf, fire, livesOf, startOnCall, withDataDir } from './test-support.ts'

const CONFIG = `
route: { receiver: page, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 12h }
receivers:
  - name: page
    webhook_configs: [{ url: 'http://hook/page' }]
`
let s: Scenario
afterEach(() => s.alertmanager.stop())

const secondsOf = (path: string): number[] =>
  s.client.requests
    .filter(({ request }) => new URL(request.url).pathname === path)
    .map(({ atMs }) => (atMs - START_MS) / 1000)

const MINUTE_S = 60

describe('a heartbeat to the outside', () => {
  const ON_CALL = `heartbeats: [{ name: outside, url: 'http://ping/x', interval: 1m, stale_after: 3m, undelivered_after: 5m }]`
  /** As a rule renews its alert. */
  const renew = async (fromS: number, toS: number): Promise<void> => {
    for (let at = fromS; at <= toS; at += MINUTE_S) {
      await s.until(at)
      await s.push({ name: 'Watchdog', startS: 0, endS: at + 4 * MINUTE_S })
    }
  }

  test('comes each interval while the alert is renewed, and stops when the rules do', async () => {
    s = await startOnCall(CONFIG, ON_CALL)
    await renew(0, 5 * MINUTE_S)
    await s.until(20 * MINUTE_S)
    // The last renewal came after five minutes; three minutes later it is stale.
    expect(secondsOf('/x')).toEqual([1, 61, 121, 181, 241, 301, 361, 421])
    expect(s.alertmanager.onCall.heartbeats()).toEqual([
      expect.objectContaining({ name: 'outside', withheld: 'the alert that always fires does not', lastError: '' }),
    ])
    await renew(20 * MINUTE_S, 21 * MINUTE_S)
    await s.until(21 * MINUTE_S + 5)
    expect(secondsOf('/x').at(-1)).toBe(21 * MINUTE_S + 1)
  })

  test('stops when a notification is held up for too long, and comes back when it has arrived', async () => {
    s = await startOnCall(CONFIG, ON_CALL)
    let isDown = true
    s.client.answer = ({ url }) => (url.includes('hook') && isDown ? 503 : 200)
    await renew(0, MINUTE_S)
    await fire(s, 'Down')
    await renew(2 * MINUTE_S, 10 * MINUTE_S)
    expect(s.alertmanager.onCall.heartbeats()[0]!.withheld).toMatch(/^page\/webhook has not taken a notification for/)
    const before = secondsOf('/x').length
    isDown = false
    await renew(11 * MINUTE_S, 14 * MINUTE_S)
    expect(secondsOf('/x').length).toBeGreaterThan(before)
    expect(before).toBeLessThan(9)
    expect(s.alertmanager.explain(s.alertmanager.alerts()[0]!.alert.labels).heartbeats).toHaveLength(
      s.alertmanager.alerts()[0]!.alert.labels.includes('Watchdog') ? 1 : 0,
    )
  })

  test('what nobody is to hear any more does not stop it: silenced, or its integration is gone', async () => {
    const two = CONFIG.replace("'http://hook/page' }", "'http://hook/page' }, { url: 'http://hook/gone' }")
    s = await startOnCall(two, ON_CALL)
    s.client.answer = ({ url }) => (url.includes('hook') ? 400 : 200)
    await fire(s, 'Down')
    await renew(0, 2 * MINUTE_S)
    const waiting = (): string[] => s.alertmanager.outgoing().map(({ groupKey, index }) => `${index} ${groupKey}`)
    expect(waiting()).toContain('1 {}:{alertname="Down"}')
    await s.alertmanager.setSilence({
      matchers: [createMatcher('=', 'alertname', 'Down')],
      startsAtMs: s.clock.nowMs(),
      endsAtMs: START_MS + 86_400_000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
    s.client.answer = ({ url }) => (url.endsWith('gone') ? 400 : 200)
    await renew(3 * MINUTE_S, 4 * MINUTE_S)
    expect(waiting()).toEqual(['1 {}:{alertname="Watchdog"}'])
    await s.alertmanager.applyConfig(configOf(CONFIG, ON_CALL))
    expect(waiting()).toEqual([])
    await renew(5 * MINUTE_S, 15 * MINUTE_S)
    expect(s.alertmanager.onCall.heartbeats()[0]!.withheld).toBe('')
  })

  test('a refusal shows, without the address that is as good as a key', async () => {
    s = await startOnCall(CONFIG, ON_CALL.replace('http://ping/x', 'http://ping/secret-path'))
    s.client.answer = () => 404
    await renew(0, 2 * MINUTE_S)
    expect(s.alertmanager.onCall.heartbeats()[0]).toMatchObject({
      lastSentAtMs: undefined,
      lastError: 'unexpected status code 404',
    })
  })
})

describe('a heartbeat that is expected', () => {
  const ON_CALL = `
expected_heartbeats:
  - { name: backup, interval: 10m, grace: 2m, token: geheim, labels: { team: data } }
  - { name: other-cluster, interval: 5m, grace: 1m, matchers: [alertname=Watchdog, cluster=b] }
`
  const active = (): string[] =>
    s.alertmanager.alerts().map(({ alert }) => alert.labels[alert.labels.indexOf('heartbeat') + 1] ?? '')

  test('pages when it stays away and resolves when it comes', async () => {
    s = await startOnCall(CONFIG, ON_CALL)
    const { onCall } = s.alertmanager
    await expect(onCall.beat('backup', 'wrong')).rejects.toThrow('the token is wrong')
    await expect(onCall.beat('nothing', '')).rejects.toThrow('no heartbeat "nothing"')
    await expect(onCall.beat('other-cluster', '')).rejects.toThrow('by request')
    for (let at = 0; at < 40 * MINUTE_S; at += 4 * MINUTE_S) {
      await s.until(at)
      await s.push({ name: 'Watchdog', labels: { cluster: 'b' }, startS: 0, endS: at + 5 * MINUTE_S })
      if (at <= 20 * MINUTE_S) await onCall.beat('backup', 'geheim')
    }
    // The last beat came after 20 minutes, so that it is missing since 32.
    expect(active()).toContain('backup')
    expect(active()).not.toContain('other-cluster')
    expect(onCall.expectedHeartbeats().map(({ name, isMissing }) => [name, isMissing])).toEqual([
      ['backup', true],
      ['other-cluster', false],
    ])
    const pages = (): string[] => s.received('/page').filter((line) => line.includes('HeartbeatMissing'))
    expect(pages()).toEqual([expect.stringMatching(/^193\d: HeartbeatMissing\/backup\/critical\/data/)])
    await onCall.beat('backup', 'geheim')
    await s.until(42 * MINUTE_S)
    expect(pages()).toHaveLength(2)
    expect(active()).not.toContain('backup')
    await s.until(44 * MINUTE_S)
    expect(active()).toContain('other-cluster')
  })

  test('a token that is empty lets nobody in', async () => {
    const refused = (token: string) => () =>
      configOf(CONFIG, `expected_heartbeats: [{ name: e, interval: 1m, ${token} }]`)
    expect(refused("token: ''")).toThrow(/expected_heartbeats\.0\.token: cannot be empty/)
    expect(refused("token_file: ''")).toThrow(/expected_heartbeats\.0\.token_file: cannot be empty/)
    await withDataDir(async (folder) => {
      const file = join(folder, 'token')
      writeFileSync(file, '\n')
      s = await startOnCall(CONFIG, `expected_heartbeats: [{ name: e, interval: 1m, token_file: ${file} }]`)
      const { onCall } = s.alertmanager
      await expect(onCall.beat('e', undefined)).rejects.toThrow('the token is wrong')
      await expect(onCall.beat('e', '')).rejects.toThrow('the token is wrong')
      writeFileSync(file, 'geheim\n')
      await onCall.beat('e', 'geheim')
    })
  })

  test('is remembered over a death', async () => {
    await withDataDir(async (dataDir) => {
      const lives = await livesOf(
        { config: CONFIG, onCall: ON_CALL, endsS: [5 * MINUTE_S, 11 * MINUTE_S], dataDir },
        (first) => first.alertmanager.onCall.beat('backup', 'geheim'),
      )
      s = lives.last
      await s.until(13 * MINUTE_S - 1)
      expect(active()).toEqual(['other-cluster'])
      // Twelve minutes after the beat, but not before its grace after the start.
      await s.until(13 * MINUTE_S + 10)
      expect(active()).toEqual(['backup', 'other-cluster'])
    })
  })
})
