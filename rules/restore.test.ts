import { expect, test } from 'vitest'
import { labelsFromRecord } from '../model/index.ts'
import { createBench, MemoryStore, MINUTE_MS, named } from './testing/harness.ts'

const FILE = `groups:
- name: g
  rules:
  - alert: Down
    expr: up
    for: 30m
`
const SERIES = labelsFromRecord(named('ALERTS_FOR_STATE', { alertname: 'Down', job: 'node' }))

interface Case {
  readonly name: string
  /** Minutes before the start at which the alert had begun and at which its last sample was written. */
  readonly activeAgo: number
  readonly downAgo: number
  readonly endedBefore?: boolean
  /** Minutes after the start at which it fires; -1 for not within an hour. */
  readonly firesAfter: number
}

// The state is taken up after the second evaluation, one minute after the start.
const CASES: readonly Case[] = [
  { name: 'it was firing: fires at the next evaluation', activeAgo: 50, downAgo: 5, firesAfter: 2 },
  { name: 'little was left: exactly the grace period remains', activeAgo: 30, downAgo: 5, firesAfter: 1 + 10 },
  { name: 'much was left: the outage is added', activeAgo: 20, downAgo: 10, firesAfter: 1 + 20 },
  { name: 'it had ended: begins anew', activeAgo: 50, downAgo: 5, endedBefore: true, firesAfter: 30 },
  { name: 'too long ago: begins anew', activeAgo: 200, downAgo: 70, firesAfter: 30 },
]

test.each(CASES)('$name', async ({ activeAgo, downAgo, endedBefore, firesAfter }) => {
  const store = new MemoryStore()
  const bench = createBench(() => [[named('up', { job: 'node' }), 1]], { store })
  const startMs = bench.clock.nowMs()
  const before = store.appender()
  before.append(undefined, SERIES, startMs - downAgo * MINUTE_MS, (startMs - activeAgo * MINUTE_MS) / 1000)
  if (endedBefore) await before.commit()
  if (endedBefore) before.appendStale(undefined, SERIES, startMs - downAgo * MINUTE_MS + 1000)
  await before.commit()

  await bench.load(FILE)
  bench.manager.start()
  let fired = -1
  await bench.tick(0)
  for (let minute = 0; minute < 60 && fired < 0; minute++) {
    if (bench.manager.alerts()[0]!.state === 'firing') fired = minute
    else await bench.tick()
  }
  expect(fired).toBe(firesAfter)
  await bench.manager.stop()
})

test('a rule that waits less than the grace period is not restored, and writes from the second evaluation on', async () => {
  const store = new MemoryStore()
  const bench = createBench(() => [[named('up', { job: 'node' }), 1]], { store })
  const before = store.appender()
  before.append(undefined, SERIES, bench.clock.nowMs() - MINUTE_MS, 1)
  await before.commit()
  await bench.load(FILE.replace('30m', '5m'))
  bench.manager.start()
  await bench.tick(4)
  expect(bench.manager.alerts()[0]!.state).toBe('pending')
  await bench.tick(1)
  expect(bench.manager.alerts()[0]!.state).toBe('firing')
  await bench.manager.stop()
})

test('a store that cannot be read does not stop the rules', async () => {
  const bench = createBench(() => [[named('up'), 1]], { queryRange: () => Promise.reject(new Error('no disk')) })
  await bench.load(FILE)
  bench.manager.start()
  await bench.tick(31)
  expect(bench.manager.alerts()[0]!.state).toBe('firing')
  await bench.manager.stop()
})
