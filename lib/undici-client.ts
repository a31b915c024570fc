import { readFile } from 'node:fs/promises'
import type { Dispatcher } from 'undici'
import { BODY_BYTES_MAX, BodyTooLargeError, type HttpClientConfig, type StreamingHttpClient } from './http-client.ts'
import { type HttpRequest, HttpRequestError, type HttpResponse } from './http-client.ts'
import { errorMessage } from './errors.ts'
import { basicCredentials, connectionErrorText } from './http-text.ts'
import { OAuth2Tokens } from './oauth2.ts'
import { proxyOf } from './proxy.ts'
import { unpackBody } from './http-unpack.ts'

export interface HttpClientOptions {
  /** How long an unused connection is kept; choose more than the pause between two requests. Default 5 minutes. */
  readonly keepAliveMs?: number
  /** Sent unless the request names its own. */
  readonly userAgent?: string
  /** Every request goes to this Unix socket; the URL's host is only a name then. */
  readonly socketPath?: string
}

const REDIRECTS_MAX = 10
const SENSITIVE_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization', 'www-authenticate'])

/** The one client for all outgoing HTTP. Certificates, keys and secrets in files are read again at each request. */
export function createHttpClient(config: HttpClientConfig = {}, options: HttpClientOptions = {}): StreamingHttpClient {
  return new UndiciClient(config, options)
}

/** Connections made with one set of TLS material. */
interface Connections {
  readonly tlsKey: string
  readonly tls: Readonly<Record<string, unknown>>
  /** By proxy and protocol; '' = direct. */
  readonly dispatchers: Map<string, Dispatcher>
}

class UndiciClient implements StreamingHttpClient {
  readonly #config: HttpClientConfig
  readonly #options: HttpClientOptions
  readonly #tokens: OAuth2Tokens | undefined
  /** Rotated certificates make new ones. */
  #current: Connections | undefined
  #isClosed = false

