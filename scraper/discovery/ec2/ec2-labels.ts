import type { XmlElement } from '@rgrove/parse-xml'
import { hostPort, type MetaLabels, sanitizeName } from '../meta-labels.ts'
import { childrenOf, elementAt, textAt } from '../xml.ts'

const PREFIX = '__meta_ec2_'

interface InstanceContext {
  readonly region: string
  readonly ownerId: string
  readonly zoneIds: ReadonlyMap<string, string>
  readonly port: number
}

/** `undefined` for an instance that has no address (yet, or any more). */
export function instanceLabels(instance: XmlElement, context: InstanceContext): MetaLabels | undefined {
  const interfaces = childrenOf(elementAt(instance, 'networkInterfaceSet'), 'item')
  const ipv6 = interfaces.flatMap((each) =>
    childrenOf(elementAt(each, 'ipv6AddressesSet'), 'item').map((item) => ({
      address: textAt(item, 'ipv6Address'),
      isPrimary: textAt(item, 'isPrimaryIpv6') === 'true',
      index: Number(textAt(each, 'attachment', 'deviceIndex')),
    })),
  )
  const privateIp = textAt(instance, 'privateIpAddress')
  const primaryIpv6 = ipv6.filter((each) => each.isPrimary).sort((a, b) => a.index - b.index)
  const defaultIpv6 = (primaryIpv6[0] ?? ipv6[0])?.address
  const address = privateIp || defaultIpv6
  if (!address) return undefined
  const zone = textAt(instance, 'placement', 'availabilityZone')
  const labels: MetaLabels = {
    __address__: hostPort(address, context.port),
    [`${PREFIX}instance_id`]: textAt(instance, 'instanceId'),
    [`${PREFIX}region`]: context.region,
  }
  const give = (name: string, value: string): void => {
    if (value !== '') labels[PREFIX + name] = value
  }
  give('owner_id', context.ownerId)
  give('private_ip', privateIp)
  give('private_dns_name', textAt(instance, 'privateDnsName'))
  give('platform', textAt(instance, 'platform'))
  give('ami', textAt(instance, 'imageId'))
  give('architecture', textAt(instance, 'architecture'))
  give('availability_zone', zone)
  give('availability_zone_id', context.zoneIds.get(zone) ?? '')
  give('instance_state', textAt(instance, 'instanceState', 'name'))
  give('instance_type', textAt(instance, 'instanceType'))
  give('instance_lifecycle', textAt(instance, 'instanceLifecycle'))
  if (textAt(instance, 'ipAddress') !== '') {
    give('public_ip', textAt(instance, 'ipAddress'))
    labels[`${PREFIX}public_dns_name`] = textAt(instance, 'dnsName')
  }
  const vpcId = textAt(instance, 'vpcId')
  if (vpcId !== '') {
    labels[`${PREFIX}vpc_id`] = vpcId
    labels[`${PREFIX}primary_subnet_id`] = textAt(instance, 'subnetId')
    give('subnet_id', listed([...new Set(interfaces.map((each) => textAt(each, 'subnetId')).filter(Boolean))]))
    give('ipv6_addresses', listed(ipv6.map((each) => each.address)))
    give('primary_ipv6_addresses', listed(primaryIpv6.map((each) => each.address)))
    give('default_ipv6_address', defaultIpv6 ?? '')
  }
  for (const tag of childrenOf(elementAt(instance, 'tagSet'), 'item')) {
    const key = textAt(tag, 'key')
    if (key !== '') labels[`${PREFIX}tag_${sanitizeName(key)}`] = textAt(tag, 'value')
  }
  return labels
}

/** Commas around every entry, so that a regular expression can ask for a whole one. */
const listed = (values: readonly string[]): string => (values.length === 0 ? '' : `,${values.join(',')},`)
