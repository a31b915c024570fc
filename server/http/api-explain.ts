import type { FastifyInstance } from 'fastify'
import type { PromqlFeatures } from '../query/promql-features.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { ExplainAnswer, ExplainRequest } from '../query/query-worker.ts'
import { parseQueryParam } from './api-query.ts'
import { cancellationOf, sendSuccess } from './envelope.ts'
import { BadRequestError, durationParam, lookbackParam, optionalTimeParam, paramsOf, timeParam } from './params.ts'

export interface ExplainApiOptions {
  readonly pool: QueryPool
  readonly nowMs: () => number
  readonly timeoutMs: number
  readonly promql: PromqlFeatures
}

/**
 * `/explain`, relative to `/api/belltower/v1`: the plan of a query with what each part is expected to read, and with `run=true`
 * what each part did. Parameters are those of `/query`, or of `/query_range` when `start` is given.
 */
export function registerExplainApi(app: FastifyInstance, options: ExplainApiOptions): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/explain',
    handler: async (request, reply) => {
      const params = paramsOf(request)
      parseQueryParam(params, options.promql)
      const timeoutMs = Math.min(durationParam(params, 'timeout') ?? options.timeoutMs, options.timeoutMs)
      const lookbackDeltaMs = lookbackParam(params)
      const query: ExplainRequest = {
        expr: params.get('query') ?? '',
        times: timesOf(params, options.nowMs()),
        run: booleanParam(params, 'run'),
        timeoutMs,
        ...(lookbackDeltaMs === undefined ? {} : { lookbackDeltaMs }),
      }
      return sendSuccess(
        reply,
        await options.pool.run<ExplainAnswer>('explain', query, { cancellation: cancellationOf(reply) }),
      )
    },
  })
}

function timesOf(params: URLSearchParams, nowMs: number): ExplainRequest['times'] {
  if (!params.has('start')) return optionalTimeParam(params, 'time', nowMs)
  const stepMs = durationParam(params, 'step') ?? 0
  if (stepMs <= 0) throw new BadRequestError('invalid parameter "step": it must be positive')
  const [startMs, endMs] = [timeParam(params, 'start'), timeParam(params, 'end')]
  return { startMs, endMs, stepMs: Math.max(1, Math.trunc(stepMs)) }
}

function booleanParam(params: URLSearchParams, name: string): boolean {
  const text = params.get(name) ?? 'false'
  if (text !== 'true' && text !== 'false') throw new BadRequestError(`invalid parameter "${name}": not true or false`)
  return text === 'true'
}
