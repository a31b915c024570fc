import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../../lib/index.ts'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, parts, serve, until } from '../testing.ts'

afterEach(cleanUp)

const instance = (id: string, more = '') => `<item><instanceId>${id}</instanceId><imageId>ami-1</imageId>
  <instanceState><code>16</code><name>running</name></instanceState><instanceType>t3.micro</instanceType>
  <placement><availabilityZone>eu-west-1a</availabilityZone></placement><architecture>x86_64</architecture>
  <privateIpAddress>10.0.0.${id.slice(2)}</privateIpAddress><privateDnsName>ip-${id}.internal</privateDnsName>
  <tagSet><item><key>Env &amp; more</key><value>prod</value></item></tagSet>${more}</item>`
const PUBLIC = `<ipAddress>198.51.100.7</ipAddress><dnsName>ec2.example.org</dnsName><vpcId>vpc-1</vpcId><subnetId>sub-1</subnetId>
  <networkInterfaceSet><item><subnetId>sub-1</subnetId><attachment><deviceIndex>0</deviceIndex></attachment>
  <ipv6AddressesSet><item><ipv6Address>2001:db8::7</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item></ipv6AddressesSet></item></networkInterfaceSet>`
const page = (instances: string, token: string) =>
  `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item><ownerId>42</ownerId>
  <instancesSet>${instances}</instancesSet></item></reservationSet><nextToken>${token}</nextToken></DescribeInstancesResponse>`

const ZONES =
  '<DescribeAvailabilityZonesResponse><availabilityZoneInfo><item><zoneName>eu-west-1a</zoneName><zoneId>euw1-az3</zoneId></item></availabilityZoneInfo></DescribeAvailabilityZonesResponse>'

/** Checks the signature as AWS does: over the request as it arrived. */
function isSigned(request: IncomingMessage, body: string, secret: string): boolean {
  const match = /Credential=[^/]+\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)/.exec(
    request.headers.authorization ?? '',
  )
  if (!match) return false
  const [, day, region, service, names, signature] = match
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  const headers = names!.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`)
  const canonical = ['POST', '/', '', headers.join(''), names, hash(body)].join('\n')
  const toSign = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'],
    `${day}/${region}/${service}/aws4_request`,
    hash(canonical),
  ].join('\n')
  const key = [day!, region!, service!, 'aws4_request'].reduce<string | Buffer>(
    (at, part) => createHmac('sha256', at).update(part).digest(),
    `AWS4${secret}`,
  )
  return createHmac('sha256', key).update(toSign).digest('hex') === signature
}

test('instances of all pages, by signed requests', async () => {
  const forms: URLSearchParams[] = []
  const signed: boolean[] = []
  const endpoint = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const form = new URLSearchParams(body)
      forms.push(form)
      signed.push(isSigned(request, body, 'geheim'))
      response.setHeader('content-type', 'text/xml')
      if (form.get('Action') === 'DescribeAvailabilityZones') {
        response.end(ZONES)
      } else response.end(form.has('NextToken') ? page(instance('i-8'), '') : page(instance('i-7', PUBLIC), 'more'))
    })
  })
  const filters = [{ name: 'tag:service', values: ['web', 'db'] }]
  const { targets } = follow(
    createDiscovery(
      { kind: 'ec2', region: 'eu-west-1', endpoint, accessKey: 'AK', secretKey: 'geheim', port: 9100, filters },
      parts,
    ),
  )
  const found = await until(targets)
  expect(signed.every(Boolean)).toBe(true)
  expect(Object.fromEntries(forms.at(-1)!)).toMatchObject({
    Action: 'DescribeInstances',
    Version: '2016-11-15',
    'Filter.1.Name': 'tag:service',
    'Filter.1.Value.2': 'db',
    NextToken: 'more',
  })
  const common = {
    __meta_ec2_ami: 'ami-1',
    __meta_ec2_architecture: 'x86_64',
    __meta_ec2_availability_zone: 'eu-west-1a',
    __meta_ec2_availability_zone_id: 'euw1-az3',
    __meta_ec2_instance_state: 'running',
    __meta_ec2_instance_type: 't3.micro',
    __meta_ec2_owner_id: '42',
    __meta_ec2_region: 'eu-west-1',
    __meta_ec2_tag_Env___more: 'prod',
  }
  expect(found).toEqual([
    {
      ...common,
      __address__: '10.0.0.7:9100',
      __meta_ec2_instance_id: 'i-7',
      __meta_ec2_private_ip: '10.0.0.7',
      __meta_ec2_private_dns_name: 'ip-i-7.internal',
      __meta_ec2_public_ip: '198.51.100.7',
      __meta_ec2_public_dns_name: 'ec2.example.org',
      __meta_ec2_vpc_id: 'vpc-1',
      __meta_ec2_primary_subnet_id: 'sub-1',
      __meta_ec2_subnet_id: ',sub-1,',
      __meta_ec2_ipv6_addresses: ',2001:db8::7,',
      __meta_ec2_primary_ipv6_addresses: ',2001:db8::7,',
      __meta_ec2_default_ipv6_address: '2001:db8::7',
    },
    {
      ...common,
      __address__: '10.0.0.8:9100',
      __meta_ec2_instance_id: 'i-8',
      __meta_ec2_private_ip: '10.0.0.8',
      __meta_ec2_private_dns_name: 'ip-i-8.internal',
    },
  ])
})

test('ids of availability zones are asked for again after a failure, and not once they are known', async () => {
  const actions: (string | null)[] = []
  const endpoint = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action')
      const isFirst = !actions.includes(action)
      actions.push(action)
      if (action === 'DescribeInstances') response.end(page(instance('i-7'), ''))
      else if (isFirst) response.writeHead(503).end()
      else response.end(ZONES)
    })
  })
  const keys = { accessKey: 'AK', secretKey: 'geheim' }
  const config = { kind: 'ec2', region: 'eu-west-1', endpoint, ...keys } as const
  // Answers have the time of the usual interval.
  const clock: Clock = { ...systemClock, schedule: (_delayMs, callback) => systemClock.schedule(20, callback) }
  const { targets } = follow(createDiscovery(config, { ...parts, clock }))
  const zoneId = () => targets()?.map((target) => target['__meta_ec2_availability_zone_id'])
  await until(() => zoneId()?.join() === 'euw1-az3')
  const instancesAsked = () => actions.filter((action) => action === 'DescribeInstances').length
  await until(() => instancesAsked() >= 4)
  expect(zoneId()).toEqual(['euw1-az3'])
  expect(actions.filter((action) => action === 'DescribeAvailabilityZones')).toHaveLength(2)
})
