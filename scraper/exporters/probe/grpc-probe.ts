import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { performance } from 'node:perf_hooks'
import type { GrpcProbeOptions } from './config.ts'
import { Dialer, failureOf, ProbeTimeout, timedOut } from './dialer.ts'
import { decodeHealth, encodeHealthQuestion, statusOfHttp } from './grpc-message.ts'
import { type ProbeContext, ProbeFailure, resolveHost } from './resolve.ts'
import { splitTarget } from './tcp-probe.ts'
import { addTlsMetrics, tlsOptions } from './tls-metrics.ts'

const PORT_DEFAULT = 443
const METHOD = '/grpc.health.v1.Health/Check'
const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
const ANSWER_BYTES_MAX = 1 << 20
const OK = 0
const DEADLINE_EXCEEDED = 4
const UNAVAILABLE = 14

/** Asks a gRPC server how it is. @returns whether the service is serving. @throws {ProbeFailure} */
export async function grpcProbe(target: string, options: GrpcProbeOptions, context: ProbeContext): Promise<boolean> {
  const { result, log, deadlineMs } = context
  const addPhase = (phase: 'resolve' | 'check', seconds: number): void =>
    result.add('probe_grpc_duration_seconds', 'How long each phase took, in seconds.', seconds, { phase })
  const setCode = (code: number): void => result.set('probe_grpc_status_code', 'Status code of gRPC.', code)
  const setServing = (serving: string | undefined): void => {
    for (const one of SERVING_STATUSES) {
      const help = 'What the health check answered.'
      result.set('probe_grpc_healthcheck_response', help, one === serving ? 1 : 0, { serving_status: one })
    }
  }
  for (const phase of ['resolve', 'check'] as const) addPhase(phase, 0)
  result.set('probe_grpc_ssl', 'Whether the connection went over TLS.', 0)
  setCode(OK)
  setServing(undefined)
  const { host, port } = splitTarget(target.replace(/^https?:\/\//, ''), PORT_DEFAULT)
  const { address, family, durationSeconds } = await resolveHost(host, options, context)
  addPhase('resolve', durationSeconds)
  const startMs = performance.now()
  const dialer = new Dialer(deadlineMs)
  try {
    const local = options.source_ip_address === undefined ? {} : { localAddress: options.source_ip_address }
    await dialer.connect({ host: address, family, port, ...local })
    if (options.tls) {
      const tls = await tlsOptions(options.tls_config, host)
      const secured = await dialer.secure({ host: address, ALPNProtocols: ['h2'], ...tls })
      result.set('probe_grpc_ssl', 'Whether the connection went over TLS.', 1)
      addTlsMetrics(secured, result)
    }
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const answer = await call(dialer, authority, options, deadlineMs)
    setCode(answer.code)
    const serving = answer.code === OK ? SERVING_STATUSES[decodeHealth(answer.body)] : undefined
    setServing(serving)
    log('answered', { code: answer.code, message: answer.message, serving })
    return serving === 'SERVING'
  } catch (error) {
    setCode(error instanceof ProbeTimeout ? DEADLINE_EXCEEDED : UNAVAILABLE)
    throw error
  } finally {
    addPhase('check', (performance.now() - startMs) / 1000)
    dialer.close()
  }
}

interface Answer {
  /** gRPC's status. */
  readonly code: number
  readonly message: string
  readonly body: Buffer
}

/** @throws {ProbeFailure} */
function call(dialer: Dialer, authority: string, options: GrpcProbeOptions, deadlineMs: number): Promise<Answer> {
  const scheme = options.tls ? 'https' : 'http'
  const leftMs = Math.max(1, Math.floor(deadlineMs - performance.now()))
  return new Promise((resolve, reject) => {
    const session = connect(`${scheme}://${authority}`, { createConnection: () => dialer.release() })
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      session.destroy()
      settle()
    }
    const fail = (error: Error): void => end(() => reject(failureOf(error)))
    const timer = setTimeout(() => fail(timedOut()), leftMs)
    session.on('error', fail)
    const stream = session.request(requestHeaders(authority, scheme, leftMs, options))
    const chunks: Buffer[] = []
    let byteCount = 0
    let headers: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    stream.on('error', fail)
    stream.on('response', (received) => (headers = received))
    stream.on('trailers', (received) => (trailers = received))
    stream.on('data', (chunk: Buffer) => {
      byteCount += chunk.length
      if (byteCount > ANSWER_BYTES_MAX) return fail(new ProbeFailure('the answer is too long'))
      chunks.push(chunk)
    })
    stream.on('close', () => {
      const status = headers[':status']
      if (status === undefined) return fail(new ProbeFailure('the other side closed the connection'))
      const code = trailers['grpc-status'] ?? headers['grpc-status']
      const message = String(trailers['grpc-message'] ?? headers['grpc-message'] ?? '')
      end(() =>
        resolve({
          code: code === undefined ? statusOfHttp(Number(status)) : Number(code),
          message,
          body: Buffer.concat(chunks),
        }),
      )
    })
    stream.end(encodeHealthQuestion(options.service))
  })
}

function requestHeaders(
  authority: string,
  scheme: string,
  leftMs: number,
  options: GrpcProbeOptions,
): OutgoingHttpHeaders {
  const metadata = Object.entries(options.metadata).map(([name, values]) => {
    // Binary metadata crosses as base64.
    const isBinary = name.toLowerCase().endsWith('-bin')
    return [name.toLowerCase(), isBinary ? values.map((value) => Buffer.from(value).toString('base64')) : values]
  })
  return {
    ...(Object.fromEntries(metadata) as OutgoingHttpHeaders),
    ':method': 'POST',
    ':path': METHOD,
    ':scheme': scheme,
    ':authority': authority,
    'content-type': 'application/grpc',
    te: 'trailers',
    // At most eight digits.
    'grpc-timeout': leftMs < 1e8 ? `${leftMs}m` : `${Math.floor(leftMs / 1000)}S`,
    'user-agent': 'Belltower Probe',
  }
}
