import type { HttpClient } from '../../../lib/index.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import type { Discovery } from '../discovery.ts'
import { groupOf, hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import { askJson, type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { StackitSdConfig } from './config.ts'
import { stackitHttp } from './service-account.ts'

const PREFIX = '__meta_stackit_'
const REFRESH_DEFAULT_MS = 60_000

interface Server {
  readonly id: string
  readonly name?: string
  readonly availabilityZone?: string
  readonly machineType?: string
  readonly status?: string
  readonly powerStatus?: string
  readonly labels?: Readonly<Record<string, unknown>> | null
  readonly nics?: readonly {
    readonly networkName?: string
    readonly ipv4?: string | null
    readonly publicIp?: string | null
  }[]
}

/** The servers of a STACKIT project, by their public address where they have one. */
export function stackitDiscovery(config: StackitSdConfig, parts: DiscoveryParts): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const base = (config.endpoint ?? `https://iaas.api.${config.region ?? 'eu01'}.stackit.cloud`).replace(/\/+$/, '')
  const url = `${base}/v1/projects/${encodeURIComponent(config.project)}/servers?details=true`
  let client: HttpClient | undefined
  return polledDiscovery(
    {
      mechanism: 'stackit',
      refreshIntervalMs,
      async refresh() {
        client ??= createHttpClient(await stackitHttp(config), { keepAliveMs: refreshIntervalMs + 10_000 })
        const { value } = await askJson(client, { url, timeoutMs: refreshIntervalMs })
        const { items } = value as { items?: Server[] | null }
        return [
          groupOf(
            'stackit',
            (items ?? []).flatMap((server) => serverLabels(server, config)),
          ),
        ]
      },
      close: async () => client?.close(),
    },
    parts,
  )
}

function serverLabels(server: Server, { project, port = 80 }: StackitSdConfig): MetaLabels[] {
  const nics = server.nics ?? []
  const publicIp = nics.find((nic) => nic.publicIp)?.publicIp
  const address = publicIp ?? nics.find((nic) => nic.ipv4)?.ipv4
  if (!address) return []
  const labels: MetaLabels = {
    __address__: hostPort(address, port),
    [`${PREFIX}project`]: project,
    [`${PREFIX}id`]: server.id,
    [`${PREFIX}name`]: text(server.name),
    [`${PREFIX}availability_zone`]: text(server.availabilityZone),
    [`${PREFIX}status`]: text(server.status),
    [`${PREFIX}power_status`]: text(server.powerStatus),
    [`${PREFIX}type`]: text(server.machineType),
    ...(publicIp && { [`${PREFIX}public_ipv4`]: publicIp }),
  }
  for (const { networkName, ipv4 } of nics) {
    if (ipv4) labels[`${PREFIX}private_ipv4_${sanitizeName(text(networkName))}`] = ipv4
  }
  for (const [name, value] of Object.entries(server.labels ?? {})) {
    if (typeof value !== 'string') continue
    labels[`${PREFIX}label_${sanitizeName(name)}`] = value
    labels[`${PREFIX}labelpresent_${sanitizeName(name)}`] = 'true'
  }
  return [labels]
}
