import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, request as requestOver } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ConfigError } from '../../../lib/yaml-config.ts'
import { parseProbeConfig } from './index.ts'
import { cleanups, listen, makeCertificate, moduleOf, probe, probeWith } from '../../../tests/support/probing.ts'

const serve = (handler: RequestListener): Promise<number> => listen(createServer(handler))
const PHASES = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const
const phasesOf = (values: Record<string, number>) =>
  Object.fromEntries(PHASES.map((phase) => [phase, values[`probe_http_duration_seconds{phase="${phase}"}`]!]))

/** Passes requests on to a port whatever host they ask for, after a pause. */
async function startProxy(port: number, keys?: { readonly key: Buffer; readonly cert: Buffer }) {
  const asked: { readonly what: string; readonly headers: IncomingMessage['headers'] }[] = []
  const sockets = new Set<Socket>()
  const proxy = keys ? createTlsServer(keys) : createServer()
  proxy.on('request', (request, response) => {
    asked.push({ what: `${request.method} ${request.url}`, headers: request.headers })
    const { pathname } = new URL(request.url!)
    requestOver({ host: '127.0.0.1', port, path: pathname, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    }).end()
  })
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push({ what: `CONNECT ${request.url}`, headers: request.headers })
    sockets.add(socket.on('error', () => undefined))
    if (request.url!.startsWith('refused')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    return void setTimeout(() => {
      const there = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        there.pipe(socket).pipe(there)
      })
      there.on('error', () => undefined)
    }, PAUSE_MS)
  })
  const proxyPort = await listen(proxy)
  cleanups.push(() => sockets.forEach((socket) => socket.destroy()))
  return { asked, port: proxyPort }
}
const PAUSE_MS = 60

