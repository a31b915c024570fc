import type {} from '@fastify/compress'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type DirectHandler, readBody, sendDirect } from '../http/direct.ts'
import { answerWrite, failedWrite, type RemoteWriteApiOptions, TEXT, type WriteAnswer } from './answer.ts'
import { BODY_BYTES_MAX } from './receiver.ts'

/** `POST /write`, relative to `/api/v1`. Register it in a scope of its own: bodies are raw bytes there. */
export async function registerRemoteWrite(app: FastifyInstance, options: RemoteWriteApiOptions): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) =>
    done(null, body),
  )
  app.setErrorHandler((error, _request, reply) => send(reply, failedWrite(error)))
  app.route({
    method: 'POST',
    url: '/write',
    // Snappy is part of the protocol and unpacked with it.
    decompress: false,
    bodyLimit: BODY_BYTES_MAX,
    handler: async ({ headers, body }, reply) =>
      send(reply, await answerWrite(options, headers, Buffer.isBuffer(body) ? [body] : [])),
  })
}

function send(reply: FastifyReply, { status, headers, text }: WriteAnswer): FastifyReply {
  void reply.code(status).headers(headers)
  return text === '' ? reply.send() : reply.type(TEXT).send(text)
}

/** The same, ahead of the router. */
export function directRemoteWrite(options: RemoteWriteApiOptions): DirectHandler {
  return async (request, response) => {
    const { status, headers, text } = await readBody(request, BODY_BYTES_MAX).then(
      (body) => answerWrite(options, request.headers, body),
      (error: unknown) => failedWrite(error),
    )
    const all = Object.entries(headers).flat()
    if (text !== '') all.push('Content-Type', TEXT)
    sendDirect(response, status, all, text)
    return status
  }
}
