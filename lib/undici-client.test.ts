import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import type { HttpClient, HttpClientConfig } from './http-client.ts'
import { createHttpClient } from './undici-client.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server: Server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(config: HttpClientConfig = {}): HttpClient {
  const made = createHttpClient(config)
  cleanups.push(() => made.close())
  return made
}

const text = (body: Uint8Array): string => Buffer.from(body).toString()

test('sends method, headers and body, and answers any status', async () => {
  const base = await serve((req, res) => {
    let got = ''
    req.on('data', (chunk) => (got += chunk))
    req.on('end', () => {
      res.writeHead(418, { 'X-Seen': `${req.method} ${req.url} ${req.headers['x-a']}` }).end(got)
    })
  })
  const response = await client().request({
    url: `${base}/p?q=1`,
    method: 'POST',
    headers: { 'X-A': 'b' },
    body: 'hello',
    timeoutMs: 5000,
  })
  expect(response.status).toBe(418)
  expect(response.headers['x-seen']).toBe('POST /p?q=1 b')
  expect(text(response.body)).toBe('hello')
})

const BODY = Buffer.from('metric 1\n'.repeat(20_000))
test.each([
  ['gzip', gzipSync(BODY)],
  ['deflate', deflateSync(BODY)],
  ['deflate', deflateRawSync(BODY)],
])('unpacks %s and counts the limit after unpacking', async (encoding, packed) => {
  const base = await serve((_req, res) => res.writeHead(200, { 'Content-Encoding': encoding }).end(packed))
  const response = await client().request({ url: base, timeoutMs: 5000, bodyBytesMax: BODY.length })
  expect(BODY.equals(response.body)).toBe(true)
  await expect(client().request({ url: base, timeoutMs: 5000, bodyBytesMax: BODY.length - 1 })).rejects.toMatchObject({
    code: 'ERR_HTTP_BODY_TOO_LARGE',
  })
})

test('refuses a plain body over the limit, damaged gzip, a cut body', async () => {
  const base = await serve((req, res) => {
    if (req.url === '/gzip') res.writeHead(200, { 'Content-Encoding': 'gzip' }).end('no gzip')
    else if (req.url === '/cut') {
      res.writeHead(200, { 'Content-Length': '100' }).write('short', () => res.destroy())
    } else res.end('0123456789')
  })
  const get = (path: string) => client().request({ url: base + path, timeoutMs: 5000, bodyBytesMax: 9 })
  await expect(get('/')).rejects.toMatchObject({ code: 'ERR_HTTP_BODY_TOO_LARGE' })
  await expect(get('/gzip')).rejects.toMatchObject({ code: 'ERR_HTTP_REQUEST', timedOut: false })
  await expect(get('/cut')).rejects.toMatchObject({ code: 'ERR_HTTP_REQUEST', timedOut: false })
})

test('the deadline covers a body that never ends; a refused connection is no timeout', async () => {
  const base = await serve((_req, res) => void res.writeHead(200).write('first'))
  await expect(client().request({ url: base, timeoutMs: 100 })).rejects.toMatchObject({ timedOut: true })
  await expect(client().request({ url: 'http://127.0.0.1:1/', timeoutMs: 5000 })).rejects.toMatchObject({
    timedOut: false,
  })
})

test('follows redirects; credentials stay with their host', async () => {
  const seen: string[] = []
  const log = (req: IncomingMessage): void => {
    seen.push(`${req.method} ${req.url} ${req.headers.authorization} ${req.headers['x-key']} ${req.headers.accept}`)
  }
  const other = await serve((req, res) => (log(req), res.end('other')))
  const base = await serve((req, res) => {
    log(req)
    if (req.url === '/here') res.end('here')
    else res.writeHead(req.url === '/308' ? 308 : 302, { Location: req.url === '/away' ? `${other}/x` : '/here' }).end()
  })
  const config = { authorization: { type: 'Bearer', credentials: 't' }, headers: { 'X-Key': 'k' } }
  const get = async (path: string, method = 'GET') =>
    text((await client(config).request({ url: base + path, method, headers: { accept: 'a' }, timeoutMs: 5000 })).body)
  expect(await get('/near')).toBe('here')
  expect(await get('/away')).toBe('other')
  expect(await get('/308', 'POST')).toBe('here')
  expect(await get('/302', 'POST')).toBe('here')
  expect(seen).toEqual([
    'GET /near Bearer t k a',
    'GET /here Bearer t k a',
    'GET /away Bearer t k a',
    'GET /x undefined undefined a',
    'POST /308 Bearer t k a',
    'POST /here Bearer t k a',
    'POST /302 Bearer t k a',
    'GET /here Bearer t k a',
  ])
  expect((await client({ followRedirects: false }).request({ url: `${base}/near`, timeoutMs: 5000 })).status).toBe(302)
})

test('stops a redirect loop', async () => {
  const base = await serve((_req, res) => res.writeHead(302, { Location: '/' }).end())
  await expect(client().request({ url: base, timeoutMs: 5000 })).rejects.toThrow('stopped after 10 redirects')
})

test('reads a password file again at each request', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'belltower-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  const passwordFile = join(folder, 'password')
  const base = await serve((req, res) => res.end(req.headers.authorization))
  const made = client({ basicAuth: { username: 'u', passwordFile } })
  for (const password of ['one', 'two']) {
    await writeFile(passwordFile, `${password}\n`)
    const { body } = await made.request({ url: base, timeoutMs: 5000 })
    expect(Buffer.from(text(body).slice(6), 'base64').toString()).toBe(`u:${password}`)
  }
  await rm(passwordFile)
  await expect(made.request({ url: base, timeoutMs: 5000 })).rejects.toThrow('unable to read')
})

test('goes through a proxy', async () => {
  const proxy = await serve((req, res) => res.end(`proxied ${req.url}`))
  const { body } = await client({ proxyUrl: proxy }).request({ url: 'http://example.test/metrics', timeoutMs: 5000 })
  expect(text(body)).toBe('proxied http://example.test/metrics')
})

test('keeps the connection between requests', async () => {
  const ports = new Set<number | undefined>()
  const base = await serve((req, res) => (ports.add(req.socket.remotePort), res.end()))
  const made = client()
  for (let i = 0; i < 8; i++) await made.request({ url: base, timeoutMs: 5000 })
  // A request right behind an answer may still find the first connection busy.
  expect(ports.size).toBeLessThanOrEqual(2)
})
