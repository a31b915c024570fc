import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { AppError, errorMessage } from '../../lib/index.ts'
import { type ColumnGrid, packAnswers, packFailure } from '../query/columns.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { JsonAnswer } from '../query/answer-memory.ts'
import type { ColumnsRequest } from '../query/query-worker.ts'
import { cancellationOf, errorTypeOf } from './envelope.ts'
import { BadRequestError, POINTS_MAX } from './params.ts'

const QUERIES_MAX = 100

const bodySchema = z.strictObject({
  queries: z.array(z.strictObject({ expr: z.string(), limit: z.number().int().min(0).default(0) })).max(QUERIES_MAX),
  startMs: z.number().int(),
  endMs: z.number().int(),
  stepMs: z.number().int().min(1),
  timeoutMs: z.number().int().min(1).optional(),
})

/**
 * `POST /query_range_columns`, relative to `/api/belltower/v1`: several range queries on one grid of times, answered as binary
 * columns (docs/formats/query-columns.md). A query that fails has its error in its place; the others are answered all the same.
 */
export function registerColumnsApi(app: FastifyInstance, pool: QueryPool, timeoutMs: number): void {
  app.post('/query_range_columns', async (request, reply) => {
    const parsed = bodySchema.safeParse(request.body)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new BadRequestError(`invalid body: ${issue!.path.join('.')}: ${issue!.message}`)
    }
    const { queries, startMs, endMs, stepMs } = parsed.data
    const grid: ColumnGrid = { startMs, stepMs, count: Math.floor((endMs - startMs) / stepMs) + 1 }
    if (endMs < startMs) throw new BadRequestError('end timestamp must not be before start time')
    if (grid.count > POINTS_MAX + 1)
      throw new BadRequestError(`more than ${POINTS_MAX} points per series: use a larger step`)
    const cancellation = cancellationOf(reply)
    const limitMs = Math.min(parsed.data.timeoutMs ?? timeoutMs, timeoutMs)
    const answers = await Promise.all(
      queries.map(async ({ expr, limit }) => {
        const query: ColumnsRequest = { expr, limit, startMs, endMs, stepMs, timeoutMs: limitMs, count: grid.count }
        try {
          return (await pool.run<JsonAnswer>('rangeColumns', query, { cancellation })).body
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          return packFailure({ errorType: errorTypeOf(error), error: errorMessage(error) })
        }
      }),
    )
    return reply.header('content-type', 'application/vnd.msgpack').send(packAnswers(grid, answers))
  })
}
