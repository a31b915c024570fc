import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { compileSearch } from '../../../model/index.ts'
import type { TcpProbeOptions, UnixProbeOptions } from './config.ts'
import { type ProbeContext, ProbeFailure, resolveHost } from './resolve.ts'
import { addTlsMetrics, tlsOptions } from './tls-metrics.ts'

const RECEIVED_BYTES_MAX = 1 << 20

/** Connects, and talks as the module says. @throws {ProbeFailure} */
export async function tcpProbe(target: string, options: TcpProbeOptions, context: ProbeContext): Promise<boolean> {
  const { host, port } = splitTarget(target)
  const { address, family } = await resolveHost(host, options, context)
  const local = options.source_ip_address === undefined ? {} : { localAddress: options.source_ip_address }
  const tls = await tlsOptions(options.tls_config, host)
  return converse({ host: address, family, port, ...local }, tls, options, context)
}

/** As `tcpProbe`, with the socket at a path. @throws {ProbeFailure} */
export async function unixProbe(target: string, options: UnixProbeOptions, context: ProbeContext): Promise<boolean> {
  const path = target.replace(/^unix:(\/\/)?/, '')
  return converse({ path }, await tlsOptions(options.tls_config, ''), options, context)
}

async function converse(
  to: NetConnectOpts,
  tls: ConnectionOptions,
  options: UnixProbeOptions,
  { result, log, deadlineMs }: ProbeContext,
): Promise<boolean> {
  let talk = new Talk(connect(to), deadlineMs)
  const secure = async (): Promise<void> => {
    const socket = connectTls({ socket: talk.release(), ...tls })
    talk = new Talk(socket, deadlineMs)
    await talk.ready('secureConnect')
    addTlsMetrics(socket as TLSSocket, result)
  }
  try {
    await talk.ready('connect')
    log('connected', { ...to })
    if (options.tls) await secure()
    let groups: readonly string[] = []
    for (const step of options.query_response) {
      if (step.expect !== undefined) {
        const found = await talk.expectLine(step.expect)
        result.set('probe_failed_due_to_regex', 'Whether a regular expression failed the probe.', found ? 0 : 1)
        if (!found) throw new ProbeFailure(`no line matched ${step.expect}`)
        groups = found
        log('line matched', { expect: step.expect, line: found[0] })
        if (step.labels.length > 0) {
          const labels = Object.fromEntries(step.labels.map(({ name, value }) => [name, expand(value, found)]))
          result.set('probe_expect_info', 'What the answer said.', 1, labels)
        }
      }
      if (step.expect_bytes !== undefined) await talk.expectBytes(Buffer.from(step.expect_bytes))
      if (step.send !== undefined) talk.send(`${expand(step.send, groups)}\n`)
      if (step.starttls) await secure()
    }
    return true
  } finally {
    talk.destroy()
  }
}

/** `host:port`. @throws {ProbeFailure} */
export function splitTarget(target: string, portDefault?: number): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(target)
  if (match) return { host: match[1] ?? match[2]!, port: Number(match[3]) }
  if (portDefault !== undefined) return { host: target.replace(/^\[(.*)\]$/, '$1'), port: portDefault }
  throw new ProbeFailure(`${JSON.stringify(target)} is not host:port`)
}

const expand = (text: string, groups: readonly string[]): string =>
  text.replace(/\$\{(\d+)\}|\$(\d+)/g, (_, braced?: string, plain?: string) => groups[Number(braced ?? plain)] ?? '')

/** A conversation over one connection, until a deadline. */
class Talk {
  readonly #socket: Socket
  readonly #deadlineMs: number
  readonly #onData = (chunk: Buffer): void => {
    if (this.#received.length < RECEIVED_BYTES_MAX) this.#received = Buffer.concat([this.#received, chunk])
    this.#wake()
  }
  #received = Buffer.alloc(0)
  #ended: Error | undefined
  #wake: () => void = () => undefined

  constructor(socket: Socket, deadlineMs: number) {
    this.#socket = socket
    this.#deadlineMs = deadlineMs
    socket.on('data', this.#onData)
    const end = (error?: Error): void => {
      this.#ended ??= error ?? new Error('the other side closed the connection')
      this.#wake()
    }
    socket.on('error', end)
    socket.on('close', () => end())
    socket.on('end', () => end())
  }

  ready(event: 'connect' | 'secureConnect'): Promise<void> {
    let isReady = false
    this.#socket.once(event, () => {
      isReady = true
      this.#wake()
    })
    return this.#until(() => isReady || undefined).then(() => undefined)
  }

  /** The groups of the first line that matches; `undefined` when the connection ends or the time is over before. */
  async expectLine(pattern: string): Promise<readonly string[] | undefined> {
    const search = compileSearch(pattern)
    const next = (): readonly string[] | undefined => {
      for (;;) {
        const newline = this.#received.indexOf(10)
        const isLast = newline < 0
        if (isLast && !(this.#ended && this.#received.length > 0)) return undefined
        const line = this.#received.toString('utf8', 0, isLast ? this.#received.length : newline).replace(/\r$/, '')
        this.#received = this.#received.subarray(isLast ? this.#received.length : newline + 1)
        const groups = search(line)
        if (groups) return groups
      }
    }
    return this.#until(next).catch(() => undefined)
  }

  async expectBytes(bytes: Buffer): Promise<void> {
    await this.#until(() => this.#received.includes(bytes) || undefined)
    this.#received = this.#received.subarray(this.#received.indexOf(bytes) + bytes.length)
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  /** Hands the connection over; nothing is read here any more. */
  release(): Socket {
    this.#socket.off('data', this.#onData)
    this.#socket.pause()
    return this.#socket
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** @throws {ProbeFailure} at the end of the connection, or of the time */
  async #until<T>(read: () => T | undefined): Promise<T> {
    for (;;) {
      const value = read()
      if (value !== undefined) return value
      if (this.#ended) throw new ProbeFailure(this.#ended.message, { cause: this.#ended })
      const leftMs = this.#deadlineMs - performance.now()
      if (leftMs <= 0) throw new ProbeFailure('the probe timed out')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs + 1)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
