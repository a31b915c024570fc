import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../lib/index.ts'
import { metricsDocument, statusDocument } from './api-documents.ts'
import { readPushBody, tooLarge } from './body.ts'
import { parseGroupPath } from './group-path.ts'
import type { Pushgateway } from './pushgateway.ts'

const PAGE_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const PLAIN_TYPE = 'text/plain; charset=utf-8'

/**
 * The Pushgateway's HTTP API with relative paths: mount it under a prefix, or at the root of a port of its own. Brings its
 * own body parser and error texts, which do not reach outside the plugin.
 */
export function pushgatewayApi(gateway: Pushgateway): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    // Whatever a client calls its body (curl says form), it is bytes to read as text.
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: gateway.bodyBytesMax }, (_request, body, done) =>
      done(null, body),
    )
    app.setErrorHandler((error, request, reply) => answerError(gateway, error as Error, request, reply))
    app.setNotFoundHandler((_request, reply) => plain(reply, 404, '404 page not found'))
    app.addHook('onResponse', async (request, reply) => countRequest(gateway, request, reply))
    addPushRoutes(app, gateway)
    addReadRoutes(app, gateway)
    addAdminRoutes(app, gateway)
  }
}

function addPushRoutes(app: FastifyInstance, gateway: Pushgateway): void {
  app.route({
    method: ['PUT', 'POST'],
    url: '/metrics/*',
    bodyLimit: gateway.bodyBytesMax,
    handler: async (request, reply) => {
      const startedAt = performance.now()
      const path = groupPathOf(request)
      if (redirects(request, reply, path)) return reply
      const labels = parseGroupPath(path)
      if (labels === undefined) return plain(reply, 404, '404 page not found')
      const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
      const text = await readPushBody(body, {
        contentType: request.headers['content-type'] ?? '',
        contentEncoding: request.headers['content-encoding'] ?? '',
        bytesMax: gateway.bodyBytesMax,
      })
      await gateway.push(labels, text, { replaceAll: request.method === 'PUT' })
      const method = { method: request.method.toLowerCase() }
      gateway.metrics.pushBytes.observe(method, body.length)
      gateway.metrics.pushSeconds.observe(method, (performance.now() - startedAt) / 1000)
      return reply.code(gateway.checksConsistency ? 200 : 202).send()
    },
  })
  app.delete('/metrics/*', async (request, reply) => {
    const path = groupPathOf(request)
    if (redirects(request, reply, path)) return reply
    const labels = parseGroupPath(path)
    if (labels === undefined) return plain(reply, 404, '404 page not found')
    await gateway.delete(labels)
    return reply.code(202).send()
  })
  app.route({
    method: ['GET', 'PATCH'],
    url: '/metrics/*',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const isGroup = /^job(?:@base64)?\/./.test(groupPathOf(request))
      return isGroup ? plain(reply, 405, 'Method Not Allowed') : plain(reply, 404, '404 page not found')
    },
  })
}

function addReadRoutes(app: FastifyInstance, gateway: Pushgateway): void {
  app.get('/metrics', async (_request, reply) => reply.type(PAGE_TYPE).send(Buffer.from(await gateway.scrape())))
  app.get('/api/v1/metrics', async () => metricsDocument(gateway))
  app.get('/api/v1/status', async () => statusDocument(gateway))
  for (const path of ['/-/healthy', '/-/ready'])
    app.get(path, async (_request, reply) => reply.type(PLAIN_TYPE).send('OK'))
  for (const path of ['/metrics', '/api/v1/metrics', '/api/v1/status'])
    app.route({
      method: ['PUT', 'POST', 'DELETE', 'PATCH'],
      url: path,
      handler: async (_request, reply) => plain(reply, 405, 'Method Not Allowed'),
    })
}

function addAdminRoutes(app: FastifyInstance, gateway: Pushgateway): void {
  if (gateway.enableAdminApi)
    app.put('/api/v1/admin/wipe', async (_request, reply) => {
      await gateway.wipe()
      return reply.code(202).send()
    })
  app.route({
    method: ['PUT', 'POST'],
    url: '/-/quit',
    handler: async (_request, reply) => {
      if (gateway.onQuit === undefined) return reply.code(403).type(PLAIN_TYPE).send('Lifecycle API is not enabled.')
      // The answer first: what quits may close this connection.
      reply.raw.once('finish', gateway.onQuit)
      return reply.type(PLAIN_TYPE).send('Requesting termination... Goodbye!')
    },
  })
  app.get('/-/quit', async (_request, reply) =>
    reply.code(405).header('allow', 'POST, PUT').type(PLAIN_TYPE).send('Only POST or PUT requests allowed.'),
  )
}

/** What is behind `/metrics/`, still percent-encoded: the router's own parameter is decoded, which loses `%2F`. */
function groupPathOf(request: FastifyRequest): string {
  const prefix = request.routeOptions.url!.slice(0, -1)
  return request.url.slice(prefix.length).replace(/[?#].*$/s, '')
}

/** Doubled slashes, dots and a missing job are led to the path that was meant, as the original does. */
function redirects(request: FastifyRequest, reply: FastifyReply, path: string): boolean {
  const prefix = request.routeOptions.url!.slice(0, -1)
  if (path === 'job/') {
    reply.code(307).header('location', `${prefix}job`).send()
    return true
  }
  const clean = cleanPath(path)
  if (clean === path) return false
  reply
    .code(301)
    .header('location', prefix + clean)
    .send()
  return true
}

function cleanPath(path: string): string {
  if (!/\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) return path
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/') + (path.endsWith('/') ? '/' : '')
}

function answerError(gateway: Pushgateway, error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if ((error as { code?: string }).code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return plain(reply, 413, tooLarge(gateway.bodyBytesMax).message)
  if (error instanceof AppError) return plain(reply, error.httpStatus, error.message)
  const status = (error as { statusCode?: number }).statusCode
  if (status !== undefined && status < 500) return plain(reply, status, error.message)
  gateway.logger.error({ err: error, url: request.url }, 'request failed')
  return plain(reply, 500, 'internal error')
}

/** Go's `http.Error`: the text ends with a line feed. */
function plain(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type(PLAIN_TYPE).header('x-content-type-options', 'nosniff').send(`${text}\n`)
}

function countRequest(gateway: Pushgateway, request: FastifyRequest, reply: FastifyReply): void {
  const url = request.routeOptions.url ?? ''
  const method = request.method.toLowerCase()
  const handler = !url.endsWith('/metrics/*')
    ? url.endsWith('/metrics')
      ? 'metrics'
      : url.slice(url.lastIndexOf('/') + 1)
    : method === 'delete'
      ? 'delete'
      : 'push'
  gateway.metrics.requests.inc({ code: String(reply.statusCode), handler, method })
}
