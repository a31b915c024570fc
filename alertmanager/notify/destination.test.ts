import { expect, test } from 'vitest'
import { Scenario, START_MS } from '../test-support.ts'

const GROUPS = 400
const CONFIG = `
route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1m, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://hook/' }] }]
`

/** Many groups, all due at second 1; the hook refuses what comes before `backS`. */
async function outage(backS: number): Promise<{ scenario: Scenario; triedAtS: number[] }> {
  const scenario = await Scenario.start(CONFIG)
  const triedAtS: number[] = []
  scenario.client.answer = (_request, atMs) => {
    const atS = (atMs - START_MS) / 1000
    triedAtS.push(atS)
    return atS < backS ? 503 : 200
  }
  await scenario.push(...Array.from({ length: GROUPS }, (_, i) => ({ name: `T${i}`, startS: 0 })))
  return { scenario, triedAtS }
}

test('a service that fails is tried by one after the other, at most 200 times a second', async () => {
  const { scenario, triedAtS } = await outage(100)
  await scenario.until(1)
  const first = triedAtS.length
  expect(first).toBeLessThan(GROUPS)
  await scenario.until(9)
  expect(triedAtS.length - first).toBeLessThanOrEqual(8 * 200)
  expect(triedAtS.length - first).toBeGreaterThan(GROUPS)
  const waiting = scenario.alertmanager.outgoing()
  expect(waiting).toHaveLength(GROUPS)
  expect(new Set(waiting.map(({ lastError }) => lastError))).toEqual(new Set(['unexpected status code 503']))
  await scenario.alertmanager.stop()
})

test('when it is back, all that wait in line are told at once', async () => {
  const { scenario } = await outage(1.5)
  await scenario.until(8)
  const atS = scenario.client.requests.map(({ atMs }) => (atMs - START_MS) / 1000)
  expect(atS).toHaveLength(GROUPS)
  expect(scenario.alertmanager.outgoing()).toEqual([])
  // Later come only those whose own pause after a failure was not over.
  expect(atS.filter((one) => one < 3).length).toBeGreaterThan(GROUPS / 2)
  await scenario.alertmanager.stop()
})

test('that one is refused for good does not send all others at once', async () => {
  const { scenario, triedAtS } = await outage(100)
  const { answer } = scenario.client
  scenario.client.answer = (request, atMs) => {
    const status = answer(request, atMs)
    return String(request.body).includes('"T399"') ? 400 : status
  }
  await scenario.until(9)
  const inTenth = new Map<number, number>()
  for (const atS of triedAtS.filter((one) => one > 1))
    inTenth.set(Math.floor(atS * 10), (inTenth.get(Math.floor(atS * 10)) ?? 0) + 1)
  expect(Math.max(...inTenth.values())).toBeLessThanOrEqual(21)
  expect(scenario.alertmanager.notifications().map(({ error }) => error)).toEqual(['unexpected status code 400'])
  await scenario.alertmanager.stop()
})

test('who waits in line while it stops does not hold it up', async () => {
  const { scenario, triedAtS } = await outage(100)
  await scenario.until(1.2)
  const before = triedAtS.length
  await scenario.alertmanager.stop()
  expect(triedAtS.length).toBe(before)
})
