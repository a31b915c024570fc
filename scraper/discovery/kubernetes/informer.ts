import { isDeepStrictEqual } from 'node:util'
import { type Clock, errorMessage, type Logger, type StreamingHttpClient } from '../../../lib/index.ts'
import { askJson, DiscoveryError } from '../poll.ts'
import type { KubernetesObject } from './kubernetes-objects.ts'

export interface InformerParts<T> {
  readonly client: StreamingHttpClient
  readonly clock: Clock
  readonly logger: Logger
  readonly onFailure?: () => void
  /** Something has changed, or the first list is complete. */
  readonly onChange: () => void
  /** The server need not know the kind of object (yet): there are none then. Default false. */
  readonly mayBeUnknown?: boolean
  /** What of an object is held; default all. */
  readonly keep?: (object: T) => T
}

const LIST_TIMEOUT_MS = 60_000
const LIST_PAGE = 500
const PAGE_COUNT_MAX = 10_000
// The server ends a watch after this long; the spread keeps many of them from ending together.
const WATCH_SECONDS = 300
const RETRY_MS_MIN = 1000
const RETRY_MS_MAX = 30_000
// A watch that ends sooner without having told anything is not one that the server ends from time to time.
const WATCH_MS_MIN = 1000

/** What is asked for cannot be continued from where we were: all has to be listed again. */
class ExpiredError extends DiscoveryError {}

/** There is no such kind of object on the server. */
class UnknownKindError extends DiscoveryError {}

/** Keeps a copy of one kind of object: lists it, then follows its changes. */
export class Informer<T extends KubernetesObject> {
  /** By `namespace/name`. */
  readonly objects = new Map<string, T>()
  readonly #url: string
  readonly #query: Readonly<Record<string, string>>
  readonly #parts: InformerParts<T>
  #version = ''
  #isSynced = false
  #stopped = false
  #retryMs = RETRY_MS_MIN
  #cancelTimer: (() => void) | undefined
  #watch: AbortController | undefined

  /** @param url of the collection, without a query */
  constructor(url: string, query: Readonly<Record<string, string>>, parts: InformerParts<T>) {
    this.#url = url
    this.#query = query
    this.#parts = parts
  }

