import { errorMessage } from '../../../lib/index.ts'
import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { OvhCloudSdConfig } from './config.ts'
import { OvhApi } from './ovh-api.ts'

const PATHS = { vps: '/vps', dedicated_server: '/dedicated/server' } as const

/** The virtual, or the dedicated servers of an account. */
export function ovhCloudDiscovery(config: OvhCloudSdConfig, parts: DiscoveryParts): Discovery {
  const path = PATHS[config.service]
  const labelsOf = config.service === 'vps' ? vpsFields : dedicatedFields
  const prefix = `__meta_ovhcloud_${config.service}_`
  let api: OvhApi | undefined
  return httpKindDiscovery('ovhcloud', config, parts, async (ask) => {
    api ??= new OvhApi(config, ask, parts.clock)
    const targets: MetaLabels[] = []
    for (const name of await api.get<readonly string[]>(path)) {
      try {
        const at = `${path}/${encodeURIComponent(name)}`
        const server = await api.get<Server>(at)
        const { ipv4, ipv6 } = addressesOf(await api.get<readonly string[]>(`${at}/ips`))
        const fields = { ...labelsOf(server), ipv4, ipv6 }
        targets.push({
          __address__: ipv4 || ipv6,
          instance: text(server['name']),
          ...Object.fromEntries(Object.entries(fields).map(([label, value]) => [prefix + label, value])),
        })
      } catch (error) {
        // The others are still good.
        parts.logger.warn({ server: name, reason: errorMessage(error) }, 'details of a server cannot be read')
      }
    }
    return [groupOf(`ovhcloud_${config.service}`, targets)]
  })
}

type Server = Readonly<Record<string, unknown>>

/** Of several the last one; blocks count by their first address. */
function addressesOf(blocks: readonly string[]): { ipv4: string; ipv6: string } {
  const addresses = blocks.map((block) => block.split('/')[0]!)
  return {
    ipv4: addresses.findLast((address) => !address.includes(':')) ?? '',
    ipv6: addresses.findLast((address) => address.includes(':')) ?? '',
  }
}

function vpsFields(server: Server): MetaLabels {
  const model = (server['model'] ?? {}) as Server
  const centers = (model['datacenter'] ?? []) as readonly string[]
  return {
    offer: text(model['offer']),
    datacenter: `[${centers.join(' ')}]`,
    model_vcore: text(model['vcore']),
    model_name: text(model['name']),
    maximum_additional_ip: text(model['maximumAdditionnalIp']),
    version: text(model['version']),
    disk: text(model['disk']),
    memory: text(model['memory']),
    zone: text(server['zone']),
    display_name: text(server['displayName']),
    cluster: text(server['cluster']),
    state: text(server['state']),
    name: text(server['name']),
    netboot_mode: text(server['netbootMode']),
    memory_limit: text(server['memoryLimit']),
    offer_type: text(server['offerType']),
    vcore: text(server['vcore']),
  }
}

const dedicatedFields = (server: Server): MetaLabels => ({
  state: text(server['state']),
  commercial_range: text(server['commercialRange']),
  link_speed: text(server['linkSpeed']),
  rack: text(server['rack']),
  no_intervention: String(server['noIntervention'] === true),
  os: text(server['os']),
  support_level: text(server['supportLevel']),
  server_id: text(server['serverId']),
  reverse: text(server['reverse']),
  datacenter: text(server['datacenter']),
  name: text(server['name']),
})
