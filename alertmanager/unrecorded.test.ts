// What becomes of an alert when the process dies between a provider's answer and the record of it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Scenario } from './test-support.ts'

const CONFIG = `
route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://hook/' }] }]
`
let base = ''
const lives: Scenario[] = []

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'belltower-unrecorded-'))
})
afterEach(async () => {
  for (const { alertmanager } of lives.splice(0)) await alertmanager.stop()
  rmSync(base, { recursive: true })
})

/** The state that a life leaves behind which ends at second 2 without a word. */
async function died(answer: () => number | Promise<number>): Promise<string> {
  const [dataDir, left] = [join(base, 'first'), join(base, 'left')]
  const first = await Scenario.start(CONFIG, { dataDir })
  let asked = 0
  first.client.answer = () => {
    asked++
    return answer()
  }
  await first.push({ name: 'T', startS: 0 })
  await first.until(1)
  expect(asked).toBe(1)
  // What has become of it is on disk when this is.
  await first.push({ name: 'T', startS: 0 })
  cpSync(dataDir, left, { recursive: true })
  lives.push(first)
  return left
}

/** The next life, in which the alert ends at second 3, as soon as it begins. */
async function nextLife(dataDir: string): Promise<Scenario> {
  const next = await Scenario.start(CONFIG, { dataDir }, 3)
  await next.push({ name: 'T', startS: 0, endS: 3 })
  await next.run([], 12)
  return next
}

test('told as firing, perhaps: that it is over is told', async () => {
  let answer = (_status: number): void => {}
  const left = await died(() => new Promise((resolve) => (answer = resolve)))
  expect((await nextLife(left)).received()).toEqual(['3: T 0-3'])
  answer(200)
})

test('surely not told: nothing is over', async () => {
  expect((await nextLife(await died(() => 400))).received()).toEqual([])
})

test('told and recorded: that it is over is told once', async () => {
  expect((await nextLife(await died(() => 200))).received()).toEqual(['3: T 0-3'])
})
