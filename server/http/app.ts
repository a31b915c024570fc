import compress from '@fastify/compress'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Logger } from '../../lib/index.ts'
import { sendFailure } from './envelope.ts'
import type { Port } from './port.ts'
import { FORM_BYTES_MAX, staysOnThisMachine } from './request-facts.ts'

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const

/** An HTTP application for a port (`ready()` it, then `port.begin()`), with what every one shares: compression, form bodies, headers, repeated parameters. */
export async function createHttpApp(port: Port, logger: Logger): Promise<FastifyInstance> {
  const app = Fastify({
    serverFactory: (handler) => {
      port.prepare(handler)
      return port.server
    },
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: FORM_BYTES_MAX,
    routerOptions: {
      // A push path names any number of labels; its length is the user's matter.
      maxParamLength: 8192,
      querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown>,
    },
  })
  await app.register(helmet, {
    // Stated by the user interface for its pages; data is not a page.
    contentSecurityPolicy: false,
    // Plain HTTP on a private network is the ordinary case.
    strictTransportSecurity: false,
    crossOriginResourcePolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
  await app.register(formbody, { parser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown> })
  app.addHook('onRequest', async (request) => {
    if (staysOnThisMachine(request.raw)) delete request.headers['accept-encoding']
  })
  await app.register(compress, { encodings: ['gzip', 'deflate'], threshold: 1400, zlibOptions: { level: 1 } })
  app.setErrorHandler((error, _request, reply) => void sendFailure(reply, error))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allowed = METHODS.filter(
      (method) => app.findRoute({ method, url: path }) !== null || app.hasRoute({ method, url: path }),
    )
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '))
    const [status, text] = allowed.length > 0 ? [405, 'Method Not Allowed'] : [404, '404 page not found']
    return reply.code(status).type('text/plain; charset=utf-8').send(text)
  })
  return app
}
