import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { astJson, type Expr, ParseCache, parseExpr, prettyExpr, QueryTimeoutError } from '../../promql/index.ts'
import type { Cancellation } from '../query/cancellation.ts'
import type { LoggedQuery, QueryLog } from '../query/query-log.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { AnswerPart, JsonAnswer } from '../query/answer-memory.ts'
import type { PromqlFeatures } from '../query/promql-features.ts'
import type { InstantRequest, RangeRequest } from '../query/query-worker.ts'
import type { TinyQueries } from '../query/tiny-queries.ts'
import type { DirectRoutes } from './direct.ts'
import { directJson } from './direct-json.ts'
import { cancellationOf, sendAnswer, sendSuccess } from './envelope.ts'
import {
  BadRequestError,
  durationParam,
  limitParam,
  lookbackParam,
  optionalTimeParam,
  paramsOf,
  POINTS_MAX,
  timeParam,
} from './params.ts'
import { staysOnThisMachine } from './request-facts.ts'

export interface QueryApiOptions {
  readonly pool: QueryPool
  /** Absent: all are left to workers. */
  readonly tiny: TinyQueries | undefined
  readonly nowMs: () => number
  /** `--query.timeout`; a request may ask for less. */
  readonly timeoutMs: number
  readonly queryLog: QueryLog
  readonly promql: PromqlFeatures
}

/** `/query`, `/query_range`, `/format_query`, `/parse_query`, relative to `/api/v1`. */
export function registerQueryApi(app: FastifyInstance, given: QueryApiOptions): void {
  const options: QueryApi = { ...given, parsed: new ParseCache(given.promql.parser) }
  const parsed = (request: FastifyRequest): Expr => parseQueryParam(paramsOf(request), given.promql)
  const both = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown): void => {
    app.route({ method: ['GET', 'POST'], url, handler })
  }
  const query = (url: string, start: StartQuery): void => {
    both(url, (request, reply) =>
      sendAnswer(reply, start(askedOf(request.raw, paramsOf(request), request.ip), options, cancellationOf(reply))),
    )
  }
  for (const [url, start] of QUERIES) query(url, start)
  both('/format_query', (request, reply) => sendSuccess(reply, prettyExpr(parsed(request))))
  both('/parse_query', (request, reply) => sendSuccess(reply, astJson(parsed(request))))
}

/** `/query` and `/query_range` ahead of the router. @param prefix what stands before them */
export function addDirectQueries(direct: DirectRoutes, prefix: string, given: QueryApiOptions): void {
  const options: QueryApi = { ...given, parsed: new ParseCache(given.promql.parser) }
  for (const [url, start] of QUERIES) {
    const answer = directJson((request, params, clientIp, cancellation, onPart) =>
      start(askedOf(request, params, clientIp), options, cancellation, onPart),
    )
    for (const method of ['GET', 'POST'] as const) direct.add(method, `${prefix}${url}`, answer)
  }
}

interface QueryApi extends QueryApiOptions {
  /** Expressions that were asked before. */
  readonly parsed: ParseCache
}

/** A request, however it came in. */
interface Asked {
  readonly params: URLSearchParams
  readonly takesGzip: boolean
  readonly method: string
  readonly url: string
  readonly clientIp: string
}

/** @throws {BadRequestError} */
type StartQuery = (
  asked: Asked,
  options: QueryApi,
  cancellation: Cancellation,
  onPart?: (part: AnswerPart) => void,
) => Promise<JsonAnswer>

function askedOf(request: IncomingMessage, params: URLSearchParams, clientIp: string): Asked {
  const { headers, method = '', url = '' } = request
  const encodings = headers['accept-encoding']
  const takesGzip = encodings !== undefined && /\bgzip\b/.test(String(encodings)) && !staysOnThisMachine(request)
  return { params, takesGzip, method, url, clientIp }
}

const instantQuery: StartQuery = async (asked, options, cancellation) => {
  const { params } = asked
  const limit = limitParam(params)
  const query = {
    expr: params.get('query') ?? '',
    timeMs: optionalTimeParam(params, 'time', options.nowMs()),
    ...commonOf(asked, options, limit),
  }
  const isPlain = query.expr.length <= TEXT_LENGTH_MAX && query.requestWarnings.length === 0 && !query.perStepStats
  const expr = !isPlain ? undefined : knownExpr(params, options)
  const times = { startMs: query.timeMs, endMs: query.timeMs, stepMs: 0 }
  const pending = answerInstant(options, query, expr, cancellation)
  return logged(pending, asked, options, { expr: query.expr, ...times })
}

async function answerInstant(
  { tiny, pool }: QueryApiOptions,
  query: InstantRequest,
  expr: Expr | undefined,
  cancellation: Cancellation,
): Promise<JsonAnswer> {
  if (expr === undefined) return parsedThere(pool.run<JsonAnswer>('instantJson', query, { cancellation }))
  const startMs = performance.now()
  const own = tiny?.answer(query, expr)
  if (own !== undefined) {
    pool.onFinished({ queuedMs: 0, runMs: performance.now() - startMs })
    return own
  }
  const answer = await pool.run<JsonAnswer>('instantJson', query, { cancellation })
  tiny?.learn(query, expr, answer)
  return answer
}

