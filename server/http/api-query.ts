import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errorMessage } from '../../lib/index.ts'
import { astJson, type Expr, parseExpr, prettyExpr } from '../../promql/index.ts'
import type { QueryLog } from '../query/query-log.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { InstantRequest, JsonAnswer, RangeRequest } from '../query/query-worker.ts'
import { abortSignalOf, sendAnswer, sendSuccess } from './envelope.ts'
import {
  BadRequestError,
  durationParam,
  limitParam,
  optionalTimeParam,
  paramsOf,
  POINTS_MAX,
  timeParam,
} from './params.ts'

export interface QueryApiOptions {
  readonly pool: QueryPool
  readonly nowMs: () => number
  /** `--query.timeout`; a request may ask for less. */
  readonly timeoutMs: number
  readonly queryLog: QueryLog
}

/** `/query`, `/query_range`, `/format_query`, `/parse_query`, relative to `/api/v1`. */
export function registerQueryApi(app: FastifyInstance, options: QueryApiOptions): void {
  const both = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown): void => {
    app.route({ method: ['GET', 'POST'], url, handler })
  }
  both('/query', (request, reply) => instantQuery(request, reply, options))
  both('/query_range', (request, reply) => rangeQuery(request, reply, options))
  both('/format_query', (request, reply) => sendSuccess(reply, prettyExpr(parseQueryParam(paramsOf(request)))))
  both('/parse_query', (request, reply) => sendSuccess(reply, astJson(parseQueryParam(paramsOf(request)))))
}

async function instantQuery(request: FastifyRequest, reply: FastifyReply, options: QueryApiOptions): Promise<void> {
  const params = paramsOf(request)
  const limit = limitParam(params)
  const query: InstantRequest = {
    expr: params.get('query') ?? '',
    timeMs: optionalTimeParam(params, 'time', options.nowMs()),
    ...commonOf(request, params, options, limit),
  }
  parseQueryParam(params)
  const times = { startMs: query.timeMs, endMs: query.timeMs, stepMs: 0 }
  const pending = options.pool.run<JsonAnswer>('instantJson', query, { signal: abortSignalOf(reply) })
  await sendAnswer(reply, logged(pending, request, options, { expr: query.expr, ...times }))
}

async function rangeQuery(request: FastifyRequest, reply: FastifyReply, options: QueryApiOptions): Promise<void> {
  const params = paramsOf(request)
  const limit = limitParam(params)
  const startMs = timeParam(params, 'start')
  const endMs = timeParam(params, 'end')
  if (endMs < startMs) throw invalidParam('end', 'end timestamp must not be before start time')
  const stepMs = durationParam(params, 'step')
  if (stepMs === undefined) throw invalidParam('step', 'cannot parse "" to a valid duration')
  if (stepMs <= 0) {
    throw invalidParam('step', 'zero or negative query resolution step widths are not accepted. Try a positive integer')
  }
  if ((endMs - startMs) / stepMs > POINTS_MAX) {
    throw new BadRequestError(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    )
  }
  const query: RangeRequest = {
    expr: params.get('query') ?? '',
    startMs,
    endMs,
    stepMs,
    ...commonOf(request, params, options, limit),
  }
  parseQueryParam(params)
  const pending = options.pool.run<JsonAnswer>('rangeJson', query, { signal: abortSignalOf(reply) })
  await sendAnswer(reply, logged(pending, request, options, query))
}

/** Writes the query log's line when the query has ended. */
function logged(
  pending: Promise<JsonAnswer>,
  request: FastifyRequest,
  { queryLog, nowMs }: QueryApiOptions,
  query: { readonly expr: string; readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<JsonAnswer> {
  if (!queryLog.isOn) return pending
  const write = (outcome: { stats?: unknown; error?: string }): void =>
    queryLog.write({
      params: {
        query: query.expr,
        start: new Date(query.startMs).toISOString(),
        end: new Date(query.endMs).toISOString(),
        step: query.stepMs / 1000,
      },
      ts: new Date(nowMs()).toISOString(),
      ...outcome,
      httpRequest: { clientIP: request.ip, method: request.method, path: request.url.split('?')[0]! },
    })
  pending.then(
    ({ stats }) => write({ stats }),
    (error: unknown) => write({ error: errorMessage(error) }),
  )
  return pending
}

function commonOf(request: FastifyRequest, params: URLSearchParams, options: QueryApiOptions, limit: number) {
  const timeoutMs = durationParam(params, 'timeout')
  const lookbackDeltaMs = durationParam(params, 'lookback_delta')
  return {
    limit,
    timeoutMs: timeoutMs === undefined ? options.timeoutMs : Math.min(timeoutMs, options.timeoutMs),
    stats: (params.get('stats') ?? '') !== '',
    gzip: /\bgzip\b/.test(request.headers['accept-encoding'] ?? ''),
    ...(lookbackDeltaMs === undefined ? {} : { lookbackDeltaMs }),
  }
}

/** The expression in `query`. @throws {BadRequestError} */
export function parseQueryParam(params: URLSearchParams): Expr {
  try {
    return parseExpr(params.get('query') ?? '')
  } catch (cause) {
    throw invalidParam('query', (cause as Error).message)
  }
}

const invalidParam = (name: string, why: string): BadRequestError =>
  new BadRequestError(`invalid parameter ${JSON.stringify(name)}: ${why}`)
