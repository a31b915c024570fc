import { STATUS_CODES } from 'node:http'
import {
  AppError,
  type HttpClient,
  type HttpClientConfig,
  type PlainHttpClient,
  type PlainRequest,
  plainRequest,
} from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { formatOfContentType } from '../../model/index.ts'
import { DEFAULT_SCRAPE_PROTOCOLS, NATIVE_SCRAPE_PROTOCOLS, type ScrapeConfig, type ScrapeProtocol } from '../config.ts'
import type { Target } from '../targets/target.ts'
import type { PageFormat } from './split-page.ts'

/** A target inside this process: the same bytes as over HTTP, without the socket. */
export interface InProcessTarget {
  /** Rejects when there is no answer within `timeoutMs`; the answer's body is not changed afterwards. */
  scrape(timeoutMs: number): Promise<{ readonly contentType: string; readonly body: Uint8Array }>
}

/** Hears of each request once, unless it is cancelled. */
export interface PageReceiver {
  /** @param body holds only during the call */
  onPage(body: Uint8Array, format: PageFormat): void
  onFailure(error: unknown): void
}

/** Gets the page of one target, again and again, one request at a time. */
export interface PageSource {
  request(): void
  /** The receiver hears nothing any more. */
  cancel(): void
}

// Connections outlive the pause between two scrapes; an interval set by relabelling is rarely longer than this.
export const KEEP_ALIVE_MIN_MS = 300_000

export type Transport = (target: Target, receiver: PageReceiver) => PageSource

/** The target answered something that is no page of metrics. */
export class ScrapeAnswerError extends AppError {
  override readonly code = 'ERR_SCRAPE_ANSWER'
  override readonly httpStatus = 502
}

export interface HttpTransportParts {
  /** Knows TLS, proxies, redirects. */
  readonly client: HttpClient
  /** Carries everything that needs none of them. */
  readonly plainClient: PlainHttpClient
  readonly userAgent: string
}

export function httpTransport(parts: HttpTransportParts, config: ScrapeConfig): Transport {
  const formats = new PageFormats(config)
  const bodyBytesMax = config.bodyBytesMax ?? 0
  const headersOf = requestHeaders(parts.userAgent, config)
  return (target, receiver) => {
    const { url, timeoutMs, socketPath, histograms } = target
    const headers = headersOf(timeoutMs, histograms.scrapeNativeHistograms)
    const request = { url, headers, timeoutMs, bodyBytesMax }
    const asking = (client: HttpClient): PageSource =>
      promisedSource(receiver, async () => {
        const { status, headers: answered, body } = await client.request(request)
        checkStatus(status)
        return { body, format: formats.of(answered['content-type'] ?? '') }
      })
    const general = (): PageSource => {
      if (socketPath === '') return asking(parts.client)
      const client = socketClient(socketPath, config)
      return ownClientSource(asking(client), client)
    }
    const plain = plainRequest(request, socketPath === '' ? config.http : withoutProxy(config), socketPath)
    return plain === undefined
      ? general()
      : plainSource(parts.plainClient, plain, { receiver, formats, config, general })
  }
}

/** Thousands of targets, nearly always with the same timeout, share what they send. */
function requestHeaders(userAgent: string, config: ScrapeConfig) {
  const common = {
    'accept-encoding': config.enableCompression === false ? 'identity' : 'gzip',
    'user-agent': userAgent,
  }
  let last:
    | { readonly timeoutMs: number; readonly wantsNative: boolean; readonly headers: Record<string, string> }
    | undefined
  return (timeoutMs: number, wantsNative: boolean): Record<string, string> => {
    if (last?.timeoutMs !== timeoutMs || last.wantsNative !== wantsNative) {
      const headers = {
        accept: acceptHeader(config, wantsNative),
        ...common,
        'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
      }
      last = { timeoutMs, wantsNative, headers }
    }
    return last.headers
  }
}

/** A socket on this machine is not asked through a proxy. */
function withoutProxy({ http = {} }: ScrapeConfig): HttpClientConfig {
  const { proxyUrl: _url, proxyFromEnvironment: _environment, noProxy: _exceptions, ...rest } = http
  return rest
}

const socketClient = (socketPath: string, config: ScrapeConfig): HttpClient =>
  createHttpClient(withoutProxy(config), {
    keepAliveMs: Math.max(KEEP_ALIVE_MIN_MS, config.scrapeIntervalMs * 2),
    socketPath,
  })

/** With a client that nobody else uses. */
const ownClientSource = (source: PageSource, client: HttpClient): PageSource => ({
  request: () => source.request(),
  cancel() {
    source.cancel()
    void client.close()
  },
})

