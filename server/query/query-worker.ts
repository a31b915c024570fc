/** The thread that evaluates queries, beside the store's shared memory. Answers are finished JSON bytes or plain vectors. */
import { parentPort, workerData } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { ownWindowKernels } from '../../kernels/index.ts'
import { AppError, serveRpc, systemClock, Transfer } from '../../lib/index.ts'
import { type Labels, labelsToRecord, type Matcher, type Queryable } from '../../model/index.ts'
import {
  createEngine,
  type Engine,
  type Evaluation,
  type EvaluationStats,
  type PlanNode,
  type Expr,
  parseExpr,
  QueryCanceledError,
  type QueryOptions,
  QueryTimeoutError,
  writeQueryJson,
} from '../../promql/index.ts'
import { openReader, type ReaderHandle } from '../../tsdb/index.ts'
import { AnswerRooms, type JsonAnswer, type PlacedAnswer } from './answer-memory.ts'
import { answerRead, type ReadOptions } from '../remote-read/read-answer.ts'
import { decodeReadRequest } from '../remote-read/read-request.ts'
import { CacheCount } from './cache-counts.ts'
import { packColumns } from './columns.ts'
import { AnswerPacker, type BatchAnswer, type PackedAnswers } from './rule-answers.ts'
import type { PromqlFeatures } from './promql-features.ts'
import { RepeatedSelects } from './repeated-selects.ts'
import { listJson } from './list-json.ts'
import { missingWarnings } from './missing-newest.ts'
import { SharedView } from './shared-view.ts'
import { parseAnySelectorParam, parseSelectorParam } from './selector-param.ts'
import { federationPage, type FederationRequest } from './federation.ts'
import { awaitSetup, type WaitingData } from './early-start.ts'

export interface EngineSettings {
  readonly lookbackDeltaMs: number
  /** `global.evaluation_interval`: the step of a subquery that names none. */
  readonly evaluationIntervalMs: number
  readonly maxSamples: number
  readonly promql: PromqlFeatures
}

export interface WorkerSetup {
  readonly reader: ReaderHandle
  /** One shared word; not 0 = stop the query that runs. */
  readonly cancelFlag: Int32Array
  /** Shared; the worker writes what it has kept of earlier answers, as `CacheCount` numbers. */
  readonly cacheCounts: Float64Array
  /** Shared, of the rooms that answers are written into. */
  readonly roomStates: Int32Array
  readonly settings: EngineSettings
}

export interface RemoteReadRequest extends Omit<ReadOptions, 'check'> {
  /** The request as it came. */
  readonly bytes: Uint8Array
  /** What is asked for, for people. */
  readonly expr: string
  readonly timeoutMs: number
}

interface CommonRequest {
  readonly timeoutMs: number
  /** Series in the answer, 0 = no limit. */
  readonly limit?: number
  readonly lookbackDeltaMs?: number
  readonly stats?: boolean
  readonly perStepStats?: boolean
  /** Of the request itself, to be told with those of the evaluation. */
  readonly requestWarnings?: readonly string[]
  /** Use no earlier answer. */
  readonly noCache?: boolean
  /** How long the query waited for a worker. */
  readonly queuedMs?: number
  /** The client takes gzip. */
  readonly gzip?: boolean
  /** The client may get the beginning of a large answer while the rest is being written. */
  readonly inParts?: boolean
}

export interface InstantRequest extends CommonRequest {
  readonly expr: string
  readonly timeMs: number
}

/** Queries of rules. */
export interface BatchRequest extends CommonRequest {
  /** `listId` names the label list that the asker has of the expression's last answer, 0 for none. */
  readonly queries: readonly { readonly expr: string; readonly timeMs: number; readonly listId: number }[]
  /** The answer shall tell the statistics of each. */
  readonly isLogged?: boolean
}

