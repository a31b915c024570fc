import { errorMessage } from '../../../lib/index.ts'
import type { Discovery } from '../discovery.ts'
import { AwsSession } from '../aws/aws-session.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, type MetaLabels } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import { childrenOf, elementAt, textAt } from '../xml.ts'
import type { Ec2SdConfig } from './config.ts'
import { instanceLabels } from './ec2-labels.ts'

const API_VERSION = '2016-11-15'
const PAGE_COUNT_MAX = 1000
const NO_ZONES: ReadonlyMap<string, string> = new Map()

/** The instances of one region, by their private address. */
export function ec2Discovery(config: Ec2SdConfig, parts: DiscoveryParts): Discovery {
  let session: AwsSession | undefined
  let zoneIds: ReadonlyMap<string, string> | undefined
  return httpKindDiscovery('ec2', config, parts, async (_ask, peer) => {
    session ??= new AwsSession(config, { ...peer, clock: parts.clock })
    zoneIds ??= await zonesOf(session, parts)
    const context = { region: await session.region(), zoneIds: zoneIds ?? NO_ZONES, port: config.port ?? 80 }
    const targets: MetaLabels[] = []
    let token = ''
    for (let page = 0; page < PAGE_COUNT_MAX; page++) {
      const answer = await session.query('ec2', {
        Version: API_VERSION,
        Action: 'DescribeInstances',
        ...filterParams(config),
        ...(token !== '' && { NextToken: token }),
      })
      for (const reservation of childrenOf(elementAt(answer, 'reservationSet'), 'item')) {
        const ownerId = textAt(reservation, 'ownerId')
        for (const instance of childrenOf(elementAt(reservation, 'instancesSet'), 'item')) {
          const labels = instanceLabels(instance, { ...context, ownerId })
          if (labels) targets.push(labels)
        }
      }
      token = textAt(answer, 'nextToken')
      if (token === '') break
    }
    return [groupOf(context.region, targets)]
  })
}

function filterParams({ filters = [] }: Ec2SdConfig): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [i, { name, values }] of filters.entries()) {
    params[`Filter.${i + 1}.Name`] = name
    for (const [j, value] of values.entries()) params[`Filter.${i + 1}.Value.${j + 1}`] = value
  }
  return params
}

/** Ids by name; not having the right to ask is no failure. `undefined`: not known yet, it is worth asking again. */
async function zonesOf(
  session: AwsSession,
  { logger }: DiscoveryParts,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const answer = await session.query('ec2', {
      Version: API_VERSION,
      Action: 'DescribeAvailabilityZones',
      AllAvailabilityZones: 'true',
    })
    const zones = childrenOf(elementAt(answer, 'availabilityZoneInfo'), 'item')
    return new Map(zones.map((zone) => [textAt(zone, 'zoneName'), textAt(zone, 'zoneId')]))
  } catch (error) {
    logger.debug({ reason: errorMessage(error) }, 'ids of availability zones are not known')
    return undefined
  }
}
