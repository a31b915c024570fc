import { childrenOf, elementAt, textAt } from '../xml.ts'
import type { AwsSession } from './aws-session.ts'

const VERSION = '2016-11-15'
const HOSTS_MAX = 100

/** A machine that containers run on. */
export interface Ec2Host {
  readonly instanceId: string
  readonly instanceType: string
  readonly privateIp: string
  readonly publicIp: string
  readonly subnetId: string
  readonly tags: readonly { readonly key: string; readonly value: string }[]
}

/** The machines behind container instances, by the ARN of these. */
export async function hostsOf(
  session: AwsSession,
  ask: <T>(operation: string, body: object) => Promise<T>,
  cluster: string,
  containerInstances: readonly string[],
): Promise<ReadonlyMap<string, Ec2Host>> {
  const hosts = new Map<string, Ec2Host>()
  for (const part of chunksOf(containerInstances)) {
    const answer = await ask<{ containerInstances?: { containerInstanceArn: string; ec2InstanceId?: string }[] }>(
      'DescribeContainerInstances',
      { cluster, containerInstances: part },
    )
    const found = answer.containerInstances ?? []
    const machines = await instances(
      session,
      found.flatMap(({ ec2InstanceId }) => ec2InstanceId ?? []),
    )
    for (const { containerInstanceArn, ec2InstanceId } of found) {
      const machine = machines.get(ec2InstanceId ?? '')
      if (machine) hosts.set(containerInstanceArn, machine)
    }
  }
  return hosts
}

/** Public addresses of network cards, by their id. */
export async function publicIpsOf(session: AwsSession, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const part of chunksOf(ids)) {
    const answer = await describe(session, 'DescribeNetworkInterfaces', 'NetworkInterfaceId', part)
    for (const card of childrenOf(elementAt(answer, 'networkInterfaceSet'), 'item')) {
      const publicIp = textAt(card, 'association', 'publicIp')
      if (publicIp !== '') found.set(textAt(card, 'networkInterfaceId'), publicIp)
    }
  }
  return found
}

async function instances(session: AwsSession, ids: readonly string[]): Promise<ReadonlyMap<string, Ec2Host>> {
  const found = new Map<string, Ec2Host>()
  if (ids.length === 0) return found
  const answer = await describe(session, 'DescribeInstances', 'InstanceId', ids)
  for (const reservation of childrenOf(elementAt(answer, 'reservationSet'), 'item')) {
    for (const instance of childrenOf(elementAt(reservation, 'instancesSet'), 'item')) {
      const instanceId = textAt(instance, 'instanceId')
      found.set(instanceId, {
        instanceId,
        instanceType: textAt(instance, 'instanceType'),
        privateIp: textAt(instance, 'privateIpAddress'),
        publicIp: textAt(instance, 'ipAddress'),
        subnetId: textAt(instance, 'subnetId'),
        tags: childrenOf(elementAt(instance, 'tagSet'), 'item').map((tag) => ({
          key: textAt(tag, 'key'),
          value: textAt(tag, 'value'),
        })),
      })
    }
  }
  return found
}

const describe = (session: AwsSession, action: string, key: string, ids: readonly string[]) =>
  session.query('ec2', {
    Version: VERSION,
    Action: action,
    ...Object.fromEntries(ids.map((id, i) => [`${key}.${i + 1}`, id])),
  })

const chunksOf = (ids: readonly string[]): string[][] => {
  const unique = [...new Set(ids)]
  return Array.from({ length: Math.ceil(unique.length / HOSTS_MAX) }, (_, i) =>
    unique.slice(i * HOSTS_MAX, (i + 1) * HOSTS_MAX),
  )
}
