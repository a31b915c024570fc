import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { AppError, errorMessage } from '../../lib/index.ts'
import type { JsonAnswer } from '../query/answer-memory.ts'
import { Cancellation } from '../query/cancellation.ts'
import { freeBuffer } from './free-buffer.ts'

/** `errorType` of Prometheus' API by HTTP status. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'bad_data',
  404: 'not_found',
  406: 'not_acceptable',
  422: 'execution',
  499: 'canceled',
  503: 'timeout',
}

/** Of those of other threads, that have their words by their codes. */
const ERROR_TYPES_BY_CODE: Readonly<Record<string, string>> = { ERR_NEWEST_MISSING: 'unavailable' }

/** A part of the API that is switched off. */
export class UnavailableError extends AppError {
  override readonly code = 'ERR_UNAVAILABLE'
  readonly errorType = 'unavailable'
}

const JSON_TYPE = 'application/json'

/** `{"status":"success","data":…}`; warnings only where there are some. */
export function sendSuccess(reply: FastifyReply, data: unknown, warnings: readonly string[] = []): FastifyReply {
  const body = { status: 'success', data, ...(warnings.length > 0 ? { warnings } : {}) }
  return reply.header('content-type', JSON_TYPE).send(JSON.stringify(body))
}

const statusOf = (error: unknown): number =>
  error instanceof AppError ? error.httpStatus : ((error as { statusCode?: number }).statusCode ?? 500)

/** Prometheus' word for a kind of failure. */
export const errorTypeOf = (error: unknown): string =>
  (error as { errorType?: string }).errorType ??
  ERROR_TYPES_BY_CODE[(error as { code?: string }).code ?? ''] ??
  ERROR_TYPES[statusOf(error)] ??
  'internal'

/** Any failure as Prometheus' error envelope. */
export function sendFailure(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, body } = failureOf(error)
  return reply.code(status).header('content-type', JSON_TYPE).send(body)
}

export function failureOf(error: unknown): { readonly status: number; readonly body: string } {
  const body = { status: 'error', errorType: errorTypeOf(error), error: errorMessage(error) }
  return { status: statusOf(error), body: JSON.stringify(body) }
}

/** A body that a query worker has finished, packed or not. */
export async function sendAnswer(reply: FastifyReply, pending: Promise<JsonAnswer>): Promise<void> {
  const { body, gzip, release } = await pending
  if (gzip) reply.header('content-encoding', 'gzip').header('vary', 'Accept-Encoding')
  reply.header('content-type', JSON_TYPE)
  if (release !== undefined) {
    // The router takes bytes in memory that threads share for an object.
    const copy = Buffer.from(body)
    release()
    await reply.send(copy)
    return
  }
  // Finished means that the kernel has taken all of it.
  reply.raw.once('finish', () => freeBuffer(body))
  await reply.send(Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength))
}

/** Cancels when the client goes away before it has its answer; after the answer nothing listens any more. */
export function cancellationOf({ raw }: { readonly raw: ServerResponse }): Cancellation {
  const cancellation = new Cancellation()
  raw.once('close', () => {
    if (!raw.writableFinished) cancellation.cancel()
  })
  return cancellation
}
