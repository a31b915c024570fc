import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

const WORKERS = 2

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ 'query.workers': String(WORKERS) })
})

afterAll(() => server.stop())

test('a second worker starts when queries wait, and both answer', async () => {
  const { pool } = server.stack
  expect(pool.runningWorkers).toBe(1)
  expect(pool.workerCount).toBe(WORKERS)
  const ask = async (i: number): Promise<string> => {
    const answer = await fetch(`${server.url}/api/v1/query?query=vector(${i})`)
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
    return data.result[0]!.value[1]
  }
  const asked = Array.from({ length: 20 }, (_, i) => i)
  expect(await Promise.all(asked.map(ask))).toEqual(asked.map(String))
  expect(pool.runningWorkers).toBe(WORKERS)
  // The new one may still be loading; it must not swallow what it is given.
  expect(await Promise.all(asked.map(ask))).toEqual(asked.map(String))
})
