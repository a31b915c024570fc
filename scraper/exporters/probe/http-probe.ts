import { readFile } from 'node:fs/promises'
import * as http from 'node:http'
import { performance } from 'node:perf_hooks'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { unpackBody } from '../../../lib/http-unpack.ts'
import { compileSearch } from '../../../model/index.ts'
import { failureOf, timedOut } from './dialer.ts'
import type { HttpProbeOptions } from './http-config.ts'
import { openConnection } from './http-connection.ts'
import { requestHeaders } from './http-headers.ts'
import type { ProbeLog, ProbeResult } from './probe-page.ts'
import { type ProbeContext, ProbeFailure } from './resolve.ts'
import { addTlsMetrics } from './tls-metrics.ts'

const REDIRECTS_MAX = 10
const BODY_BYTES_MAX = 64 << 20
const PHASE_HELP = 'How long each phase of the request took, in seconds, over all redirects.'
const PHASES = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const
const unpackBrotli = promisify(brotliDecompress)

interface Answer {
  readonly status: number
  readonly httpVersion: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Uint8Array
  readonly isTls: boolean
}

/** Asks a URL and checks the answer. @returns whether it is as the module wants it. @throws {ProbeFailure} */
export async function httpProbe(target: string, options: HttpProbeOptions, context: ProbeContext): Promise<boolean> {
  const { result, log } = context
  for (const phase of PHASES) result.add('probe_http_duration_seconds', PHASE_HELP, 0, { phase })
  let url = parseTarget(target)
  let method = options.method
  let redirects = 0
  let answer: Answer
  const isFollowing = options.follow_redirects && options.no_follow_redirects !== true
  const firstHost = url.host
  for (;;) {
    answer = await exchange(url, method, url.host === firstHost, options, context)
    const { location } = answer.headers
    if (!isFollowing || location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) break
    if (++redirects > REDIRECTS_MAX) throw new ProbeFailure(`stopped after ${REDIRECTS_MAX} redirects`)
    url = parseTarget(new URL(location, url).toString())
    if (answer.status <= 303 && method !== 'HEAD') method = 'GET'
    log('redirected', { url: url.toString() })
  }
  addAnswer(answer, redirects, result)
  return checkAnswer(answer, options, result, log)
}

function parseTarget(target: string): URL {
  const text = /^https?:\/\//.test(target) ? target : `http://${target}`
  if (!URL.canParse(text)) throw new ProbeFailure(`${JSON.stringify(target)} is no URL`)
  return new URL(text)
}

async function exchange(
  url: URL,
  method: string,
  isFirstHost: boolean,
  options: HttpProbeOptions,
  context: ProbeContext,
): Promise<Answer> {
  const { result, log, deadlineMs } = context
  const isTls = url.protocol === 'https:'
  // What is asked for elsewhere with GET has no body any more.
  const body = method === options.method ? await bodyOf(options) : undefined
  const headers = await requestHeaders(url, options, isFirstHost, deadlineMs)
  // A virtual host behind an address: its certificate is for the name that is asked for.
  const serverName = String(headers['host']).replace(/:\d+$/, '')
  const connection = await openConnection(url, serverName, options, context)
  const { socket } = connection
  let received: Received
  try {
    if (isTls) addTlsMetrics(socket as TLSSocket, result)
    const request = http.request({
      createConnection: () => socket,
      path: connection.requestTarget,
      method,
      headers: { ...headers, ...connection.headers },
    })
    received = await send(request, body, deadlineMs - performance.now())
  } finally {
    socket.destroy()
  }
  const add = (phase: (typeof PHASES)[number], ms: number): void =>
    result.add('probe_http_duration_seconds', PHASE_HELP, ms / 1000, { phase })
  add('resolve', connection.resolveMs)
  add('connect', connection.connectMs)
  if (isTls) add('tls', connection.tlsMs)
  add('processing', received.answeredMs - received.startMs)
  add('transfer', received.endMs - received.answeredMs)
  const { statusCode = 0, httpVersion, headers: answered } = received.response
  log('answered', { status: statusCode })
  result.set(
    'probe_http_content_length',
    'Length that the answer states, -1 if it states none.',
    Number(answered['content-length'] ?? -1),
  )
  const unpacked = await unpack(received.chunks, answered['content-encoding'] ?? '')
  const limit = options.body_size_limit
  if (limit > 0 && unpacked.length > limit) {
    result.set('probe_failed_due_to_bytes', 'Whether the body was longer than the module allows.', 1)
    throw new ProbeFailure('the body is longer than body_size_limit')
  }
  return { status: statusCode, httpVersion, headers: answered, body: unpacked, isTls }
}

const bodyOf = async ({ body, body_file: file }: HttpProbeOptions) => (file === undefined ? body : readFile(file))

