// Small queries answered on the asking thread: the same bytes as a worker's, and only where they are allowed to be.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

let server: TestServer
let ran = 0

beforeAll(async () => {
  server = await startTestServer()
  const timestampMs = Date.now()
  const series = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      labels: ['__name__', name, 'instance', `host${i}`],
      timestampMs,
      value: i / 3,
    }))
  await server.write([...series('few', 5), ...series('many', 300)])
  const { pool } = server.stack
  const run = pool.run.bind(pool) as (...args: unknown[]) => Promise<unknown>
  Object.assign(pool, {
    run: (...args: unknown[]) => {
      ran++
      return run(...args)
    },
  })
})

afterAll(() => server.stop())

/** Asks until nobody can think that the query is unknown. @returns the answers, and how often a worker ran */
async function askOften(query: string, parameters: Record<string, string> = {}) {
  const time = String(Math.ceil(Date.now() / 1000))
  const url = `${server.url}/api/v1/query?${new URLSearchParams({ query, time, ...parameters })}`
  const before = ran
  const bodies = new Set<string>()
  // A busy machine can make a worker slow at any time, after which it takes more runs.
  for (let i = 0; i < 200; i++) bodies.add(await (await fetch(url)).text())
  return { bodies: [...bodies], workerRuns: ran - before }
}

test.each(['few', 'sum(few)', 'few > 1', 'count by (instance) (few * 2)', '1 + 1', 'topk(2, few)'])(
  'known to be small, answered without a worker in the same bytes: %s',
  async (query) => {
    const { bodies, workerRuns } = await askOften(query)
    expect(bodies).toHaveLength(1)
    expect(workerRuns).toBeLessThan(200)
  },
)

test.each([
  'many',
  'rate(few[5m])',
  'few offset 1m',
  'few @ start()',
  '{instance="host1"}',
  'max_over_time(few[5m:1m])',
])('always for a worker: %s', async (query) => {
  const { bodies, workerRuns } = await askOften(query)
  expect(bodies).toHaveLength(1)
  expect(workerRuns).toBe(200)
})

test('errors are those of a worker', async () => {
  const query = 'few + on (job) few'
  const { bodies, workerRuns } = await askOften(query)
  expect(bodies).toHaveLength(1)
  expect(bodies[0]).toContain('"errorType":"execution"')
  expect(workerRuns).toBe(200)
})

test('new samples are seen at once', async () => {
  await askOften('few')
  const timestampMs = Date.now()
  await server.write([{ labels: ['__name__', 'few', 'instance', 'host9'], timestampMs, value: 42 }])
  const { bodies } = await askOften('few')
  expect(bodies).toHaveLength(1)
  expect(bodies[0]).toContain('"42"')
})
