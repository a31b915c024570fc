import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../lib/log.ts'
import { ConfigError } from '../../../lib/yaml-config.ts'
import { createProber, defaultProbeModules, parseProbeConfig } from './index.ts'
import { cleanups, listen, makeCertificate, probe } from '../../../tests/support/probing.ts'
import { beforeDeadline } from './resolve.ts'

const serve = (handler: RequestListener): Promise<number> => listen(createServer(handler))
const talk = (onConnection: (socket: Socket) => void): Promise<number> =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined)
      onConnection(socket)
    }),
  )

describe('http', () => {
  test('phases, status, length, redirects', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/old') response.writeHead(302, { location: '/new' }).end()
      else response.writeHead(200, { 'last-modified': 'Thu, 01 Jan 1970 00:01:00 GMT' }).end('all is well')
    })
    const values = await probe(`http://127.0.0.1:${port}/old`, '{ prober: http }')
    expect(values).toMatchObject({
      probe_success: 1,
      probe_http_status_code: 200,
      probe_http_redirects: 1,
      probe_http_ssl: 0,
      probe_http_version: 1.1,
      probe_http_uncompressed_body_length: 11,
      probe_http_last_modified_timestamp_seconds: 60,
      probe_failed_due_to_regex: 0,
      probe_ip_protocol: 4,
      probe_timeout_seconds: 2.5,
    })
    for (const phase of ['resolve', 'connect', 'tls', 'processing', 'transfer']) {
      expect(values[`probe_http_duration_seconds{phase="${phase}"}`]).toBeGreaterThanOrEqual(0)
    }
    const stays = await probe(`127.0.0.1:${port}/old`, '{ prober: http, http: { follow_redirects: false } }')
    expect(stays).toMatchObject({ probe_success: 0, probe_http_status_code: 302, probe_http_redirects: 0 })
  })

  test.each([
    ['{ valid_status_codes: [404] }', 0],
    ['{ fail_if_body_matches_regexp: ["is w.ll"] }', 0],
    ['{ fail_if_body_not_matches_regexp: ["well$"] }', 1],
    ['{ fail_if_header_matches: [{ header: X-Kind, regexp: "^a" }] }', 0],
    ['{ fail_if_header_not_matches: [{ header: X-None, regexp: a, allow_missing: true }] }', 1],
    ['{ fail_if_header_not_matches: [{ header: X-None, regexp: a }] }', 0],
    ['{ fail_if_not_ssl: true }', 0],
    ['{ valid_http_versions: [HTTP/2.0] }', 0],
    ['{ body_size_limit: 5B }', 0],
    ['{ preferred_ip_protocol: ip6, ip_protocol_fallback: false }', 0],
    ['{ method: POST, body: hello, headers: { X-Own: here }, basic_auth: { username: u, password: p } }', 1],
  ])('%s: %s', async (options, success) => {
    const port = await serve((request, response) => {
      if (request.method === 'POST') {
        const authorized = request.headers.authorization === `Basic ${Buffer.from('u:p').toString('base64')}`
        response.statusCode = authorized && request.headers['x-own'] === 'here' ? 200 : 403
      }
      response.setHeader('x-kind', 'abc')
      response.end('all is well')
    })
    expect((await probe(`http://127.0.0.1:${port}/`, `{ prober: http, http: ${options} }`))['probe_success']).toBe(
      success,
    )
  })

  test('a certificate: when it ends, what it says; one that is not trusted fails the probe', async () => {
    const { key, cert } = makeCertificate()
    let asked: unknown
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      asked = [request.headers.host, (request.socket as TLSSocket).servername]
      response.end('secret')
    })
    const url = `https://127.0.0.1:${await listen(server)}/`
    const trusted = await probe(
      url,
      `{ prober: http, http: { fail_if_not_ssl: true, tls_config: { ca_file: ${cert} } } }`,
    )
    expect(trusted).toMatchObject({ probe_success: 1, probe_http_ssl: 1 })
    const days = (trusted['probe_ssl_earliest_cert_expiry']! - Date.now() / 1000) / 86_400
    expect(Math.round(days)).toBe(30)
    expect(trusted['probe_tls_version_info{version="TLS 1.3"}']).toBe(1)
    const info = Object.keys(trusted).find((name) => name.startsWith('probe_ssl_last_chain_info{'))
    expect(info).toContain('issuer="CN=probe.test"')
    expect(info).toContain('subjectalternative="127.0.0.1,probe.test"')
    expect((await probe(url, '{ prober: http }'))['probe_success']).toBe(0)
    const careless = '{ prober: http, http: { tls_config: { insecure_skip_verify: true } } }'
    expect((await probe(url, careless))['probe_success']).toBe(1)

    // A virtual host, asked for at its address.
    const trusting = (header: string) => `{ prober: http, http: { ${header} tls_config: { ca_file: ${cert} } } }`
    expect((await probe(url, trusting('headers: { host: probe.test },')))['probe_success']).toBe(1)
    expect(asked).toEqual(['probe.test', 'probe.test'])
    expect((await probe(url, trusting('headers: { Host: other.test },')))['probe_success']).toBe(0)
    expect((await probe(url, trusting('headers: { Host: other.test },'), 'probe.test'))['probe_success']).toBe(1)
    const overTls = `{ prober: tcp, tcp: { tls: true, tls_config: { ca_file: ${cert} } } }`
    const place = new URL(url).host
    expect((await probe(place, overTls, 'probe.test'))['probe_success']).toBe(1)
    expect((await probe(place, overTls, 'other.test'))['probe_success']).toBe(0)
  })

  test('looking a name up ends with the probe', async () => {
    const never = new Promise<void>(() => undefined)
    await expect(beforeDeadline(never, performance.now() + 10, 'too late')).rejects.toThrow('too late')
    await expect(beforeDeadline(Promise.resolve(1), performance.now() + 5000, 'too late')).resolves.toBe(1)
  })

  test('nobody there, and nobody answering in time', async () => {
    const port = await serve(() => undefined)
    const slow = await probe(`http://127.0.0.1:${port}/`, '{ prober: http, timeout: 100ms }')
    expect(slow).toMatchObject({ probe_success: 0, probe_timeout_seconds: 0.1 })
    const free = await serve(() => undefined)
    await cleanups.pop()!()
    expect((await probe(`http://127.0.0.1:${free}/`, '{ prober: http }'))['probe_success']).toBe(0)
  })
})

