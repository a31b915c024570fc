import { readFile } from 'node:fs/promises'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { BodyTooLargeError, type HttpClient, type HttpClientConfig } from './http-client.ts'
import { type HttpRequest, HttpRequestError, type HttpResponse } from './http-client.ts'
import { errorMessage } from './errors.ts'
import { basicCredentials, connectionErrorText } from './http-text.ts'
import { unpackBody } from './http-unpack.ts'

export interface HttpClientOptions {
  /** How long an unused connection is kept; choose more than the pause between two requests. Default 5 minutes. */
  readonly keepAliveMs?: number
  /** Sent unless the request names its own. */
  readonly userAgent?: string
}

const REDIRECTS_MAX = 10
const SENSITIVE_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization', 'www-authenticate'])

/** The one client for all outgoing HTTP. Certificates, keys and secrets in files are read again at each request. */
export function createHttpClient(config: HttpClientConfig = {}, options: HttpClientOptions = {}): HttpClient {
  return new UndiciClient(config, options)
}

class UndiciClient implements HttpClient {
  readonly #config: HttpClientConfig
  readonly #options: HttpClientOptions
  /** With the TLS material it was made from, so that rotated certificates make a new one. */
  #current: { readonly dispatcher: Dispatcher; readonly tlsKey: string } | undefined

  constructor(config: HttpClientConfig, options: HttpClientOptions) {
    this.#config = config
    this.#options = options
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const deadlineMs = performance.now() + request.timeoutMs
    let url = parseUrl(request.url)
    const firstUrl = url
    let method = request.method ?? 'GET'
    let body = request.body
    const dispatcher = await this.#dispatcher()
    const own = await this.#ownHeaders(url)
    let headers = { ...own, ...lowerCaseNames(request.headers ?? {}) }
    for (let redirects = 0; ; redirects++) {
      const response = await exchange(dispatcher, {
        url,
        method,
        headers,
        body,
        deadlineMs,
        bytesMax: request.bodyBytesMax ?? 0,
        timeoutMs: request.timeoutMs,
      })
      const location = this.#config.followRedirects === false ? undefined : redirectOf(response)
      if (location === undefined) return response
      if (redirects >= REDIRECTS_MAX) throw new HttpRequestError(`stopped after ${REDIRECTS_MAX} redirects`, false)
      url = parseUrl(location, url)
      if (response.status <= 303 && method !== 'HEAD' && method !== 'GET') {
        method = 'GET'
        body = undefined
        headers = withoutHeaders(headers, (name) => name.startsWith('content-'))
      }
      // Credentials, and configured headers which may hold some, stay with the host they were meant for. Once gone, they
      // do not come back, even if the chain returns to the first host.
      if (url.host !== firstUrl.host || (firstUrl.protocol === 'https:' && url.protocol !== 'https:')) {
        headers = withoutHeaders(
          headers,
          (name) => SENSITIVE_HEADERS.has(name) || (name in own && name !== 'user-agent'),
        )
      }
    }
  }

  async close(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    await current?.dispatcher.destroy()
  }

