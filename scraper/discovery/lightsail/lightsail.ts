import { AwsSession } from '../aws/aws-session.ts'
import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { LightsailSdConfig } from './config.ts'

const PREFIX = '__meta_lightsail_'
const OPERATION = 'Lightsail_20161128.GetInstances'
const PAGE_COUNT_MAX = 1000

interface Instance {
  readonly name?: string
  readonly supportCode?: string
  readonly blueprintId?: string
  readonly bundleId?: string
  readonly privateIpAddress?: string
  readonly publicIpAddress?: string
  readonly ipv6Addresses?: readonly string[]
  readonly location?: { readonly availabilityZone?: string }
  readonly state?: { readonly name?: string }
  readonly tags?: readonly { readonly key?: string; readonly value?: string }[]
}

/** The Lightsail instances of one region, by their private address. */
export function lightsailDiscovery(config: LightsailSdConfig, parts: DiscoveryParts): Discovery {
  let session: AwsSession | undefined
  return httpKindDiscovery('lightsail', config, parts, async (_ask, peer) => {
    session ??= new AwsSession(config, { ...peer, clock: parts.clock })
    const region = await session.region()
    const targets: MetaLabels[] = []
    let pageToken: string | undefined
    for (let page = 0; page < PAGE_COUNT_MAX; page++) {
      const answer: { instances?: Instance[]; nextPageToken?: string } = await session.json(
        'lightsail',
        OPERATION,
        pageToken ? { pageToken } : {},
      )
      targets.push(...(answer.instances ?? []).flatMap((one) => instanceLabels(one, region, config.port ?? 80)))
      pageToken = answer.nextPageToken
      if (!pageToken) break
    }
    return [groupOf(region, targets)]
  })
}

function instanceLabels(instance: Instance, region: string, port: number): MetaLabels[] {
  const { privateIpAddress: privateIp, publicIpAddress: publicIp } = instance
  if (!privateIp) return []
  const labels: MetaLabels = {
    __address__: hostPort(privateIp, port),
    [`${PREFIX}availability_zone`]: text(instance.location?.availabilityZone),
    [`${PREFIX}blueprint_id`]: text(instance.blueprintId),
    [`${PREFIX}bundle_id`]: text(instance.bundleId),
    [`${PREFIX}instance_name`]: text(instance.name),
    [`${PREFIX}instance_state`]: text(instance.state?.name),
    [`${PREFIX}instance_support_code`]: text(instance.supportCode),
    [`${PREFIX}ipv6_addresses`]: listed(instance.ipv6Addresses ?? []),
    [`${PREFIX}private_ip`]: privateIp,
    [`${PREFIX}public_ip`]: text(publicIp),
    [`${PREFIX}region`]: region,
  }
  for (const { key, value } of instance.tags ?? []) {
    if (key && value !== undefined) labels[`${PREFIX}tag_${sanitizeName(key)}`] = value
  }
  return [labels]
}
