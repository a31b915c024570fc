// Hot: carries every scrape of an http:// target. Covered by bench/load/ingest.ts.
import { connect, type Socket } from 'node:net'
import { BodyTooLargeError, HttpRequestError } from './http-client.ts'
import { connectionErrorText } from './http-text.ts'
import { AnswerReader } from './http1-reader.ts'
import { gunzipAtOnce, unpackBody } from './http-unpack.ts'
import { Inflater } from './inflater.ts'

/** A request that is sent again and again. */
export interface PlainRequest {
  readonly host: string
  readonly port: number
  /** Unix socket that is asked instead; '' = none. */
  readonly socketPath: string
  /** Method, path and headers as they are sent, up to and including the empty line. Must be safe to repeat. */
  readonly bytes: Uint8Array
  /** For error messages: `GET http://…`. */
  readonly name: string
  /** For the whole exchange, body included. */
  readonly timeoutMs: number
  /** Counted after unpacking; 0 = no limit. */
  readonly bodyBytesMax: number
}

export interface PlainAnswer {
  readonly status: number
  /** '' = none, as the other headers. */
  readonly contentType: string
  readonly location: string
  /** Unpacked. A view that holds only during the call: copy what is to be kept. */
  readonly body: Uint8Array
}

/** Hears of each exchange once, unless it is cancelled. */
export interface PlainReceiver {
  onAnswer(answer: PlainAnswer): void
  onFailure(error: HttpRequestError | BodyTooLargeError): void
}

export interface PlainExchange {
  /** Sends the request. Not before the receiver has heard of the time before. */
  start(): void
  /** The receiver hears nothing any more. */
  cancel(): void
}

export interface PlainHttpClientOptions {
  /** How long an unused connection is kept. */
  readonly keepAliveMs: number
  /** Where bodies stand that arrive in one piece, beside their heads, and where they are unpacked; as far as they fit. */
  readonly buffers?: { readonly read: Uint8Array; readonly unpack: Uint8Array }
}

const READ_BYTES = 64 * 1024

/**
 * HTTP/1.1 over plain connections, made for asking many servers the same thing every few seconds: requests are ready bytes,
 * all connections read into one buffer, one timer watches all deadlines. No TLS, no proxies, no redirects.
 */
export class PlainHttpClient {
  readonly #origins: Origins

  constructor(options: PlainHttpClientOptions) {
    this.#origins = new Origins(options)
  }

  exchange(request: PlainRequest, receiver: PlainReceiver): PlainExchange {
    return new Exchange(request, receiver, this.#origins)
  }

  /** Ends all connections; exchanges under way fail. */
  close(): void {
    this.#origins.close()
  }
}

/** Those that have connections, and what all of them share. */
class Origins {
  readonly keepAliveMs: number
  readonly deadlines = new Deadlines()
  /** One for all: between reading and the callback nothing else runs. */
  readonly readBuffer: Uint8Array
  readonly inflater: Inflater
  isClosed = false
  readonly #byKey = new Map<string, Origin>()

  constructor({ keepAliveMs, buffers }: PlainHttpClientOptions) {
    this.keepAliveMs = keepAliveMs
    this.readBuffer = buffers?.read ?? Buffer.allocUnsafeSlow(READ_BYTES)
    this.inflater = new Inflater(buffers?.unpack)
  }

  of(key: string, { host, port, socketPath }: PlainRequest): Origin {
    let origin = this.#byKey.get(key)
    if (origin === undefined) {
      origin = new Origin(this, key, socketPath === '' ? { host, port } : { path: socketPath })
      this.#byKey.set(key, origin)
    }
    return origin
  }