  async #ownHeaders(url: URL): Promise<Record<string, string>> {
    const { basicAuth, authorization } = this.#config
    const headers = lowerCaseNames(this.#config.headers ?? {})
    if (this.#options.userAgent !== undefined) headers['user-agent'] ??= this.#options.userAgent
    if (basicAuth) {
      headers.authorization = basicCredentials(
        basicAuth.username,
        await secret(basicAuth.password, basicAuth.passwordFile),
      )
    } else if (authorization) {
      const credentials = await secret(authorization.credentials, authorization.credentialsFile)
      headers.authorization = `${authorization.type || 'Bearer'} ${credentials}`
    } else if (url.username !== '') {
      headers.authorization = basicCredentials(decodeURIComponent(url.username), decodeURIComponent(url.password))
    }
    return headers
  }

  async #dispatcher(): Promise<Dispatcher> {
    const { tls } = this.#config
    const hasFiles = tls && (tls.caFile ?? tls.certFile ?? tls.keyFile) !== undefined
    if (this.#current && !hasFiles) return this.#current.dispatcher
    const ca = await optionalSecret(tls?.ca, tls?.caFile)
    const cert = await optionalSecret(tls?.cert, tls?.certFile)
    const key = await optionalSecret(tls?.key, tls?.keyFile)
    const tlsKey = JSON.stringify([ca, cert, key])
    if (this.#current?.tlsKey === tlsKey) return this.#current.dispatcher
    const connect = {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(tls?.serverName !== undefined && { servername: tls.serverName }),
      ...(tls?.insecureSkipVerify === true && { rejectUnauthorized: false }),
    }
    const keepAliveTimeout = this.#options.keepAliveMs ?? 300_000
    // Deadlines are ours, for the whole exchange; the library's own are switched off.
    const settings = { keepAliveTimeout, keepAliveMaxTimeout: keepAliveTimeout, headersTimeout: 0, bodyTimeout: 0 }
    const dispatcher =
      this.#config.proxyUrl === undefined
        ? new Agent({ ...settings, connect })
        : new ProxyAgent({ ...settings, uri: this.#config.proxyUrl, requestTls: connect, proxyTunnel: false })
    const previous = this.#current
    this.#current = { dispatcher, tlsKey }
    previous?.dispatcher.close().catch(() => previous.dispatcher.destroy())
    return dispatcher
  }
}

interface Exchange {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
  /** On the `performance.now()` scale. */
  readonly deadlineMs: number
  readonly timeoutMs: number
  readonly bytesMax: number
}

/** One request, one answer, no redirects. */
async function exchange(dispatcher: Dispatcher, wanted: Exchange): Promise<HttpResponse> {
  const raw = await receive(dispatcher, wanted)
  const body = await unpackBody(raw.chunks, raw.headers['content-encoding'] ?? '', wanted.bytesMax)
  if (performance.now() > wanted.deadlineMs) throw timeoutError(wanted)
  return { status: raw.status, headers: raw.headers, body }
}

interface RawResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly chunks: Uint8Array[]
}

function receive(dispatcher: Dispatcher, wanted: Exchange): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let failure: Error | undefined
    const fail = (error: Error): void => {
      if (failure) return
      failure = error
      clearTimeout(timer)
      reject(error)
      controller?.abort(error)
    }
    const leftMs = Math.max(0, wanted.deadlineMs - performance.now())
    const timer = setTimeout(() => fail(timeoutError(wanted)), leftMs)
    const chunks: Uint8Array[] = []
    let byteCount = 0
    let status = 0
    let headers: Record<string, string> = {}
    const request = {
      origin: wanted.url.origin,
      path: wanted.url.pathname + wanted.url.search,
      method: wanted.method as Dispatcher.HttpMethod,
      headers: wanted.headers,
      body: wanted.body ?? null,
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started
        // The deadline may have passed while the connection was being made.
        if (failure) started.abort(failure)
      },
      onResponseStart(_controller, statusCode, received) {
        status = statusCode
        headers = flatHeaders(received)
      },
      onResponseData(_controller, chunk) {
        byteCount += chunk.length
        // Packed bytes beyond the limit never unpack to fewer in practice, so this already bounds memory.
        if (wanted.bytesMax > 0 && byteCount > wanted.bytesMax)
          return fail(new BodyTooLargeError('body size limit exceeded'))
        chunks.push(chunk)
      },
      onResponseEnd() {
        if (failure) return
        clearTimeout(timer)
        resolve({ status, headers, chunks })
      },
      onResponseError(_controller, error) {
        fail(new HttpRequestError(describe(wanted, error), false, { cause: error }))
      },
    })
  })
}

const timeoutError = (wanted: Exchange): HttpRequestError =>
  new HttpRequestError(
    `${wanted.method} ${safeUrl(wanted.url)}: deadline of ${wanted.timeoutMs / 1000}s exceeded`,
    true,
  )

const describe = (wanted: Exchange, error: Error): string =>
  `${wanted.method} ${safeUrl(wanted.url)}: ${connectionErrorText(error)}`

const safeUrl = (url: URL): string => `${url.origin}${url.pathname}${url.search}`

function redirectOf(response: HttpResponse): string | undefined {
  return [301, 302, 303, 307, 308].includes(response.status) ? response.headers.location : undefined
}

function parseUrl(text: string, base?: URL): URL {
  let url: URL
  try {
    url = new URL(text, base)
  } catch (error) {
    throw new HttpRequestError(`invalid URL ${JSON.stringify(text)}`, false, { cause: error })
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  throw new HttpRequestError(`unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`, false)
}

function flatHeaders(received: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

const lowerCaseNames = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const withoutHeaders = (headers: Readonly<Record<string, string>>, goes: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !goes(name)))

const secret = async (text: string | undefined, file: string | undefined): Promise<string> =>
  (await optionalSecret(text, file)) ?? ''

async function optionalSecret(text: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return text
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new HttpRequestError(`unable to read ${file}: ${errorMessage(error)}`, false, { cause: error })
  }
}
