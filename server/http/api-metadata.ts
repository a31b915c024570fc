import type { FastifyInstance } from 'fastify'
import type { Cancellation } from '../query/cancellation.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { JsonAnswer } from '../query/answer-memory.ts'
import type { MatchRequest } from '../query/query-worker.ts'
import { withoutParamName } from '../query/selector-param.ts'
import { type DirectRoutes, partOf } from './direct.ts'
import { directJson } from './direct-json.ts'
import { cancellationOf, sendAnswer } from './envelope.ts'
import { ALL_TIME, BadRequestError, limitParam, optionalTimeParam, paramsOf } from './params.ts'

/** `/series`, `/labels`, `/label/<name>/values`, relative to `/api/v1`. */
export function registerMetadataApi(app: FastifyInstance, pool: QueryPool): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/series',
    handler: (request, reply) => sendAnswer(reply, series(pool, paramsOf(request), cancellationOf(reply))),
  })
  app.delete('/series', () => {
    throw new Error('not implemented')
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/labels',
    handler: (request, reply) => sendAnswer(reply, labelNames(pool, paramsOf(request), cancellationOf(reply))),
  })
  app.get('/label/:name/values', (request, reply) => {
    const { name } = request.params as { name: string }
    return sendAnswer(reply, labelValues(pool, name, paramsOf(request), cancellationOf(reply)))
  })
}

/** The same without the router. @param prefix what stands before them */
export function addDirectMetadata(direct: DirectRoutes, prefix: string, pool: QueryPool): void {
  for (const [url, start] of [
    ['/series', series],
    ['/labels', labelNames],
  ] as const) {
    const answer = directJson((_request, params, _clientIp, cancellation) => start(pool, params, cancellation))
    for (const method of ['GET', 'POST'] as const) direct.add(method, `${prefix}${url}`, answer)
  }
  const around = { before: `${prefix}/label/`, after: '/values' }
  const values = directJson(async (request, params, _clientIp, cancellation) => {
    const [path] = request.url!.split('?')
    return labelValues(pool, decoded(partOf(around, path!)!), params, cancellation)
  })
  direct.addAround('GET', around.before, around.after, values)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new BadRequestError(`invalid label name: ${JSON.stringify(text)}`, { cause })
  }
}

async function series(pool: QueryPool, params: URLSearchParams, cancellation: Cancellation): Promise<JsonAnswer> {
  const match = matchRequest(params)
  if (match.matchers.length === 0) throw new BadRequestError('no match[] parameter provided')
  return pool.run('seriesJson', match, { cancellation })
}

const labelNames = async (pool: QueryPool, params: URLSearchParams, cancellation: Cancellation): Promise<JsonAnswer> =>
  unnamed(pool.run('labelNamesJson', matchRequest(params), { cancellation }))

async function labelValues(
  pool: QueryPool,
  nameOrEscaped: string,
  params: URLSearchParams,
  cancellation: Cancellation,
): Promise<JsonAnswer> {
  const name = unescapeLabelName(nameOrEscaped)
  if (name === '') throw new BadRequestError('invalid label name: ""')
  return unnamed(pool.run('labelValuesJson', { ...matchRequest(params), name }, { cancellation }))
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

function matchRequest(params: URLSearchParams): MatchRequest {
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
