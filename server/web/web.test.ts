// TLS, users and headers as clients see them: a real port with a real certificate, made for the test.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { hashSync } from 'bcryptjs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { createHttpApp } from '../http/app.ts'
import { Port } from '../http/port.ts'
import { loadWebConfig } from './web-config.ts'
import { WebGuard } from './web-guard.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-web-'))
const file = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function makeCertificate(name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', ...curve, ...subject, ...out], { stdio: 'ignore' })
}

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('skipped: tests of TLS need openssl to make certificates')
    return false
  }
})()

let closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.reverse()) await close()
  closers = []
})

async function serve(config: string): Promise<Port> {
  const path = file('web.yml')
  writeFileSync(path, config)
  const guard = new WebGuard(path, silentLogger)
  const port = await Port.open({ host: '127.0.0.1', port: 0 }, guard)
  closers.push(
    () => guard.close(),
    () => port.close(),
  )
  const app = await createHttpApp(port, silentLogger)
  app.get('/', () => 'hello')
  app.post('/', (incoming) => incoming.body)
  await app.ready()
  port.begin()
  return port
}

const authorization = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

describe('users and headers', () => {
  const users = `basic_auth_users: { ann: ${hashSync('secret', 4)} }\n`

  test('who has no or a wrong password stays outside, the right one comes in, again and again', async () => {
    const { url } = await serve(users)
    for (const headers of [
      {},
      authorization('ann', 'wrong'),
      authorization('bob', 'secret'),
      { authorization: 'Bearer x' },
    ]) {
      const answer = await fetch(url, { headers: headers as Record<string, string> })
      expect([answer.status, answer.headers.get('www-authenticate'), await answer.text()]).toEqual([
        401,
        'Basic',
        'Unauthorized\n',
      ])
    }
    for (let i = 0; i < 3; i++) {
      const answer = await fetch(url, {
        method: 'POST',
        body: JSON.stringify({ n: i }),
        headers: { ...authorization('ann', 'secret'), 'content-type': 'application/json' },
      })
      expect([answer.status, await answer.json()]).toEqual([200, { n: i }])
    }
  })

  test('a changed file is in force with the next request; a broken one changes nothing', async () => {
    const { url } = await serve(users)
    const status = async (): Promise<number> => (await fetch(url, { headers: authorization('eve', 'new') })).status
    expect(await status()).toBe(401)
    writeFileSync(file('web.yml'), `basic_auth_users: { eve: ${hashSync('new', 4)} }\n`)
    expect(await status()).toBe(200)
    writeFileSync(file('web.yml'), 'nonsense: true\n')
    expect(await status()).toBe(200)
  })

  test('headers are on every answer', async () => {
    const { url } = await serve(
      'http_server_config: { headers: { X-Frame-Options: deny, Strict-Transport-Security: max-age=60 } }\n',
    )
    const answer = await fetch(`${url}/none`)
    expect(answer.status).toBe(404)
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=60')
  })
})

describe.skipIf(!hasOpenssl)('TLS', () => {
  beforeAll(() => {
    for (const name of ['one', 'two', 'client']) makeCertificate(name)
  })

  interface Answer {
    readonly status: number
    /** Of the server's certificate. */
    readonly name: string
    readonly protocol: string | null
  }
  const get = (url: string, options: object = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const call = request(url, { rejectUnauthorized: false, agent: false, ...options }, (answer) => {
        const socket = answer.socket as TLSSocket
        answer.resume()
        resolve({
          status: answer.statusCode!,
          name: String(socket.getPeerCertificate().subject.CN),
          protocol: socket.getProtocol(),
        })
      })
      call.once('error', reject)
      call.end()
    })
  const tls = (name: string, more = ''): string =>
    `tls_server_config: { cert_file: ${name}.crt, key_file: ${name}.key${more} }\n`

  test('the certificate is served, and its successor as soon as the files change', async () => {
    const { url } = await serve(tls('one'))
    expect(url).toMatch(/^https:/)
    expect(await get(url)).toMatchObject({ status: 200, name: 'one', protocol: 'TLSv1.3' })
    writeFileSync(file('web.yml'), tls('two', ', max_version: TLS12'))
    utimesSync(file('web.yml'), new Date(), new Date(Date.now() + 2000))
    expect(await get(url)).toMatchObject({ status: 200, name: 'two' })
  })

  test('versions and cipher suites', async () => {
    const { url } = await serve(
      tls('one', ', max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]'),
    )
    expect(await get(url)).toMatchObject({ protocol: 'TLSv1.2' })
    await expect(get(url, { minVersion: 'TLSv1.3' })).rejects.toThrow()
    await expect(get(url, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).rejects.toThrow()
  })

  test('client certificates: any, verified, and by name', async () => {
    const key = execFileSync('cat', [file('client.key')])
    const cert = execFileSync('cat', [file('client.crt')])
    const any = await serve(tls('one', ', client_auth_type: RequireAnyClientCert'))
    await expect(get(any.url)).rejects.toThrow()
    expect(await get(any.url, { key, cert })).toMatchObject({ status: 200 })
    const verified = await serve(
      tls(
        'one',
        ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: client.crt, client_allowed_sans: [client]',
      ),
    )
    expect(await get(verified.url, { key, cert })).toMatchObject({ status: 200 })
    const named = await serve(
      tls(
        'one',
        ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: client.crt, client_allowed_sans: [other]',
      ),
    )
    await expect(get(named.url, { key, cert })).rejects.toThrow()
  })
})

test.each([
  ['tls_server_config: { cert_file: none.crt, key_file: none.key }', 'ENOENT'],
  ['tls_server_config: { min_version: TLS12 }', 'missing one of cert or cert_file'],
  ['tls_server_config: { min_version: SSL3 }', 'min_version'],
  ['basic_auth_users: { ann: secret }', 'is no bcrypt hash'],
  ['http_server_config: { headers: { X-Frame-Options: maybe } }', 'must be one of deny, sameorigin'],
  ['unknown: 1', 'unknown'],
])('%s is refused', (text, why) => {
  writeFileSync(file('bad.yml'), `${text}\n`)
  expect(() => loadWebConfig(file('bad.yml'))).toThrow(why)
})
