import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})

afterAll(() => server.stop())

/** What is answered ahead of the router, and by the router, which has what says where its page comes from. */
const both = (path: string): Promise<Response[]> =>
  Promise.all([
    fetch(`${server.url}${path}`),
    fetch(`${server.url}${path}`, { headers: { origin: 'http://elsewhere.test' } }),
  ])

test.each(['/metrics', '/-/ready', '/-/healthy'])('%s is the same ahead of the router and by it', async (path) => {
  const [direct, routed] = await both(path)
  for (const answer of [direct!, routed!]) expect(answer.status).toBe(200)
  expect(direct!.headers.get('content-type')).toBe(routed!.headers.get('content-type'))
  const names = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('# TYPE'))
  const [directText, routedText] = [await direct!.text(), await routed!.text()]
  if (path === '/metrics') expect(names(directText)).toEqual(names(routedText))
  else expect(directText).toBe(routedText)
})

test('/metrics is packed for those who take it so on another machine', async () => {
  const ask = (headers: Record<string, string>): Promise<Response> => fetch(`${server.url}/metrics`, { headers })
  const near = await ask({ 'accept-encoding': 'gzip' })
  const far = await ask({ 'accept-encoding': 'gzip', 'x-forwarded-for': '192.0.2.1' })
  const plain = await ask({ 'accept-encoding': 'identity', 'x-forwarded-for': '192.0.2.1' })
  expect([near, far, plain].map((answer) => answer.headers.get('content-encoding'))).toEqual([null, 'gzip', null])
  for (const answer of [near, far, plain]) expect(await answer.text()).toMatch(/^prometheus_build_info\{/m)
})

test('several at once that only the router answers wait for it together', async () => {
  const fresh = await startTestServer()
  try {
    const answers = await Promise.all(['/version', '/api/v1/labels', '/nowhere'].map((path) => fetch(fresh.url + path)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404])
  } finally {
    await fresh.stop()
  }
})
