import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { OpenStackSdConfig } from './config.ts'
import { OpenStackSession } from './openstack-session.ts'

const PREFIX = '__meta_openstack_'
const COMPUTE = ['compute'] as const
const NETWORK = ['network'] as const
const BALANCER = ['load-balancer'] as const

/** Hypervisors, instances or load balancers of one region. */
export function openStackDiscovery(config: OpenStackSdConfig, parts: DiscoveryParts): Discovery {
  const targetsOf = { hypervisor: hypervisorTargets, instance: instanceTargets, loadbalancer: balancerTargets }
  let session: OpenStackSession | undefined
  return httpKindDiscovery('openstack', config, parts, async (_ask, peer) => {
    session ??= new OpenStackSession(config, { ...peer, clock: parts.clock })
    return [groupOf(`OS_${config.region}`, await targetsOf[config.role](session, config))]
  })
}

type Fields = Readonly<Record<string, unknown>>

async function hypervisorTargets(session: OpenStackSession, { port = 80 }: OpenStackSdConfig): Promise<MetaLabels[]> {
  const found = await session.list<Fields>(COMPUTE, '/os-hypervisors/detail', 'hypervisors')
  const label = `${PREFIX}hypervisor_`
  return found.map((one) => ({
    __address__: hostPort(text(one['host_ip']), port),
    [`${label}id`]: text(one['id']),
    [`${label}hostname`]: text(one['hypervisor_hostname']),
    [`${label}host_ip`]: text(one['host_ip']),
    [`${label}status`]: text(one['status']),
    [`${label}state`]: text(one['state']),
    [`${label}type`]: text(one['hypervisor_type']),
  }))
}

interface FloatingIp {
  readonly floating_ip_address: string
  readonly fixed_ip_address?: string | null
  readonly port_id?: string | null
}

interface Server {
  readonly id: string
  readonly name?: string
  readonly status?: string
  readonly tenant_id?: string
  readonly user_id?: string
  readonly flavor?: { readonly original_name?: string; readonly id?: string }
  readonly image?: { readonly id?: string } | ''
  readonly metadata?: Readonly<Record<string, string>>
  readonly addresses?: Readonly<Record<string, readonly { readonly addr: string }[]>>
}

/** One target an address; a floating one is a label of the address it leads to. */
async function instanceTargets(session: OpenStackSession, config: OpenStackSdConfig): Promise<MetaLabels[]> {
  const ports = await session.list<{ id: string; device_id?: string }>(NETWORK, '/v2.0/ports', 'ports')
  const floating = await session.list<FloatingIp>(NETWORK, '/v2.0/floatingips', 'floatingips')
  const devices = new Map(ports.map(({ id, device_id }) => [id, device_id]))
  const publicIps = new Map<string, string>()
  for (const { floating_ip_address: publicIp, fixed_ip_address: fixed, port_id: port } of floating) {
    const device = port ? devices.get(port) : undefined
    if (fixed && device !== undefined) publicIps.set(`${device} ${fixed}`, publicIp)
  }
  const isFloating = new Set(publicIps.values())
  const query = config.allTenants ? '?all_tenants=true' : ''
  const servers = await session.list<Server>(COMPUTE, `/servers/detail${query}`, 'servers')
  return servers.flatMap((server) => {
    const common = instanceLabels(server)
    return Object.entries(server.addresses ?? {}).flatMap(([pool, addresses]) =>
      addresses
        .filter(({ addr }) => !isFloating.has(addr))
        .map(({ addr }) => {
          const publicIp = publicIps.get(`${server.id} ${addr}`)
          return {
            __address__: hostPort(addr, config.port ?? 80),
            ...common,
            [`${PREFIX}address_pool`]: pool,
            [`${PREFIX}private_ip`]: addr,
            ...(publicIp !== undefined && { [`${PREFIX}public_ip`]: publicIp }),
          }
        }),
    )
  })
}

const instanceLabels = (server: Server): MetaLabels => ({
  [`${PREFIX}instance_id`]: server.id,
  [`${PREFIX}instance_name`]: text(server.name),
  [`${PREFIX}instance_status`]: text(server.status),
  [`${PREFIX}instance_flavor`]: text(server.flavor?.original_name ?? server.flavor?.id),
  [`${PREFIX}instance_image`]: text(server.image ? server.image.id : undefined),
  [`${PREFIX}project_id`]: text(server.tenant_id),
  [`${PREFIX}user_id`]: text(server.user_id),
  ...mappedLabels(`${PREFIX}tag_`, server.metadata),
})

interface Balancer extends Fields {
  readonly id: string
  readonly vip_address?: string
  readonly vip_port_id?: string
  readonly tags?: readonly string[]
}

interface Listener {
  readonly protocol?: string
  readonly protocol_port: number
  readonly loadbalancers?: readonly { readonly id: string }[]
}

/** Those with a listener of the protocol PROMETHEUS, at its port. */
async function balancerTargets(session: OpenStackSession): Promise<MetaLabels[]> {
  const balancers = await session.list<Balancer>(BALANCER, '/v2.0/lbaas/loadbalancers', 'loadbalancers')
  const listeners = await session.list<Listener>(BALANCER, '/v2.0/lbaas/listeners', 'listeners')
  const floating = await session.list<FloatingIp>(NETWORK, '/v2.0/floatingips', 'floatingips')
  const label = `${PREFIX}loadbalancer_`
  return balancers.flatMap((balancer) => {
    const listener = listeners.find(
      (one) => one.protocol === 'PROMETHEUS' && one.loadbalancers?.some(({ id }) => id === balancer.id),
    )
    if (!listener) return []
    const publicIp = floating.find((ip) => ip.port_id && ip.port_id === balancer.vip_port_id)
    const labels: MetaLabels = {
      __address__: hostPort(text(balancer.vip_address), listener.protocol_port),
      [`${label}id`]: balancer.id,
      [`${label}vip`]: text(balancer.vip_address),
      [`${label}tags`]: (balancer.tags ?? []).join(','),
      [`${label}floating_ip`]: text(publicIp?.floating_ip_address),
      [`${PREFIX}project_id`]: text(balancer['project_id']),
    }
    for (const name of ['name', 'operating_status', 'provisioning_status', 'availability_zone', 'provider']) {
      labels[label + name] = text(balancer[name])
    }
    return [labels]
  })
}
