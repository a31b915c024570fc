import type { Worker } from 'node:worker_threads'
import { AppError, type Clock, errorMessage, type Logger, RpcClient } from '../../lib/index.ts'
import { QueryTimeoutError } from '../../promql/index.ts'
import type { Tsdb } from '../../tsdb/index.ts'
import type { ActiveQueryFile } from './active-query-file.ts'
import { type AnswerPart, isPart, isPlaced, RoomsOfWorker } from './answer-memory.ts'
import { CacheCount, newCacheCounts } from './cache-counts.ts'
import type { Cancellation } from './cancellation.ts'
import type { EngineSettings, WorkerSetup } from './query-worker.ts'
import { QuickQueries, quickKeyOf } from './quick-queries.ts'
import { startQueryWorker, type WaitingWorker } from './early-start.ts'

/** The queue of waiting queries is full, or the pool is closing. */
export class QueryRejectedError extends AppError {
  override readonly code = 'ERR_QUERY_REJECTED'
  override readonly httpStatus = 503
}

/** Rules go before people: a late alert is worse than a late panel. */
export type QueryClass = 'rule' | 'interactive'

export interface QueryPoolOptions {
  readonly tsdb: Pick<Tsdb, 'attachReader'>
  readonly clock: Clock
  readonly logger: Logger
  readonly workerCount: number
  /** Absent: it starts one. */
  readonly firstWorker?: WaitingWorker | undefined
  readonly settings: EngineSettings
  /** Survives the process, to tell which query was its last; queries that are known to be quick are not noted. */
  readonly activeFile?: ActiveQueryFile
}

/** A query that waits or runs. */
export interface ActiveQuery {
  readonly id: number
  readonly expr: string
  readonly queryClass: QueryClass
  readonly state: 'waiting' | 'running'
  readonly enqueuedAtMs: number
  /** 0 while it waits. */
  readonly startedAtMs: number
}

interface Job {
  readonly id: number
  readonly queryClass: QueryClass
  /** '' for what is no query: label names and the like. */
  readonly expr: string
  startedAtMs: number
  /** Stops it, once it runs. */
  cancel: (() => void) | undefined
  readonly method: string
  readonly params: object
  readonly cancellation: Cancellation | undefined
  readonly onPart: ((part: AnswerPart) => void) | undefined
  readonly enqueuedAtMs: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

interface Slot {
  readonly worker: Worker
  readonly rpc: RpcClient
  readonly cancelFlag: Int32Array
  readonly cacheCounts: Float64Array
  readonly rooms: RoomsOfWorker
  /** Expressions that it was asked for last, which it may have kept answers of. */
  readonly asked: Set<string>
  readonly detach: () => void
  /** Serves nobody else. */
  readonly forRules: boolean
  busy: boolean
  /** Of the query that runs. */
  onPart: ((part: AnswerPart) => void) | undefined
}

const QUEUE_LENGTH_MAX = 1000
const ASKED_KEPT = 256
// Longer expressions are not worth the memory of knowing them.
const KNOWN_LENGTH_MAX = 8192
/** How often those that wait are looked at. */
const WATCH_MS = 250
/** Rules that have waited so long get a worker that only they use: one slow query must not keep alerts from being evaluated. */
const RULE_WAIT_MAX_MS = 1000

/**
 * Query workers beside the store, one query at a time each; rules are served first, the rest in order of arrival. One runs
 * from the start, each of the others from when a query first has to wait: many a server never needs them.
 */
export class QueryPool {
  readonly #options: QueryPoolOptions
  readonly #slots: Slot[] = []
  readonly #queues: Readonly<Record<QueryClass, Job[]>> = { rule: [], interactive: [] }
  readonly #running = new Set<Job>()
  readonly #quick = new QuickQueries()
  #nextId = 1
  #closing = false
  #isWatching = false
  /** Of workers that have failed. */
  readonly #formerCounts = { hits: 0, misses: 0 }
  #settings: EngineSettings
  /** Plain fields, copied into metrics when they are scraped. */
  readonly counts = { failed: 0, running: 0 }
  /** Told of each query that ended, well or not. */
  onFinished: (times: { queuedMs: number; runMs: number }) => void = () => {}

  constructor(options: QueryPoolOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#slots.push(this.#startSlot(options.firstWorker))
  }

