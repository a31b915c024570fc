import type { FastifyInstance } from 'fastify'
import type { Counter } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { FederationRequest } from '../query/federation.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { JsonAnswer } from '../query/answer-memory.ts'
import { withoutParamName } from '../query/selector-param.ts'
import { paramsOf } from './params.ts'

export interface FederateOptions {
  readonly pool: QueryPool
  readonly nowMs: () => number
  readonly lookbackMs: number
  readonly externalLabels: () => Labels
  readonly errors: Counter
}

const PROTOBUF_TYPE = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'

/** `/federate`: the newest samples of chosen series as a page to scrape. */
export function registerFederate(app: FastifyInstance, options: FederateOptions): void {
  app.get('/federate', async (request, reply) => {
    const matchers = paramsOf(request).getAll('match[]')
    const { contentType, ...form } = formOf(request.headers.accept ?? '')
    const query: FederationRequest & { matchers: readonly string[] } = {
      matchers,
      nowMs: options.nowMs(),
      lookbackMs: options.lookbackMs,
      externalLabels: options.externalLabels(),
      ...form,
    }
    try {
      const { body } = await options.pool.run<JsonAnswer>('federate', query)
      return reply.header('content-type', contentType).send(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
    } catch (error) {
      options.errors.inc()
      const status = (error as { httpStatus?: number }).httpStatus ?? 500
      return reply
        .code(status)
        .type('text/plain; charset=utf-8')
        .send(`${withoutParamName((error as Error).message)}\n`)
    }
  })
}

/** The first form of `Accept` that can be served; text where there is none. */
function formOf(accept: string): Pick<FederationRequest, 'format' | 'escapesNames'> & { contentType: string } {
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const escapesNames = !parameters.includes('escaping=allow-utf-8')
    const escaping = `escaping=${escapesNames ? 'underscores' : 'allow-utf-8'}`
    if (type === 'application/vnd.google.protobuf' && parameters.includes('encoding=delimited')) {
      return { format: 'protobuf', escapesNames, contentType: `${PROTOBUF_TYPE}; ${escaping}` }
    }
    if (type === 'text/plain') {
      const version = escapesNames ? '0.0.4' : '1.0.0'
      return { format: 'text', escapesNames, contentType: `text/plain; version=${version}; charset=utf-8; ${escaping}` }
    }
  }
  return {
    format: 'text',
    escapesNames: true,
    contentType: 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
  }
}
