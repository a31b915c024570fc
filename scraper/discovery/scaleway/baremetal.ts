import { listed } from '../http-kind.ts'
import { hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { ScalewayApi } from './scaleway-api.ts'

const PREFIX = '__meta_scaleway_baremetal_'

interface Server {
  readonly id: string
  readonly name?: string
  readonly zone?: string
  readonly status?: string
  readonly project_id?: string
  readonly offer_id?: string
  readonly install?: { readonly os_id?: string } | null
  readonly tags?: readonly string[]
  readonly ips?: readonly { readonly address: string; readonly version: string }[]
}

interface Named {
  readonly id: string
  readonly name?: string
  readonly version?: string
}

/** By the public IPv4 address, else the IPv6 one. */
export async function baremetalTargets(api: ScalewayApi, port: number): Promise<MetaLabels[]> {
  const servers = await api.zoned<Server>('baremetal', 'servers', 'servers', api.serverQuery('project_id'))
  const offers = await api.zoned<Named>('baremetal', 'offers', 'offers')
  const systems = await api.zoned<Named>('baremetal', 'os', 'os')
  return servers.flatMap((server) => {
    const ipv4 = server.ips?.find(({ version }) => version === 'IPv4')?.address
    const ipv6 = server.ips?.find(({ version }) => version === 'IPv6')?.address
    const address = ipv4 ?? ipv6
    if (address === undefined) return []
    const offer = offers.find(({ id }) => id === server.offer_id)
    const system = systems.find(({ id }) => id === server.install?.os_id)
    const fields: MetaLabels = {
      id: server.id,
      name: text(server.name),
      zone: text(server.zone),
      status: text(server.status),
      project_id: text(server.project_id),
      tags: listed(server.tags ?? []),
      ...(ipv4 !== undefined && { public_ipv4: ipv4 }),
      ...(ipv6 !== undefined && { public_ipv6: ipv6 }),
      ...(offer && { type: text(offer.name) }),
      ...(system && { os_name: text(system.name), os_version: text(system.version) }),
    }
    const labels = Object.entries(fields).map(([name, value]) => [PREFIX + name, value])
    return [{ __address__: hostPort(address, port), ...(Object.fromEntries(labels) as MetaLabels) }]
  })
}
