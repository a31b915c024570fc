/** The way to a web server: directly, or through a proxy. */
import * as http from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { TLSSocket } from 'node:tls'
import { basicCredentials } from '../../../lib/http-text.ts'
import { withoutUrlPassword } from '../../../lib/index.ts'
import { proxyOf } from '../../../lib/proxy.ts'
import { Dialer, failureOf } from './dialer.ts'
import type { HttpProbeOptions, ProxyOptions } from './http-config.ts'
import { lookUpHost, type ProbeContext, ProbeFailure, type ResolvedAddress, resolveHost } from './resolve.ts'
import { tlsOptions } from './tls-metrics.ts'

/** A connection over which a request can be sent at once. */
export interface HttpConnection {
  /** The receiver destroys it. */
  readonly socket: Socket | TLSSocket
  /** Names: of the target unless the proxy does that, and of the proxy. */
  readonly resolveMs: number
  /** Until bytes reach the target: with a proxy, until that has taken the connection, or connected to the target. */
  readonly connectMs: number
  /** Handshake with the target. */
  readonly tlsMs: number
  /** What the request asks for: a path, or the whole URL where a proxy reads it. */
  readonly requestTarget: string
  /** Headers for a proxy that reads the request. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * @param serverName whose certificate the target must show
 * @throws {ProbeFailure}
 */
export async function openConnection(
  url: URL,
  serverName: string,
  options: HttpProbeOptions,
  context: ProbeContext,
): Promise<HttpConnection> {
  const { deadlineMs, log } = context
  const hostname = bareHost(url.hostname)
  const isTls = url.protocol === 'https:'
  const named = proxyFor(url, options)
  const isLeftToProxy = named !== undefined && options.skip_resolve_phase_with_proxy
  const target = isLeftToProxy ? undefined : await resolveHost(hostname, options, context)
  const asked = target ? withHost(url, target) : url
  // Exceptions may name the host, or its address.
  const proxy = named && proxyFor(asked, options)
  const via = proxy && (await lookUpHost(bareHost(proxy.hostname), proxyFamilies(options), deadlineMs))
  const first = via ?? target!
  const tls = isTls ? await tlsOptions(options.tls_config, serverName) : undefined
  const dialer = new Dialer(deadlineMs)
  try {
    const startMs = performance.now()
    await dialer.connect({
      host: first.address,
      family: first.family,
      port: portOf(proxy ?? url),
      ...(options.source_ip_address !== undefined && { localAddress: options.source_ip_address }),
    })
    if (proxy) await enterProxy(dialer, proxy, via!.address, asked, options)
    const connectedMs = performance.now()
    if (proxy) log('connected to the proxy', { proxy: withoutUrlPassword(proxy.href), address: via!.address })
    if (tls) {
      await dialer.secure({ host: target?.address ?? hostname, ALPNProtocols: ['http/1.1'], ...tls })
    }
    const isReadByProxy = proxy !== undefined && !isTls
    return {
      socket: dialer.release(),
      resolveMs: ((target?.durationSeconds ?? 0) + (via?.durationSeconds ?? 0)) * 1000,
      connectMs: connectedMs - startMs,
      tlsMs: isTls ? performance.now() - connectedMs : 0,
      requestTarget: (isReadByProxy ? `http://${asked.host}` : '') + url.pathname + url.search,
      headers: isReadByProxy ? proxyCredentials(proxy) : {},
    }
  } catch (error) {
    dialer.close()
    throw error
  }
}

/** Every family will do for a proxy: it is not what is probed. */
const proxyFamilies = ({ preferred_ip_protocol }: HttpProbeOptions) => ({
  preferred_ip_protocol,
  ip_protocol_fallback: true,
})

function proxyFor(url: URL, options: ProxyOptions): URL | undefined {
  const { proxy_url: proxyUrl, no_proxy: noProxy, proxy_from_environment: proxyFromEnvironment } = options
  const config = {
    proxyFromEnvironment,
    ...(proxyUrl !== undefined && { proxyUrl }),
    ...(noProxy !== undefined && { noProxy }),
  }
  const proxy = proxyOf(url, config, process.env)
  if (proxy === undefined) return undefined
  if (!/^https?:\/\//.test(proxy) || !URL.canParse(proxy)) {
    throw new ProbeFailure(`the proxy ${JSON.stringify(withoutUrlPassword(proxy))} is no http or https URL`)
  }
  return new URL(proxy)
}

/** Makes a fresh connection to a proxy one that the target, or the proxy as a reader of requests, is at the end of. */
async function enterProxy(
  dialer: Dialer,
  proxy: URL,
  address: string,
  asked: URL,
  options: HttpProbeOptions,
): Promise<void> {
  if (proxy.protocol === 'https:') {
    // The name that the module gives is the target's.
    const { server_name: _, ...tls } = options.tls_config ?? { insecure_skip_verify: false }
    await dialer.secure({
      host: address,
      ALPNProtocols: ['http/1.1'],
      ...(await tlsOptions(tls, bareHost(proxy.hostname))),
    })
  }
  if (asked.protocol === 'https:') await tunnel(dialer.socket, `${asked.hostname}:${portOf(asked)}`, proxy, options)
}

function tunnel(socket: Socket, authority: string, proxy: URL, options: HttpProbeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => socket,
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyCredentials(proxy), ...options.proxy_connect_header },
    })
    request.on('error', (error) => reject(failureOf(error)))
    request.on('connect', ({ statusCode }) => {
      if (statusCode === 200) resolve()
      else reject(new ProbeFailure(`the proxy answered ${statusCode} to CONNECT`))
    })
    request.end()
  })
}

const proxyCredentials = ({ username, password }: URL): Record<string, string> =>
  username === ''
    ? {}
    : { 'proxy-authorization': basicCredentials(decodeURIComponent(username), decodeURIComponent(password)) }

function withHost(url: URL, { address, family }: ResolvedAddress): URL {
  const changed = new URL(url)
  changed.hostname = family === 6 ? `[${address}]` : address
  return changed
}

/** Without the brackets of IPv6. */
export const bareHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')

const portOf = (url: URL): number => (url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port))
