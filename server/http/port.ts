import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '../../lib/index.ts'
import type { ListenAddress } from '../settings.ts'

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

  private constructor(server: Server, url: string) {
    this.server = server
    this.url = url
    server.on('request', (request, response) => {
      if (this.#handler) this.#handler(request, response)
      else response.writeHead(503, { 'x-prometheus-stopping': 'false' }).end('Service Unavailable')
    })
  }

  /** @throws {ListenError} */
  static open({ host, port }: ListenAddress): Promise<Port> {
    const server = createServer({ keepAliveTimeout: 75_000 })
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'another process listens there' : cause.message
        reject(new ListenError(`cannot listen on ${host}:${port}: ${why}`, { cause }))
      })
      server.listen(port, host, () => resolve(new Port(server, urlOf(server.address() as AddressInfo))))
    })
  }

  /** Names who will answer; until `begin` everybody is told to wait. */
  prepare(handler: RequestListener): void {
    this.#prepared = handler
  }

  /** Call when the prepared handler can answer everything. */
  begin(): void {
    this.#handler = this.#prepared
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
  return `http://${family === 'IPv6' && host !== '127.0.0.1' ? `[${host}]` : host}:${port}`
}
