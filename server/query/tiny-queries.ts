// Hot: small queries of dashboards and scripts. Covered by bench/load/api.ts.
import { AppError, type Clock } from '../../lib/index.ts'
import { createEngine, type Engine, type Expr, walkExpr, writeQueryJson } from '../../promql/index.ts'
import { openReader, type Tsdb, type TsdbReader } from '../../tsdb/index.ts'
import type { JsonAnswer } from './answer-memory.ts'
import type { EngineSettings, InstantRequest } from './query-worker.ts'

export interface TinyQueriesOptions {
  readonly tsdb: Pick<Tsdb, 'attachReader' | 'blocks'>
  readonly clock: Clock
  readonly settings: EngineSettings
}

/** A run is tiny within these bounds. */
const WORKER_SECONDS_MAX = 0.002
const SAMPLES_MAX = 200
const OWN_MS_MAX = 5
/**
 * A query has a credit of one for each tiny run, and is answered here with so much of it. Any run may be slow for a reason of
 * the machine's, which must not send a query back for good; but this thread cannot wait for the same one twice in a short time.
 */
const CREDIT_WANTED = 3
const CREDIT_MAX = 60
const CREDIT_MIN = -100
const WORKER_SLOW_COST = 5
const OWN_SLOW_COST = 40
const KNOWN_MAX = 1000
// Longer expressions are not worth the memory of knowing them.
const KNOWN_LENGTH_MAX = 8192
const ROOM_BYTES = 1 << 15
const ROOMS_MAX = 8
/** Above so many series a reader who takes packed answers gets one, which only workers write. */
const UNPACKED_SAMPLES_MAX = 8

interface Known {
  credit: number
  samples: number
}

/**
 * Answers instant queries on the thread that asks, when it is known that handing them to a worker would cost more than they
 * do: they have been tiny in workers time after time, and all that they need is in memory. Everything else is for the workers.
 */
export class TinyQueries {
  readonly #options: TinyQueriesOptions
  readonly #known = new Map<string, Known>()
  #settings: EngineSettings
  #engine: Engine | undefined
  #attached: { readonly reader: TsdbReader; readonly detach: () => void } | undefined
  /** Memory for answers, of those that have been sent. */
  readonly #rooms: Uint8Array[] = []
  #isClosed = false

  constructor(options: TinyQueriesOptions) {
    this.#options = options
    this.#settings = options.settings
  }

  /** @returns `undefined` when a worker must answer */
  answer(request: InstantRequest, expr: Expr): JsonAnswer | undefined {
    const known = this.#known.get(request.expr)
    if (known === undefined || known.credit < CREDIT_WANTED || this.#isClosed) return undefined
    if (request.gzip === true && known.samples > UNPACKED_SAMPLES_MAX) return undefined
    if (!this.#isInMemory(request)) return undefined
    const startMs = performance.now()
    // The first one of all is also the one that everything is made ready for.
    const isFirst = this.#engine === undefined
    try {
      return this.#run(request, expr)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      // A worker says why.
      known.credit = 0
      return undefined
    } finally {
      if (!isFirst) account(known, performance.now() - startMs > OWN_MS_MAX ? -OWN_SLOW_COST : 1)
    }
  }

  /** Takes note of how much work an answer was for a worker. */
  learn(request: InstantRequest, expr: Expr, { stats }: JsonAnswer): void {
    if (stats === undefined || request.expr.length > KNOWN_LENGTH_MAX) return
    const samples = stats.samples.totalQueryableSamples
    const isSmall = samples <= SAMPLES_MAX && readsOnlyNewest(expr)
    const known = this.#known.get(request.expr)
    if (!isSmall) {
      if (known !== undefined) this.#known.delete(request.expr)
      return
    }
    const isTiny = stats.timings.evalTotalTime <= WORKER_SECONDS_MAX
    if (known !== undefined) {
      account(known, isTiny ? 1 : -WORKER_SLOW_COST)
      known.samples = samples
      return
    }
    if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(request.expr, { credit: Number(isTiny), samples })
  }

  configure(settings: EngineSettings): void {
    this.#settings = settings
    this.#engine = undefined
  }

  close(): void {
    this.#isClosed = true
    this.#attached?.detach()
  }

  /** Whether no block can hold what the query looks at: blocks are read from disk. */
  #isInMemory({ timeMs, lookbackDeltaMs = this.#settings.lookbackDeltaMs }: InstantRequest): boolean {
    return this.#options.tsdb.blocks().every(({ maxTime }) => maxTime <= timeMs - lookbackDeltaMs)
  }

  #run(request: InstantRequest, expr: Expr): JsonAnswer {
    const { clock, tsdb } = this.#options
    const { lookbackDeltaMs, evaluationIntervalMs, maxSamples, promql } = this.#settings
    this.#engine ??= createEngine({
      lookbackDeltaMs,
      defaultSubqueryStepMs: () => evaluationIntervalMs,
      maxSamples,
      features: promql.parser,
      delayedNameRemoval: promql.delayedNameRemoval,
      clock,
    })
    if (this.#attached === undefined) {
      const { handle, detach } = tsdb.attachReader()
      this.#attached = { reader: openReader(handle), detach }
    }
    const { result, warnings, infos, stats } = this.#engine.instant(this.#attached.reader, expr, request.timeMs, {
      deadlineMs: clock.nowMs() + request.timeoutMs,
      ...(request.lookbackDeltaMs === undefined ? {} : { lookbackDeltaMs: request.lookbackDeltaMs }),
    })
    const extras = request.stats === true ? { stats, queuedMs: 0 } : {}
    let room: Uint8Array | undefined
    const body = writeQueryJson(result, {
      warnings,
      infos,
      limit: request.limit ?? 0,
      findRoom: (bytes) => (room = bytes <= ROOM_BYTES ? (this.#rooms.pop() ?? new Uint8Array(ROOM_BYTES)) : undefined),
      ...extras,
    })
    return { body, gzip: false, stats, ...(room && { release: () => this.#takeBack(room!) }) }
  }

  #takeBack(room: Uint8Array): void {
    if (this.#rooms.length < ROOMS_MAX) this.#rooms.push(room)
  }
}

function account(known: Known, change: number): void {
  known.credit = Math.max(CREDIT_MIN, Math.min(CREDIT_MAX, known.credit + change))
}

/** No ranges, and no other time than the query's. Series are found by their name: other ways may look at every label there is. */
function readsOnlyNewest(expr: Expr): boolean {
  let isPlain = true
  walkExpr(expr, (part) => {
    if (part.kind === 'matrixSelector' || part.kind === 'subquery') isPlain = false
    if (part.kind !== 'vectorSelector') return
    const isMoved = part.offsetMs !== 0 || part.offsetExpr !== undefined || part.at !== undefined
    if (isMoved || part.name === '') isPlain = false
  })
  return isPlain
}
