import { AppError } from './errors.ts'

/** The other side could not be reached, broke off, or did not finish in time. */
export class HttpRequestError extends AppError {
  override readonly code = 'ERR_HTTP_REQUEST'
  override readonly httpStatus = 502
  /** True when the deadline passed. */
  readonly timedOut: boolean

  constructor(message: string, timedOut: boolean, options?: ErrorOptions) {
    super(message, options)
    this.timedOut = timedOut
  }
}

/** The body grew beyond `bodyBytesMax`, counted after unpacking. */
export class BodyTooLargeError extends AppError {
  override readonly code = 'ERR_HTTP_BODY_TOO_LARGE'
  override readonly httpStatus = 502

  /** @param bytesMax as the request had it; 0 = none */
  constructor(bytesMax: number, options?: ErrorOptions) {
    super(`body size limit exceeded${bytesMax > 0 ? '' : ` (${BODY_BYTES_MAX >> 20}MB where none is set)`}`, options)
  }
}

/** Of a body whose request sets no limit: an answer without end must not take all memory before its deadline. */
export const BODY_BYTES_MAX = 512 << 20

export interface HttpRequest {
  readonly url: string
  /** Default GET. */
  readonly method?: string
  /** Names in any case; values as sent. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** For the whole exchange, body included. */
  readonly timeoutMs: number
  /** Counted after unpacking; 0 or absent = `BODY_BYTES_MAX`. */
  readonly bodyBytesMax?: number
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Unpacked (gzip, deflate). Owned by the caller. */
  readonly body: Uint8Array
}

/** Prometheus' and Alertmanager's `http_config`, already checked; file-based secrets are read at each request. */
export interface HttpClientConfig {
  readonly basicAuth?: {
    readonly username: string
    readonly usernameFile?: string
    readonly password?: string
    readonly passwordFile?: string
  }
  readonly authorization?: { readonly type: string; readonly credentials?: string; readonly credentialsFile?: string }
  readonly oauth2?: OAuth2Config
  readonly tls?: TlsClientConfig
  readonly proxyUrl?: string
  /** Hosts that are asked directly, as in the environment variable `NO_PROXY`. */
  readonly noProxy?: string
  /** Proxies as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name them. */
  readonly proxyFromEnvironment?: boolean
  /** Sent to the proxy with CONNECT. */
  readonly proxyConnectHeaders?: Readonly<Record<string, string>>
  /** Default true. */
  readonly followRedirects?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** Further values of headers, each read from a file at each request. */
  readonly headerFiles?: Readonly<Record<string, readonly string[]>>
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface TlsClientConfig {
  readonly ca?: string
  readonly caFile?: string
  readonly cert?: string
  readonly certFile?: string
  readonly key?: string
  readonly keyFile?: string
  readonly serverName?: string
  readonly insecureSkipVerify?: boolean
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
}

/** Tokens by client credentials (RFC 6749, 4.4) or by a signed assertion (RFC 7523). */
export interface OAuth2Config {
  readonly clientId: string
  readonly clientSecret?: string
  readonly clientSecretFile?: string
  readonly tokenUrl: string
  readonly scopes?: readonly string[]
  /** Further form fields of the token request. */
  readonly endpointParams?: Readonly<Record<string, string>>
  /** Set for the grant `jwt-bearer`. */
  readonly jwt?: {
    readonly key?: string
    readonly keyFile?: string
    readonly keyId?: string
    readonly algorithm: 'RS256' | 'RS384' | 'RS512'
    readonly issuer: string
    readonly audience?: string
    readonly claims?: Readonly<Record<string, unknown>>
  }
  /** How the token's server is reached. */
  readonly http?: Pick<
    HttpClientConfig,
    'tls' | 'proxyUrl' | 'noProxy' | 'proxyFromEnvironment' | 'proxyConnectHeaders'
  >
}

/** One client per scrape pool, receiver or discovery; keeps connections alive between requests. */
export interface HttpClient {
  /**
   * Any status resolves; only transport failures reject.
   *
   * @throws {HttpRequestError} @throws {BodyTooLargeError}
   */
  request(request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

/** A client that also hands out answers as they arrive. */
export interface StreamingHttpClient extends HttpClient {
  /**
   * One GET request without redirects whose answer has no end of its own. Resolves when the other side ends it.
   *
   * @param onData unpacked pieces as they come; only called for status 200
   * @throws {HttpRequestError} also when aborted
   */
  stream(
    request: Pick<HttpRequest, 'url' | 'headers' | 'timeoutMs'>,
    onData: (chunk: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: Uint8Array }>
}
