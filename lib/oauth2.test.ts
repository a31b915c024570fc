import { createVerify, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { HttpClientConfig, OAuth2Config } from './http-client.ts'
import { createHttpClient } from './undici-client.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Answer = { status?: number; body: unknown }

/** A token server and a guarded page in one; remembers what was asked. */
async function serve(token: (form: URLSearchParams, request: IncomingMessage) => Answer) {
  const seen: string[] = []
  const forms: URLSearchParams[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      if (request.url === '/token') {
        forms.push(new URLSearchParams(text))
        const { status = 200, body } = token(forms.at(-1)!, request)
        response.writeHead(status).end(JSON.stringify(body))
      } else {
        seen.push(request.headers.authorization ?? '')
        response.end('page')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, forms }
}

function client(oauth2: OAuth2Config) {
  const made = createHttpClient({ oauth2 } satisfies HttpClientConfig)
  cleanups.push(() => made.close())
  return (url: string) => made.request({ url, timeoutMs: 5000 })
}

test('a token is fetched once and used until it ends', async () => {
  let count = 0
  const server = await serve((_form, request) => ({
    body: { access_token: `t${++count}`, expires_in: count === 1 ? 3600 : 1, basic: request.headers.authorization },
  }))
  const ask = client({
    clientId: 'me',
    clientSecret: 'a b',
    tokenUrl: `${server.url}/token`,
    scopes: ['x', 'y'],
    endpointParams: { audience: 'z' },
  })
  await Promise.all([ask(server.url), ask(server.url)])
  await ask(server.url)
  expect(server.seen).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1'])
  expect(server.forms.map((form) => Object.fromEntries(form))).toEqual([
    { grant_type: 'client_credentials', audience: 'z', scope: 'x y' },
  ])
})

test('a new secret in the file means a new token; credentials as form fields where the header is not taken', async () => {
  const server = await serve((form, request) =>
    request.headers.authorization === undefined
      ? { body: { access_token: `for ${form.get('client_id')}:${form.get('client_secret')}` } }
      : { status: 401, body: { error: 'invalid_client' } },
  )
  const clientSecretFile = join(mkdtempSync(join(tmpdir(), 'belltower-oauth-')), 'secret')
  writeFileSync(clientSecretFile, 'one\n')
  const ask = client({ clientId: 'me', clientSecretFile, tokenUrl: `${server.url}/token` })
  await ask(server.url)
  writeFileSync(clientSecretFile, 'two\n')
  await ask(server.url)
  expect(server.seen).toEqual(['Bearer for me:one', 'Bearer for me:two'])
})

test('a signed assertion', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = await serve((form) => {
    const [header, claims, signature] = form.get('assertion')!.split('.')
    const isValid = createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature!, 'base64url')
    const { iss, aud, extra } = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as Record<string, unknown>
    return { body: { access_token: JSON.stringify([form.get('grant_type'), isValid, iss, aud, extra]) } }
  })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const jwt = { key, algorithm: 'RS256', issuer: 'me', audience: 'you', claims: { extra: 1 } } as const
  await client({ clientId: 'me', tokenUrl: `${server.url}/token`, jwt })(server.url)
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  expect(server.seen).toEqual([`Bearer ${JSON.stringify([grant, true, 'me', 'you', 1])}`])
})

test('a server that gives no token fails the request, with its reason', async () => {
  const server = await serve(() => ({ status: 403, body: { error: 'forbidden' } }))
  const ask = client({ clientId: 'me', clientSecret: 's', tokenUrl: `${server.url}/token` })
  await expect(ask(server.url)).rejects.toThrow(/token server answered 403: .*forbidden/)
})

test('a server that takes its time uses up that of the request', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => (silent.closeAllConnections(), silent.close()))
  const { port } = silent.address() as AddressInfo
  const made = createHttpClient({
    oauth2: { clientId: 'me', clientSecret: 's', tokenUrl: `http://127.0.0.1:${port}/token` },
  })
  cleanups.push(() => made.close())
  await expect(made.request({ url: 'http://127.0.0.1:1/m', timeoutMs: 100 })).rejects.toMatchObject({
    timedOut: true,
    message: 'GET http://127.0.0.1:1/m: deadline of 0.1s exceeded while waiting for an OAuth 2.0 token',
  })
})
