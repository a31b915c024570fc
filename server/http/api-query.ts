import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { astJson, parseExpr, prettyExpr } from '../../promql/index.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { InstantRequest, JsonAnswer, RangeRequest } from '../query/query-worker.ts'
import { sendAnswer, sendSuccess } from './envelope.ts'
import { BadRequestError, durationParam, limitParam, optionalTimeParam, paramsOf, timeParam } from './params.ts'

export interface QueryApiOptions {
  readonly pool: QueryPool
  readonly nowMs: () => number
  /** `--query.timeout`; a request may ask for less. */
  readonly timeoutMs: number
}

const POINTS_MAX = 11_000

/** `/query`, `/query_range`, `/query_exemplars`, `/format_query`, `/parse_query`, relative to `/api/v1`. */
export function registerQueryApi(app: FastifyInstance, options: QueryApiOptions): void {
  const both = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown): void => {
    app.route({ method: ['GET', 'POST'], url, handler })
  }
  both('/query', (request, reply) => instantQuery(request, reply, options))
  both('/query_range', (request, reply) => rangeQuery(request, reply, options))
  both('/query_exemplars', (request, reply) => {
    const params = paramsOf(request)
    optionalTimeParam(params, 'start', 0)
    optionalTimeParam(params, 'end', 0)
    parseQueryParam(params)
    // Exemplar storage is off by default in Prometheus too; an empty list is its answer then.
    return sendSuccess(reply, [])
  })
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
  await sendAnswer(reply, options.pool.run<JsonAnswer>('instantJson', query, { signal: abortSignalOf(reply) }))
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
  await sendAnswer(reply, options.pool.run<JsonAnswer>('rangeJson', query, { signal: abortSignalOf(reply) }))
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

function parseQueryParam(params: URLSearchParams) {
  try {
    return parseExpr(params.get('query') ?? '')
  } catch (cause) {
    throw invalidParam('query', (cause as Error).message)
  }
}

const invalidParam = (name: string, why: string): BadRequestError =>
  new BadRequestError(`invalid parameter ${JSON.stringify(name)}: ${why}`)

/** Aborts when the client goes away before it has its answer; after the answer nothing listens any more. */
function abortSignalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => controller.abort())
  return controller.signal
}
