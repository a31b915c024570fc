import { listed } from '../http-kind.ts'
import { hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { ScalewayApi } from './scaleway-api.ts'

const PREFIX = '__meta_scaleway_instance_'

interface Server {
  readonly id: string
  readonly name?: string
  readonly hostname?: string
  readonly boot_type?: string
  readonly organization?: string
  readonly project?: string
  readonly state?: string
  readonly commercial_type?: string
  readonly zone?: string
  readonly tags?: readonly string[]
  readonly image?: { readonly arch?: string; readonly id?: string; readonly name?: string } | null
  readonly location?: {
    readonly cluster_id?: string
    readonly hypervisor_id?: string
    readonly node_id?: string
  } | null
  readonly security_group?: { readonly id?: string; readonly name?: string } | null
  readonly public_ip?: PublicIp | null
  readonly public_ips?: readonly PublicIp[] | null
  readonly ipv6?: { readonly address?: string } | null
  readonly private_ip?: string | null
  readonly private_nics?: readonly { readonly id: string }[] | null
}

interface PublicIp {
  readonly address: string
  readonly family?: string
}

/** By the private address, else the public ones. */
export async function instanceTargets(api: ScalewayApi, port: number): Promise<MetaLabels[]> {
  const servers = await api.zoned<Server>('instance', 'servers', 'servers', api.serverQuery('project'))
  const nicAddresses = await privateNicAddresses(api, servers)
  return servers.flatMap((server) => {
    const privateIp =
      server.private_ip ??
      (hasAddress(server)
        ? undefined
        : server.private_nics?.map(({ id }) => nicAddresses.get(id)).find((address) => address !== undefined))
    const address = privateIp ?? server.public_ip?.address ?? server.ipv6?.address
    return address ? [{ __address__: hostPort(address, port), ...serverLabels(server, privateIp) }] : []
  })
}

const hasAddress = (server: Server): boolean => Boolean(server.private_ip ?? server.public_ip ?? server.ipv6)

/** Servers that are in private networks only have their addresses in another interface, by network card. */
async function privateNicAddresses(api: ScalewayApi, servers: readonly Server[]): Promise<Map<string, string>> {
  const nics = servers.filter((server) => !hasAddress(server)).flatMap(({ private_nics }) => private_nics ?? [])
  if (nics.length === 0) return new Map()
  const found = await api.all<{ address: string; resource?: { id?: string } }>(
    `/ipam/v1/regions/${regionOf(api.zone)}/ips`,
    'ips',
    { resource_ids: nics.map(({ id }) => id).join(','), resource_type: 'instance_private_nic', is_ipv6: 'false' },
  )
  return new Map(found.map(({ address, resource }) => [text(resource?.id), address.split('/')[0]!]))
}

/** Zone `fr-par-1` lies in region `fr-par`. */
const regionOf = (zone: string): string => zone.replace(/-\d+$/, '')

function serverLabels(server: Server, privateIp: string | undefined): MetaLabels {
  const { image, location, security_group: group, public_ip: publicIp, public_ips: publicIps } = server
  const addresses = (family: string): string =>
    listed((publicIps ?? []).filter((ip) => ip.family === family).map((ip) => ip.address))
  const zone = text(server.zone)
  const fields: MetaLabels = {
    boot_type: text(server.boot_type),
    hostname: text(server.hostname),
    id: server.id,
    name: text(server.name),
    organization_id: text(server.organization),
    project_id: text(server.project),
    status: text(server.state),
    type: text(server.commercial_type),
    zone,
    region: regionOf(zone),
    tags: listed(server.tags ?? []),
    public_ipv4_addresses: addresses('inet'),
    public_ipv6_addresses: addresses('inet6'),
    ...(image && { image_arch: text(image.arch), image_id: text(image.id), image_name: text(image.name) }),
    ...(location && {
      location_cluster_id: text(location.cluster_id),
      location_hypervisor_id: text(location.hypervisor_id),
      location_node_id: text(location.node_id),
    }),
    ...(group && { security_group_id: text(group.id), security_group_name: text(group.name) }),
    ...(server.ipv6 && { public_ipv6: text(server.ipv6.address) }),
    ...(publicIp && publicIp.family !== 'inet6' && { public_ipv4: publicIp.address }),
    ...(privateIp !== undefined && { private_ipv4: privateIp }),
  }
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [PREFIX + name, value]))
}