describe('tcp', () => {
  test('a connection is enough; a conversation with groups, labels and an answer', async () => {
    const port = await talk((socket) => {
      socket.write('220 mail.example.org ESMTP ready\r\n')
      socket.on('data', (data) =>
        socket.write(data.toString() === 'EHLO mail.example.org\n' ? '250 OK\r\n' : '500 no\r\n'),
      )
    })
    expect((await probe(`127.0.0.1:${port}`, '{ prober: tcp }'))['probe_success']).toBe(1)
    const steps =
      '[{ expect: "^220 (\\\\S+) ESMTP", send: "EHLO ${1}", labels: [{ name: host, value: "${1}" }] }, { expect: "^250 " }]'
    const values = await probe(`127.0.0.1:${port}`, `{ prober: tcp, tcp: { query_response: ${steps} } }`)
    expect(values).toMatchObject({ probe_success: 1, probe_failed_due_to_regex: 0 })
    expect(values['probe_expect_info{host="mail.example.org"}']).toBe(1)
    const wrong = '{ prober: tcp, timeout: 200ms, tcp: { query_response: [{ expect: "^SSH" }] } }'
    expect(await probe(`127.0.0.1:${port}`, wrong)).toMatchObject({ probe_success: 0, probe_failed_due_to_regex: 1 })
  })

  test('a target without a port', async () => {
    expect((await probe('localhost', '{ prober: tcp }'))['probe_success']).toBe(0)
  })
})

