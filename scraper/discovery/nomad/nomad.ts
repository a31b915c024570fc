import type { Discovery, TargetGroup } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { NomadSdConfig } from './config.ts'

const PREFIX = '__meta_nomad_'

interface ServiceList {
  readonly Namespace: string
  readonly Services?: readonly { readonly ServiceName: string }[]
}

interface Registration {
  readonly ID: string
  readonly ServiceName: string
  readonly Namespace?: string
  readonly NodeID?: string
  readonly Datacenter?: string
  readonly Tags?: readonly string[] | null
  readonly Address: string
  readonly Port: number
}

/** The services that Nomad itself registers, a target per instance. */
export function nomadDiscovery(config: NomadSdConfig, parts: DiscoveryParts): Discovery {
  const server = (config.server ?? 'http://localhost:4646').replace(/\/+$/, '')
  const separator = config.tagSeparator ?? ','
  const urlOf = (path: string, namespace: string): string => {
    const query = new URLSearchParams({ namespace, region: config.region ?? 'global' })
    if (config.allowStale !== false) query.set('stale', '')
    return `${server}${path}?${query.toString()}`
  }
  return httpKindDiscovery('nomad', config, parts, async (ask) => {
    const lists = await ask<readonly ServiceList[]>(urlOf('/v1/services', config.namespace ?? 'default'))
    const wanted = lists.flatMap(({ Namespace, Services }) =>
      (Services ?? []).map(({ ServiceName }) => ({ namespace: Namespace, name: ServiceName })),
    )
    const groups: TargetGroup[] = []
    for (const { namespace, name } of wanted) {
      const path = `/v1/service/${encodeURIComponent(name)}`
      const instances = await ask<readonly Registration[]>(urlOf(path, namespace))
      groups.push(
        groupOf(
          `nomad/${namespace}/${name}`,
          instances.map((one) => instanceLabels(one, separator)),
        ),
      )
    }
    return groups
  })
}

const instanceLabels = (one: Registration, separator: string): MetaLabels => ({
  __address__: hostPort(one.Address, one.Port),
  [`${PREFIX}address`]: one.Address,
  [`${PREFIX}dc`]: text(one.Datacenter),
  [`${PREFIX}namespace`]: text(one.Namespace),
  [`${PREFIX}node_id`]: text(one.NodeID),
  [`${PREFIX}service`]: one.ServiceName,
  [`${PREFIX}service_address`]: one.Address,
  [`${PREFIX}service_id`]: one.ID,
  [`${PREFIX}service_port`]: String(one.Port),
  [`${PREFIX}tags`]: `${separator}${(one.Tags ?? []).join(separator)}${separator}`,
})
