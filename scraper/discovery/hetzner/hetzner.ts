import type { Discovery } from '../discovery.ts'
import { type Ask, httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { HetznerSdConfig } from './config.ts'

const PREFIX = '__meta_hetzner_'
const CLOUD = 'https://api.hetzner.cloud/v1'
const ROBOT = 'https://robot-ws.your-server.de'
const PAGE_COUNT_MAX = 1000

/** Servers of Hetzner Cloud, or the dedicated ones of the robot. */
export function hetznerDiscovery(config: HetznerSdConfig, parts: DiscoveryParts): Discovery {
  const targetsOf = config.role === 'hcloud' ? cloudTargets : robotTargets
  return httpKindDiscovery('hetzner', config, parts, async (ask) => [
    groupOf('hetzner', await targetsOf(ask, config, config.port ?? 80)),
  ])
}

interface CloudServer {
  readonly id: number
  readonly name: string
  readonly status?: string
  readonly labels?: Record<string, string>
  readonly public_net?: {
    readonly ipv4?: { readonly ip?: string } | null
    readonly ipv6?: { readonly ip?: string } | null
  }
  readonly private_net?: readonly { readonly network: number; readonly ip: string }[]
  readonly datacenter?: { readonly name?: string; readonly location?: Location } | null
  readonly location?: Location
  readonly server_type?: {
    readonly name?: string
    readonly cores?: number
    readonly cpu_type?: string
    readonly memory?: number
    readonly disk?: number
  }
  readonly image?: {
    readonly name?: string
    readonly description?: string
    readonly os_flavor?: string
    readonly os_version?: string
  } | null
}

interface Location {
  readonly name?: string
  readonly network_zone?: string
}

async function pages<T>(ask: Ask, url: URL, key: string): Promise<T[]> {
  const found: T[] = []
  let page: number | null | undefined = 1
  for (let i = 0; page && i < PAGE_COUNT_MAX; i++) {
    url.searchParams.set('page', String(page))
    url.searchParams.set('per_page', '50')
    const answer: Record<string, unknown> = await ask(url.toString())
    found.push(...((answer[key] ?? []) as T[]))
    page = (answer['meta'] as { pagination?: { next_page?: number | null } } | undefined)?.pagination?.next_page
  }
  return found
}

async function cloudTargets(ask: Ask, config: HetznerSdConfig, port: number): Promise<MetaLabels[]> {
  const endpoint = config.endpoint ?? CLOUD
  const url = new URL(`${endpoint}/servers`)
  if (config.labelSelector) url.searchParams.set('label_selector', config.labelSelector)
  const servers = await pages<CloudServer>(ask, url, 'servers')
  const networks = await pages<{ id: number; name: string }>(ask, new URL(`${endpoint}/networks`), 'networks')
  return servers.map((server) => {
    const { image, server_type: type, datacenter } = server
    const location = server.location ?? datacenter?.location
    const labels: MetaLabels = {
      __address__: hostPort(text(server.public_net?.ipv4?.ip), port),
      ...serverLabels('hcloud', server.id, server.name, server.status, datacenter?.name),
      [`${PREFIX}public_ipv4`]: text(server.public_net?.ipv4?.ip),
      [`${PREFIX}public_ipv6_network`]: text(server.public_net?.ipv6?.ip),
      [`${PREFIX}hcloud_datacenter_location`]: text(location?.name),
      [`${PREFIX}hcloud_datacenter_location_network_zone`]: text(location?.network_zone),
      [`${PREFIX}hcloud_location`]: text(location?.name),
      [`${PREFIX}hcloud_location_network_zone`]: text(location?.network_zone),
      [`${PREFIX}hcloud_server_type`]: text(type?.name),
      [`${PREFIX}hcloud_cpu_cores`]: text(type?.cores),
      [`${PREFIX}hcloud_cpu_type`]: text(type?.cpu_type),
      [`${PREFIX}hcloud_memory_size_gb`]: text(type?.memory && Math.trunc(type.memory)),
      [`${PREFIX}hcloud_disk_size_gb`]: text(type?.disk),
    }
    if (image) {
      labels[`${PREFIX}hcloud_image_name`] = text(image.name)
      labels[`${PREFIX}hcloud_image_description`] = text(image.description)
      labels[`${PREFIX}hcloud_image_os_version`] = text(image.os_version)
      labels[`${PREFIX}hcloud_image_os_flavor`] = text(image.os_flavor)
    }
    for (const { network, ip } of server.private_net ?? []) {
      const name = networks.find(({ id }) => id === network)?.name
      if (name !== undefined) labels[`${PREFIX}hcloud_private_ipv4_${sanitizeName(name)}`] = ip
    }
    Object.assign(labels, mappedLabels(`${PREFIX}hcloud_label_`, server.labels))
    for (const name of Object.keys(server.labels ?? {})) {
      labels[`${PREFIX}hcloud_labelpresent_${sanitizeName(name)}`] = 'true'
    }
    return labels
  })
}

interface RobotServer {
  readonly server_ip?: string
  readonly server_number: number
  readonly server_name?: string
  readonly product?: string
  readonly dc?: string
  readonly status?: string
  readonly cancelled?: boolean
  readonly subnet?: readonly { readonly ip: string; readonly mask: string }[] | null
}

async function robotTargets(ask: Ask, config: HetznerSdConfig, port: number): Promise<MetaLabels[]> {
  const list = await ask<{ server: RobotServer }[]>(`${config.endpoint ?? ROBOT}/server`)
  return list.map(({ server }) => {
    const network = server.subnet?.find(({ ip }) => ip.includes(':'))
    return {
      __address__: hostPort(text(server.server_ip), port),
      ...serverLabels('robot', server.server_number, server.server_name, server.status, server.dc?.toLowerCase()),
      [`${PREFIX}public_ipv4`]: text(server.server_ip),
      ...(network && { [`${PREFIX}public_ipv6_network`]: `${network.ip}/${network.mask}` }),
      [`${PREFIX}robot_product`]: text(server.product),
      [`${PREFIX}robot_cancelled`]: String(server.cancelled ?? false),
    }
  })
}

const serverLabels = (role: string, id: number, name = '', status = '', datacenter = ''): MetaLabels => ({
  [`${PREFIX}role`]: role,
  [`${PREFIX}server_id`]: String(id),
  [`${PREFIX}server_name`]: name,
  [`${PREFIX}server_status`]: status,
  [`${PREFIX}datacenter`]: datacenter,
})
