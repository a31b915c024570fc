import type {} from '@fastify/compress'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, errorMessage, type Logger } from '../../lib/index.ts'
import { type WriteVersion, writeVersionOf } from './content-type.ts'
import { BODY_BYTES_MAX, type RemoteWriteReceiver } from './receiver.ts'

export interface RemoteWriteApiOptions {
  /** `undefined`: switched off. */
  readonly receiver: RemoteWriteReceiver | undefined
  /** Full names of the messages that are taken. */
  readonly acceptedMessages: readonly string[]
  readonly logger: Logger
}

const TEXT = 'text/plain; charset=utf-8'
const OFF = 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n'

/** `POST /write`, relative to `/api/v1`. Register it in a scope of its own: bodies are raw bytes there. */
export async function registerRemoteWrite(app: FastifyInstance, options: RemoteWriteApiOptions): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) =>
    done(null, body),
  )
  app.setErrorHandler((error, _request, reply) => sendError(reply, error))
  app.route({
    method: 'POST',
    url: '/write',
    // Snappy is part of the protocol and unpacked with it.
    decompress: false,
    bodyLimit: BODY_BYTES_MAX,
    handler: (request, reply) =>
      options.receiver === undefined
        ? reply.code(404).type(TEXT).send(OFF)
        : write(request, reply, options.receiver, options),
  })
}

async function write(
  request: FastifyRequest,
  reply: FastifyReply,
  receiver: RemoteWriteReceiver,
  options: RemoteWriteApiOptions,
): Promise<FastifyReply> {
  const version: WriteVersion = writeVersionOf(
    { contentType: request.headers['content-type'], contentEncoding: request.headers['content-encoding'] },
    options.acceptedMessages,
  )
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  try {
    const { samples, histograms, exemplars, rejection } = await receiver.write(body, version)
    if (version === 2) setWritten(reply, { samples, histograms, exemplars })
    if (rejection === undefined) return reply.code(204).send()
    options.logger.debug({ reason: rejection.message }, 'part of a remote write request was refused')
    return sendError(reply, rejection)
  } catch (error) {
    if (version === 2) setWritten(reply, { samples: 0, histograms: 0, exemplars: 0 })
    const level = error instanceof AppError && error.httpStatus < 500 ? 'debug' : 'error'
    options.logger[level]({ err: error }, 'remote write request failed')
    return sendError(reply, error)
  }
}

/** How a sender of version 2 learns what was stored. */
function setWritten(reply: FastifyReply, written: { samples: number; histograms: number; exemplars: number }): void {
  const name = 'X-Prometheus-Remote-Write'
  void reply
    .header(`${name}-Samples-Written`, written.samples)
    .header(`${name}-Histograms-Written`, written.histograms)
    .header(`${name}-Exemplars-Written`, written.exemplars)
}

/** Errors are plain text here, as Prometheus answers. */
function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  const { httpStatus, statusCode } = error as { httpStatus?: number; statusCode?: number }
  return reply
    .code(httpStatus ?? statusCode ?? 500)
    .type(TEXT)
    .send(`${errorMessage(error)}\n`)
}
