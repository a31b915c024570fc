import { timingSafeEqual } from 'node:crypto'
import { AppError, type Clock, errorMessage, type HttpClient, type Logger } from '../../lib/index.ts'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog } from '../store/state-log.ts'

export interface ClusterOptions {
  /** Of this instance; peers are ordered by it, so it must be its own. */
  readonly name: string
  /** Where the others are reached: the address below which `/api/belltower/v1` lies. May hold `user:password@`. */
  readonly peerUrls: readonly string[]
  /** Shared by all; whoever has it may change silences. */
  readonly key: string
  /** How long each instance waits for those before it to have notified. Default 15 s. */
  readonly peerTimeoutMs?: number
}

/** A caller that does not have the cluster's key, or a cluster that there is not. */
export class ClusterAccessError extends AppError {
  override readonly code = 'ERR_ALERT_CLUSTER'
  override readonly httpStatus: number

  constructor(message: string, httpStatus: number) {
    super(message)
    this.httpStatus = httpStatus
  }
}

/** What goes over the wire, both ways. */
export interface Exchange {
  readonly name: string
  /** Everything, and the same is asked for in return; otherwise only what is new. */
  readonly full: boolean
  readonly records: readonly StateRecord[]
}

/** The state that instances share: everything of it can be merged in any order, any number of times. */
export interface SharedState {
  readonly kinds: readonly string[]
  snapshot(): Iterable<StateRecord>
  merge(record: StateRecord): void
  commit(): Promise<void>
}

const HEARTBEAT_MS = 1000
const EXCHANGE_TIMEOUT_MS = 5000
const PEER_TIMEOUT_DEFAULT_MS = 15_000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** A header of its own, because the port may have users. */
export const CLUSTER_KEY_HEADER = 'belltower-cluster-key'

interface Peer {
  /** Without a password. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  name: string | undefined
  isAlive: boolean
  /** What it has not been told yet; `undefined` = everything. */
  unsent: StateRecord[] | undefined
}

/**
 * Tells the other instances each change within a second, and everything when one comes (back). Newer records win, so that
 * states agree again after a partition. Only the first of those alive notifies at once; the next ones give it time to.
 */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #client: HttpClient
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #state: SharedState
  readonly #peers: Peer[]
  #cancel: () => void = () => {}
  #stopped = false

  constructor(options: ClusterOptions, more: { client: HttpClient; clock: Clock; logger: Logger; state: SharedState }) {
    this.#options = options
    this.#client = more.client
    this.#clock = more.clock
    this.#logger = more.logger
    this.#state = more.state
    this.#peers = options.peerUrls.map((url) => peerOf(url, options.key))
  }

  /** Hears first what the others know, then begins to tell. */
  async start(): Promise<void> {
    await this.#tellAll()
    this.#arm()
  }

  /** Whether everybody who should be there is. */
  get status(): {
    readonly name: string
    readonly peers: readonly { name: string; address: string; isAlive: boolean }[]
  } {
    const peers = this.#peers.map(({ url, name, isAlive }) => ({ name: name ?? '', address: url, isAlive }))
    return { name: this.#options.name, peers }
  }

  /** How long to wait for the instances before this one. */
  get waitMs(): number {
    const before = this.#peers.filter(({ isAlive, name }) => isAlive && name !== undefined && name < this.#options.name)
    return before.length * (this.#options.peerTimeoutMs ?? PEER_TIMEOUT_DEFAULT_MS)
  }

  /** A log that also tells the others what is written to it. */
  sharing(log: StateLog): StateLog {
    const kinds = new Set(this.#state.kinds)
    return {
      write: (record) => {
        log.write(record)
        if (kinds.has(record[0])) for (const peer of this.#peers) peer.unsent?.push(record)
      },
      commit: () => log.commit(),
      close: () => log.close(),
    }
  }

  /** Takes what another instance tells and answers it. @throws {ClusterAccessError} */
  async receive(key: string | undefined, exchange: Exchange): Promise<Exchange> {
    if (!isSame(key ?? '', this.#options.key)) throw new ClusterAccessError('wrong key', 401)
    await this.#take(exchange.records)
    const records = exchange.full ? [...this.#state.snapshot()] : []
    return { name: this.#options.name, full: exchange.full, records }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#client.close()
  }

  #arm(): void {
    if (this.#stopped) return
    this.#cancel = this.#clock.schedule(HEARTBEAT_MS, () => {
      void this.#tellAll().then(() => this.#arm())
    })
  }

  async #tellAll(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => this.#tell(peer)))
  }

  async #tell(peer: Peer): Promise<void> {
    const { unsent } = peer
    const full = unsent === undefined
    // What is written from here on goes with the next exchange.
    peer.unsent = []
    const exchange: Exchange = { name: this.#options.name, full, records: unsent ?? [...this.#state.snapshot()] }
    try {
      const answer = await this.#post(peer, exchange)
      if (!peer.isAlive) this.#logger.info({ peer: peer.url, name: answer.name }, 'Peer is there')
      peer.name = answer.name
      peer.isAlive = true
      await this.#take(answer.records)
    } catch (error) {
      if (peer.isAlive || peer.name === undefined)
        this.#logger.warn({ peer: peer.url, reason: errorMessage(error) }, 'Peer cannot be reached')
      peer.name ??= ''
      peer.isAlive = false
      peer.unsent = undefined
    }
  }

  async #post(peer: Peer, exchange: Exchange): Promise<Exchange> {
    const response = await this.#client.request({
      url: `${peer.url}/api/belltower/v1/alerting/cluster/exchange`,
      method: 'POST',
      headers: peer.headers,
      body: JSON.stringify(exchange),
      timeoutMs: EXCHANGE_TIMEOUT_MS,
      bodyBytesMax: ANSWER_BYTES_MAX,
    })
    const text = Buffer.from(response.body).toString('utf8')
    if (response.status !== 200) throw new ClusterAccessError(`status ${response.status}: ${text.slice(0, 200)}`, 502)
    return JSON.parse(text) as Exchange
  }

  async #take(records: readonly StateRecord[]): Promise<void> {
    const kinds = new Set(this.#state.kinds)
    for (const record of records) if (kinds.has(record[0])) this.#state.merge(record)
    await this.#state.commit()
  }
}

function peerOf(address: string, key: string): Peer {
  const url = new URL(address)
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const authorization = user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  url.username = ''
  url.password = ''
  return {
    url: url.href.replace(/\/+$/, ''),
    headers: { 'content-type': 'application/json', [CLUSTER_KEY_HEADER]: key, ...authorization },
    name: undefined,
    isAlive: false,
    unsent: undefined,
  }
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
