import type { HttpClient, HttpClientConfig } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import type { Discovery, TargetGroup } from './discovery.ts'
import { askJson, type DiscoveryParts, polledDiscovery } from './poll.ts'

/** What every discovery by an HTTP interface is configured with. */
export interface HttpKindConfig {
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
  readonly http?: HttpClientConfig | undefined
}

/** Asks for JSON, within the time of one refresh. */
export type Ask = <T>(url: string) => Promise<T>

const REFRESH_DEFAULT_MS = 60_000

/** A discovery that asks an HTTP interface at intervals. */
export function httpKindDiscovery(
  mechanism: string,
  config: HttpKindConfig,
  parts: DiscoveryParts,
  refresh: (ask: Ask) => Promise<readonly TargetGroup[]>,
): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const client: HttpClient = createHttpClient(config.http, { keepAliveMs: refreshIntervalMs + 10_000 })
  const ask: Ask = async <T>(url: string) => (await askJson(client, { url, timeoutMs: refreshIntervalMs })).value as T
  return polledDiscovery(
    { mechanism, refreshIntervalMs, refresh: () => refresh(ask), close: () => client.close() },
    parts,
  )
}

/** Commas around every entry, so that a regular expression can ask for a whole one; '' where there is none. */
export const listed = (values: readonly string[], separator = ','): string =>
  values.length === 0 ? '' : `${separator}${values.join(separator)}${separator}`
