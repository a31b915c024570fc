import type {} from '@fastify/compress'
import type { FastifyInstance } from 'fastify'
import { errorMessage, type Gauge } from '../../lib/index.ts'
import { type Labels, matcherText } from '../../model/index.ts'
import { cancellationOf } from '../http/envelope.ts'
import type { QueryPool } from '../query/query-pool.ts'
import type { JsonAnswer } from '../query/answer-memory.ts'
import type { RemoteReadRequest } from '../query/query-worker.ts'
import { decodeReadRequest } from './read-request.ts'

export interface RemoteReadApiOptions {
  readonly pool: QueryPool
  readonly externalLabels: () => Labels
  readonly samplesMax: number
  readonly frameBytesMax: number
  /** `--query.timeout`. */
  readonly timeoutMs: number
  /** Counts those that run or wait. */
  readonly running: Gauge
}

const BODY_BYTES_MAX = 32 * 1024 * 1024
const CHUNKS_TYPE = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse'

/** `POST /read`, relative to `/api/v1`. Register it in a scope of its own: bodies are raw bytes there. */
export async function registerRemoteRead(app: FastifyInstance, options: RemoteReadApiOptions): Promise<void> {
  const { pool, externalLabels, samplesMax, frameBytesMax, timeoutMs, running } = options
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) =>
    done(null, body),
  )
  app.route({
    method: 'POST',
    url: '/read',
    // Snappy is part of the protocol.
    decompress: false,
    compress: false,
    bodyLimit: BODY_BYTES_MAX,
    handler: async ({ body }, reply) => {
      const bytes = Buffer.isBuffer(body) ? new Uint8Array(body) : new Uint8Array()
      running.inc()
      try {
        const limits = { samplesMax, frameBytesMax, timeoutMs }
        const request: RemoteReadRequest = { bytes, expr: exprOf(bytes), externalLabels: externalLabels(), ...limits }
        const { body: content, isChunked } = await pool.run<JsonAnswer & { isChunked: boolean }>(
          'remoteRead',
          request,
          { cancellation: cancellationOf(reply) },
        )
        void (isChunked
          ? reply.type(CHUNKS_TYPE)
          : reply.type('application/x-protobuf').header('content-encoding', 'snappy'))
        return await reply.send(Buffer.from(content.buffer, content.byteOffset, content.byteLength))
      } catch (error) {
        const { httpStatus } = error as { httpStatus?: number }
        return await reply
          .code(httpStatus ?? 500)
          .type('text/plain; charset=utf-8')
          .send(`${errorMessage(error)}\n`)
      } finally {
        running.dec()
      }
    },
  })
}

/** What is asked for, as PromQL: so it stands among the queries that run. @throws {ReadRequestError} */
const exprOf = (bytes: Uint8Array): string =>
  decodeReadRequest(bytes)
    .queries.map(({ matchers }) => `{${matchers.map(matcherText).join(',')}}`)
    .join(' or ')
