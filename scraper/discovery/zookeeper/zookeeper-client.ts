import { connect, type Socket } from 'node:net'
import type { Clock } from '../../../lib/index.ts'
import { DiscoveryError } from '../poll.ts'
import { JuteReader, JuteWriter } from './jute.ts'

const PORT_DEFAULT = 2181
const FRAME_BYTES_MAX = 16 << 20

/** Numbers of the protocol. */
const OPERATION = { EXISTS: 3, GET_DATA: 4, PING: 11, GET_CHILDREN: 8, CLOSE: -11 } as const
const XID = { WATCH: -1, PING: -2 } as const
export const NO_NODE = -101

/** A node is gone, or the ensemble refuses to say. */
export class ZookeeperReplyError extends DiscoveryError {
  readonly reply: number

  constructor(path: string, reply: number) {
    super(`ZooKeeper answered ${reply} for ${path}`)
    this.reply = reply
  }
}

export interface ZookeeperEvents {
  /** What was read there once may have changed; it is not watched any more. */
  onChange(path: string): void
  /** The session is over, whoever ended it but `close`. */
  onEnd(error: Error): void
}

interface Waiting {
  readonly path: string
  resolve(body: JuteReader): void
  reject(error: Error): void
}

/** One session with one server of an ensemble; watches end with it. */
export class ZookeeperClient {
  readonly #socket: Socket
  readonly #events: ZookeeperEvents
  readonly #waiting = new Map<number, Waiting>()
  readonly #queued: Buffer[] = []
  #cancelPing: (() => void) | undefined
  #received = Buffer.alloc(0)
  #xid = 0
  #isConnected = false
  #isOver = false

  /** @param server `host` or `host:port` */
  constructor(server: string, options: { timeoutMs: number; clock: Clock }, events: ZookeeperEvents) {
    const { timeoutMs, clock } = options
    const [, host = server, port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(server) ?? []
    this.#events = events
    this.#socket = connect({ host, port: port === undefined ? PORT_DEFAULT : Number(port) })
    // Silence for the time of a session ends it; pings keep it alive.
    this.#socket.setTimeout(timeoutMs, () => {
      // Also where it was closed and the server does not hang up.
      this.#socket.destroy()
      this.#end(new DiscoveryError(`ZooKeeper at ${server} is silent`))
    })
    this.#socket.on('connect', () => this.#socket.write(hello(timeoutMs)))
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.#end(error))
    this.#socket.on('close', () => this.#end(new DiscoveryError(`ZooKeeper at ${server} hung up`)))
    const ping = (): void => {
      if (this.#isConnected) this.#socket.write(new JuteWriter().int(XID.PING).int(OPERATION.PING).frame())
      this.#cancelPing = clock.schedule(timeoutMs / 3, ping)
    }
    this.#cancelPing = clock.schedule(timeoutMs / 3, ping)
  }

  /** Names of the nodes below, and tells when they change. @throws {ZookeeperReplyError} */
  async children(path: string): Promise<string[]> {
    return (await this.#ask(OPERATION.GET_CHILDREN, path)).texts()
  }

  /** What a node holds, and tells when it changes or goes. @throws {ZookeeperReplyError} */
  async data(path: string): Promise<Buffer> {
    return (await this.#ask(OPERATION.GET_DATA, path)).buffer()
  }

  /** Tells when a node that is not there comes. */
  async awaitNode(path: string): Promise<void> {
    await this.#ask(OPERATION.EXISTS, path).catch((error: unknown) => {
      if (!(error instanceof ZookeeperReplyError && error.reply === NO_NODE)) throw error
    })
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelPing?.()
    this.#rejectAll(new DiscoveryError('the ZooKeeper session was closed'))
    // Ends the session at once instead of after its time.
    if (this.#isConnected)
      this.#socket.end(
        new JuteWriter()
          .int(++this.#xid)
          .int(OPERATION.CLOSE)
          .frame(),
      )
    else this.#socket.destroy()
  }

  #ask(operation: number, path: string): Promise<JuteReader> {
    if (this.#isOver) return Promise.reject(new DiscoveryError('the ZooKeeper session is over'))
    const xid = ++this.#xid
    return new Promise((resolve, reject) => {
      this.#waiting.set(xid, { path, resolve, reject })
      const frame = new JuteWriter().int(xid).int(operation).text(path).bool(true).frame()
      // The server is not asked before it has greeted.
      if (this.#isConnected) this.#socket.write(frame)
      else this.#queued.push(frame)
    })
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    try {
      while (this.#received.length >= 4) {
        const length = this.#received.readInt32BE()
        if (length < 0 || length > FRAME_BYTES_MAX) throw new DiscoveryError(`a ZooKeeper frame of ${length} bytes`)
        if (this.#received.length < 4 + length) return
        const frame = this.#received.subarray(4, 4 + length)
        this.#received = this.#received.subarray(4 + length)
        this.#frame(new JuteReader(frame))
      }
    } catch (error) {
      this.#end(error as Error)
    }
  }

  #frame(reader: JuteReader): void {
    if (!this.#isConnected) {
      reader.int() // Protocol version.
      if (reader.int() <= 0) throw new DiscoveryError('ZooKeeper refused the session')
      this.#isConnected = true
      for (const frame of this.#queued.splice(0)) this.#socket.write(frame)
      return
    }
    const xid = reader.int()
    reader.long() // Transaction.
    const reply = reader.int()
    if (xid === XID.PING) return
    if (xid === XID.WATCH) {
      reader.int() // Type of the event.
      reader.int() // State of the session.
      this.#events.onChange(reader.text())
      return
    }
    const waiting = this.#waiting.get(xid)
    this.#waiting.delete(xid)
    if (reply === 0) waiting?.resolve(reader)
    else waiting?.reject(new ZookeeperReplyError(waiting.path, reply))
  }

  #end(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelPing?.()
    this.#socket.destroy()
    this.#rejectAll(error)
    this.#events.onEnd(error)
  }

  #rejectAll(error: Error): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
  }
}

const hello = (timeoutMs: number): Buffer =>
  new JuteWriter()
    .int(0) // Protocol version.
    .long(0n) // Last transaction seen.
    .int(timeoutMs)
    .long(0n) // A new session.
    .buffer(Buffer.alloc(16)) // Its password.
    .frame()
