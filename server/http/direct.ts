// Hot: senders and dashboards ask here all day. Covered by bench/load/remote-write.ts and bench/load/api.ts.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../../lib/index.ts'
import type { HttpObserver } from '../self-metrics.ts'

/** Answers a request whole. @returns the status, when the answer has been handed to the socket */
export type DirectHandler = (request: IncomingMessage, response: ServerResponse) => Promise<number>

/** A body that is longer than is taken here. */
class BodyTooLargeError extends AppError {
  override readonly code = 'ERR_BODY_TOO_LARGE'
  override readonly httpStatus = 413
}

/**
 * Routes of which there are very many requests, answered ahead of the router: its hooks cost more than such a request itself.
 * The router has the same routes, and keeps what is rare: other methods, answers that depend on where a page comes from.
 */
export class DirectRoutes {
  readonly #handlers = new Map<string, DirectHandler>()
  readonly #around: RouteAround[] = []
  readonly #observe: HttpObserver

  constructor(observe: HttpObserver) {
    this.#observe = observe
  }

  /** @param path whole, as a client sends it */
  add(method: 'GET' | 'POST', path: string, handler: DirectHandler): void {
    this.#handlers.set(`${method} ${path}`, handler)
  }

  /** For paths with one part that differs, between `before` and `after`; looked at last. */
  addAround(method: 'GET' | 'POST', before: string, after: string, handler: DirectHandler): void {
    this.#around.push({ method, before, after, handler })
  }

  /** @returns false: nothing has happened, the router is to answer */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url, headers } = request
    if (headers.origin !== undefined || url === undefined) return false
    const end = url.indexOf('?')
    const path = end < 0 ? url : url.slice(0, end)
    const handler = this.#handlers.get(`${method} ${path}`)
    if (handler !== undefined) {
      void this.#run(handler, request, response, path)
      return true
    }
    const route = this.#around.find((one) => one.method === method && partOf(one, path) !== undefined)
    if (route === undefined) return false
    void this.#run(route.handler, request, response, `${route.before}:name${route.after}`)
    return true
  }

  async #run(handler: DirectHandler, request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const startMs = performance.now()
    const status = await handler(request, response)
    this.#observe(name, status, (performance.now() - startMs) / 1000)
  }
}

/**
 * The pieces of a body.
 *
 * @throws {BodyTooLargeError} the rest is not read: the answer must end the connection
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let length = 0
    const tooLarge = (): void => {
      request.pause()
      reject(new BodyTooLargeError('Request body is too large'))
    }
    if (Number(request.headers['content-length']) > bytesMax) return tooLarge()
    request.on('data', (piece: Buffer) => {
      length += piece.length
      if (length > bytesMax) tooLarge()
      else pieces.push(piece)
    })
    request.on('end', () => resolve(pieces))
    request.on('error', (cause) => reject(Object.assign(cause, { statusCode: 400 })))
  })
}

interface RouteAround {
  readonly method: string
  readonly before: string
  readonly after: string
  readonly handler: DirectHandler
}

/** What stands in a path between the two, slashes excepted. */
export function partOf({ before, after }: Pick<RouteAround, 'before' | 'after'>, path: string): string | undefined {
  if (path.length < before.length + after.length || !path.startsWith(before) || !path.endsWith(after)) return undefined
  const part = path.slice(before.length, path.length - after.length)
  return part.includes('/') ? undefined : part
}

/** Always says the same. */
export const textHandler =
  (text: string): DirectHandler =>
  async (_request, response) => {
    sendDirect(response, 200, ['Content-Type', 'text/plain; charset=utf-8'], text)
    return 200
  }

/** As the router sets them. */
const COMMON_HEADERS: readonly string[] = Object.entries({
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
}).flat()

/** Begins an answer of which the length is not known yet. @param headers as of `sendDirect` */
export function startDirect(response: ServerResponse, headers: readonly string[]): void {
  response.writeHead(200, [...COMMON_HEADERS, 'Vary', 'Origin', ...headers])
}

/** @param headers name, value, name, value … */
export function sendDirect(
  response: ServerResponse,
  status: number,
  headers: readonly string[],
  body: Uint8Array | string,
): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const all = [...COMMON_HEADERS, 'Vary', 'Origin', ...headers]
  if (status !== 204) all.push('Content-Length', String(length))
  // What is left of a body that was refused must not be taken for the next request.
  if (status === 413) all.push('Connection', 'close')
  response.writeHead(status, all)
  if (length === 0) response.end()
  else response.end(body)
}
