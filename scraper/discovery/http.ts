import { createHttpClient } from '../../lib/undici-client.ts'
import type { HttpSdConfig } from './config.ts'
import { type Discovery, parseTargetList, TargetListError } from './discovery.ts'
import { type DiscoveryParts, polledDiscovery } from './poll.ts'

const REFRESH_DEFAULT_MS = 60_000

/** Target lists from an HTTP service, asked at intervals; a failed answer leaves the last list in use. */
export function httpDiscovery(config: HttpSdConfig, parts: DiscoveryParts): Discovery {
  const { url } = config
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const client = createHttpClient(config.http, { keepAliveMs: refreshIntervalMs + 10_000 })
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'gzip',
    'x-prometheus-refresh-interval-seconds': String(refreshIntervalMs / 1000),
  }
  return polledDiscovery(
    {
      mechanism: 'http',
      refreshIntervalMs,
      async refresh() {
        const response = await client.request({ url, headers, timeoutMs: refreshIntervalMs })
        const contentType = response.headers['content-type'] ?? ''
        if (response.status !== 200) throw new TargetListError(`server returned HTTP status ${response.status}`)
        if (!/^application\/json(\s*;|$)/i.test(contentType.trim()))
          throw new TargetListError(`unsupported content type ${JSON.stringify(contentType)}`)
        const list: unknown = JSON.parse(Buffer.from(response.body).toString())
        return parseTargetList(list, (i) => `${url}:${i}`, { __meta_url: url })
      },
      close: () => client.close(),
    },
    parts,
  )
}
