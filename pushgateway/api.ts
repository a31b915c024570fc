import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { AppError } from '../lib/index.ts'
import { metricsDocument, statusDocument } from './api-documents.ts'
import { bodyFormatOf, unpackBody } from './body.ts'
import { PushAccessError, tooLarge } from './errors.ts'
import { parseGroupPath } from './group-path.ts'
import { negotiate } from './negotiate.ts'
import { readPushOptions } from './push-options.ts'
import type { Pushgateway } from './pushgateway.ts'
import { inTurns } from './turns.ts'

const PLAIN_TYPE = 'text/plain; charset=utf-8'
const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']

/**
 * The Pushgateway's HTTP API with relative paths: mount it under a prefix, or at the root of a port of its own. Brings its
 * own body parser and error texts, which do not reach outside the plugin.
 */
export function pushgatewayApi(gateway: Pushgateway): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    // Whatever a client calls its body (curl says form), it is bytes to read.
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: gateway.bodyBytesMax }, (_request, body, done) =>
      done(null, body),
    )
    app.setErrorHandler((error, request, reply) => answerError(gateway, error as Error, request, reply))
    app.addHook('onResponse', async (request, reply) => countRequest(gateway, request, reply))
    addPushRoutes(app, gateway)
    addReadRoutes(app, gateway)
    addAdminRoutes(app, gateway)
    // A route, since the application that it is mounted in may have a handler of its own for what is not found.
    const missing: Handler = (_request, reply) => plain(reply, 404, '404 page not found')
    app.route({ method: [...METHODS], url: '/*', handler: missing })
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown
type Handlers = Readonly<Partial<Record<'GET' | 'PUT' | 'POST' | 'DELETE', Handler>>>

/** A path with its methods. As in the original, others are told which there are, HEAD too, and OPTIONS asks for them. */
function addPath(app: FastifyInstance, url: string, handlers: Handlers, options: { bodyLimit?: number } = {}): void {
  const allow = [...Object.keys(handlers), 'OPTIONS'].sort().join(', ')
  for (const [method, handler] of Object.entries(handlers))
    app.route({ method: method as HTTPMethods, url, handler, exposeHeadRoute: false, ...options })
  app.route({
    method: METHODS.filter((method) => !(method in handlers)),
    url,
    handler: (request, reply) => {
      reply.header('allow', allow)
      return request.method === 'OPTIONS' ? reply.code(200).send() : plain(reply, 405, 'Method Not Allowed')
    },
  })
}

function addPushRoutes(app: FastifyInstance, gateway: Pushgateway): void {
  const push: Handler = async (request, reply) => {
    const startedAt = performance.now()
    if (redirects(request, reply)) return reply
    const isPut = request.method === 'PUT'
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    const { headers } = request
    // Before the path is looked at, as in the original.
    const bytes = await unpackBody(body, headers['content-encoding'] ?? '', gateway.bodyBytesMax)
    const labels = groupOf(gateway, request, reply)
    if (labels === undefined) return reply
    const options = readPushOptions(parametersOf(request), headers)
    const sender = { method: isPut ? 'PUT' : 'POST', address: request.ip, bytes: body.length } as const
    await gateway.push(labels, { format: bodyFormatOf(headers['content-type'] ?? ''), bytes }, sender, options)
    const method = { method: isPut ? 'put' : 'post' }
    gateway.metrics.pushBytes.observe(method, body.length)
    gateway.metrics.pushSeconds.observe(method, (performance.now() - startedAt) / 1000)
    return reply.code(gateway.checksConsistency ? 200 : 202).send()
  }
  const remove: Handler = async (request, reply) => {
    if (redirects(request, reply)) return reply
    const labels = groupOf(gateway, request, reply)
    if (labels === undefined) return reply
    await gateway.delete(labels)
    return reply.code(202).send()
  }
  const other: Handler = (request, reply) => {
    const path = groupPathOf(request)
    if (path === '' && request.method === 'GET') return redirect(request, reply, 301, 'metrics')
    if (redirects(request, reply)) return reply
    if (!/^job(?:@base64)?\/./.test(path)) return plain(reply, 404, '404 page not found')
    reply.header('allow', 'DELETE, OPTIONS, POST, PUT')
    return request.method === 'OPTIONS' ? reply.code(200).send() : plain(reply, 405, 'Method Not Allowed')
  }
  const url = '/metrics/*'
  app.route({ method: ['PUT', 'POST'], url, bodyLimit: gateway.bodyBytesMax, handler: push })
  app.route({ method: 'DELETE', url, handler: remove })
  app.route({ method: ['GET', 'HEAD', 'PATCH', 'OPTIONS'], url, handler: other })
}

