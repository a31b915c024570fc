import { hostname } from 'node:os'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { formatDuration } from '../../../model/index.ts'
import type { Discovery, TargetGroup } from '../discovery.ts'
import { groupOf, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import { DiscoveryError, type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { KumaSdConfig } from './config.ts'

const PREFIX = '__meta_kuma_'
const REFRESH_DEFAULT_MS = 30_000
const FETCH_DEFAULT_MS = 120_000
// On top of the time that the server may take.
const CONNECT_MARGIN_MS = 15_000
const RESOURCE = 'monitoringassignments'
const TYPE_URL = 'type.googleapis.com/kuma.observability.v1.MonitoringAssignment'
const ANSWER_BYTES_MAX = 64 << 20

interface Assignment {
  readonly '@type'?: string
  readonly mesh?: string
  readonly service?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly targets?: readonly {
    readonly name?: string
    readonly address: string
    readonly scheme?: string
    readonly metrics_path?: string
    readonly metricsPath?: string
    readonly labels?: Readonly<Record<string, string>>
  }[]
}

interface DiscoveryResponse {
  readonly version_info?: string
  readonly versionInfo?: string
  readonly nonce?: string
  readonly type_url?: string
  readonly typeUrl?: string
  readonly resources?: readonly Assignment[]
}

/** The monitoring assignments of a Kuma control plane, by the REST form of xDS: each answer waits for news. */
export function kumaDiscovery(config: KumaSdConfig, parts: DiscoveryParts): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const fetchMs = config.fetchTimeoutMs ?? FETCH_DEFAULT_MS
  const client = createHttpClient(config.http, { keepAliveMs: refreshIntervalMs + 10_000 })
  const query = new URLSearchParams({ 'fetch-timeout': formatDuration(fetchMs) })
  const url = `${config.server.replace(/\/+$/, '')}/v3/discovery:${RESOURCE}?${query.toString()}`
  const clientId = config.clientId || hostname() || 'prometheus'
  let groups: readonly TargetGroup[] = []
  let version = ''
  let nonce = ''
  return polledDiscovery(
    {
      mechanism: 'kuma',
      refreshIntervalMs,
      async refresh() {
        const { status, body } = await client.request({
          url,
          method: 'POST',
          headers: { accept: 'application/json', 'content-type': 'application/json' },
          body: JSON.stringify({
            version_info: version,
            response_nonce: nonce,
            type_url: TYPE_URL,
            resource_names: [],
            node: { id: clientId },
          }),
          timeoutMs: fetchMs + CONNECT_MARGIN_MS,
          bodyBytesMax: ANSWER_BYTES_MAX,
        })
        if (status === 304) return groups
        const answer = Buffer.from(body).toString()
        if (status !== 200) throw new DiscoveryError(`Kuma answered ${status}: ${answer.slice(0, 200)}`)
        const response = parse(answer)
        const type = response.type_url ?? response.typeUrl
        if (type !== TYPE_URL) throw new DiscoveryError(`Kuma answered resources of the type ${text(type)}`)
        groups = [groupOf('kuma', (response.resources ?? []).flatMap(assignmentTargets))]
        version = response.version_info ?? response.versionInfo ?? ''
        nonce = response.nonce ?? ''
        return groups
      },
      close: () => client.close(),
    },
    parts,
  )
}

function parse(answer: string): DiscoveryResponse {
  try {
    return JSON.parse(answer) as DiscoveryResponse
  } catch (cause) {
    throw new DiscoveryError('Kuma answered no JSON', { cause })
  }
}

function assignmentTargets({ mesh, service, labels, targets = [] }: Assignment): MetaLabels[] {
  return targets.map((target) => ({
    ...mappedLabels(`${PREFIX}label_`, target.labels),
    ...mappedLabels(`${PREFIX}label_`, labels),
    [`${PREFIX}mesh`]: text(mesh),
    [`${PREFIX}service`]: text(service),
    [`${PREFIX}dataplane`]: text(target.name),
    __address__: target.address,
    __scheme__: target.scheme?.toLowerCase() || 'http',
    __metrics_path__: target.metrics_path ?? target.metricsPath ?? '/metrics',
    instance: text(target.name),
  }))
}