  /** The first list is complete. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  start(): void {
    void this.#round()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
    this.#watch?.abort()
  }

  async #round(): Promise<void> {
    let pauseMs = 0
    try {
      if (this.#version === '') await this.#list()
      // A kind that is not known is asked for again after a while.
      if (this.#version === '') throw new UnknownKindError(`${this.#url} is not known to the server`)
      await this.#follow()
      this.#retryMs = RETRY_MS_MIN
    } catch (error) {
      if (this.#stopped) return
      const isExpired = error instanceof ExpiredError
      if (isExpired) this.#version = ''
      else if (error instanceof UnknownKindError) this.#retryMs = RETRY_MS_MAX
      else {
        this.#parts.onFailure?.()
        this.#parts.logger.warn({ url: this.#url, reason: errorMessage(error) }, 'Kubernetes watch broke off')
      }
      pauseMs = isExpired && this.#retryMs === RETRY_MS_MIN ? 0 : this.#retryMs
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
    }
    if (!this.#stopped) this.#cancelTimer = this.#parts.clock.schedule(pauseMs, () => void this.#round())
  }

  async #list(): Promise<void> {
    const found = new Map<string, T>()
    let next = ''
    let version = ''
    for (let page = 0; page < PAGE_COUNT_MAX; page++) {
      const query = { ...this.#query, limit: String(LIST_PAGE), ...(next !== '' && { continue: next }) }
      const value = await this.#ask(query)
      if (value === undefined) return this.#adopt(new Map(), '')
      const list = value as { items?: T[] | null; metadata?: { resourceVersion?: string; continue?: string } }
      for (const item of list.items ?? []) found.set(keyOf(item), this.#kept(item))
      version = list.metadata?.resourceVersion ?? ''
      next = list.metadata?.continue ?? ''
      if (next === '') break
    }
    if (version === '') throw new DiscoveryError(`the list of ${this.#url} has no resourceVersion`)
    this.#adopt(found, version)
  }

  #kept(object: T): T {
    return this.#parts.keep?.(object) ?? object
  }

  #adopt(found: ReadonlyMap<string, T>, version: string): void {
    if (this.#stopped) return
    const isNews = !this.#isSynced || version !== '' || this.objects.size > 0
    this.objects.clear()
    for (const [key, item] of found) this.objects.set(key, item)
    this.#version = version
    this.#isSynced = true
    if (isNews) this.#parts.onChange()
  }

  /** `undefined` for a kind that is not known, where that is no fault. */
  async #ask(query: Readonly<Record<string, string>>): Promise<unknown> {
    const url = `${this.#url}?${new URLSearchParams(query).toString()}`
    try {
      return (await askJson(this.#parts.client, { url, timeoutMs: LIST_TIMEOUT_MS })).value
    } catch (error) {
      if (this.#parts.mayBeUnknown && error instanceof DiscoveryError && error.status === 404) return undefined
      throw error
    }
  }

  /** Resolves when the server ends the watch, as it does from time to time. */
  async #follow(): Promise<void> {
    const seconds = Math.floor(WATCH_SECONDS * (1 + Math.random()))
    const query = new URLSearchParams({
      ...this.#query,
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: String(seconds),
    })
    let eventCount = 0
    const lines = new EventLines<T>((event) => {
      eventCount++
      this.#take(event)
    })
    const startedAt = performance.now()
    const watch = new AbortController()
    this.#watch = watch
    let failure: unknown
    const request = { url: `${this.#url}?${query.toString()}`, timeoutMs: (seconds + 30) * 1000 }
    const onData = (chunk: Uint8Array): void => {
      try {
        lines.push(chunk)
      } catch (error) {
        failure ??= error
        watch.abort()
      }
    }
    const answer = await this.#parts.client
      .stream({ ...request, headers: { accept: 'application/json' } }, onData, watch.signal)
      .catch((error: unknown) => {
        throw failure ?? error
      })
    if (failure !== undefined) throw failure
    if (answer.status === 410) throw new ExpiredError('the watch is too old')
    if (answer.status !== 200) {
      const why = Buffer.from(answer.body).toString().slice(0, 200)
      throw new DiscoveryError(`${this.#url} answered ${answer.status}: ${why}`)
    }
    if (eventCount === 0 && performance.now() - startedAt < WATCH_MS_MIN) {
      throw new DiscoveryError(`${this.#url} ends each watch at once`)
    }
  }

  #take({ type, object }: WatchEvent<T>): void {
    if (this.#stopped) return
    if (type === 'ERROR') {
      const { code, message } = object as unknown as { code?: number; message?: string }
      if (code === 410) throw new ExpiredError('the watch is too old')
      throw new DiscoveryError(`the watch ended: ${message ?? code}`)
    }
    const version = object?.metadata?.resourceVersion
    if (version !== undefined) this.#version = version
    this.#retryMs = RETRY_MS_MIN
    if (type === 'BOOKMARK') return
    const key = keyOf(object)
    if (type === 'DELETED') this.objects.delete(key)
    else {
      const kept = this.#kept(object)
      // Nodes and endpoints are written every few seconds without a change that matters.
      if (isDeepStrictEqual(kept, this.objects.get(key))) return
      this.objects.set(key, kept)
    }
    this.#parts.onChange()
  }
}

interface WatchEvent<T> {
  readonly type: string
  readonly object: T
}

export const keyOf = ({ metadata }: KubernetesObject): string => `${metadata.namespace ?? ''}/${metadata.name}`

const NEWLINE = 10

/** Cuts a stream of JSON lines. */
class EventLines<T> {
  readonly #onEvent: (event: WatchEvent<T>) => void
  #rest: Uint8Array[] = []

  constructor(onEvent: (event: WatchEvent<T>) => void) {
    this.#onEvent = onEvent
  }

  push(chunk: Uint8Array): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      if (end < 0) break
      const line = Buffer.concat([...this.#rest, chunk.subarray(start, end)]).toString()
      this.#rest = []
      start = end + 1
      if (line.trim() !== '') this.#onEvent(parseEvent<T>(line))
    }
    if (start < chunk.length) this.#rest.push(Uint8Array.from(chunk.subarray(start)))
  }
}

function parseEvent<T>(line: string): WatchEvent<T> {
  try {
    return JSON.parse(line) as WatchEvent<T>
  } catch (cause) {
    throw new DiscoveryError('a watch event is no JSON', { cause })
  }
}
