import { AwsSession } from '../aws/aws-session.ts'
import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import { secretText } from '../secret-file.ts'
import type { OutscaleSdConfig } from './config.ts'

const PREFIX = '__meta_outscale_vm_'
const REGION_DEFAULT = 'eu-west-2'
const PAGE_COUNT_MAX = 1000

interface Vm {
  readonly VmId?: string
  readonly State?: string
  readonly PrivateIp?: string
  readonly PublicIp?: string
  readonly Placement?: { readonly SubregionName?: string }
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[]
}

/** The virtual machines of one region; questions are signed as AWS signs them. */
export function outscaleDiscovery(config: OutscaleSdConfig, parts: DiscoveryParts): Discovery {
  const { region = REGION_DEFAULT, port = 80 } = config
  const endpoint = config.endpoint ?? `https://api.${region}.outscale.com/api/v1`
  return httpKindDiscovery('outscale', config, parts, async (_ask, peer) => {
    const secretKey = await secretText(config.secretKey, config.secretKeyFile)
    const account = { region, endpoint, accessKey: config.accessKey, secretKey }
    const session = new AwsSession(account, { ...peer, clock: parts.clock })
    const targets: MetaLabels[] = []
    let token = ''
    for (let page = 0; page < PAGE_COUNT_MAX; page++) {
      const body = token === '' ? {} : { NextPageToken: token }
      const answer = await session.post<{ Vms?: Vm[]; NextPageToken?: string }>('oapi', '/ReadVms', body)
      targets.push(...(answer.Vms ?? []).flatMap((vm) => vmLabels(vm, region, port)))
      token = answer.NextPageToken ?? ''
      if (token === '') break
    }
    return [groupOf(region, targets)]
  })
}

function vmLabels(vm: Vm, region: string, port: number): MetaLabels[] {
  const address = vm.PrivateIp || vm.PublicIp
  if (!address) return []
  const labels: MetaLabels = {
    __address__: hostPort(address, port),
    [`${PREFIX}instance_id`]: text(vm.VmId),
    [`${PREFIX}region`]: region,
    [`${PREFIX}subregion`]: text(vm.Placement?.SubregionName),
    [`${PREFIX}state`]: text(vm.State),
    [`${PREFIX}private_ip`]: text(vm.PrivateIp),
    [`${PREFIX}public_ip`]: text(vm.PublicIp),
  }
  for (const { Key: key, Value: value } of vm.Tags ?? []) {
    if (key !== '' && value !== '') labels[`${PREFIX}tag_${sanitizeName(key)}`] = value
  }
  return [labels]
}
