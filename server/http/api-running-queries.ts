import type { FastifyInstance } from 'fastify'
import { AppError } from '../../lib/index.ts'
import type { QueryPool } from '../query/query-pool.ts'
import { sendSuccess } from './envelope.ts'

/** There is no query with this id: it has ended, or never was. */
export class QueryNotFoundError extends AppError {
  override readonly code = 'ERR_QUERY_NOT_FOUND'
  override readonly httpStatus = 404
}

/** `GET /queries` lists what runs and waits, `DELETE /queries/<id>` ends one; relative to `/api/belltower/v1`. */
export function registerRunningQueriesApi(app: FastifyInstance, pool: QueryPool, nowMs: () => number): void {
  app.get('/queries', (_request, reply) => {
    const now = nowMs()
    const queries = pool.active().map(({ id, expr, queryClass, state, enqueuedAtMs, startedAtMs }) => ({
      id,
      query: expr,
      class: queryClass,
      state,
      waitedSeconds: ((startedAtMs || now) - enqueuedAtMs) / 1000,
      ranSeconds: startedAtMs === 0 ? 0 : (now - startedAtMs) / 1000,
    }))
    return sendSuccess(reply, { queries })
  })
  app.delete('/queries/:id', (request, reply) => {
    const { id } = request.params as { id: string }
    if (!pool.kill(Number(id))) throw new QueryNotFoundError(`no query with id ${id} is running or waiting`)
    return reply.code(204).send()
  })
}