function addReadRoutes(app: FastifyInstance, gateway: Pushgateway): void {
  const ok: Handler = (_request, reply) => reply.type(PLAIN_TYPE).send('OK')
  addPath(app, '/metrics', {
    GET: async (request, reply) => {
      const format = negotiate(request.headers.accept ?? '')
      return reply.type(format.contentType).send(Readable.from(await gateway.page(format)))
    },
  })
  addPath(app, '/api/v1/metrics', {
    GET: (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(Readable.from(inTurns(metricsDocument(gateway)))),
  })
  addPath(app, '/api/v1/status', { GET: () => statusDocument(gateway) })
  addPath(app, '/-/healthy', { GET: ok })
  addPath(app, '/-/ready', { GET: ok })
}

function addAdminRoutes(app: FastifyInstance, gateway: Pushgateway): void {
  const wipe: Handler = async (request, reply) => {
    gateway.access.require(request.headers.authorization, undefined)
    await gateway.wipe()
    return reply.code(202).send()
  }
  if (gateway.enableAdminApi) addPath(app, '/api/v1/admin/wipe', { PUT: wipe })
  const quit: Handler = (_request, reply) => {
    if (gateway.onQuit === undefined) return reply.code(403).type(PLAIN_TYPE).send('Lifecycle API is not enabled.')
    // The answer first: what quits may close this connection.
    reply.raw.once('finish', gateway.onQuit)
    return reply.type(PLAIN_TYPE).send('Requesting termination... Goodbye!')
  }
  const refuse: Handler = (_request, reply) =>
    reply.code(405).type(PLAIN_TYPE).send('Only POST or PUT requests allowed.')
  addPath(app, '/-/quit', { PUT: quit, POST: quit, GET: refuse })
}

/** The group that the path names and the sender may change; `undefined` where the answer is on its way already. */
function groupOf(gateway: Pushgateway, request: FastifyRequest, reply: FastifyReply) {
  const path = groupPathOf(request)
  if (path === 'job/') {
    redirect(request, reply, 307, 'metrics/job')
    return undefined
  }
  const labels = parseGroupPath(path, gateway)
  if (labels === undefined) plain(reply, 404, '404 page not found')
  else gateway.access.require(request.headers.authorization, labels.job)
  return labels
}

/** What is behind `/metrics/`, still percent-encoded: the router's own parameter is decoded, which loses `%2F`. */
function groupPathOf(request: FastifyRequest): string {
  const prefix = request.routeOptions.url!.slice(0, -1)
  return request.url.slice(prefix.length).replace(/[?#].*$/s, '')
}

const parametersOf = (request: FastifyRequest): URLSearchParams =>
  new URLSearchParams(/\?(.*)$/s.exec(request.url)?.[1] ?? '')

/** Doubled slashes and dots are led to the path that was meant, as the original does. */
function redirects(request: FastifyRequest, reply: FastifyReply): boolean {
  const path = groupPathOf(request)
  const clean = cleanPath(path)
  if (clean !== path) redirect(request, reply, 301, `metrics/${clean}`)
  return clean !== path
}

/** @param path behind the prefix under which the API is mounted */
function redirect(request: FastifyRequest, reply: FastifyReply, status: number, path: string): FastifyReply {
  const prefix = request.routeOptions.url!.slice(0, -'metrics/*'.length)
  const query = /\?.*$/s.exec(request.url)?.[0] ?? ''
  return reply
    .code(status)
    .header('location', prefix + path + query)
    .send()
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
  const { code, statusCode: status } = error as { code?: string; statusCode?: number }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return plain(reply, 413, tooLarge(gateway.bodyBytesMax).message)
  if (error instanceof PushAccessError && error.httpStatus === 401)
    reply.header('www-authenticate', 'Basic realm="pushgateway"')
  if (error instanceof AppError) return plain(reply, error.httpStatus, error.message)
  if (status !== undefined && status < 500) return plain(reply, status, error.message)
  gateway.logger.error({ err: error, url: request.url }, 'request failed')
  return plain(reply, 500, 'internal error')
}

/** Go's `http.Error`: the text ends with a line feed. */
function plain(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type(PLAIN_TYPE).header('x-content-type-options', 'nosniff').send(`${text}\n`)
}

function countRequest(gateway: Pushgateway, request: FastifyRequest, reply: FastifyReply): void {
  const method = request.method.toLowerCase()
  gateway.metrics.requests.inc({ code: String(reply.statusCode), handler: handlerOf(request), method })
}

function handlerOf(request: FastifyRequest): string {
  const url = request.routeOptions.url ?? ''
  if (url.endsWith('/metrics/*')) return request.method === 'DELETE' ? 'delete' : 'push'
  if (url.endsWith('/*')) return 'missing'
  return url.endsWith('/metrics') ? 'metrics' : url.slice(url.lastIndexOf('/') + 1)
}
