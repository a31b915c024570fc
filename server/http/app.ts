import compress from '@fastify/compress'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from '../../lib/index.ts'
import { sendFailure } from './envelope.ts'

/** Everything a page may do: nothing from outside, no inline script or style. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  fontSrc: ["'self'"],
  manifestSrc: ["'self'"],
  baseUri: ["'none'"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  formAction: ["'self'"],
  upgradeInsecureRequests: null,
}

const FORM_BYTES_MAX = 16 * 1024 * 1024

/** An HTTP server with what every listener shares: compression, form bodies, security headers, query strings that repeat. */
export async function createHttpApp(logger: Logger): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    disableRequestLogging: true,
    bodyLimit: FORM_BYTES_MAX,
    forceCloseConnections: true,
    routerOptions: {
      ignoreTrailingSlash: false,
      // A push path names any number of labels; its length is the user's matter.
      maxParamLength: 8192,
      querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown>,
    },
  })
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    // Plain HTTP on a private network is the ordinary case.
    strictTransportSecurity: false,
    crossOriginResourcePolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
  await app.register(formbody, { parser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown> })
  await app.register(compress, { encodings: ['gzip', 'deflate'], threshold: 1400 })
  app.setErrorHandler((error, _request, reply) => void sendFailure(reply, error))
  return app
}
