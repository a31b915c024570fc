import { expect, test } from 'vitest'
import { Registry } from '../lib/metrics.ts'
import { LOOP_LAG_METRICS, registerLoopLag } from './loop-lag.ts'
import { registerProcessMetrics } from './self-metrics.ts'

const BLOCKED_MS = 700
const LATE_SECONDS_MIN = 0.4

const valueOf = (page: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1])

test('a loop that is held up is late, until the page of metrics that says so', async () => {
  const registry = new Registry()
  registerLoopLag(registry)
  const untilMs = performance.now() + BLOCKED_MS
  while (performance.now() < untilMs);
  // The timer that is late comes before this one.
  await new Promise((resolve) => setTimeout(resolve, 1))
  const page = await registry.metrics()
  for (const name of LOOP_LAG_METRICS.filter((name) => !name.includes('stddev'))) {
    expect(valueOf(page, name)).toBeGreaterThan(LATE_SECONDS_MIN)
  }
  expect(valueOf(await registry.metrics(), 'nodejs_eventloop_lag_max_seconds')).toBe(0)
})

test('the process tells of its loop once, with the names that boards for Node.js ask for', async () => {
  const registry = new Registry()
  registerProcessMetrics(registry, '1.2.3', { successful: true, timeMs: 0 })
  const page = await registry.metrics()
  for (const name of LOOP_LAG_METRICS) expect(page.match(new RegExp(`^${name} `, 'gm'))).toHaveLength(1)
})