export function inProcessTransport(source: InProcessTarget, config: ScrapeConfig): Transport {
  const formats = new PageFormats(config)
  return (target, receiver) =>
    promisedSource(receiver, async () => {
      const { body, contentType } = await source.scrape(target.timeoutMs)
      return { body, format: formats.of(contentType) }
    })
}

interface PlainSourceParts {
  readonly receiver: PageReceiver
  readonly formats: PageFormats
  readonly config: ScrapeConfig
  /** Makes what takes over for good from a target that sends elsewhere. */
  readonly general: () => PageSource
}

function plainSource(client: PlainHttpClient, request: PlainRequest, parts: PlainSourceParts): PageSource {
  const { receiver, formats } = parts
  const mayRedirect = parts.config.http?.followRedirects !== false
  let general: PageSource | undefined
  const exchange = client.exchange(request, {
    onAnswer({ status, contentType, location, body }) {
      if (mayRedirect && status >= 300 && status < 400 && location !== '') {
        general = parts.general()
        general.request()
        return
      }
      let format: PageFormat
      try {
        checkStatus(status)
        format = formats.of(contentType)
      } catch (error) {
        receiver.onFailure(error)
        return
      }
      receiver.onPage(body, format)
    },
    onFailure: (error) => receiver.onFailure(error),
  })
  return {
    request: () => (general === undefined ? exchange.start() : general.request()),
    cancel() {
      exchange.cancel()
      general?.cancel()
    },
  }
}

function promisedSource(
  receiver: PageReceiver,
  scrape: () => Promise<{ readonly body: Uint8Array; readonly format: PageFormat }>,
): PageSource {
  let isCancelled = false
  return {
    request() {
      scrape().then(
        ({ body, format }) => isCancelled || receiver.onPage(body, format),
        (error: unknown) => isCancelled || receiver.onFailure(error),
      )
    },
    cancel() {
      isCancelled = true
    },
  }
}

function checkStatus(status: number): void {
  if (status === 200) return
  throw new ScrapeAnswerError(`server returned HTTP status ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd())
}

const PROTOBUF_TYPE = 'application/vnd.google.protobuf'
const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto: `${PROTOBUF_TYPE};proto=io.prometheus.client.MetricFamily;encoding=delimited`,
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
}

/** Falling weights in the configured order; only the 1.0.0 formats know how to escape names. */
export function acceptHeader(config: ScrapeConfig, wantsNative = false): string {
  const escaping = `;escaping=${config.metricNameEscapingScheme ?? 'allow-utf-8'}`
  let weight = 6
  const parts: string[] = []
  for (const protocol of config.scrapeProtocols ?? (wantsNative ? NATIVE_SCRAPE_PROTOCOLS : DEFAULT_SCRAPE_PROTOCOLS)) {
    parts.push(`${MEDIA_TYPES[protocol]}${protocol.endsWith('1.0.0') ? escaping : ''};q=0.${weight--}`)
  }
  return [...parts, `*/*;q=0.${weight}`].join(',')
}

/** Formats by Content-Type; nearly all targets of a job give the same one. */
class PageFormats {
  readonly #config: ScrapeConfig
  #lastType: string | undefined
  #lastFormat: PageFormat = 'text'

  constructor(config: ScrapeConfig) {
    this.#config = config
  }

  /** @throws {ScrapeAnswerError} */
  of(contentType: string): PageFormat {
    if (contentType === this.#lastType) return this.#lastFormat
    this.#lastFormat = pageFormat(contentType, this.#config)
    this.#lastType = contentType
    return this.#lastFormat
  }
}

function pageFormat(contentType: string, config: ScrapeConfig): PageFormat {
  const named = isProtobuf(contentType) ? 'protobuf' : formatOfContentType(contentType)
  if (named !== undefined) return named
  const fallback = config.fallbackScrapeProtocol
  const format = fallback === 'PrometheusProto' ? 'protobuf' : fallback && formatOfContentType(MEDIA_TYPES[fallback])
  if (format !== undefined) return format
  throw new ScrapeAnswerError(
    contentType === ''
      ? 'the answer has no Content-Type and no fallback_scrape_protocol is set'
      : `the answer has the unsupported Content-Type ${JSON.stringify(contentType)} and no fallback_scrape_protocol is set`,
  )
}

/** Only this message, and one after the other. */
function isProtobuf(contentType: string): boolean {
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase())
  const value = (name: string): string | undefined =>
    parameters
      .find((each) => each.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replaceAll('"', '')
  return (
    type === PROTOBUF_TYPE &&
    (value('proto') ?? 'io.prometheus.client.metricfamily') === 'io.prometheus.client.metricfamily' &&
    (value('encoding') ?? 'delimited') === 'delimited'
  )
}
