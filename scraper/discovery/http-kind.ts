import type { HttpClient, HttpClientConfig } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import type { Discovery, TargetGroup } from './discovery.ts'
import { askJson, type DiscoveryParts, type JsonRequest, polledDiscovery } from './poll.ts'

/** What every discovery by an HTTP interface is configured with. */
export interface HttpKindConfig {
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
  readonly http?: HttpClientConfig | undefined
}

/** Asks for JSON, within the time of one refresh. */
export type Ask = <T>(url: string, request?: Omit<JsonRequest, 'url' | 'timeoutMs'>) => Promise<T>

/** The client behind it, for what is not JSON or needs the answer's headers. */
export interface HttpPeer {
  readonly client: HttpClient
  readonly timeoutMs: number
}

const REFRESH_DEFAULT_MS = 60_000

/** A discovery that asks an HTTP interface at intervals. */
export function httpKindDiscovery(
  mechanism: string,
  config: HttpKindConfig,
  parts: DiscoveryParts,
  refresh: (ask: Ask, peer: HttpPeer) => Promise<readonly TargetGroup[]>,
  refreshDefaultMs = REFRESH_DEFAULT_MS,
): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? refreshDefaultMs
  const client: HttpClient = createHttpClient(config.http, { keepAliveMs: refreshIntervalMs + 10_000 })
  const peer = { client, timeoutMs: refreshIntervalMs }
  const ask: Ask = async <T>(url: string, request?: Omit<JsonRequest, 'url' | 'timeoutMs'>) =>
    (await askJson(client, { url, timeoutMs: refreshIntervalMs, ...request })).value as T
  return polledDiscovery(
    { mechanism, refreshIntervalMs, refresh: () => refresh(ask, peer), close: () => client.close() },
    parts,
  )
}

/** Commas around every entry, so that a regular expression can ask for a whole one; '' where there is none. */
export const listed = (values: readonly string[], separator = ','): string =>
  values.length === 0 ? '' : `${separator}${values.join(separator)}${separator}`
