import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { MetricMetadata } from '../../model/index.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { JsonAnswer, MatchRequest } from '../query/query-worker.ts'
import { JSON_TYPE, sendSuccess } from './envelope.ts'
import { ALL_TIME, BadRequestError, limitParam, optionalTimeParam, paramsOf } from './params.ts'

export interface MetadataApiOptions {
  readonly pool: QueryPool
  /** Metadata of the active targets: metric name → what its targets say. */
  readonly metadata: () => ReadonlyMap<string, readonly MetricMetadata[]>
}

/** `/series`, `/labels`, `/label/<name>/values`, `/metadata`, relative to `/api/v1`. */
export function registerMetadataApi(app: FastifyInstance, options: MetadataApiOptions): void {
  const { pool } = options
  app.route({
    method: ['GET', 'POST'],
    url: '/series',
    handler: async (request, reply) => {
      const match = matchRequest(request)
      if (match.matchers.length === 0) throw new BadRequestError('no match[] parameter provided')
      await sendBytes(reply, pool.run<JsonAnswer>('seriesJson', match))
    },
  })
  app.delete('/series', () => {
    throw new Error('not implemented')
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/labels',
    handler: async (request, reply) => {
      await sendBytes(reply, pool.run<JsonAnswer>('labelNamesJson', matchRequest(request)))
    },
  })
  app.get('/label/:name/values', async (request, reply) => {
    const name = unescapeLabelName((request.params as { name: string }).name)
    if (name === '') throw new BadRequestError('invalid label name: ""')
    await sendBytes(reply, pool.run<JsonAnswer>('labelValuesJson', { ...matchRequest(request), name }))
  })
  app.get('/metadata', (request, reply) => {
    const params = paramsOf(request)
    const limit = limitParam(params)
    const perMetric = limitParam(params, 'limit_per_metric')
    const wanted = params.get('metric') ?? ''
    const data: Record<string, readonly MetricMetadata[]> = {}
    let count = 0
    for (const [name, entries] of options.metadata()) {
      if (wanted !== '' && name !== wanted) continue
      if (limit > 0 && count >= limit) break
      count++
      data[name] = (perMetric > 0 ? entries.slice(0, perMetric) : entries).map(({ type, help, unit }) => ({
        type,
        unit,
        help,
      }))
    }
    return sendSuccess(reply, data)
  })
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

async function sendBytes(reply: FastifyReply, pending: Promise<JsonAnswer>): Promise<void> {
  const { body } = await pending
  await reply.header('content-type', JSON_TYPE).send(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
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
