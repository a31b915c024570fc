// A query that would hold too much ends as in Prometheus, and what it held is given back.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

const SERIES = 1200
const END_MS = Date.now()
/** Less than the series have points. */
const SAMPLES_MAX = 4_000_000
const STEPS = 10_000
const HELD_BYTES = SAMPLES_MAX * 9
const ROUNDS = 20

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ 'query.max-samples': String(SAMPLES_MAX) })
  const samples = Array.from({ length: SERIES }, (_, i) => ({
    labels: ['__name__', 'wide', 'i', String(i)],
    timestampMs: END_MS,
    value: i,
  }))
  await server.write(samples)
})

afterAll(() => server.stop())

async function ask(query: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const params = new URLSearchParams({
    query,
    start: String(END_MS / 1000),
    end: String(END_MS / 1000 + STEPS / 100),
    step: '0.01',
    nocache: '1',
  })
  const answer = await fetch(`${server.url}/api/v1/query_range?${params}`)
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test('too many samples: Prometheus’ status and words, time after time, without the memory of it growing', async () => {
  await ask('wide')
  const beforeBytes = process.memoryUsage().rss
  for (let round = 0; round < ROUNDS; round++) {
    const { status, body } = await ask('wide')
    expect(status).toBe(422)
    expect(body).toEqual({
      status: 'error',
      errorType: 'execution',
      error: 'query processing would load too many samples into memory in query execution',
    })
  }
  // If a query left anything behind, it would be there as many times as it was asked.
  expect(process.memoryUsage().rss - beforeBytes).toBeLessThan((HELD_BYTES * ROUNDS) / 3)
  // An aggregation of the same holds a series at a time.
  expect(await ask('count(wide)')).toMatchObject({ status: 200, body: { status: 'success' } })
})
