import type { Discovery } from '../discovery.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import { type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { DockerSdConfig } from './config.ts'
import { DockerApi } from './docker-api.ts'

const REFRESH_DEFAULT_MS = 60_000
const PORT_DEFAULT = 80
const PREFIX = '__meta_docker_'

interface Container {
  readonly Id: string
  readonly Names?: readonly string[]
  readonly Labels?: Record<string, string> | null
  readonly HostConfig?: { readonly NetworkMode?: string }
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, Attachment | null>> | null }
  readonly Ports?: readonly Port[] | null
}

interface Attachment {
  readonly NetworkID: string
  readonly IPAddress: string
}

interface Port {
  readonly Type?: string
  readonly PrivatePort: number
  readonly PublicPort?: number
  readonly IP?: string
}

/** One target per container, network and TCP port. */
export function dockerDiscovery(config: DockerSdConfig, parts: DiscoveryParts): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const api = new DockerApi(config, refreshIntervalMs)
  return polledDiscovery(
    {
      mechanism: 'docker',
      refreshIntervalMs,
      async refresh() {
        const containers = await api.list<Container>('/containers/json', true)
        const networks = await api.networkLabels(PREFIX)
        const byId = new Map(containers.map((container) => [container.Id, container]))
        const targets = containers.flatMap((container) => targetsOf(container, byId, networks, config))
        return [groupOf('Docker', targets)]
      },
      close: () => api.close(),
    },
    parts,
  )
}

function targetsOf(
  container: Container,
  byId: ReadonlyMap<string, Container>,
  networks: ReadonlyMap<string, MetaLabels>,
  config: DockerSdConfig,
): MetaLabels[] {
  if ((container.Names ?? []).length === 0) return []
  const mode = container.HostConfig?.NetworkMode ?? ''
  const common = {
    [`${PREFIX}container_id`]: container.Id,
    [`${PREFIX}container_name`]: container.Names![0]!,
    [`${PREFIX}container_network_mode`]: mode,
    ...mappedLabels(`${PREFIX}container_label_`, container.Labels),
  }
  return attachmentsOf(container, mode, byId, config).flatMap((attachment) => {
    const ip = text(attachment.IPAddress)
    const labels = { ...common, [`${PREFIX}network_ip`]: ip, ...networks.get(attachment.NetworkID) }
    const exposed = (container.Ports ?? []).filter((port) => port.Type === 'tcp')
    if (exposed.length > 0) return exposed.map((port) => ({ ...labels, ...portLabels(port, ip) }))
    const address =
      mode === 'host' ? (config.hostNetworkingHost ?? 'localhost') : hostPort(ip, config.port ?? PORT_DEFAULT)
    return [{ ...labels, __address__: address }]
  })
}

function attachmentsOf(
  container: Container,
  mode: string,
  byId: ReadonlyMap<string, Container>,
  { matchFirstNetwork = true }: DockerSdConfig,
): Attachment[] {
  let networks = container.NetworkSettings?.Networks ?? {}
  // `container:<id>` shares the network of another container, as that of a pod does.
  if (Object.keys(networks).length === 0 && mode.startsWith('container:')) {
    networks = byId.get(mode.slice('container:'.length))?.NetworkSettings?.Networks ?? {}
  }
  const named = Object.entries(networks)
    .filter((entry): entry is [string, Attachment] => entry[1] !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, attachment]) => attachment)
  return matchFirstNetwork ? named.slice(0, 1) : named
}

const portLabels = (port: Port, ip: string): MetaLabels => ({
  __address__: hostPort(ip, port.PrivatePort),
  [`${PREFIX}port_private`]: String(port.PrivatePort),
  ...(port.PublicPort && {
    [`${PREFIX}port_public`]: String(port.PublicPort),
    [`${PREFIX}port_public_ip`]: text(port.IP),
  }),
})
