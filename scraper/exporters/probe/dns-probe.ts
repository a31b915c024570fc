import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { compileSearch } from '../../../model/index.ts'
import type { DnsProbeOptions, RecordChecks } from './config.ts'
import { decodeAnswer, type DnsAnswer, type DnsRecord, encodeQuestion, typeNumber } from './dns-message.ts'
import type { ProbeLog, ProbeResult } from './probe-page.ts'
import { type ProbeContext, ProbeFailure, resolveHost } from './resolve.ts'
import { splitTarget } from './tcp-probe.ts'
import { addTlsMetrics, tlsOptions } from './tls-metrics.ts'

const PHASE_HELP = 'How long each phase of the query took, in seconds.'
const PORT = 53
const TLS_PORT = 853

interface Server {
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
  readonly host: string
}

/** Asks a name server the module's question and checks its records. @throws {ProbeFailure} */
export async function dnsProbe(target: string, options: DnsProbeOptions, context: ProbeContext): Promise<boolean> {
  const { result, log, deadlineMs } = context
  const phase = (name: string, seconds: number): void =>
    result.add('probe_dns_duration_seconds', PHASE_HELP, seconds, { phase: name })
  for (const name of ['resolve', 'connect', 'request']) phase(name, 0)
  for (const section of ['answer', 'authority', 'additional']) {
    result.set(`probe_dns_${section}_rrs`, `Number of records in the ${section} section.`, 0)
  }
  const succeeded = (value: number): void =>
    result.set('probe_dns_query_succeeded', 'Whether the server answered the query.', value)
  succeeded(0)
  if (typeNumber(options.query_type) === undefined) throw new ProbeFailure(`no record type ${options.query_type}`)
  const { host, port } = splitTarget(target, options.dns_over_tls ? TLS_PORT : PORT)
  const { address, family, durationSeconds } = await resolveHost(host, options, context)
  phase('resolve', durationSeconds)
  const id = randomInt(0x10000)
  const question = encodeQuestion({
    id,
    name: options.query_name,
    type: options.query_type,
    class: options.query_class,
    recursionDesired: options.recursion_desired,
  })
  const server = { address, family, port, host }
  const leftMs = deadlineMs - performance.now()
  const isStream = options.dns_over_tls || options.transport_protocol === 'tcp'
  const startMs = performance.now()
  const message = isStream
    ? await askStream(server, question, options, leftMs, result, (seconds) => phase('connect', seconds))
    : await askDatagram(server, question, leftMs)
  phase('request', (performance.now() - startMs) / 1000)
  const answer = read(message, id)
  succeeded(1)
  return check(answer, options, result, log)
}

function read(message: Buffer, id: number): DnsAnswer {
  let answer: DnsAnswer
  try {
    answer = decodeAnswer(message)
  } catch (cause) {
    throw new ProbeFailure(`the answer makes no sense: ${(cause as Error).message}`, { cause })
  }
  if (answer.id !== id) throw new ProbeFailure('the answer belongs to another question')
  return answer
}

function askDatagram({ address, family, port }: Server, question: Buffer, leftMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      socket.close()
      settle()
    }
    const timer = setTimeout(() => end(() => reject(new ProbeFailure('the probe timed out'))), Math.max(0, leftMs))
    socket.once('message', (message) => end(() => resolve(message)))
    socket.once('error', (cause) => end(() => reject(new ProbeFailure(cause.message, { cause }))))
    // Connected, so that a port where nobody listens says so.
    socket.connect(port, address, () => socket.send(question))
  })
}

async function askStream(
  { address, family, port, host }: Server,
  question: Buffer,
  options: DnsProbeOptions,
  leftMs: number,
  result: ProbeResult,
  onConnected: (seconds: number) => void,
): Promise<Buffer> {
  const tls = options.dns_over_tls ? await tlsOptions(options.tls_config, host) : undefined
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const plain = connect({ host: address, family, port })
    const socket = tls ? connectTls({ socket: plain, ...tls }) : plain
    const fail = (error: Error): void => {
      clearTimeout(timer)
      plain.destroy()
      socket.destroy()
      reject(error instanceof ProbeFailure ? error : new ProbeFailure(error.message, { cause: error }))
    }
    const timer = setTimeout(() => fail(new ProbeFailure('the probe timed out')), Math.max(0, leftMs))
    let received = Buffer.alloc(0)
    plain.on('error', fail)
    socket.on('error', fail)
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      onConnected((performance.now() - startMs) / 1000)
      if (tls) addTlsMetrics(socket as TLSSocket, result)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(question.length, 0)
      socket.write(Buffer.concat([length, question]))
    })
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      clearTimeout(timer)
      socket.destroy()
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)))
    })
    socket.on('end', () => fail(new ProbeFailure('the server closed the connection')))
  })
}

function check(answer: DnsAnswer, options: DnsProbeOptions, result: ProbeResult, log: ProbeLog): boolean {
  const sections = [
    ['answer', answer.answers, options.validate_answer_rrs],
    ['authority', answer.authorities, options.validate_authority_rrs],
    ['additional', answer.additionals, options.validate_additional_rrs],
  ] as const
  for (const [name, records] of sections) {
    result.set(`probe_dns_${name}_rrs`, `Number of records in the ${name} section.`, records.length)
  }
  const serial = answer.answers.find((record) => record.serial !== undefined)?.serial
  if (serial !== undefined) result.set('probe_dns_serial', 'Serial number of the zone.', serial)
  const wanted = options.valid_rcodes.length > 0 ? options.valid_rcodes : ['NOERROR']
  const faults = wanted.includes(answer.rcode) ? [] : [`rcode ${answer.rcode} is not valid`]
  for (const [name, records, checks] of sections) {
    faults.push(...recordFaults(records, checks).map((why) => `${name}: ${why}`))
  }
  for (const why of faults) log('answer is not as wanted', { why })
  return faults.length === 0
}

function recordFaults(records: readonly DnsRecord[], checks: RecordChecks): string[] {
  if (!checks) return []
  const matches = (pattern: string) => (record: DnsRecord) => compileSearch(pattern)(record.text) !== undefined
  return [
    ...checks.fail_if_matches_regexp
      .filter((one) => records.some(matches(one)))
      .map((one) => `a record matches ${one}`),
    ...checks.fail_if_all_match_regexp
      .filter((one) => records.length > 0 && records.every(matches(one)))
      .map((one) => `all records match ${one}`),
    ...checks.fail_if_not_matches_regexp
      .filter((one) => !records.every(matches(one)))
      .map((one) => `a record does not match ${one}`),
    ...checks.fail_if_none_matches_regexp
      .filter((one) => !records.some(matches(one)))
      .map((one) => `no record matches ${one}`),
  ]
}