  forget(key: string, origin: Origin): void {
    if (this.#byKey.get(key) === origin) this.#byKey.delete(key)
  }

  close(): void {
    this.isClosed = true
    for (const origin of this.#byKey.values()) origin.close()
  }
}

class Exchange implements PlainExchange {
  readonly request: PlainRequest
  readonly #receiver: PlainReceiver
  readonly #origins: Origins
  readonly #originKey: string
  #connection: Connection | undefined
  #isRetried = false
  #isRunning = false
  /** Counts the starts, so that unpacking elsewhere finds out whether it is still wanted. */
  #round = 0
  /** On the `performance.now()` scale. */
  deadlineMs = 0
  /** Place in `Deadlines`, -1 = none. */
  deadlineIndex = -1

  constructor(request: PlainRequest, receiver: PlainReceiver, origins: Origins) {
    this.request = request
    this.#receiver = receiver
    this.#origins = origins
    this.#originKey = request.socketPath || `${request.host} ${request.port}`
  }

  start(): void {
    this.#isRunning = true
    this.#isRetried = false
    this.#round++
    this.deadlineMs = performance.now() + this.request.timeoutMs
    this.#origins.deadlines.add(this)
    this.#connection = this.#origins.of(this.#originKey, this.request).connection()
    this.#connection.send(this)
  }

  cancel(): void {
    this.#finish()
  }

  expire(): void {
    const { name, timeoutMs } = this.request
    this.fail(new HttpRequestError(`${name}: deadline of ${timeoutMs / 1000}s exceeded`, true))
  }

  /** The connection is gone. @param mayRetry it had been idle for a while and answered nothing */
  lose(error: Error | undefined, mayRetry: boolean): void {
    this.#connection = undefined
    if (mayRetry && !this.#isRetried && !this.#origins.isClosed) {
      this.#isRetried = true
      this.#connection = this.#origins.of(this.#originKey, this.request).freshConnection()
      this.#connection.send(this)
      return
    }
    const why =
      error === undefined ? 'the connection was closed before the answer was complete' : connectionErrorText(error)
    this.fail(new HttpRequestError(`${this.request.name}: ${why}`, false, { cause: error }))
  }

  /** All has been received; the body is a view of what is about to be overwritten. */
  complete(reader: AnswerReader): void {
    this.#connection = undefined
    const { contentEncoding: encoding, status, contentType, location, body } = reader
    let unpacked: Uint8Array | undefined = body
    try {
      if (encoding !== '') unpacked = gunzipAtOnce(body, encoding, this.request.bodyBytesMax, this.#origins.inflater)
    } catch (error) {
      return this.fail(error as HttpRequestError)
    }
    if (unpacked === undefined) return void this.#unpackLater(body.slice(), encoding, { status, contentType, location })
    this.#finish()
    this.#receiver.onAnswer({ status, contentType, location, body: unpacked })
  }

  fail(error: HttpRequestError | BodyTooLargeError): void {
    if (!this.#isRunning) return
    this.#finish()
    this.#receiver.onFailure(error)
  }

  async #unpackLater(packed: Uint8Array, encoding: string, head: Omit<PlainAnswer, 'body'>): Promise<void> {
    const round = this.#round
    const isWanted = (): boolean => this.#isRunning && this.#round === round
    let body: Uint8Array
    try {
      body = await unpackBody([packed], encoding, this.request.bodyBytesMax)
    } catch (error) {
      if (isWanted()) this.fail(error as HttpRequestError)
      return
    }
    if (!isWanted()) return
    this.#finish()
    this.#receiver.onAnswer({ ...head, body })
  }

  #finish(): void {
    this.#isRunning = false
    this.#origins.deadlines.remove(this)
    this.#connection?.abandon()
    this.#connection = undefined
  }
}

/** Connections to one host and port, or to one socket. */
class Origin {
  readonly #origins: Origins
  readonly #key: string
  readonly #address: { readonly host: string; readonly port: number } | { readonly path: string }
  readonly #all = new Set<Connection>()
  /** Those used last at the end, so that the others can grow old. */
  readonly #idle: Connection[] = []
  #sweeper: NodeJS.Timeout | undefined

  constructor(origins: Origins, key: string, address: { host: string; port: number } | { path: string }) {
    this.#origins = origins
    this.#key = key
    this.#address = address
  }

  connection(): Connection {
    return this.#idle.pop() ?? this.freshConnection()
  }

  freshConnection(): Connection {
    const { readBuffer } = this.#origins
    const connection = new Connection(this, (onBytes) =>
      connect({ ...this.#address, noDelay: true, onread: { buffer: readBuffer, callback: onBytes } }),
    )
    this.#all.add(connection)
    return connection
  }

  takeBack(connection: Connection): void {
    connection.idleSinceMs = performance.now()
    this.#idle.push(connection)
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#origins.keepAliveMs / 2).unref()
  }

  forget(connection: Connection): void {
    this.#all.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    if (this.#all.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
    this.#origins.forget(this.#key, this)
  }

  close(): void {
    for (const connection of this.#all) connection.destroy()
  }

  #sweep(): void {
    const oldestMs = performance.now() - this.#origins.keepAliveMs
    while (this.#idle.length > 0 && this.#idle[0]!.idleSinceMs < oldestMs) this.#idle[0]!.destroy()
  }
}

class Connection {
  idleSinceMs = 0
  readonly #origin: Origin
  readonly #socket: Socket
  readonly #reader = new AnswerReader()
  #exchange: Exchange | undefined
  #isUsed = false
  #error: Error | undefined

  constructor(origin: Origin, open: (onBytes: (byteCount: number, buffer: Uint8Array) => boolean) => Socket) {
    this.#origin = origin
    this.#socket = open((byteCount, buffer) => this.#onBytes(byteCount, buffer))
    this.#socket.on('error', (error) => {
      this.#error = error
    })
    this.#socket.on('end', () => this.#onEnd())
    this.#socket.on('close', () => this.#onClose())
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#reader.begin(exchange.request.bodyBytesMax)
    this.#socket.ref()
    this.#socket.write(exchange.request.bytes)
  }

  /** Whoever waited here does so no longer. */
  abandon(): void {
    this.#exchange = undefined
    this.destroy()
  }

  destroy(): void {
    this.#origin.forget(this)
    this.#socket.destroy()
  }

  #onBytes(byteCount: number, buffer: Uint8Array): boolean {
    const exchange = this.#exchange
    if (exchange === undefined) {
      // Nothing was asked.
      this.destroy()
      return false
    }
    let isDone: boolean
    try {
      isDone = this.#reader.read(buffer, byteCount)
    } catch (error) {
      exchange.fail(named(error as HttpRequestError, exchange))
      return false
    }
    if (isDone) this.#complete(exchange)
    return true
  }

  #complete(exchange: Exchange): void {
    const reader = this.#reader
    this.#exchange = undefined
    this.#isUsed = true
    if (reader.keepsAlive) {
      this.#socket.unref()
      this.#origin.takeBack(this)
    } else {
      this.destroy()
    }
    exchange.complete(reader)
    // The receiver may have asked again, through this connection.
    if (this.#exchange === undefined) reader.release()
  }

  #onEnd(): void {
    if (this.#exchange !== undefined && this.#reader.end()) this.#complete(this.#exchange)
    else this.destroy()
  }

  #onClose(): void {
    this.#origin.forget(this)
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.lose(this.#error, this.#isUsed && !this.#reader.hasStarted)
  }
}

/** One timer for the deadlines of all exchanges under way. */
class Deadlines {
  readonly #running: Exchange[] = []
  #timer: NodeJS.Timeout | undefined
  #firesAtMs = Number.POSITIVE_INFINITY

  add(exchange: Exchange): void {
    exchange.deadlineIndex = this.#running.push(exchange) - 1
    if (exchange.deadlineMs < this.#firesAtMs) this.#arm(exchange.deadlineMs)
  }

  /** The timer stays: exchanges end in time almost always, and the next ones need it too. */
  remove(exchange: Exchange): void {
    const index = exchange.deadlineIndex
    if (index < 0) return
    exchange.deadlineIndex = -1
    const last = this.#running.pop()!
    if (last === exchange) return
    this.#running[index] = last
    last.deadlineIndex = index
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer)
    this.#firesAtMs = atMs
    // No scrape waits for this to keep the process alive: its connection does.
    this.#timer = setTimeout(() => this.#fire(), Math.max(1, Math.ceil(atMs - performance.now()))).unref()
  }

  #fire(): void {
    const nowMs = performance.now()
    this.#firesAtMs = Number.POSITIVE_INFINITY
    for (const exchange of this.#running.filter((each) => each.deadlineMs <= nowMs)) exchange.expire()
    let next = this.#firesAtMs
    for (const exchange of this.#running) next = Math.min(next, exchange.deadlineMs)
    if (next < this.#firesAtMs) this.#arm(next)
  }
}

function named(error: HttpRequestError | BodyTooLargeError, exchange: Exchange): HttpRequestError | BodyTooLargeError {
  if (error instanceof BodyTooLargeError) return error
  return new HttpRequestError(`${exchange.request.name}: ${error.message}`, false, { cause: error })
}
