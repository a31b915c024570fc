// Columnar answers over HTTP, read with an ordinary MessagePack reader.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { unpackMultiple } from 'msgpackr'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isStaleNaN } from '../../model/index.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const T = Date.now() - 600_000
let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  await server.write([
    { labels: ['__name__', 'a', 'i', '1'], timestampMs: T, value: 1 },
    { labels: ['__name__', 'a', 'i', '2'], timestampMs: T + 20_000, value: Number.NaN },
    { labels: ['__name__', 'a', 'i', '1'], timestampMs: T + 20_000, value: -0 },
  ])
})
afterAll(() => server.stop())

interface Answer {
  readonly series: { readonly labels: string[]; readonly values: Uint8Array }[]
  readonly warnings: string[]
  readonly error?: string
  readonly errorType?: string
}

async function ask(body: unknown): Promise<{ status: number; bytes: Uint8Array }> {
  const answer = await fetch(`${server.url}/api/belltower/v1/query_range_columns`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) }
}

const read = (bytes: Uint8Array) => unpackMultiple(bytes)![0] as [Record<string, number>, ...Answer[]]

/** Points of a column; one that does not exist as `gap`. */
function points({ values }: { values: Uint8Array }): (number | 'gap')[] {
  const column = new Float64Array(values.slice().buffer)
  return Array.from(column, (value, i) => (isStaleNaN(column, i) ? 'gap' : value))
}

test('several queries on one grid; gaps are no values, and NaN is one', async () => {
  const { status, bytes } = await ask({
    queries: [{ expr: 'last_over_time(a[5s])' }, { expr: 'a', limit: 1 }, { expr: '1 +' }, { expr: 'none' }],
    startMs: T,
    endMs: T + 25_000,
    stepMs: 10_000,
  })
  expect(status).toBe(200)
  const [grid, first, second, third, fourth] = read(bytes)
  expect(grid).toEqual({ startMs: T, stepMs: 10_000, count: 3 })
  expect(first!.series.map(({ labels }) => labels)).toEqual([
    ['__name__', 'a', 'i', '1'],
    ['__name__', 'a', 'i', '2'],
  ])
  expect(first!.series.map(points)).toEqual([
    [1, 'gap', -0],
    ['gap', 'gap', Number.NaN],
  ])
  expect(second!.series.map(points)).toEqual([[1, 1, -0]])
  expect(second!.warnings).toEqual(['results truncated due to limit'])
  expect(third).toMatchObject({ errorType: 'bad_data', error: expect.stringContaining('parse error') })
  expect(fourth).toEqual({ series: [], warnings: [], infos: [] })
})

test('the worked example of the document is what is sent', async () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/formats/query-columns.md', import.meta.url)), 'utf8')
  const [, example] = /```\n(dc 00 02\n[0-9a-f\s]+)```/.exec(document)!
  const { bytes } = await ask({ queries: [{ expr: 'vector(1)' }], startMs: 1000, endMs: 1000, stepMs: 1000 })
  expect(Buffer.from(bytes).toString('hex')).toBe(example!.replace(/\s/g, ''))
})

test.each([
  [{ queries: [], startMs: 0, endMs: 1 }, 'stepMs'],
  [{ queries: [], startMs: 2, endMs: 1, stepMs: 1 }, 'end timestamp must not be before start time'],
  [{ queries: [], startMs: 0, endMs: 11_001, stepMs: 1 }, 'more than 11000 points'],
  ['text', 'invalid body'],
])('%j is 400', async (body, why) => {
  const { status, bytes } = await ask(body)
  expect(status).toBe(400)
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
    errorType: 'bad_data',
    error: expect.stringContaining(why),
  })
})