export interface RangeRequest extends CommonRequest {
  readonly expr: string
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

export interface ExplainRequest extends CommonRequest {
  readonly expr: string
  /** One time for an instant query. */
  readonly times: number | { readonly startMs: number; readonly endMs: number; readonly stepMs: number }
  readonly run: boolean
}

export interface ExplainAnswer {
  readonly plan: PlanNode
  /** Where the query was run. */
  readonly stats?: EvaluationStats
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
}

export interface ColumnsRequest extends RangeRequest {
  /** Points of the grid. */
  readonly count: number
}

export interface MatchRequest {
  /** Selectors as text, ORed. */
  readonly matchers: readonly string[]
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** 0 = no limit. */
  readonly limit: number
  readonly name?: string
}

/** Most that answers to range queries may take, in each worker. */
const RANGE_CACHE_BYTES = 32 << 20

const setup = awaitSetup(workerData as WaitingData)
const windowKernels = ownWindowKernels()
const reader = openReader(setup.reader, windowKernels.columns)
/** Of the work at hand. */
let deadlineMs = Number.POSITIVE_INFINITY
reader.check = () => {
  if (Atomics.load(setup.cancelFlag, 0) !== 0) throw new QueryCanceledError()
  if (systemClock.nowMs() > deadlineMs) throw new QueryTimeoutError()
}
const rooms = new AnswerRooms(setup.roomStates)
let settings = setup.settings
let engine = engineOf(settings)
/** Of the engine at hand, what stands in the shared counts already. */
let counted = { hits: 0, misses: 0 }

function engineOf(current: EngineSettings): Engine {
  return createEngine({
    lookbackDeltaMs: current.lookbackDeltaMs,
    defaultSubqueryStepMs: () => current.evaluationIntervalMs,
    maxSamples: current.maxSamples,
    features: current.promql.parser,
    delayedNameRemoval: current.promql.delayedNameRemoval,
    windowKernels,
    clock: systemClock,
    rangeCacheBytes: RANGE_CACHE_BYTES,
  })
}

/** For the main thread, which reads them whenever it is asked for its metrics. */
function countCached(): void {
  const { hits, misses, bytes: size } = engine.rangeCacheStats()
  const { cacheCounts } = setup
  cacheCounts[CacheCount.HITS]! += hits - counted.hits
  cacheCounts[CacheCount.MISSES]! += misses - counted.misses
  cacheCounts[CacheCount.BYTES] = size
  counted = { hits, misses }
}

const PARSED_MAX = 20_000
const parsedRules = new Map<string, Expr>()

/** Rules ask the same again and again. */
function parsedRule(text: string): Expr {
  let expr = parsedRules.get(text)
  if (expr === undefined) {
    if (parsedRules.size >= PARSED_MAX) parsedRules.clear()
    parsedRules.set(text, (expr = parseExpr(text, settings.promql.parser)))
  }
  return expr
}

const ruleAnswers = new AnswerPacker()
const repeatedSelects = new RepeatedSelects()

function ruleAnswer(
  view: Queryable,
  { expr, timeMs }: { readonly expr: string; readonly timeMs: number },
  options: QueryOptions,
  onStats?: (stats: EvaluationStats) => void,
): BatchAnswer {
  try {
    const { result, stats } = engine.instant(view, parsedRule(expr), timeMs, options)
    onStats?.(stats)
    return result.type === 'matrix' ? { error: 'rule result is not a vector or scalar' } : { value: result }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { error: error.message }
  }
}

function optionsOf(request: CommonRequest) {
  deadlineMs = systemClock.nowMs() + request.timeoutMs - (request.queuedMs ?? 0)
  reader.takeMissing() // Of a query that has failed.
  return {
    deadlineMs,
    cancelFlag: setup.cancelFlag,
    // Statistics tell what one whole evaluation reads.
    noCache: request.noCache === true || request.stats === true,
    ...(request.perStepStats && { perStepStats: true }),
    ...(request.lookbackDeltaMs === undefined ? {} : { lookbackDeltaMs: request.lookbackDeltaMs }),
  }
}

// Packing is done here, where it holds up nobody else. JSON of samples packs nearly as well at level 1, in a fifth of the time.
const GZIP_LEVEL = 1
const GZIP_BYTES_MIN = 1400
// No bytes are cut from a buffer for many that is as large as this.
const OWN_BUFFER_BYTES_MIN = 1 << 20

function bytes(body: Uint8Array, gzip = false, stats?: EvaluationStats): Transfer<JsonAnswer> {
  const packed = gzip && body.byteLength >= GZIP_BYTES_MIN
  const finished = packed ? gzipSync(body, { level: GZIP_LEVEL }) : body
  // Only a buffer that holds nothing else may be given away.
  const fills = finished.byteLength === finished.buffer.byteLength || finished.byteLength >= OWN_BUFFER_BYTES_MIN
  const own = fills && !(finished.buffer instanceof SharedArrayBuffer)
  const answer = own ? finished : finished.slice()
  return new Transfer({ body: answer, gzip: packed, ...(stats && { stats }) }, [answer.buffer as ArrayBuffer])
}

/** For the query log: tells how long the query waited. */
const withQueue = (stats: EvaluationStats, { queuedMs = 0 }: CommonRequest): EvaluationStats =>
  queuedMs === 0 ? stats : { ...stats, timings: { ...stats.timings, execQueueTime: queuedMs / 1000 } }

/** @param firstMs earliest time that was evaluated */
function queryAnswer(
  evaluation: Evaluation,
  request: CommonRequest,
  firstMs: number,
): PlacedAnswer | Transfer<JsonAnswer> {
  const missing = missingWarnings(reader, firstMs)
  let room: ReturnType<AnswerRooms['find']>
  const body = writeQueryJson(evaluation.result, {
    warnings: [...evaluation.warnings, ...(request.requestWarnings ?? []), ...missing],
    infos: evaluation.infos,
    limit: request.limit ?? 0,
    findRoom: (size, allocate) => (room = rooms.find(size, allocate))?.bytes,
    ...(request.inParts === true && request.gzip !== true
      ? { onFilled: (length) => parentPort!.postMessage({ part: rooms.place(room!.index, length, undefined) }) }
      : {}),
    ...(request.stats ? { stats: evaluation.stats, queuedMs: request.queuedMs ?? 0 } : {}),
  })
  const stats = withQueue(evaluation.stats, request)
  const isPacked = request.gzip === true && body.byteLength >= GZIP_BYTES_MIN
  if (room === undefined || body.buffer !== room.bytes.buffer || isPacked) {
    return bytes(body, request.gzip, stats)
  }
  return rooms.place(room.index, body.byteLength, stats)
}

function jsonAnswer<T>(
  items: readonly T[],
  { limit, minTimeMs }: MatchRequest,
  jsonOf?: (item: T) => unknown,
): Transfer<JsonAnswer> {
  return bytes(listJson(items, limit, missingWarnings(reader, minTimeMs), jsonOf))
}

const matcherSets = (texts: readonly string[]): Matcher[][] => texts.map(parseSelectorParam)

function withQuerier<T>(request: MatchRequest, read: (querier: ReturnType<typeof reader.querier>) => T): T {
  deadlineMs = Number.POSITIVE_INFINITY
  reader.takeMissing()
  const querier = reader.querier(request)
  try {
    return read(querier)
  } finally {
    querier.close()
  }
}

serveRpc(parentPort!, {
  configure(next: EngineSettings): void {
    settings = next
    engine = engineOf(settings)
    counted = { hits: 0, misses: 0 }
    countCached()
  },
  instantJson(request: InstantRequest) {
    const { expr, timeMs } = request
    return queryAnswer(engine.instant(reader, expr, timeMs, optionsOf(request)), request, timeMs)
  },
  rangeJson(request: RangeRequest) {
    const { startMs, endMs, stepMs } = request
    const evaluation = engine.range(reader, request.expr, { startMs, endMs, stepMs }, optionsOf(request))
    countCached()
    return queryAnswer(evaluation, request, startMs)
  },
  explain(request: ExplainRequest): ExplainAnswer {
    const given = { ...optionsOf(request), run: request.run }
    const { plan, evaluation } = engine.explain(reader, request.expr, request.times, given)
    if (evaluation === undefined) return { plan }
    const { stats, warnings, infos } = evaluation
    return { plan, stats, warnings, infos }
  },
  rangeColumns(request: ColumnsRequest) {
    const { startMs, endMs, stepMs, count, limit = 0 } = request
    const evaluation = engine.range(reader, request.expr, { startMs, endMs, stepMs }, optionsOf(request))
    countCached()
    return bytes(packColumns(evaluation, { startMs, stepMs, count }, limit))
  },
  instantValues(request: BatchRequest): Transfer<PackedAnswers> {
    const { queries } = request
    const view = new SharedView(reader, systemClock, repeatedSelects)
    try {
      const stats = new Map<object, EvaluationStats>()
      const packed = ruleAnswers.pack(queries, (query) => {
        const note = (one: EvaluationStats): void => void stats.set(query, withQueue(one, request))
        return ruleAnswer(view, query, optionsOf(request), request.isLogged ? note : undefined)
      })
      const noted = request.isLogged ? { stats: queries.map((query) => stats.get(query)) } : {}
      return new Transfer({ ...packed, ...noted }, [packed.listIds.buffer, packed.values.buffer])
    } finally {
      view.close()
    }
  },
  seriesPoints(request: MatchRequest): { labels: Labels; points: [number, number][] }[] {
    return withQuerier(request, (querier) => {
      const found: { labels: Labels; points: [number, number][] }[] = []
      for (const column of querier.select(matcherSets(request.matchers)[0] ?? [], request)) {
        const points: [number, number][] = []
        for (let i = 0; i < column.length; i++) {
          points.push([column.timestampsMs[i]!, column.stale?.[i] === 1 ? Number.NaN : column.values[i]!])
        }
        found.push({ labels: column.labels, points })
      }
      return found
    })
  },
  seriesJson(request: MatchRequest) {
    const sets = matcherSets(request.matchers)
    const found = withQuerier(request, (querier) => querier.series(sets, request))
    return jsonAnswer(found, request, labelsToRecord)
  },
  labelNamesJson(request: MatchRequest) {
    const sets = matcherSets(request.matchers)
    return jsonAnswer(
      withQuerier(request, (querier) => querier.labelNames(sets, request)),
      request,
    )
  },
  labelValuesJson(request: MatchRequest & { name: string }) {
    const sets = matcherSets(request.matchers)
    return jsonAnswer(
      withQuerier(request, (querier) => querier.labelValues(request.name, sets, request)),
      request,
    )
  },
  remoteRead({ bytes: packed, ...options }: RemoteReadRequest) {
    const request = decodeReadRequest(packed)
    deadlineMs = systemClock.nowMs() + options.timeoutMs
    const { value, list } = bytes(answerRead(reader, request, { ...options, check: reader.check }))
    return new Transfer({ ...value, isChunked: request.wantsChunks }, list)
  },
  federate(request: FederationRequest & { readonly matchers: readonly string[] }) {
    deadlineMs = Number.POSITIVE_INFINITY
    return bytes(federationPage(reader, request.matchers.map(parseAnySelectorParam), request))
  },
  cardinality(request: { limit: number }) {
    return reader.cardinality(request.limit)
  },
})
