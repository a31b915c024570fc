import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { TritonSdConfig } from './config.ts'

const PREFIX = '__meta_triton_'
const PORT_DEFAULT = 9163

interface Container {
  readonly vm_uuid: string
  readonly vm_alias?: string
  readonly vm_brand?: string
  readonly vm_image_uuid?: string
  readonly server_uuid?: string
  readonly groups?: readonly string[]
}

interface ComputeNode {
  readonly server_uuid: string
  readonly server_hostname?: string
}

/** Containers, or the compute nodes they run on, as Triton's container monitor lists them. */
export function tritonDiscovery(config: TritonSdConfig, parts: DiscoveryParts): Discovery {
  const { role = 'container', groups = [], port = PORT_DEFAULT, version = 1 } = config
  const base = `https://${config.endpoint}:${port}/v${version}`
  const query = groups.length > 0 ? `?groups=${encodeURIComponent(groups.join(','))}` : ''
  const url = role === 'cn' ? `${base}/gz/discover` : `${base}/discover${query}`
  const addressOf = (id: string): string => `${id}.${config.dnsSuffix}:${port}`
  return httpKindDiscovery('triton', config, parts, async (ask) => {
    const answer = await ask<{ containers?: Container[]; cns?: ComputeNode[] }>(url)
    const targets: MetaLabels[] =
      role === 'cn'
        ? (answer.cns ?? []).map((node) => ({
            __address__: addressOf(node.server_uuid),
            [`${PREFIX}machine_id`]: node.server_uuid,
            [`${PREFIX}machine_alias`]: text(node.server_hostname),
          }))
        : (answer.containers ?? []).map((container) => ({
            __address__: addressOf(container.vm_uuid),
            [`${PREFIX}machine_id`]: container.vm_uuid,
            [`${PREFIX}machine_alias`]: text(container.vm_alias),
            [`${PREFIX}machine_brand`]: text(container.vm_brand),
            [`${PREFIX}machine_image`]: text(container.vm_image_uuid),
            [`${PREFIX}server_id`]: text(container.server_uuid),
            [`${PREFIX}groups`]: listed(container.groups ?? []),
          }))
    return [groupOf(url, targets)]
  })
}