  constructor(config: HttpClientConfig, options: HttpClientOptions) {
    this.#config = config
    this.#options = options
    const { oauth2 } = config
    this.#tokens = oauth2 && new OAuth2Tokens(oauth2, createHttpClient(oauth2.http))
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const deadlineMs = performance.now() + request.timeoutMs
    let url = parseUrl(request.url)
    const firstUrl = url
    let method = request.method ?? 'GET'
    let body = request.body
    const own = await this.#ownHeadersInTime(url, { method, url, deadlineMs, timeoutMs: request.timeoutMs })
    let headers = { ...own, ...lowerCaseNames(request.headers ?? {}) }
    for (let redirects = 0; ; redirects++) {
      const response = await exchange(await this.#dispatcher(url), {
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

  async stream(
    request: Pick<HttpRequest, 'url' | 'headers' | 'timeoutMs'>,
    onData: (chunk: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<{ status: number; body: Uint8Array }> {
    const url = parseUrl(request.url)
    const headers = { ...(await this.#ownHeaders(url)), ...lowerCaseNames(request.headers ?? {}) }
    const deadlineMs = performance.now() + request.timeoutMs
    const wanted: Exchange = {
      url,
      method: 'GET',
      headers,
      body: undefined,
      deadlineMs,
      timeoutMs: request.timeoutMs,
      bytesMax: 0,
    }
    const raw = await receive(await this.#dispatcher(url), wanted, { onData, signal })
    return { status: raw.status, body: Buffer.concat(raw.chunks) }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const current = this.#current
    this.#current = undefined
    await this.#tokens?.close()
    await Promise.all(Array.from(current?.dispatchers.values() ?? [], (dispatcher) => dispatcher.destroy()))
  }

  /** The server of tokens may be slow, and the deadline covers that, too. */
  #ownHeadersInTime(url: URL, wanted: Timed): Promise<Record<string, string>> {
    const headers = this.#ownHeaders(url)
    if (!this.#tokens) return headers
    return new Promise((resolve, reject) => {
      const late = (): void => reject(timeoutError(wanted, ' while waiting for an OAuth 2.0 token'))
      const timer = setTimeout(late, Math.max(0, wanted.deadlineMs - performance.now()))
      headers.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  async #ownHeaders(url: URL): Promise<Record<string, string>> {
    const { basicAuth, authorization } = this.#config
    const headers = lowerCaseNames(this.#config.headers ?? {})
    for (const [name, files] of Object.entries(this.#config.headerFiles ?? {})) {
      const values = await Promise.all(files.map((file) => secret(undefined, file)))
      const held = headers[name.toLowerCase()]
      headers[name.toLowerCase()] = [...(held === undefined ? [] : [held]), ...values].join(', ')
    }
    if (this.#options.userAgent !== undefined) headers['user-agent'] ??= this.#options.userAgent
    if (basicAuth) {
      headers.authorization = basicCredentials(
        await secret(basicAuth.username, basicAuth.usernameFile),
        await secret(basicAuth.password, basicAuth.passwordFile),
      )
    } else if (authorization) {
      const credentials = await secret(authorization.credentials, authorization.credentialsFile)
      headers.authorization = `${authorization.type || 'Bearer'} ${credentials}`
    } else if (this.#tokens) {
      headers.authorization = `Bearer ${await this.#tokens.token()}`
    } else if (url.username !== '') {
      headers.authorization = basicCredentials(decodeURIComponent(url.username), decodeURIComponent(url.password))
    }
    return headers
  }

  async #dispatcher(url: URL): Promise<Dispatcher> {
    const { dispatchers, tls } = await this.#connections()
    const proxy = proxyOf(url, this.#config, process.env) ?? ''
    const key = proxy === '' ? '' : `${url.protocol}${proxy}`
    const held = dispatchers.get(key)
    if (held) return held
    // Large, and not needed by many: plain targets are scraped without it.
    const { Agent, ProxyAgent } = await import('undici')
    const madeMeanwhile = dispatchers.get(key)
    if (madeMeanwhile) return madeMeanwhile
    const keepAliveTimeout = this.#options.keepAliveMs ?? 300_000
    // Deadlines are ours, for the whole exchange; the library's own are switched off.
    const settings = { keepAliveTimeout, keepAliveMaxTimeout: keepAliveTimeout, headersTimeout: 0, bodyTimeout: 0 }
    const { socketPath } = this.#options
    const connect = socketPath === undefined ? tls : { ...tls, socketPath }
    const connectHeaders = url.protocol === 'https:' ? this.#config.proxyConnectHeaders : undefined
    const dispatcher =
      proxy === ''
        ? new Agent({ ...settings, connect })
        : new ProxyAgent({
            ...settings,
            uri: proxy,
            requestTls: tls,
            // The proxy itself is trusted, and told who we are, as the target behind it.
            proxyTls: tls,
            proxyTunnel: false,
            ...(connectHeaders && { headers: connectHeaders }),
          })
    dispatchers.set(key, dispatcher)
    return dispatcher
  }

  async #connections(): Promise<Connections> {
    const { tls } = this.#config
    const hasFiles = tls && (tls.caFile ?? tls.certFile ?? tls.keyFile) !== undefined
    if (this.#current && !hasFiles) return this.#current
    const ca = await optionalSecret(tls?.ca, tls?.caFile)
    const cert = await optionalSecret(tls?.cert, tls?.certFile)
    const key = await optionalSecret(tls?.key, tls?.keyFile)
    const tlsKey = JSON.stringify([ca, cert, key])
    // Nobody would end connections that a request makes now.
    if (this.#isClosed) throw new HttpRequestError('the client has been closed', false)
    if (this.#current?.tlsKey === tlsKey) return this.#current
    const previous = this.#current
    this.#current = {
      tlsKey,
      tls: {
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(tls?.serverName !== undefined && { servername: tls.serverName }),
        ...(tls?.insecureSkipVerify === true && { rejectUnauthorized: false }),
        ...(tls?.minVersion !== undefined && { minVersion: tls.minVersion }),
        ...(tls?.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
      },
      dispatchers: new Map(),
    }
    for (const dispatcher of previous?.dispatchers.values() ?? []) {
      dispatcher.close().catch(() => dispatcher.destroy())
    }
    return this.#current
  }
}

interface Timed {
  readonly url: URL
  readonly method: string
  /** On the `performance.now()` scale. */
  readonly deadlineMs: number
  readonly timeoutMs: number
}

interface Exchange extends Timed {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
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

/** Pieces of an answer with status 200 go there instead of being collected. */
interface StreamTo {
  readonly onData: (chunk: Uint8Array) => void
  readonly signal: AbortSignal
}

function receive(dispatcher: Dispatcher, wanted: Exchange, streamTo?: StreamTo): Promise<RawResponse> {
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
    const aborted = (): HttpRequestError =>
      new HttpRequestError(`${wanted.method} ${safeUrl(wanted.url)}: aborted`, false)
    if (streamTo?.signal.aborted) return fail(aborted())
    streamTo?.signal.addEventListener('abort', () => fail(aborted()), { once: true })
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
        if (streamTo && status === 200) return streamTo.onData(chunk)
        if (byteCount > (wanted.bytesMax || BODY_BYTES_MAX)) return fail(new BodyTooLargeError(wanted.bytesMax))
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

const timeoutError = (wanted: Timed, meanwhile = ''): HttpRequestError =>
  new HttpRequestError(
    `${wanted.method} ${safeUrl(wanted.url)}: deadline of ${wanted.timeoutMs / 1000}s exceeded${meanwhile}`,
    true,
  )

const describe = (wanted: Timed, error: Error): string =>
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
