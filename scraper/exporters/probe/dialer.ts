import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { errorMessage } from '../../../lib/index.ts'
import { ProbeFailure } from './resolve.ts'

/** One connection in the making, layer by layer. It ends by itself when the probe's time is over. */
export class Dialer {
  readonly #timer: NodeJS.Timeout
  #socket: Socket | undefined
  #isLate = false

  /** @param deadlineMs on the `performance.now()` scale */
  constructor(deadlineMs: number) {
    this.#timer = setTimeout(
      () => {
        this.#isLate = true
        this.#socket?.destroy(timedOut())
      },
      Math.max(0, deadlineMs - performance.now()),
    )
  }

  /** The outermost layer. */
  get socket(): Socket {
    return this.#socket!
  }

  /** @throws {ProbeFailure} */
  async connect(to: NetConnectOpts): Promise<void> {
    if (this.#isLate) throw timedOut()
    await this.#ready(connect(to), 'connect')
  }

  /** Speaks TLS over what is there. @param options `host` is what the certificate is for where there is no `servername` */
  async secure(options: ConnectionOptions): Promise<TLSSocket> {
    if (this.#isLate) throw timedOut()
    const socket = connectTls({ ...options, socket: this.socket })
    await this.#ready(socket, 'secureConnect')
    return socket
  }

  /** Ends the watch over the time; the caller minds it from here on. */
  release(): Socket {
    clearTimeout(this.#timer)
    return this.socket
  }

  /** Ends whatever is there. */
  close(): void {
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  #ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    this.#socket = socket
    // Something is always there to hear of a connection that breaks later.
    socket.on('error', () => undefined)
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve())
      socket.once('error', (error) => reject(failureOf(error)))
      socket.once('close', () => reject(new ProbeFailure('the other side closed the connection')))
    })
  }
}

/** The time of a probe was over. */
export class ProbeTimeout extends ProbeFailure {}

export const timedOut = (): ProbeTimeout => new ProbeTimeout('the probe timed out')

/** What a probe says of an error of a connection. */
export const failureOf = (error: unknown): ProbeFailure =>
  error instanceof ProbeFailure ? error : new ProbeFailure(errorMessage(error), { cause: error })
