import { readFileSync } from 'node:fs'
import { createSecureServer, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTcpServer, type Server } from 'node:net'
import { describe, expect, test } from 'vitest'
import { decodeHealth, encodeHealthQuestion } from './grpc-message.ts'
import { listen, makeCertificate, moduleOf, probe, probeWith } from '../../../tests/support/probing.ts'

const CODE = 'probe_grpc_status_code'
const serving = (status: string) => `probe_grpc_healthcheck_response{serving_status="${status}"}`

/** A frame whose message starts with a field that nobody knows. */
const healthFrame = (status: number): Buffer => Buffer.from([0, 0, 0, 0, 5, 0x12, 0x01, 0x61, 0x08, status])

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Knows the services `up`, `down` and '': serving, not serving, serving. */
function answerHealth(asked: Asked[]) {
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const chunks: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const body = Buffer.concat(chunks)
      asked.push({ headers, body })
      const service = body.subarray(7).toString()
      const status = { up: 1, '': 1, down: 2 }[service]
      const answer = { ':status': 200, 'content-type': 'application/grpc' }
      if (service === 'plain') return stream.respond({ ':status': 503 }, { endStream: true })
      if (status === undefined) {
        return stream.respond({ ...answer, 'grpc-status': '5', 'grpc-message': 'unknown' }, { endStream: true })
      }
      stream.respond(answer, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      return stream.end(healthFrame(status))
    })
  }
}

describe('grpc', () => {
  test.each([
    ['', { probe_success: 1, [CODE]: 0, [serving('SERVING')]: 1, [serving('NOT_SERVING')]: 0 }],
    ['up', { probe_success: 1, [CODE]: 0, [serving('SERVING')]: 1 }],
    ['down', { probe_success: 0, [CODE]: 0, [serving('SERVING')]: 0, [serving('NOT_SERVING')]: 1 }],
    ['other', { probe_success: 0, [CODE]: 5, [serving('SERVICE_UNKNOWN')]: 0, [serving('UNKNOWN')]: 0 }],
    ['plain', { probe_success: 0, [CODE]: 14 }],
  ])('the service %j', async (service, wanted) => {
    const asked: Asked[] = []
    const port = await listen(createServer().on('stream', answerHealth(asked)) as unknown as Server)
    const keys = `service: "${service}", metadata: { X-Tenant: [a, b], key-bin: ["\\x01"] }`
    const values = await probe(`127.0.0.1:${port}`, `{ prober: grpc, grpc: { ${keys} } }`)
    expect(values).toMatchObject({ ...wanted, probe_grpc_ssl: 0, probe_ip_protocol: 4 })
    for (const phase of ['resolve', 'check']) {
      expect(values[`probe_grpc_duration_seconds{phase="${phase}"}`]).toBeGreaterThanOrEqual(0)
    }
    expect(asked).toHaveLength(1)
    expect(asked[0]!.body).toEqual(encodeHealthQuestion(service))
    expect(asked[0]!.headers).toMatchObject({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      ':authority': `127.0.0.1:${port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      'x-tenant': 'a, b',
      'key-bin': 'AQ==',
    })
    expect(asked[0]!.headers['grpc-timeout']).toMatch(/^\d{1,4}m$/)
  })

  test('over TLS: who answers must show a certificate for the name', async () => {
    const { key, cert } = makeCertificate()
    const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) })
    const port = await listen(server.on('stream', answerHealth([])) as unknown as Server)
    const module = (more: string) => `{ prober: grpc, grpc: { tls: true, tls_config: { ${more} } } }`
    const values = await probe(`127.0.0.1:${port}`, module(`ca_file: ${cert}`))
    expect(values).toMatchObject({
      probe_success: 1,
      probe_grpc_ssl: 1,
      'probe_tls_version_info{version="TLS 1.3"}': 1,
    })
    expect(values['probe_ssl_earliest_cert_expiry']).toBeGreaterThan(Date.now() / 1000)
    const stranger = await probe(`127.0.0.1:${port}`, module(`ca_file: ${cert}, server_name: other.test`))
    expect(stranger).toMatchObject({ probe_success: 0, probe_grpc_ssl: 0, [CODE]: 14 })
    expect((await probe(`127.0.0.1:${port}`, module(`ca_file: ${cert}`), 'other.test'))['probe_success']).toBe(0)
    expect((await probe(`127.0.0.1:${port}`, module(`ca_file: ${cert}`), 'probe.test'))['probe_success']).toBe(1)
  })

  test('nobody there, nobody answering in time, and somebody who speaks otherwise', async () => {
    const silent = await listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()))
    const slow = await probeWith(`127.0.0.1:${silent}`, moduleOf('{ prober: grpc, timeout: 100ms }'))
    expect(slow.values).toMatchObject({ probe_success: 0, [CODE]: 4 })
    expect(slow.report).toContain('the probe timed out')
    const loud = await listen(
      createTcpServer((socket) =>
        socket
          .on('error', () => undefined)
          .resume()
          .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      ),
    )
    expect(await probe(`127.0.0.1:${loud}`, '{ prober: grpc }')).toMatchObject({ probe_success: 0, [CODE]: 14 })
    expect(await probe('127.0.0.1:1', '{ prober: grpc }')).toMatchObject({ probe_success: 0, [CODE]: 14 })
  })
})

test('messages of the health check', () => {
  expect([...encodeHealthQuestion('')]).toEqual([0, 0, 0, 0, 0])
  expect([...encodeHealthQuestion('ab')]).toEqual([0, 0, 0, 0, 4, 0x0a, 2, 97, 98])
  expect([...encodeHealthQuestion('a'.repeat(200))].slice(0, 8)).toEqual([0, 0, 0, 0, 203, 0x0a, 200, 1])
  expect(decodeHealth(healthFrame(3))).toBe(3)
  expect(decodeHealth(Buffer.alloc(5))).toBe(0)
  expect(() => decodeHealth(Buffer.alloc(3))).toThrow('not whole')
  expect(() => decodeHealth(Buffer.from([0, 0, 0, 0, 9, 8, 1]))).toThrow('not whole')
  expect(() => decodeHealth(Buffer.from([1, 0, 0, 0, 0]))).toThrow('packed')
  expect(() => decodeHealth(Buffer.from([0, 0, 0, 0, 1, 0x0f]))).toThrow('not as it should be')
})
