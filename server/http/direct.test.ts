// Routes that are answered ahead of the router: the same answers as the router's, which still has those with an origin.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ 'web.enable-remote-write-receiver': 'true', 'web.route-prefix': '/prom' })
})

afterAll(() => server.stop())

const UNTOLD = /^(?:date|vary|access-control-.*|connection|keep-alive)$/

async function answer(path: string, init: RequestInit, headers: Record<string, string>) {
  const got = await fetch(`${server.url}/prom/api/v1${path}`, { ...init, headers: { ...init.headers, ...headers } })
  const told = [...got.headers].filter(([name]) => !UNTOLD.test(name))
  return { status: got.status, headers: told, body: await got.text() }
}

const form = (content: Record<string, string>): RequestInit => ({ method: 'POST', body: new URLSearchParams(content) })
const protobuf = (body: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-protobuf' },
  body,
})

test.each<[path: string, init: RequestInit, status: number]>([
  ['/query?query=1&time=5', {}, 200],
  ['/query?time=5', form({ query: 'vector(1)', time: '7' }), 200],
  ['/query?query=2&time=5', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }, 200],
  ['/query?query=1%2B', {}, 400],
  ['/query', form({ query: 'vector(1)', time: 'x' }), 400],
  ['/query_range?query=1&start=0&end=10&step=5', {}, 200],
  ['/query_range?query=1&start=0&end=10', {}, 400],
  ['/query', { method: 'DELETE' }, 405],
  ['/write', {}, 405],
  ['/write', protobuf('\0'), 204],
  ['/write', protobuf('no snappy'), 400],
  ['/write', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }, 415],
])('%s %o', async (path, init, status) => {
  const direct = await answer(path, init, {})
  expect(direct.status).toBe(status)
  expect(direct).toEqual(await answer(path, init, { origin: 'http://elsewhere' }))
})

test('a large answer is sent while it is written, the same as in one piece', async () => {
  const endMs = Date.now()
  const series = Array.from({ length: 200 }, (_, i) => ({
    labels: ['__name__', 'wide', 'i', String(i)],
    timestampMs: endMs,
    value: i / 7,
  }))
  await server.write(series)
  const path = `/query_range?query=sqrt(wide)&start=${endMs / 1000}&end=${endMs / 1000 + 200}&step=0.5&nocache=1`
  for (let round = 0; round < 3; round++) {
    const direct = await fetch(`${server.url}/prom/api/v1${path}`)
    expect(direct.headers.get('transfer-encoding')).toBe('chunked')
    const text = await direct.text()
    expect(text.length).toBeGreaterThan(1 << 20)
    expect(text).toBe((await answer(path, {}, { origin: 'http://elsewhere' })).body)
  }
})

test('clients that go away in the middle of a large answer leave nothing behind', async () => {
  const path = `/query_range?query=sqrt(wide)&start=${Date.now() / 1000}&end=${Date.now() / 1000 + 200}&step=0.5`
  // More often than there is room for answers.
  for (let round = 0; round < 30; round++) {
    const { body } = await fetch(`${server.url}/prom/api/v1${path}&nocache=1`)
    const reader = body!.getReader()
    await reader.read()
    await reader.cancel()
  }
  const direct = await fetch(`${server.url}/prom/api/v1${path}`)
  // Only an answer in a room is sent in parts.
  expect(direct.headers.get('transfer-encoding')).toBe('chunked')
  expect(await direct.json()).toMatchObject({ status: 'success' })
})

test('requests are counted by route', async () => {
  const page = await (await fetch(`${server.url}/prom/metrics`)).text()
  expect(page).toMatch(/prometheus_http_requests_total\{handler="\/prom\/api\/v1\/write",code="204"\} 2\n/)
})
