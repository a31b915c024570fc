import type { Discovery } from '../discovery.ts'
import { type Ask, httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { LinodeSdConfig } from './config.ts'

const ENDPOINT = 'https://api.linode.com'
const PREFIX = '__meta_linode_'
const PAGE_SIZE = 500
const PAGE_COUNT_MAX = 1000
const BYTES_PER_MIB = 1 << 20

interface Instance {
  readonly id: number
  readonly label?: string
  readonly image?: string | null
  readonly region?: string
  readonly type?: string
  readonly status?: string
  readonly group?: string
  readonly hypervisor?: string
  readonly tags?: readonly string[]
  readonly ipv4?: readonly string[]
  readonly ipv6?: string | null
  readonly backups?: { readonly enabled?: boolean }
  /** In MiB. */
  readonly specs?: Readonly<Record<'disk' | 'memory' | 'vcpus' | 'transfer' | 'gpus', number | undefined>>
}

interface Address {
  readonly address: string
  readonly public?: boolean
  readonly rdns?: string | null
}

interface Ipv6Range {
  readonly range: string
  readonly prefix: number
  readonly route_target?: string
}

interface Addresses {
  readonly byAddress: ReadonlyMap<string, Address>
  readonly ranges: readonly Ipv6Range[]
}

/** The instances of an account, by their public address. */
export function linodeDiscovery(config: LinodeSdConfig, parts: DiscoveryParts): Discovery {
  return httpKindDiscovery('linode', config, parts, async (ask) => {
    const instances = await pages<Instance>(ask, config, 'linode/instances')
    const addresses = await pages<Address>(ask, config, 'networking/ips')
    const ranges = await pages<Ipv6Range>(ask, config, 'networking/ipv6/ranges')
    const known = { byAddress: new Map(addresses.map((one) => [one.address, one])), ranges }
    const withAddress = instances.filter(({ ipv4 = [] }) => ipv4.length > 0)
    return [
      groupOf(
        'Linode',
        withAddress.map((instance) => instanceLabels(instance, known, config)),
      ),
    ]
  })
}

async function pages<T>(ask: Ask, { endpoint = ENDPOINT, region }: LinodeSdConfig, path: string): Promise<T[]> {
  const found: T[] = []
  const request = region ? { headers: { 'x-filter': JSON.stringify({ region }) } } : {}
  for (let page = 1, last = 1; page <= last && page <= PAGE_COUNT_MAX; page++) {
    const url = `${endpoint}/v4/${path}?page=${page}&page_size=${PAGE_SIZE}`
    const answer = await ask<{ data?: T[]; pages?: number }>(url, request)
    found.push(...(answer.data ?? []))
    last = answer.pages ?? 1
  }
  return found
}

function instanceLabels(instance: Instance, known: Addresses, config: LinodeSdConfig): MetaLabels {
  const separator = config.tagSeparator ?? ','
  const details = (instance.ipv4 ?? []).flatMap((address) => known.byAddress.get(address) ?? [])
  const publicIp = details.find((one) => one.public)
  const privateIp = details.find((one) => !one.public)
  const extra = details.filter((one) => one !== publicIp && one !== privateIp).map((one) => one.address)
  const slaac = instance.ipv6?.split('/')[0] ?? ''
  const publicIpv6 = slaac === '' ? undefined : known.byAddress.get(slaac)
  const ranges = known.ranges.filter((one) => slaac !== '' && one.route_target === slaac)
  const { specs } = instance
  const bytes = (mebibytes: number | undefined): string => String((mebibytes ?? 0) * BYTES_PER_MIB)
  const fields: MetaLabels = {
    instance_id: String(instance.id),
    instance_label: text(instance.label),
    image: text(instance.image),
    private_ipv4: text(privateIp?.address),
    public_ipv4: text(publicIp?.address),
    public_ipv6: text(publicIpv6?.address),
    private_ipv4_rdns: reverseName(privateIp),
    public_ipv4_rdns: reverseName(publicIp),
    public_ipv6_rdns: reverseName(publicIpv6),
    region: text(instance.region),
    type: text(instance.type),
    status: text(instance.status),
    group: text(instance.group),
    gpus: String(specs?.gpus ?? 0),
    hypervisor: text(instance.hypervisor),
    backups: instance.backups?.enabled ? 'enabled' : 'disabled',
    specs_disk_bytes: bytes(specs?.disk),
    specs_memory_bytes: bytes(specs?.memory),
    specs_vcpus: String(specs?.vcpus ?? 0),
    specs_transfer_bytes: bytes(specs?.transfer),
    tags: listed(instance.tags ?? [], separator),
    extra_ips: listed(extra, separator),
    ipv6_ranges: listed(
      ranges.map(({ range, prefix }) => `${range}/${prefix}`),
      separator,
    ),
  }
  const labels = Object.entries(fields).map(([name, value]) => [PREFIX + name, value])
  return { __address__: hostPort(text(publicIp?.address), config.port ?? 80), ...Object.fromEntries(labels) }
}

const reverseName = (address: Address | undefined): string => (address?.rdns === 'null' ? '' : text(address?.rdns))
