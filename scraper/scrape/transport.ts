import { STATUS_CODES } from 'node:http'
import { AppError, type HttpClient } from '../../lib/index.ts'
import { type ExpositionFormat, formatOfContentType } from '../../model/index.ts'
import { DEFAULT_SCRAPE_PROTOCOLS, type ScrapeConfig, type ScrapeProtocol } from '../config.ts'
import type { Target } from '../targets/target.ts'

/** A target inside this process: the same bytes as over HTTP, without the socket. */
export interface InProcessTarget {
  /** Rejects when there is no answer within `timeoutMs`; the answer's body is not changed afterwards. */
  scrape(timeoutMs: number): Promise<{ readonly contentType: string; readonly body: Uint8Array }>
}

/** What a target answered. */
export interface ScrapedPage {
  readonly body: Uint8Array
  readonly format: ExpositionFormat
}

/** The target answered something that is no page of metrics. */
export class ScrapeAnswerError extends AppError {
  override readonly code = 'ERR_SCRAPE_ANSWER'
  override readonly httpStatus = 502
}

/** @throws {ScrapeAnswerError} and what the HTTP client throws */
export type Transport = (target: Target) => Promise<ScrapedPage>

export function httpTransport(client: HttpClient, config: ScrapeConfig, userAgent: string): Transport {
  const accept = acceptHeader(config)
  const encoding = config.enableCompression === false ? 'identity' : 'gzip'
  return async (target) => {
    const response = await client.request({
      url: target.url,
      headers: {
        accept,
        'accept-encoding': encoding,
        'user-agent': userAgent,
        'x-prometheus-scrape-timeout-seconds': String(target.timeoutMs / 1000),
      },
      timeoutMs: target.timeoutMs,
      bodyBytesMax: config.bodyBytesMax ?? 0,
    })
    if (response.status !== 200) {
      const text = STATUS_CODES[response.status] ?? ''
      throw new ScrapeAnswerError(`server returned HTTP status ${response.status} ${text}`.trimEnd())
    }
    return { body: response.body, format: pageFormat(response.headers['content-type'] ?? '', config) }
  }
}

export function inProcessTransport(source: InProcessTarget, config: ScrapeConfig): Transport {
  return async (target) => {
    const { body, contentType } = await source.scrape(target.timeoutMs)
    return { body, format: pageFormat(contentType, config) }
  }
}

const MEDIA_TYPES: Readonly<Partial<Record<ScrapeProtocol, string>>> = {
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
}

/** Falling weights in the configured order; only the 1.0.0 formats know how to escape names. */
export function acceptHeader(config: ScrapeConfig): string {
  const escaping = `;escaping=${config.metricNameEscapingScheme ?? 'allow-utf-8'}`
  let weight = 6
  const parts: string[] = []
  for (const protocol of config.scrapeProtocols ?? DEFAULT_SCRAPE_PROTOCOLS) {
    const mediaType = MEDIA_TYPES[protocol]
    if (mediaType === undefined) continue
    parts.push(`${mediaType}${protocol.endsWith('1.0.0') ? escaping : ''};q=0.${weight--}`)
  }
  return [...parts, `*/*;q=0.${weight}`].join(',')
}

function pageFormat(contentType: string, config: ScrapeConfig): ExpositionFormat {
  const named = formatOfContentType(contentType)
  if (named !== undefined) return named
  const fallback = config.fallbackScrapeProtocol && MEDIA_TYPES[config.fallbackScrapeProtocol]
  const format = fallback === undefined ? undefined : formatOfContentType(fallback)
  if (format !== undefined) return format
  throw new ScrapeAnswerError(
    contentType === ''
      ? 'the answer has no Content-Type and no fallback_scrape_protocol is set'
      : `the answer has the unsupported Content-Type ${JSON.stringify(contentType)} and no fallback_scrape_protocol is set`,
  )
}
