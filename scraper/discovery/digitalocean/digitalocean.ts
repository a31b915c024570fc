import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { DigitalOceanSdConfig } from './config.ts'

const ENDPOINT = 'https://api.digitalocean.com'
const PREFIX = '__meta_digitalocean_'
const PAGE_COUNT_MAX = 1000

interface Droplet {
  readonly id: number
  readonly name?: string
  readonly status?: string
  readonly size_slug?: string
  readonly vpc_uuid?: string
  readonly features?: readonly string[]
  readonly tags?: readonly string[]
  readonly image?: { readonly slug?: string; readonly name?: string }
  readonly region?: { readonly slug?: string }
  readonly networks?: { readonly v4?: readonly Address[]; readonly v6?: readonly Address[] }
}

interface Address {
  readonly ip_address: string
  readonly type: string
}

/** The droplets of an account that have a public address. */
export function digitalOceanDiscovery(config: DigitalOceanSdConfig, parts: DiscoveryParts): Discovery {
  const endpoint = config.endpoint ?? ENDPOINT
  return httpKindDiscovery('digitalocean', config, parts, async (ask) => {
    const targets: MetaLabels[] = []
    let url: string | undefined = `${endpoint}/v2/droplets?page=1&per_page=200`
    for (let page = 0; url !== undefined && page < PAGE_COUNT_MAX; page++) {
      const answer: { droplets?: Droplet[]; links?: { pages?: { next?: string } } } = await ask(url)
      targets.push(...(answer.droplets ?? []).flatMap((droplet) => dropletLabels(droplet, config.port ?? 80)))
      url = answer.links?.pages?.next
    }
    return [groupOf('DigitalOcean', targets)]
  })
}

function dropletLabels(droplet: Droplet, port: number): MetaLabels[] {
  const { v4 = [], v6 = [] } = droplet.networks ?? {}
  const of = (addresses: readonly Address[], type: string): string =>
    addresses.find((address) => address.type === type)?.ip_address ?? ''
  const publicIp = of(v4, 'public')
  if (publicIp === '') return []
  const labels: MetaLabels = {
    __address__: hostPort(publicIp, port),
    [`${PREFIX}droplet_id`]: String(droplet.id),
    [`${PREFIX}droplet_name`]: text(droplet.name),
    [`${PREFIX}image`]: text(droplet.image?.slug),
    [`${PREFIX}image_name`]: text(droplet.image?.name),
    [`${PREFIX}private_ipv4`]: of(v4, 'private'),
    [`${PREFIX}public_ipv4`]: publicIp,
    [`${PREFIX}public_ipv6`]: of(v6, 'public'),
    [`${PREFIX}region`]: text(droplet.region?.slug),
    [`${PREFIX}size`]: text(droplet.size_slug),
    [`${PREFIX}status`]: text(droplet.status),
    [`${PREFIX}vpc`]: text(droplet.vpc_uuid),
    [`${PREFIX}features`]: listed(droplet.features ?? []),
    [`${PREFIX}tags`]: listed(droplet.tags ?? []),
  }
  return [labels]
}