  /**
   * Runs a method of the query worker.
   *
   * @param cancellation of the query, queued or running
   * @throws {AppError} what the worker threw
   */
  run<T>(
    method: string,
    params: object,
    options: {
      queryClass?: QueryClass
      cancellation?: Cancellation
      /** Told of the beginning of a large answer, which then comes in one piece all the same. */
      onPart?: ((part: AnswerPart) => void) | undefined
    } = {},
  ): Promise<T> {
    const queryClass = options.queryClass ?? 'interactive'
    const queue = this.#queues[queryClass]
    return new Promise<T>((resolve, reject) => {
      if (this.#closing || queue.length >= QUEUE_LENGTH_MAX) {
        reject(new QueryRejectedError(this.#closing ? 'the server is stopping' : 'too many queries are waiting'))
        return
      }
      const enqueuedAtMs = this.#options.clock.nowMs()
      queue.push({
        id: this.#nextId++,
        queryClass,
        expr: (params as { expr?: string }).expr ?? '',
        startedAtMs: 0,
        cancel: undefined,
        method,
        params: options.onPart === undefined ? params : { ...params, inParts: true },
        cancellation: options.cancellation,
        onPart: options.onPart,
        enqueuedAtMs,
        resolve: resolve as (v: unknown) => void,
        reject,
      })
      this.#dispatch()
    })
  }

  /** Queries that run, then those that wait. */
  active(): ActiveQuery[] {
    const waiting = [...this.#queues.rule, ...this.#queues.interactive]
    return [...this.#running, ...waiting].filter(({ expr }) => expr !== '').map(activeQuery)
  }

  /** Ends a query, whether it runs or waits; who asked gets status 499. @returns false when there is none of this id */
  kill(id: number): boolean {
    for (const queue of Object.values(this.#queues)) {
      const index = queue.findIndex((job) => job.id === id)
      if (index < 0) continue
      queue.splice(index, 1)[0]!.reject(new QueryCanceledError('query was killed while it waited'))
      return true
    }
    const running = [...this.#running].find((job) => job.id === id)
    running?.cancel?.()
    return running !== undefined
  }

  /** Takes effect with the next query of each worker. */
  configure(settings: EngineSettings): void {
    this.#settings = settings
    for (const slot of this.#slots) void slot.rpc.call('configure', settings).catch(() => undefined)
  }

  /** What the workers keep of answers to range queries; hits and misses since the start. */
  cacheTotals(): { hits: number; misses: number; bytes: number } {
    const sum = (count: number): number => this.#slots.reduce((all, slot) => all + slot.cacheCounts[count]!, 0)
    const { hits, misses } = this.#formerCounts
    return {
      hits: hits + sum(CacheCount.HITS),
      misses: misses + sum(CacheCount.MISSES),
      bytes: sum(CacheCount.BYTES),
    }
  }

  get runningWorkers(): number {
    return this.#slots.length
  }

  /** Most that people's queries may have. */
  get workerCount(): number {
    return this.#options.workerCount
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const queue of Object.values(this.#queues)) {
      for (const job of queue.splice(0)) job.reject(new QueryRejectedError('the server is stopping'))
    }
    for (const slot of this.#slots) Atomics.store(slot.cancelFlag, 0, 1)
    await Promise.all(this.#slots.map((slot) => slot.worker.terminate()))
    for (const slot of this.#slots) slot.detach()
  }

  #startSlot(waiting = startQueryWorker(), forRules = false): Slot {
    const { handle, detach } = this.#options.tsdb.attachReader()
    const cancelFlag = new Int32Array(new SharedArrayBuffer(4))
    const cacheCounts = newCacheCounts()
    const rooms = new RoomsOfWorker()
    const setup: WorkerSetup = {
      reader: handle,
      cancelFlag,
      cacheCounts,
      roomStates: rooms.states,
      settings: this.#settings,
    }
    const { worker, setUp } = waiting
    setUp(setup)
    const rpc = new RpcClient(worker)
    const slot: Slot = {
      worker,
      rpc,
      cancelFlag,
      cacheCounts,
      rooms,
      asked: new Set(),
      detach,
      forRules,
      busy: false,
      onPart: undefined,
    }
    worker.on('error', (error) => this.#replaceSlot(slot, error))
    worker.on('message', (message: unknown) => {
      if (!isPart(message)) return
      const { body, release } = slot.rooms.open(message.part)
      slot.onPart?.({ body, release: release! })
    })
    return slot
  }

  #replaceSlot(slot: Slot, error: Error): void {
    const index = this.#slots.indexOf(slot)
    if (index < 0 || this.#closing) return
    this.#options.logger.error({ err: error }, 'query worker failed, starting another')
    slot.detach()
    this.#formerCounts.hits += slot.cacheCounts[CacheCount.HITS]!
    this.#formerCounts.misses += slot.cacheCounts[CacheCount.MISSES]!
    this.#slots[index] = this.#startSlot(undefined, slot.forRules)
    this.#dispatch()
  }

  #dispatch(): void {
    for (;;) {
      const hasRules = this.#queues.rule.length > 0
      const idle = this.#slots.filter(({ busy, forRules }) => !busy && (hasRules || !forRules))
      if (idle.length === 0) return this.#startAnother()
      const job = this.#queues.rule.shift() ?? this.#queues.interactive.shift()
      if (!job) return
      const slot = idle.find(({ asked }) => asked.has(job.expr)) ?? idle[0]!
      if (job.cancellation?.isCancelled) job.reject(new QueryCanceledError('query was canceled while it waited'))
      else void this.#runOn(slot, job)
    }
  }

  /** Where queries wait and there may be more workers. It gets work once it is up: the others may be free before. */
  #startAnother(): void {
    const { rule, interactive } = this.#queues
    if (this.#closing || rule.length + interactive.length === 0) return
    this.#watch()
    if (this.#slots.length < this.workerCount) this.#addSlot(false)
  }

  #addSlot(forRules: boolean): void {
    const slot = this.#startSlot(undefined, forRules)
    slot.busy = true
    this.#slots.push(slot)
    const begin = (): void => {
      slot.busy = false
      this.#dispatch()
    }
    slot.rpc.call('configure', this.#settings).then(begin, begin)
  }

  /** For as long as queries wait. */
  #watch(): void {
    if (this.#isWatching || this.#closing) return
    this.#isWatching = true
    this.#options.clock.schedule(WATCH_MS, () => {
      this.#isWatching = false
      const { rule, interactive } = this.#queues
      const nowMs = this.#options.clock.nowMs()
      for (const queue of [rule, interactive]) rejectLate(queue, nowMs)
      const hasOwn = this.#slots.some(({ forRules }) => forRules)
      if (!hasOwn && rule.length > 0 && nowMs - rule[0]!.enqueuedAtMs >= RULE_WAIT_MAX_MS) this.#addSlot(true)
      if (rule.length + interactive.length > 0) this.#watch()
    })
  }

  async #runOn(slot: Slot, job: Job): Promise<void> {
    slot.busy = true
    slot.onPart = job.onPart
    noteAsked(slot.asked, job.expr)
    Atomics.store(slot.cancelFlag, 0, 0)
    const cancel = (): void => void Atomics.store(slot.cancelFlag, 0, 1)
    job.cancellation?.listen(cancel)
    const startMs = this.#options.clock.nowMs()
    job.cancel = cancel
    job.startedAtMs = startMs
    this.#running.add(job)
    const { activeFile } = this.#options
    const isKnowable = job.expr !== '' && job.expr.length <= KNOWN_LENGTH_MAX
    const quickKey = isKnowable ? quickKeyOf(job.params) : undefined
    const isNoted = job.expr !== '' && (quickKey === undefined || !this.#quick.isQuick(quickKey))
    const fileSlot = isNoted ? activeFile?.insert(job.expr, startMs) : undefined
    const queuedMs = startMs - job.enqueuedAtMs
    this.counts.running++
    try {
      const answer = await slot.rpc.call(job.method, { ...job.params, queuedMs })
      job.resolve(isPlaced(answer) ? slot.rooms.open(answer) : answer)
    } catch (error) {
      this.counts.failed++
      job.reject(error instanceof Error ? error : new Error(errorMessage(error)))
    } finally {
      this.counts.running--
      this.#running.delete(job)
      if (fileSlot !== undefined) activeFile?.remove(fileSlot)
      const runMs = this.#options.clock.nowMs() - startMs
      if (quickKey !== undefined) this.#quick.learn(quickKey, runMs)
      this.onFinished({ queuedMs, runMs })
      job.cancellation?.forget(cancel)
      slot.busy = false
      this.#dispatch()
    }
  }
}

/** Their time limits are of waiting and running together. */
function rejectLate(queue: Job[], nowMs: number): void {
  const isLate = ({ params, enqueuedAtMs }: Job): boolean =>
    nowMs - enqueuedAtMs >= ((params as { timeoutMs?: number }).timeoutMs ?? Number.POSITIVE_INFINITY)
  for (const job of queue.filter(isLate)) {
    queue.splice(queue.indexOf(job), 1)
    job.reject(new QueryTimeoutError('query queue'))
  }
}

/** The newest last; queries without an expression are not told apart. */
function noteAsked(asked: Set<string>, expr: string): void {
  if (expr === '' || expr.length > KNOWN_LENGTH_MAX) return
  asked.delete(expr)
  asked.add(expr)
  if (asked.size > ASKED_KEPT) asked.delete(asked.values().next().value!)
}

const activeQuery = ({ id, expr, queryClass, enqueuedAtMs, startedAtMs }: Job): ActiveQuery => ({
  id,
  expr,
  queryClass,
  state: startedAtMs === 0 ? 'waiting' : 'running',
  enqueuedAtMs,
  startedAtMs,
})

/** The client went away, or somebody killed the query. */
class QueryCanceledError extends AppError {
  override readonly code = 'ERR_QUERY_CANCELED'
  override readonly httpStatus = 499
}