interface Received {
  readonly response: http.IncomingMessage
  readonly chunks: Uint8Array[]
  readonly startMs: number
  readonly answeredMs: number
  readonly endMs: number
}

/** @throws {ProbeFailure} */
function send(request: http.ClientRequest, body: string | Uint8Array | undefined, leftMs: number): Promise<Received> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const fail = (error: Error): void => {
      clearTimeout(timer)
      request.destroy()
      reject(failureOf(error))
    }
    const timer = setTimeout(() => fail(timedOut()), Math.max(0, leftMs))
    request.on('error', fail)
    request.on('response', (response) => {
      const answeredMs = performance.now()
      const chunks: Uint8Array[] = []
      let byteCount = 0
      response.on('error', fail)
      response.on('data', (chunk: Uint8Array) => {
        byteCount += chunk.length
        if (byteCount > BODY_BYTES_MAX) return fail(new ProbeFailure('the body is too long'))
        chunks.push(chunk)
      })
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ response, chunks, startMs, answeredMs, endMs: performance.now() })
      })
    })
    request.end(body)
  })
}

/** @throws {ProbeFailure} */
async function unpack(chunks: readonly Uint8Array[], encoding: string): Promise<Uint8Array> {
  try {
    if (encoding.trim().toLowerCase() !== 'br') return await unpackBody(chunks, encoding, BODY_BYTES_MAX)
    return await unpackBrotli(Buffer.concat(chunks), { maxOutputLength: BODY_BYTES_MAX })
  } catch (error) {
    throw failureOf(error)
  }
}

function addAnswer(
  { status, httpVersion, headers, body, isTls }: Answer,
  redirects: number,
  result: ProbeResult,
): void {
  result.set('probe_http_redirects', 'Number of redirects.', redirects)
  result.set('probe_http_ssl', 'Whether the last request went over TLS.', isTls ? 1 : 0)
  result.set('probe_http_status_code', 'Status of the answer.', status)
  result.set('probe_http_uncompressed_body_length', 'Length of the unpacked body in bytes.', body.length)
  result.set('probe_http_version', 'Version of HTTP of the answer.', Number(httpVersion))
  const modified = Date.parse(headers['last-modified'] ?? '')
  if (!Number.isNaN(modified)) {
    result.set('probe_http_last_modified_timestamp_seconds', 'When the page changed, Unix seconds.', modified / 1000)
  }
}

function checkAnswer(answer: Answer, options: HttpProbeOptions, result: ProbeResult, log: ProbeLog): boolean {
  const faults: string[] = []
  const codes = options.valid_status_codes
  const isValid = codes.length > 0 ? codes.includes(answer.status) : answer.status >= 200 && answer.status < 300
  if (!isValid) faults.push(`status ${answer.status} is not valid`)
  const versions = options.valid_http_versions
  if (versions.length > 0 && !versions.includes(`HTTP/${answer.httpVersion}`)) faults.push('version is not valid')
  if (options.fail_if_ssl && answer.isTls) faults.push('the answer came over TLS')
  if (options.fail_if_not_ssl && !answer.isTls) faults.push('the answer did not come over TLS')
  const mismatches = [...bodyFaults(answer, options), ...headerFaults(answer, options)]
  result.set(
    'probe_failed_due_to_regex',
    'Whether a regular expression failed the probe.',
    mismatches.length > 0 ? 1 : 0,
  )
  for (const why of [...faults, ...mismatches]) log('answer is not as wanted', { why })
  return faults.length + mismatches.length === 0
}

function bodyFaults({ body }: Answer, options: HttpProbeOptions): string[] {
  const text = Buffer.from(body).toString()
  const matches = (pattern: string): boolean => compileSearch(pattern)(text) !== undefined
  return [
    ...options.fail_if_body_matches_regexp.filter(matches).map((pattern) => `the body matches ${pattern}`),
    ...options.fail_if_body_not_matches_regexp
      .filter((pattern) => !matches(pattern))
      .map((pattern) => `the body does not match ${pattern}`),
  ]
}

function headerFaults({ headers }: Answer, options: HttpProbeOptions): string[] {
  const faults: string[] = []
  const check = (rules: HttpProbeOptions['fail_if_header_matches'], failsOn: boolean): void => {
    for (const { header, regexp, allow_missing: mayMiss } of rules) {
      const value = headers[header.toLowerCase()]
      if (value === undefined) {
        if (!mayMiss) faults.push(`the header ${header} is missing`)
      } else if ([value].flat().some((one) => (compileSearch(regexp)(one) !== undefined) === failsOn)) {
        faults.push(`the header ${header} ${failsOn ? 'matches' : 'does not match'} ${regexp}`)
      }
    }
  }
  check(options.fail_if_header_matches, true)
  check(options.fail_if_header_not_matches, false)
  return faults
}