describe('a proxy', () => {
  test('reads requests for http, with its own password and without the headers for CONNECT', async () => {
    const hosts: (string | undefined)[] = []
    const port = await serve((request, response) => {
      hosts.push(request.headers.host)
      response.end('through')
    })
    const proxy = await startProxy(port)
    const keys = `proxy_url: "http://me:p%40ss@127.0.0.1:${proxy.port}", proxy_connect_header: { X-Way: [a] }`
    const { values, report } = await probeWith(
      `http://127.0.0.1:${port}/page?a=1`,
      moduleOf(`{ prober: http, http: { ${keys} } }`),
    )
    expect(values).toMatchObject({ probe_success: 1, probe_http_status_code: 200, probe_ip_protocol: 4 })
    expect(values['probe_http_uncompressed_body_length']).toBe(7)
    expect(proxy.asked.map(({ what }) => what)).toEqual([`GET http://127.0.0.1:${port}/page?a=1`])
    const credentials = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    expect(proxy.asked[0]!.headers).toMatchObject({ 'proxy-authorization': credentials, host: `127.0.0.1:${port}` })
    expect(proxy.asked[0]!.headers).not.toHaveProperty('x-way')
    expect(report).not.toContain('p@ss')
    expect(report).not.toContain('p%40ss')
  })

  test('connects for https; the way there is in the phase connect, the handshake with the target in tls', async () => {
    const { key, cert } = makeCertificate()
    const keys = { key: readFileSync(key), cert: readFileSync(cert) }
    const seen: IncomingMessage['headers'][] = []
    const port = await listen(
      createTlsServer(keys, (request, response) => {
        seen.push(request.headers)
        response.end('secret')
      }),
    )
    for (const [scheme, proxy] of [
      ['http', await startProxy(port)],
      ['https', await startProxy(port, keys)],
    ] as const) {
      const way = `proxy_url: "${scheme}://me:pass@127.0.0.1:${proxy.port}", proxy_connect_header: { X-Way: [a, b] }`
      const module = `{ prober: http, http: { ${way}, tls_config: { ca_file: ${cert} } } }`
      const values = await probe(`https://127.0.0.1:${port}/`, module)
      expect(values).toMatchObject({ probe_success: 1, probe_http_ssl: 1 })
      expect(values['probe_tls_version_info{version="TLS 1.3"}']).toBe(1)
      expect(proxy.asked.map(({ what }) => what)).toEqual([`CONNECT 127.0.0.1:${port}`])
      const credentials = `Basic ${Buffer.from('me:pass').toString('base64')}`
      expect(proxy.asked[0]!.headers).toMatchObject({ 'proxy-authorization': credentials, 'x-way': 'a, b' })
      const phases = phasesOf(values)
      // Timers may come a millisecond early.
      expect(phases['connect']).toBeGreaterThanOrEqual((PAUSE_MS - 2) / 1000)
      expect(phases['tls']).toBeGreaterThan(0)
      const sum = Object.values(phases).reduce((total, phase) => total + phase, 0)
      expect(sum).toBeLessThanOrEqual(values['probe_duration_seconds']!)
    }
    for (const headers of seen) expect(Object.keys(headers)).not.toContain('proxy-authorization')
  })

  test('looks names up itself where the module says so', async () => {
    const port = await serve((_request, response) => response.end('page'))
    const proxy = await startProxy(port)
    const module = (more: string) =>
      `{ prober: http, http: { proxy_url: "http://127.0.0.1:${proxy.port}", skip_resolve_phase_with_proxy: ${more} } }`
    const values = await probe('http://no-such-host.invalid/page', module('true'))
    expect(values).toMatchObject({ probe_success: 1 })
    expect(values).not.toHaveProperty('probe_ip_protocol')
    expect(proxy.asked.map(({ what }) => what)).toEqual(['GET http://no-such-host.invalid/page'])
    // Otherwise the name is looked up here.
    expect((await probe('http://no-such-host.invalid/page', module('false')))['probe_success']).toBe(0)
    expect(proxy.asked).toHaveLength(1)
    const refused = await probeWith('https://refused.invalid/', moduleOf(module('true')))
    expect(refused.report).toContain('the proxy answered 403 to CONNECT')
  })

  test('is passed by for its exceptions; the environment names it', async () => {
    const port = await serve((_request, response) => response.end('page'))
    const proxy = await startProxy(port)
    const url = `http://127.0.0.1:${port}/`
    const module = `{ prober: http, http: { proxy_url: "http://127.0.0.1:${proxy.port}", no_proxy: "10.0.0.0/8" } }`
    expect((await probe(url, module))['probe_success']).toBe(1)
    expect(proxy.asked).toEqual([])
    const before = process.env['HTTP_PROXY']
    process.env['HTTP_PROXY'] = `127.0.0.1:${proxy.port}`
    cleanups.push(() =>
      before === undefined ? delete process.env['HTTP_PROXY'] : (process.env['HTTP_PROXY'] = before),
    )
    const fromEnvironment =
      '{ prober: http, http: { proxy_from_environment: true, skip_resolve_phase_with_proxy: true } }'
    expect((await probe('http://elsewhere.invalid/', fromEnvironment))['probe_success']).toBe(1)
    expect(proxy.asked.map(({ what }) => what)).toEqual(['GET http://elsewhere.invalid/'])
  })

  test('that never answers ends with the probe', async () => {
    const silent = createServer().on('connect', (_request, socket: Socket) => {
      socket.on('error', () => undefined).on('end', () => socket.destroy())
      socket.resume()
    })
    const port = await listen(silent)
    const way = `proxy_url: "http://127.0.0.1:${port}", skip_resolve_phase_with_proxy: true`
    const { report } = await probeWith(
      'https://elsewhere.invalid/',
      moduleOf(`{ prober: http, timeout: 100ms, http: { ${way} } }`),
    )
    expect(report).toContain('the probe timed out')
  })
})

