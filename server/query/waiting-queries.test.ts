// One worker, and a query that keeps it busy: what happens to those that wait.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

const END = Math.floor(Date.now() / 1000)

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  const samples = Array.from({ length: 2000 }, (_, i) => ({
    labels: ['__name__', 'wide', 'i', String(i)],
    timestampMs: END * 1000,
    value: i,
  }))
  await server.write(samples)
})

afterAll(() => server.stop())

const slow = {
  query: 'stddev_over_time(wide[1h:1s])',
  start: String(END),
  end: String(END + 10_000),
  step: '1',
  lookback_delta: '1d',
}
let answered: Promise<Response>

beforeEach(async () => {
  answered = fetch(`${server.url}/api/v1/query_range?${new URLSearchParams(slow)}`)
  await expect.poll(() => server.stack.pool.active().map(({ state }) => state)).toEqual(['running'])
})

afterEach(async () => {
  const [query] = server.stack.pool.active()
  // It was busy all the time.
  expect(query?.expr).toBe(slow.query)
  server.stack.pool.kill(query!.id)
  expect((await answered).status).toBe(499)
})

test('the time limit is of waiting and running together', async () => {
  const answer = await fetch(`${server.url}/api/v1/query?query=vector(1)&timeout=300ms`)
  expect(answer.status).toBe(503)
  const error = 'query timed out in query queue'
  expect(await answer.json()).toEqual({ status: 'error', errorType: 'timeout', error })
})

test.each(['0', '-1', '-0.5'])('a time limit of %s is over at once', async (timeout) => {
  const answer = await fetch(`${server.url}/api/v1/query?query=vector(1)&timeout=${timeout}`)
  expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
    503,
    'query timed out in query queue',
  ])
})

test('rules get a worker of their own', async () => {
  const { pool } = server.stack
  const waiting = fetch(`${server.url}/api/v1/query?query=vector(1)`)
  const queries = [{ expr: 'vector(2)', timeMs: 0, listId: 0 }]
  for (let round = 0; round < 2; round++) {
    const packed = await pool.run<object>('instantValues', { queries, timeoutMs: 60_000 }, { queryClass: 'rule' })
    expect(packed).toHaveProperty('values')
  }
  expect(pool.runningWorkers).toBe(2)
  // Nobody else does.
  expect(pool.active().map(({ expr, state }) => [expr, state])).toEqual([
    [slow.query, 'running'],
    ['vector(1)', 'waiting'],
  ])
  pool.kill(pool.active()[1]!.id)
  expect((await waiting).status).toBe(499)
})
