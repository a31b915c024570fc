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
}

export interface HttpRequest {
  readonly url: string
  /** Default GET. */
  readonly method?: string
  /** Names in any case; values as sent. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** For the whole exchange, body included. */
  readonly timeoutMs: number
  /** Counted after unpacking; 0 or absent = no limit. */
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
  readonly basicAuth?: { readonly username: string; readonly password?: string; readonly passwordFile?: string }
  readonly authorization?: { readonly type: string; readonly credentials?: string; readonly credentialsFile?: string }
  readonly tls?: {
    readonly ca?: string
    readonly caFile?: string
    readonly cert?: string
    readonly certFile?: string
    readonly key?: string
    readonly keyFile?: string
    readonly serverName?: string
    readonly insecureSkipVerify?: boolean
  }
  readonly proxyUrl?: string
  /** Default true. */
  readonly followRedirects?: boolean
  readonly headers?: Readonly<Record<string, string>>
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
