import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, errorMessage } from '../../lib/index.ts'
import type { Alertmanager } from '../alertmanager.ts'
import type { AlertInput } from '../alert/ingest.ts'
import { AlertBodyReader } from './alert-body.ts'
import { getAlerts, getGroups, postAlerts } from './alerts.ts'
import { AlertmanagerApiError, BodyTooLongError, jsonBody, parseBody } from './answers.ts'
import { queryOf } from './query.ts'
import { deleteSilence, getSilence, getSilences, postSilence } from './silences.ts'
import { getReceivers, getStatus } from './status.ts'

export interface AlertmanagerApiOptions {
  /** Reads the configuration anew and applies it; rejects with what is wrong with it. */
  readonly reload?: () => Promise<void>
}

type Method = 'GET' | 'POST' | 'DELETE'
/** Gives what is to be sent as JSON; `undefined` = nothing. */
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

const ALL_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const BODY_BYTES_MAX = 64 * 1024 * 1024

/** Alertmanager's HTTP interface, API v2 whole, with routes relative to where it is mounted. */
export function alertmanagerApi(alertmanager: Alertmanager, options: AlertmanagerApiOptions = {}): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => {
      done(null, body)
    })
    app.setErrorHandler((error, _request, reply) => sendError(error, reply))
    addMetricHooks(app, alertmanager)
    await app.register(async (alerts) => addAlerts(alerts, alertmanager))
    addApiV2(app, alertmanager)
    addManagement(app, alertmanager, options)
  }
}

/** In a scope of its own: bodies are read while they arrive. */
function addAlerts(app: FastifyInstance, alertmanager: Alertmanager): void {
  const reader = new AlertBodyReader((highHalf) => alertmanager.candidate(highHalf))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, body, done) => done(null, body))
  addRoute(app, '/api/v2/alerts', {
    POST: async (request, reply) => {
      checkJsonType(request)
      return postAlerts(alertmanager, await readAlerts(reader, request, reply))
    },
    GET: (request) => getAlerts(alertmanager, queryOf(request)),
  })
}

async function readAlerts(
  reader: AlertBodyReader,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Iterable<AlertInput>> {
  try {
    if (Number(request.headers['content-length']) > BODY_BYTES_MAX) throw new BodyTooLongError()
    return await reader.read(request.body as Readable, BODY_BYTES_MAX)
  } catch (error) {
    // The rest of the body must not be taken for the next request.
    if (error instanceof BodyTooLongError) reply.header('connection', 'close')
    throw error
  }
}

function addApiV2(app: FastifyInstance, alertmanager: Alertmanager): void {
  const route = (path: string, handlers: Partial<Record<Method, Handler>>): void =>
    addRoute(app, `/api/v2${path}`, handlers)
  const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id

  route('/alerts/groups', { GET: (request) => getGroups(alertmanager, queryOf(request)) })
  route('/receivers', { GET: (request) => getReceivers(alertmanager, queryOf(request)) })
  route('/silences', {
    POST: async (request) => {
      checkJsonType(request)
      return postSilence(alertmanager, parseBody('silence', request.body as string))
    },
    GET: (request) => getSilences(alertmanager, queryOf(request)),
  })
  route('/silence/:id', {
    DELETE: async (request) => deleteSilence(alertmanager, idOf(request)),
    GET: (request, reply) => {
      const silence = getSilence(alertmanager, idOf(request))
      if (silence === undefined) reply.code(404)
      return silence
    },
  })
  route('/status', { GET: () => getStatus(alertmanager) })
  app.all('/api/v2/*', (request) => {
    const path = request.url.slice(request.url.indexOf('/api/v2')).split('?')[0]!
    throw new AlertmanagerApiError(404, { code: 404, message: `path ${path} was not found` })
  })
  app.all('/api/v1/*', (_request, reply) => {
    const error = 'The Alertmanager v1 API has been removed. Use /api/v2 instead.'
    return sendJson(reply.code(410), { status: 'deprecated', error })
  })
}

/** The given methods, OPTIONS for browsers of other origins, and a 405 for the rest. */
function addRoute(app: FastifyInstance, url: string, handlers: Partial<Record<Method, Handler>>): void {
  const allowed = Object.keys(handlers)
  for (const [method, handler] of Object.entries(handlers)) {
    app.route({
      method,
      url,
      exposeHeadRoute: method === 'GET',
      handler: async (request, reply) => {
        setHeaders(reply)
        const answer: unknown = await handler(request, reply)
        return answer === undefined ? reply.send() : sendJson(reply, answer)
      },
    })
  }
  app.route({ method: 'OPTIONS', url, handler: (_request, reply) => setHeaders(reply).send() })
  app.route({
    method: ALL_METHODS.filter((method) => !allowed.includes(method)),
    url,
    handler: (request, reply) => {
      reply.header('allow', allowed.join(','))
      const message = `method ${request.method} is not allowed, but [${allowed.join(',')}] are`
      throw new AlertmanagerApiError(405, { code: 405, message })
    },
  })
}

function addManagement(app: FastifyInstance, alertmanager: Alertmanager, options: AlertmanagerApiOptions): void {
  for (const url of ['/-/healthy', '/-/ready']) app.get(url, (_request, reply) => reply.type('text/plain').send('OK'))
  app.post('/-/reload', async (_request, reply) => {
    reply.type('text/plain; charset=utf-8')
    try {
      await options.reload?.()
      return reply.send()
    } catch (error) {
      return reply.code(500).send(`failed to reload config: ${errorMessage(error)}\n`)
    }
  })
  app.get('/-/reload', (_request, reply) =>
    reply.code(405).header('allow', 'POST').type('text/plain; charset=utf-8').send('Method Not Allowed\n'),
  )
  app.get('/metrics', async (_request, reply) => {
    const { registry } = alertmanager
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

function addMetricHooks(app: FastifyInstance, alertmanager: Alertmanager): void {
  const { httpDuration, httpInFlight } = alertmanager.metrics
  app.addHook('onRequest', async (request) => {
    httpInFlight.inc({ method: request.method.toLowerCase() })
  })
  app.addHook('onResponse', async (request, reply) => {
    const method = request.method.toLowerCase()
    httpInFlight.dec({ method })
    const handler = (request.routeOptions.url ?? '').slice(app.prefix.length) || '/'
    httpDuration.observe({ handler, method, code: String(reply.statusCode) }, reply.elapsedTime / 1000)
  })
}

/** @throws {AlertmanagerApiError} */
function checkJsonType(request: FastifyRequest): void {
  const type = (request.headers['content-type'] ?? 'application/octet-stream').split(';')[0]!.trim()
  if (type !== 'application/json') {
    const message = `unsupported media type "${type}", only [application/json] are allowed`
    throw new AlertmanagerApiError(415, { code: 415, message })
  }
}

function setHeaders(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
    'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
    'access-control-expose-headers': 'Date',
    'cache-control': 'no-store',
  })
}

const sendJson = (reply: FastifyReply, value: unknown): FastifyReply =>
  setHeaders(reply).type('application/json; charset=utf-8').send(jsonBody(value))

function sendError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof AlertmanagerApiError) {
    reply.code(error.httpStatus)
    if (typeof error.body === 'string') return sendJson(reply, error.body)
    return setHeaders(reply).type('application/json').send(JSON.stringify(error.body))
  }
  if (error instanceof AppError) return sendJson(reply.code(error.httpStatus), error.message)
  const status = (error as { statusCode?: number }).statusCode ?? 500
  return sendJson(reply.code(status), { code: status, message: errorMessage(error) })
}
