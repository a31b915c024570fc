import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { AppError } from '../../lib/index.ts'
import type { ListenAddress } from '../settings.ts'
import type { WebGuard } from '../web/web-guard.ts'
import type { DirectRoutes } from './direct.ts'

/** The address is taken, or not ours to take. */
export class ListenError extends AppError {
  override readonly code = 'ERR_LISTEN'
}

/**
 * A listening socket that is opened before there is anything to serve: a second process fails early, links can name the
 * address, and who asks during start-up is told to wait.
 */
export class Port {
  readonly server: Server
  /** With the address as users would type it: an "any" address becomes the loopback one. */
  readonly url: string
  #prepared: RequestListener | undefined
  #handler: RequestListener | undefined
  #build: (() => Promise<unknown>) | undefined
  #building: Promise<unknown> | undefined
  #direct: DirectRoutes | undefined
  #early: DirectRoutes | undefined

  private constructor(server: Server, url: string, guard: WebGuard | undefined) {
    this.server = server
    this.url = url
    server.on('request', (request, response) => {
      if (guard === undefined) this.#answer(request, response)
      else void this.#answerGuarded(request, response, guard)
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#build === undefined) {
      if (this.#early?.answer(request, response)) return
      response.writeHead(503, { 'x-prometheus-stopping': 'false' }).end('Service Unavailable')
    } else if (!this.#direct?.answer(request, response)) {
      if (this.#handler) this.#handler(request, response)
      else void this.#answerLate(request, response)
    }
  }

  /** The first that asks for it waits until the handler has been made. */
  async #answerLate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const building = (this.#building ??= this.#build!())
    try {
      await building
    } catch {
      // Who builds it has told why. What was missing, such as a free file descriptor, may be there next time.
      if (this.#building === building) this.#building = undefined
      response.writeHead(500).end()
      return
    }
    this.#handler = this.#prepared
    this.#prepared!(request, response)
  }

  async #answerGuarded(request: IncomingMessage, response: ServerResponse, guard: WebGuard): Promise<void> {
    guard.refresh()
    try {
      if (await guard.admit(request, response)) this.#answer(request, response)
    } catch {
      // The thread that checks passwords has gone; the next request starts it anew.
      response.writeHead(500).end()
    }
  }

  /** @param guard TLS, headers and users of the port; none without it @throws {ListenError} */
  static open({ host, port }: ListenAddress, guard?: WebGuard): Promise<Port> {
    const server = serverFor(guard)
    const scheme = guard?.tls === undefined ? 'http' : 'https'
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'another process listens there' : cause.message
        reject(new ListenError(`cannot listen on ${host}:${port}: ${why}`, { cause }))
      })
      server.listen(port, host, () => resolve(new Port(server, urlOf(scheme, server.address() as AddressInfo), guard)))
    })
  }

  /** Names who will answer; until `begin` everybody is told to wait, but for what `prepareEarly` names. */
  prepare(handler: RequestListener): void {
    this.#prepared = handler
  }

  /** Routes that are answered before `begin` already. */
  prepareEarly(routes: DirectRoutes): void {
    this.#early = routes
  }

  /** Routes that are answered ahead of the prepared handler. */
  prepareDirect(routes: DirectRoutes): void {
    this.#direct = routes
  }

  /**
   * From now on requests are answered.
   *
   * @param build prepares the handler, once somebody has asked for what only it answers; default: it has been prepared
   */
  begin(build: () => Promise<unknown> = async () => undefined): void {
    this.#build = build
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }
}

// Go's limit: long selectors in links are no fault. A URL counts as a header here.
const HEADER_BYTES_MAX = 1 << 20
const SERVER_OPTIONS = { keepAliveTimeout: 75_000, maxHeaderSize: HEADER_BYTES_MAX }

function serverFor(guard: WebGuard | undefined): Server {
  if (guard?.tls === undefined) return createServer(SERVER_OPTIONS)
  const server: TlsServer = createTlsServer({ ...SERVER_OPTIONS, ...guard.tls.options })
  // In front of the server's own listener, so that a new certificate serves the very connection that found it.
  let applied = guard.version
  server.prependListener('connection', () => {
    guard.refresh()
    if (guard.version === applied || guard.tls === undefined) return
    applied = guard.version
    server.setSecureContext(guard.tls.options)
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!guard.acceptsPeer(socket)) socket.destroy()
  })
  return server as unknown as Server
}

function urlOf(scheme: string, { address, family, port }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
  return `${scheme}://${family === 'IPv6' && host !== '127.0.0.1' ? `[${host}]` : host}:${port}`
}
