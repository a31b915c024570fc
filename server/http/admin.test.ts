import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

const T = Date.now() - 60_000
let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ 'web.enable-admin-api': 'true' })
  await server.write(['a', 'b', 'c'].map((name) => ({ labels: ['__name__', name], timestampMs: T, value: 1 })))
})
afterAll(() => server.stop())

const admin = (path: string, method = 'POST'): Promise<Response> =>
  fetch(`${server.url}/api/v1/admin/tsdb/${path}`, { method })
const names = async (): Promise<string[]> => {
  const answer = await fetch(`${server.url}/api/v1/query?query={__name__=~"a|b|c"}&time=${T / 1000}`)
  const { data } = (await answer.json()) as { data: { result: { metric: { __name__: string } }[] } }
  return data.result.map(({ metric }) => metric.__name__).sort()
}

test('series are deleted, by several selectors and in a range', async () => {
  expect((await admin(`delete_series?match[]=a&match[]=b&end=${T / 1000 - 1}`)).status).toBe(204)
  expect(await names()).toEqual(['a', 'b', 'c'])
  const answer = await admin(`delete_series?match[]=a&match[]=b`, 'PUT')
  expect([answer.status, await answer.text()]).toEqual([204, ''])
  expect(await names()).toEqual(['c'])
  expect((await admin('clean_tombstones')).status).toBe(204)
  expect(await names()).toEqual(['c'])
})

test.each([
  ['delete_series', 'no match[] parameter provided'],
  ['delete_series?match[]=c&match[]={a=""}', 'must contain at least one non-empty matcher'],
  ['delete_series?match[]=c{', 'invalid parameter "match[]"'],
  ['delete_series?match[]=c&start=x', 'cannot parse "x" to a valid timestamp'],
  ['snapshot?skip_head=maybe', 'unable to parse boolean "maybe"'],
])('%s is 400 and deletes nothing', async (path, why) => {
  const answer = await admin(path)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ errorType: 'bad_data', error: expect.stringContaining(why) })
  expect(await names()).toEqual(['c'])
})

test('a snapshot has a name, and lies in the data folder', async () => {
  const { data } = (await (await admin('snapshot')).json()) as { data: { name: string } }
  expect(existsSync(join(server.folder, 'data/snapshots', data.name))).toBe(true)
})
