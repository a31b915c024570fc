import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { VultrSdConfig } from './config.ts'

const ENDPOINT = 'https://api.vultr.com'
const PREFIX = '__meta_vultr_instance_'
const PAGE_SIZE = 100
const PAGE_COUNT_MAX = 1000

type Instance = Readonly<Record<string, unknown>>

/** Labels and the fields they come from. */
const FIELDS: Readonly<Record<string, string>> = {
  id: 'id',
  label: 'label',
  os: 'os',
  os_id: 'os_id',
  region: 'region',
  plan: 'plan',
  main_ip: 'main_ip',
  internal_ip: 'internal_ip',
  main_ipv6: 'v6_main_ip',
  hostname: 'hostname',
  server_status: 'server_status',
  vcpu_count: 'vcpu_count',
  ram_mb: 'ram',
  disk_gb: 'disk',
  allowed_bandwidth_gb: 'allowed_bandwidth',
}

/** The instances of an account, by their main address. */
export function vultrDiscovery(config: VultrSdConfig, parts: DiscoveryParts): Discovery {
  return httpKindDiscovery('vultr', config, parts, async (ask) => {
    const targets: MetaLabels[] = []
    let cursor = ''
    for (let page = 0; page < PAGE_COUNT_MAX; page++) {
      const query = new URLSearchParams({ per_page: String(PAGE_SIZE), ...(cursor !== '' && { cursor }) })
      const url = `${config.endpoint ?? ENDPOINT}/v2/instances?${query.toString()}`
      const answer = await ask<{ instances?: Instance[]; meta?: { links?: { next?: string } } }>(url)
      targets.push(...(answer.instances ?? []).map((instance) => instanceLabels(instance, config.port ?? 80)))
      cursor = answer.meta?.links?.next ?? ''
      if (cursor === '') break
    }
    return [groupOf('Vultr', targets)]
  })
}

function instanceLabels(instance: Instance, port: number): MetaLabels {
  const labels: MetaLabels = { __address__: hostPort(text(instance['main_ip']), port) }
  for (const [label, field] of Object.entries(FIELDS)) labels[PREFIX + label] = text(instance[field])
  for (const name of ['features', 'tags']) labels[PREFIX + name] = listed((instance[name] ?? []) as string[])
  return labels
}
