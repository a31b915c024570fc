import type { FastifyReply } from 'fastify'
import { AppError, errorMessage } from '../../lib/index.ts'
import type { JsonAnswer } from '../query/query-worker.ts'

/** `errorType` of Prometheus' API by HTTP status. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'bad_data',
  404: 'not_found',
  406: 'not_acceptable',
  422: 'execution',
  499: 'canceled',
  503: 'timeout',
}

const JSON_TYPE = 'application/json'

/** `{"status":"success","data":…}`; warnings only where there are some. */
export function sendSuccess(reply: FastifyReply, data: unknown, warnings: readonly string[] = []): FastifyReply {
  const body = { status: 'success', data, ...(warnings.length > 0 ? { warnings } : {}) }
  return reply.header('content-type', JSON_TYPE).send(JSON.stringify(body))
}

/** Any failure as Prometheus' error envelope. */
export function sendFailure(reply: FastifyReply, error: unknown): FastifyReply {
  const status = error instanceof AppError ? error.httpStatus : 500
  const errorType = ERROR_TYPES[status] ?? 'internal'
  const body = { status: 'error', errorType, error: errorMessage(error) }
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body))
}

/** A body that a query worker has finished, packed or not. */
export async function sendAnswer(reply: FastifyReply, pending: Promise<JsonAnswer>): Promise<void> {
  const { body, gzip } = await pending
  if (gzip) reply.header('content-encoding', 'gzip').header('vary', 'Accept-Encoding')
  await reply
    .header('content-type', JSON_TYPE)
    .send(Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength))
}
