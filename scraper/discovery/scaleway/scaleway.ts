import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import { secretText } from '../secret-file.ts'
import { baremetalTargets } from './baremetal.ts'
import type { ScalewaySdConfig } from './config.ts'
import { instanceTargets } from './instances.ts'
import { ScalewayApi } from './scaleway-api.ts'

/** The instances, or the bare-metal servers, of one zone. */
export function scalewayDiscovery(config: ScalewaySdConfig, parts: DiscoveryParts): Discovery {
  const targetsOf = config.role === 'instance' ? instanceTargets : baremetalTargets
  return httpKindDiscovery('scaleway', config, parts, async (ask) => {
    const token = await secretText(config.secretKey, config.secretKeyFile)
    return [groupOf('scaleway', await targetsOf(new ScalewayApi(ask, config, token), config.port ?? 80))]
  })
}