describe('requests', () => {
  test('OAuth 2.0: one token for many probes, and a failure where there is none', async () => {
    let tokenCount = 0
    const tokenPort = await serve((request, response) => {
      const known = request.headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`
      if (!known) return response.writeHead(403).end('who?')
      tokenCount++
      return response.end(JSON.stringify({ access_token: `t${tokenCount}`, expires_in: 3600 }))
    })
    const port = await serve((request, response) => {
      response.statusCode = request.headers.authorization === 'Bearer t1' ? 200 : 401
      response.end()
    })
    const module = (secret: string) =>
      moduleOf(
        `{ prober: http, http: { oauth2: { client_id: me, client_secret: ${secret}, token_url: "http://127.0.0.1:${tokenPort}/" } } }`,
      )
    const modules = module('secret')
    for (let turn = 0; turn < 2; turn++) {
      const { values } = await probeWith(`http://127.0.0.1:${port}/`, modules)
      expect(values).toMatchObject({ probe_success: 1, probe_http_status_code: 200 })
    }
    expect(tokenCount).toBe(1)
    const { values, report } = await probeWith(`http://127.0.0.1:${port}/`, module('wrong'))
    expect(values['probe_success']).toBe(0)
    expect(report).toContain('token server answered 403')
  })

  test('headers with several values, from files too, but not for another host; a user name from a file', async () => {
    const { key } = makeCertificate()
    const file = join(dirname(key), 'value')
    writeFileSync(file, 'from-file\n')
    const seen: unknown[] = []
    const elsewhere = await serve((request, response) => {
      seen.push([request.headers['x-many'], request.headers.authorization])
      response.end()
    })
    const port = await serve((request, response) => {
      seen.push([request.headers['x-many'], request.headers.authorization])
      response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}/` }).end()
    })
    const header = `X-Many: { values: [a], secrets: [b], files: [${file}] }`
    const keys = `http_headers: { ${header} }, basic_auth: { username_file: ${file}, password: p }`
    const values = await probe(`http://127.0.0.1:${port}/`, `{ prober: http, http: { ${keys} } }`)
    expect(values['probe_success']).toBe(1)
    const credentials = `Basic ${Buffer.from('from-file:p').toString('base64')}`
    expect(seen).toEqual([
      ['a, b, from-file', credentials],
      [undefined, undefined],
    ])
  })

  test('what is redirected to GET has no body any more', async () => {
    const seen: string[] = []
    const port = await serve((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${body}`)
        const status = { '/see': 303, '/same': 307 }[request.url!] ?? 200
        response.writeHead(status, { location: '/there' }).end()
      })
    })
    const module = '{ prober: http, http: { method: POST, body: hello } }'
    for (const path of ['see', 'same']) {
      expect((await probe(`http://127.0.0.1:${port}/${path}`, module))['probe_success']).toBe(1)
    }
    expect(seen).toEqual(['POST /see hello', 'GET /there ', 'POST /same hello', 'POST /there hello'])
  })

  test('brotli is unpacked; sizes are read with their units', async () => {
    const port = await serve((request, response) => {
      response.writeHead(200, { 'content-encoding': request.headers['accept-encoding'] as string })
      response.end(brotliCompressSync('well '.repeat(1000)))
    })
    const module = (limit: string) =>
      `{ prober: http, http: { compression: br, body_size_limit: ${limit}, fail_if_body_not_matches_regexp: ["^well"] } }`
    const values = await probe(`http://127.0.0.1:${port}/`, module('5KiB'))
    expect(values).toMatchObject({ probe_success: 1, probe_http_uncompressed_body_length: 5000 })
    expect((await probe(`http://127.0.0.1:${port}/`, module('4KB')))['probe_failed_due_to_bytes']).toBe(1)
  })
})

test.each([
  ['prober: http, http: { no_proxy: a }', 'no_proxy: if no_proxy is configured, proxy_url must also be configured'],
  ['prober: http, http: { proxy_url: "socks5://x" }', 'proxy_url: not an http or https URL'],
  ['prober: http, http: { proxy_url: "http://x", proxy_from_environment: true }', 'proxy_url must not be configured'],
  [
    'prober: http, http: { proxy_connect_header: { a: [b] } }',
    'proxy_url or proxy_from_environment must also be configured',
  ],
  ['prober: http, http: { http_headers: { Host: { values: [a] } } }', 'setting header "Host" is not allowed'],
  [
    'prober: http, http: { oauth2: { client_id: a, token_url: "http://x" } }',
    'either oauth2 client_secret or client_secret_file',
  ],
  [
    'prober: http, http: { bearer_token: a, basic_auth: { username: u } }',
    'at most one of basic_auth, oauth2, authorization & bearer_token',
  ],
  ['prober: http, http: { body: a, body_file: b }', 'setting body and body_file both'],
  ['prober: http, http: { compression: gzip, headers: { accept-encoding: "br, gzip;q=0" } }', 'does not accept gzip'],
  ['prober: http, http: { tls_config: { ca: a, ca_file: b } }', 'at most one of ca and ca_file'],
  ['prober: http, http: { body_size_limit: 10 apples }', 'not a size such as 10MB'],
  ['prober: http, http: { enable_http3: true }', 'enable_http3 is not available yet'],
  ['prober: grpc, grpc: { metadata: { "a b": [c] } }', 'not a name of metadata'],
  ['prober: unix, unix: { preferred_ip_protocol: ip4 }', 'preferred_ip_protocol'],
  ['prober: websocket', 'prober must be one of http, tcp, dns, icmp, grpc, unix'],
])('a fault with its place: %s', (keys, why) => {
  let faults: readonly string[] = []
  try {
    parseProbeConfig('b.yml', `modules:\n  a: { ${keys} }`)
  } catch (error) {
    faults = (error as ConfigError).faults
  }
  expect(faults).toEqual([expect.stringMatching(/^b\.yml:2:\d+: /)])
  expect(faults[0]).toContain(why)
})
