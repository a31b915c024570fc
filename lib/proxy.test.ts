import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { proxyOf } from './proxy.ts'
import { createHttpClient } from './undici-client.ts'

const PROXY = 'http://proxy:3128'

test.each<[url: string, noProxy: string, isDirect: boolean]>([
  ['http://example.org/', '', false],
  ['http://example.org/', 'example.org', true],
  ['http://www.example.org/', 'example.org', true],
  ['http://notexample.org/', 'example.org', false],
  ['http://example.org/', '.example.org', false],
  ['http://a.example.org/', '*.example.org', true],
  ['http://example.org:8080/', 'example.org:80', false],
  ['http://example.org/', 'example.org:80', true],
  ['http://10.1.2.3/', '10.0.0.0/8', true],
  ['http://11.1.2.3/', '10.0.0.0/8, 11.1.2.3', true],
  ['http://[2001:db8::1]/', '2001:db8::/32', true],
  ['http://10.1.2.3/', '2001:db8::/32', false],
  ['http://anything/', '*', true],
])('%s with no_proxy %j: direct %s', (url, noProxy, isDirect) => {
  expect(proxyOf(new URL(url), { proxyUrl: PROXY, noProxy }, {})).toBe(isDirect ? undefined : PROXY)
  const env = { HTTP_PROXY: 'proxy:3128', no_proxy: noProxy }
  expect(proxyOf(new URL(url), { proxyFromEnvironment: true }, env)).toBe(isDirect ? undefined : PROXY)
})

test('the environment names a proxy by protocol; this machine is never asked through it', () => {
  const env = { https_proxy: PROXY }
  const of = (url: string) => proxyOf(new URL(url), { proxyFromEnvironment: true }, env)
  expect([of('https://a/'), of('http://a/'), of('https://localhost/'), of('https://127.0.0.1/')]).toEqual([
    PROXY,
    undefined,
    undefined,
    undefined,
  ])
  expect(proxyOf(new URL('https://a/'), {}, env)).toBeUndefined()
})

test('requests go through the proxy, those to exceptions do not', async () => {
  const asked: string[] = []
  const listen = async (name: string) => {
    const server = createServer((request, response) => {
      asked.push(`${name} ${request.url}`)
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }
  const [proxy, origin] = [await listen('proxy'), await listen('origin')]
  const client = createHttpClient({ proxyUrl: proxy.url, noProxy: '192.0.2.0/24' })
  try {
    await client.request({ url: 'http://target.example/metrics', timeoutMs: 5000 })
    await client.request({ url: `${origin.url}/metrics`, timeoutMs: 5000 })
    expect(asked).toEqual(['proxy http://target.example/metrics', 'origin /metrics'])
  } finally {
    await client.close()
    for (const { server } of [proxy, origin]) await new Promise((resolve) => server.close(resolve))
  }
})
