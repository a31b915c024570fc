import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { IonosSdConfig } from './config.ts'

const ENDPOINT = 'https://api.ionos.com/cloudapi/v6'
const PREFIX = '__meta_ionos_server_'

interface Server {
  readonly id: string
  readonly metadata?: { readonly state?: string }
  readonly properties?: {
    readonly name?: string
    readonly type?: string
    readonly availabilityZone?: string
    readonly cpuFamily?: string
    readonly vmState?: string
    readonly bootCdrom?: { readonly id?: string } | null
    readonly bootVolume?: { readonly id?: string } | null
  }
  readonly entities?: {
    readonly nics?: {
      readonly items?: readonly { readonly properties?: { readonly name?: string; readonly ips?: readonly string[] } }[]
    }
    readonly volumes?: {
      readonly items?: readonly { readonly id: string; readonly properties?: { readonly image?: string } }[]
    }
  }
}

/** The servers of one data center that have an address. */
export function ionosDiscovery(config: IonosSdConfig, parts: DiscoveryParts): Discovery {
  const url = `${config.endpoint ?? ENDPOINT}/datacenters/${encodeURIComponent(config.datacenterId)}/servers?depth=3`
  return httpKindDiscovery('ionos', config, parts, async (ask) => {
    const { id = '', items = [] } = await ask<{ id?: string; items?: readonly Server[] }>(url)
    return [
      groupOf(
        `ionos/${config.datacenterId}`,
        items.flatMap((server) => serverLabels(server, id, config.port ?? 80)),
      ),
    ]
  })
}

function serverLabels({ id, metadata, properties, entities }: Server, serversId: string, port: number): MetaLabels[] {
  const nics = entities?.nics?.items ?? []
  const ips = nics.flatMap((nic) => nic.properties?.ips ?? [])
  if (ips.length === 0) return []
  const labels: MetaLabels = {
    __address__: hostPort(ips[0]!, port),
    [`${PREFIX}id`]: id,
    [`${PREFIX}servers_id`]: serversId,
    [`${PREFIX}ip`]: listed(ips),
    [`${PREFIX}name`]: text(properties?.name),
    [`${PREFIX}type`]: text(properties?.type),
    [`${PREFIX}availability_zone`]: text(properties?.availabilityZone),
    [`${PREFIX}cpu_family`]: text(properties?.cpuFamily),
    [`${PREFIX}state`]: text(properties?.vmState),
    [`${PREFIX}lifecycle`]: text(metadata?.state),
  }
  const byName = new Map<string, string[]>()
  for (const { properties: nic } of nics) {
    byName.set(text(nic?.name), [...(byName.get(text(nic?.name)) ?? []), ...(nic?.ips ?? [])])
  }
  for (const [name, own] of byName) labels[`${PREFIX}nic_ip_${sanitizeName(name)}`] = listed(own)
  if (properties?.bootCdrom?.id) labels[`${PREFIX}boot_cdrom_id`] = properties.bootCdrom.id
  const bootVolume = properties?.bootVolume?.id
  if (bootVolume) {
    labels[`${PREFIX}boot_volume_id`] = bootVolume
    const image = entities?.volumes?.items?.find((volume) => volume.id === bootVolume)?.properties?.image
    if (image) labels[`${PREFIX}boot_image_id`] = image
  }
  return [labels]
}