test('unix: a conversation over a socket at a path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-probe-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'socket')
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('ready 7\n')
    socket.on('data', (data) => socket.end(data.toString() === 'go 7\n' ? 'done\n' : 'no\n'))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  const steps = '[{ expect: "^ready ([0-9]+)", send: "go ${1}" }, { expect: "^done$" }]'
  const module = `{ prober: unix, unix: { query_response: ${steps} } }`
  for (const target of [path, `unix://${path}`]) {
    expect(await probe(target, module)).toMatchObject({ probe_success: 1, probe_failed_due_to_regex: 0 })
  }
  expect(
    await probe(
      path,
      '{ prober: unix, unix: { query_response: [{ expect: "^x" }, { expect: "^y" }] } , timeout: 100ms }',
    ),
  ).toMatchObject({
    probe_success: 0,
    probe_failed_due_to_regex: 1,
  })
  expect((await probe(join(folder, 'none'), '{ prober: unix }'))['probe_success']).toBe(0)
})

describe('dns', () => {
  /** Answers every question with two addresses and a zone's beginning. */
  async function nameServer(rcode = 0): Promise<number> {
    const server = createSocket('udp4', (query, from) => {
      const header = Buffer.from([query[0]!, query[1]!, 0x81, 0x80 | rcode, 0, 1, 0, 2, 0, 1, 0, 0])
      const record = (type: number, data: number[]) =>
        Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data])
      const soa = [2, 110, 115, 0xc0, 12, 0xc0, 12, 0, 0, 0, 42, ...Array.from({ length: 16 }, () => 1)]
      const answers = [record(1, [10, 0, 0, 1]), record(6, soa), record(2, [0xc0, 12])]
      server.send(Buffer.concat([header, query.subarray(12), ...answers]), from.port, from.address)
    })
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
    return server.address().port
  }

  test('counts of records, the serial, checks of the text of records', async () => {
    const port = await nameServer()
    const module = (checks: string): string =>
      `{ prober: dns, dns: { query_name: example.org, query_type: A, validate_answer_rrs: { ${checks} } } }`
    const good = await probe(
      `127.0.0.1:${port}`,
      module(
        'fail_if_none_matches_regexp: ["^example\\\\.org\\\\.\\t60\\tIN\\tA\\t10\\\\.0\\\\.0\\\\.1$"]'.replaceAll(
          '\\t',
          '\\\\t',
        ),
      ),
    )
    expect(good).toMatchObject({
      probe_success: 1,
      probe_dns_query_succeeded: 1,
      probe_dns_answer_rrs: 2,
      probe_dns_authority_rrs: 1,
      probe_dns_additional_rrs: 0,
      probe_dns_serial: 42,
    })
    const bad = await probe(`127.0.0.1:${port}`, module('fail_if_matches_regexp: ["10.0.0.1"]'))
    expect(bad).toMatchObject({ probe_success: 0, probe_dns_query_succeeded: 1 })
  })

  test('a code that is not wanted', async () => {
    const port = await nameServer(3)
    const base = 'prober: dns, dns: { query_name: example.org'
    expect((await probe(`127.0.0.1:${port}`, `{ ${base} } }`))['probe_success']).toBe(0)
    expect((await probe(`127.0.0.1:${port}`, `{ ${base}, valid_rcodes: [NXDOMAIN] } }`))['probe_success']).toBe(1)
  })
})

test('icmp: a reply, or a clear reason', async () => {
  const prober = createProber(defaultProbeModules, silentLogger)
  const probed = await prober.probe({ target: '127.0.0.1', module: 'icmp', scrapeTimeoutSeconds: 3, debug: true })
  if (probed!.success) expect(probed!.body).toMatch(/probe_icmp_duration_seconds\{phase="rtt"\} 0\.\d+/)
  else expect(probed!.body).toMatch(/probe failed .*(no ping program|not permitted|no reply|socket)/i)
})

test('modules: unknown ones, and faults of the file with their places', async () => {
  const prober = createProber(defaultProbeModules, silentLogger)
  expect(await prober.probe({ target: 'x', module: 'constructor' })).toBeUndefined()
  const faults = (text: string): readonly string[] => {
    try {
      parseProbeConfig('b.yml', text)
    } catch (error) {
      return (error as ConfigError).faults
    }
    throw new Error('accepted')
  }
  expect(faults('modules: { a: { prober: dns } }')).toEqual([expect.stringMatching(/^b\.yml:1:\d+: .*query name/)])
  expect(faults('modules:\n  a: { prober: http, http: { fail_if_body_matches_regexp: ["("] } }')).toEqual([
    expect.stringMatching(/^b\.yml:2:\d+: /),
  ])
})
