import type { FastifyInstance } from 'fastify'
import { AppError, errorMessage, type Logger } from '../../lib/index.ts'
import { type Appender, WireFormatError } from '../../model/index.ts'
import { decodeOtlpJson } from './decode-json.ts'
import { decodeOtlpProtobuf } from './decode-protobuf.ts'
import type { ResourceMetrics } from './messages.ts'
import { type TranslateOptions, Translation } from './translate.ts'

export interface OtlpApiOptions {
  readonly enabled: boolean
  readonly appender: () => Appender
  /** As the configuration says now. */
  readonly translation: () => TranslateOptions
  readonly logger: Logger
}

const BODY_BYTES_MAX = 32 * 1024 * 1024
const TEXT = 'text/plain; charset=utf-8'
const OFF = 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n'
const DECODERS: Readonly<Record<string, (body: Buffer) => ResourceMetrics[]>> = {
  'application/x-protobuf': decodeOtlpProtobuf,
  'application/json': (body) => decodeOtlpJson(body.toString('utf8')),
}

/** `POST /otlp/v1/metrics`, relative to `/api/v1`. Register it in a scope of its own: bodies are raw bytes there. */
export async function registerOtlp(app: FastifyInstance, options: OtlpApiOptions): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) =>
    done(null, body),
  )
  app.post('/otlp/v1/metrics', { bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const refuse = (status: number, text: string) => reply.code(status).type(TEXT).send(text)
    if (!options.enabled) return refuse(404, OFF)
    const type = request.headers['content-type']?.split(';')[0]!.trim().toLowerCase() ?? ''
    const decode = Object.hasOwn(DECODERS, type) ? DECODERS[type] : undefined
    if (decode === undefined)
      return refuse(415, `unsupported content type: ${type}, supported: [${Object.keys(DECODERS).sort().join(', ')}]\n`)
    try {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const refused = await store(decode(body), options)
      if (refused.length > 0) return refuse(400, `${refused.join('\n')}\n`)
      // Nothing to tell: an empty message, in the form of the request.
      return reply.type(type).send(type === 'application/json' ? '{}' : Buffer.alloc(0))
    } catch (error) {
      const isBad = error instanceof WireFormatError
      if (!isBad) options.logger.error({ err: error }, 'a request of the OpenTelemetry protocol failed')
      return refuse(isBad ? 400 : error instanceof AppError ? error.httpStatus : 500, `${errorMessage(error)}\n`)
    }
  })
}

/** Stores what can be stored. @returns why the rest was refused */
async function store(resources: readonly ResourceMetrics[], options: OtlpApiOptions): Promise<readonly string[]> {
  const appender = options.appender()
  const translation = new Translation(appender, options.translation())
  try {
    for (const resource of resources) translation.add(resource)
  } catch (error) {
    appender.rollback()
    throw error
  }
  await appender.commit()
  const { dropped, refused } = translation
  if (dropped.length > 0) options.logger.warn({ dropped }, 'metrics of the OpenTelemetry protocol were left out')
  return refused
}
