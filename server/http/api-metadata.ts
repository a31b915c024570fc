import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { QueryPool } from '../query/query-pool.ts'
import type { JsonAnswer } from '../query/answer-memory.ts'
import type { MatchRequest } from '../query/query-worker.ts'
import { withoutParamName } from '../query/selector-param.ts'
import { cancellationOf, sendAnswer } from './envelope.ts'
import { ALL_TIME, BadRequestError, limitParam, optionalTimeParam, paramsOf } from './params.ts'

/** `/series`, `/labels`, `/label/<name>/values`, relative to `/api/v1`. */
export function registerMetadataApi(app: FastifyInstance, pool: QueryPool): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/series',
    handler: async (request, reply) => {
      const match = matchRequest(request)
      if (match.matchers.length === 0) throw new BadRequestError('no match[] parameter provided')
      await sendAnswer(reply, pool.run<JsonAnswer>('seriesJson', match, { cancellation: cancellationOf(reply) }))
    },
  })
  app.delete('/series', () => {
    throw new Error('not implemented')
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/labels',
    handler: async (request, reply) => {
      await sendAnswer(
        reply,
        unnamed(pool.run<JsonAnswer>('labelNamesJson', matchRequest(request), { cancellation: cancellationOf(reply) })),
      )
    },
  })
  app.get('/label/:name/values', async (request, reply) => {
    const name = unescapeLabelName((request.params as { name: string }).name)
    if (name === '') throw new BadRequestError('invalid label name: ""')
    const query = { ...matchRequest(request), name }
    const pending = pool.run<JsonAnswer>('labelValuesJson', query, { cancellation: cancellationOf(reply) })
    await sendAnswer(reply, unnamed(pending))
  })
}

/** These endpoints do not say which parameter holds a wrong selector. */
async function unnamed<T>(pending: Promise<T>): Promise<T> {
  try {
    return await pending
  } catch (cause) {
    const { code, message } = cause as { readonly code?: string; readonly message: string }
    throw code === 'ERR_SELECTOR_PARAM' ? new BadRequestError(withoutParamName(message), { cause }) : cause
  }
}

function matchRequest(request: FastifyRequest): MatchRequest {
  const params = paramsOf(request)
  return {
    matchers: params.getAll('match[]'),
    minTimeMs: optionalTimeParam(params, 'start', ALL_TIME.minTimeMs),
    maxTimeMs: optionalTimeParam(params, 'end', ALL_TIME.maxTimeMs),
    limit: limitParam(params),
  }
}

/** `U__my_2e_label` → `my.label`: how clients put any UTF-8 name into a path. A name that is not so escaped stays. */
export function unescapeLabelName(name: string): string {
  if (!name.startsWith('U__')) return name
  return name.slice(3).replace(/__|_([0-9a-fA-F]{1,6})_/g, (match, hex: string | undefined) => {
    if (hex === undefined) return '_'
    const code = Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : match
  })
}