const rangeQuery: StartQuery = async (asked, options, cancellation, onPart) => {
  const { params } = asked
  const limit = limitParam(params)
  const startMs = timeParam(params, 'start')
  const endMs = timeParam(params, 'end')
  if (endMs < startMs) throw invalidParam('end', 'end timestamp must not be before start time')
  const stepMs = stepParam(params, endMs - startMs)
  const query: RangeRequest = {
    expr: params.get('query') ?? '',
    startMs,
    endMs,
    stepMs,
    ...commonOf(asked, options, limit),
  }
  if (query.expr.length <= TEXT_LENGTH_MAX) knownExpr(params, options)
  const pending = options.pool.run<JsonAnswer>('rangeJson', query, { cancellation, onPart })
  return logged(parsedThere(pending), asked, options, query)
}

/** Longer texts are left to a worker to parse: giants would hold up everybody here. */
const TEXT_LENGTH_MAX = 4096

/** Of a query that no one has parsed before: its faults are told as `parseQueryParam` tells them. */
async function parsedThere(pending: Promise<JsonAnswer>): Promise<JsonAnswer> {
  try {
    return await pending
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_PROMQL_PARSE') throw cause
    throw invalidParam('query', (cause as Error).message)
  }
}

/** In whole milliseconds. @throws {BadRequestError} also where there would be too many steps */
function stepParam(params: URLSearchParams, spanMs: number): number {
  const exactMs = durationParam(params, 'step')
  if (exactMs === undefined) throw invalidParam('step', 'cannot parse "" to a valid duration')
  if (exactMs <= 0) {
    throw invalidParam('step', 'zero or negative query resolution step widths are not accepted. Try a positive integer')
  }
  // Go divides whole nanoseconds.
  if (Math.trunc(spanMs / exactMs) > POINTS_MAX) {
    throw new BadRequestError(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    )
  }
  return Math.max(1, Math.trunc(exactMs))
}

const QUERIES: readonly (readonly [url: string, start: StartQuery])[] = [
  ['/query', instantQuery],
  ['/query_range', rangeQuery],
]

/** Writes the query log's line when the query has ended. */
function logged(
  pending: Promise<JsonAnswer>,
  { clientIp, method, url }: Asked,
  { queryLog, nowMs }: QueryApiOptions,
  query: { readonly expr: string; readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<JsonAnswer> {
  if (!queryLog.isOn) return pending
  const { expr, startMs, endMs, stepMs } = query
  const httpRequest = { clientIP: clientIp, method, path: url.split('?')[0]! }
  const write = (outcome: Pick<LoggedQuery, 'stats' | 'error'>): void =>
    queryLog.write({ expr, startMs, endMs, stepMs, httpRequest, ...outcome }, nowMs())
  pending.then(
    ({ stats }) => write({ stats }),
    (error: unknown) => write({ error }),
  )
  return pending
}

function commonOf({ params, takesGzip }: Asked, options: QueryApiOptions, limit: number) {
  const timeoutMs = Math.min(durationParam(params, 'timeout') ?? options.timeoutMs, options.timeoutMs)
  if (timeoutMs <= 0) throw new QueryTimeoutError('query queue')
  const lookbackDeltaMs = lookbackParam(params)
  const stats = params.get('stats') ?? ''
  return {
    limit,
    timeoutMs,
    stats: stats !== '',
    perStepStats: stats === 'all' && options.promql.perStepStats,
    requestWarnings: statsWarnings(stats),
    noCache: params.get('nocache') === '1',
    gzip: takesGzip,
    ...(lookbackDeltaMs === undefined ? {} : { lookbackDeltaMs }),
  }
}

function statsWarnings(value: string): readonly string[] {
  if (value === '' || value === 'true' || value === 'all') return []
  const why = 'is deprecated and will be rejected in the next major release, use "true" or "all"'
  return [`value ${JSON.stringify(value)} for parameter "stats" ${why}`]
}

/** As `parseQueryParam`; most expressions have been asked before. */
const knownExpr = (params: URLSearchParams, { parsed }: QueryApi): Expr =>
  parsedParam(params, (text) => parsed.parse(text))

/** The expression in `query`. @throws {BadRequestError} */
export const parseQueryParam = (params: URLSearchParams, { parser }: PromqlFeatures): Expr =>
  parsedParam(params, (text) => parseExpr(text, parser))

function parsedParam(params: URLSearchParams, parse: (text: string) => Expr): Expr {
  try {
    return parse(params.get('query') ?? '')
  } catch (cause) {
    throw invalidParam('query', (cause as Error).message)
  }
}

const invalidParam = (name: string, why: string): BadRequestError =>
  new BadRequestError(`invalid parameter ${JSON.stringify(name)}: ${why}`)
