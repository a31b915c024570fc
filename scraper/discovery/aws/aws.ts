import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, type MetaLabels } from '../meta-labels.ts'
import { type DiscoveryParts, lazyDiscovery } from '../poll.ts'
import { AwsSession } from './aws-session.ts'
import type { AwsSdConfig } from './config.ts'

/** What one role finds in a region. */
export type AwsRole = (session: AwsSession, config: AwsSdConfig) => Promise<MetaLabels[]>

/** All of AWS' discoveries by one name. */
export function awsDiscovery(config: AwsSdConfig, parts: DiscoveryParts): Discovery {
  return lazyDiscovery(() => load(config, parts), parts)
}

async function load(config: AwsSdConfig, parts: DiscoveryParts): Promise<Discovery> {
  switch (config.role) {
    case 'ec2':
      return (await import('../ec2/ec2.ts')).ec2Discovery({ ...config, kind: 'ec2' }, parts)
    case 'lightsail':
      return (await import('../lightsail/lightsail.ts')).lightsailDiscovery({ ...config, kind: 'lightsail' }, parts)
    case 'ecs':
      return ofRole((await import('./ecs.ts')).ecsTargets, config, parts)
    case 'msk':
      return ofRole((await import('./msk.ts')).mskTargets, config, parts)
    case 'elasticache':
      return ofRole((await import('./elasticache.ts')).elasticacheTargets, config, parts)
    case 'rds':
      return ofRole((await import('./rds.ts')).rdsTargets, config, parts)
  }
}

function ofRole(role: AwsRole, config: AwsSdConfig, parts: DiscoveryParts): Discovery {
  let session: AwsSession | undefined
  return httpKindDiscovery('aws', config, parts, async (_ask, peer) => {
    session ??= new AwsSession(config, { ...peer, clock: parts.clock })
    return [groupOf(await session.region(), await role(session, config))]
  })
}
