import type { Discovery } from '../discovery.ts'
import { DockerApi } from '../docker/docker-api.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import { type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { DockerSwarmSdConfig } from './config.ts'
import { type SwarmNode, type SwarmPort, type SwarmService, type SwarmTask } from './swarm-objects.ts'

const REFRESH_DEFAULT_MS = 60_000
const PORT_DEFAULT = 80
const PREFIX = '__meta_dockerswarm_'

/** Nodes, services or tasks of a swarm. */
export function dockerSwarmDiscovery(config: DockerSwarmSdConfig, parts: DiscoveryParts): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const api = new DockerApi(config, refreshIntervalMs)
  const refreshRole = { nodes: nodeTargets, services: serviceTargets, tasks: taskTargets }[config.role]
  return polledDiscovery(
    {
      mechanism: 'dockerswarm',
      refreshIntervalMs,
      refresh: async () => [groupOf('DockerSwarm', await refreshRole(api, config.port ?? PORT_DEFAULT))],
      close: () => api.close(),
    },
    parts,
  )
}

async function nodeTargets(api: DockerApi, port: number): Promise<MetaLabels[]> {
  const nodes = await api.list<SwarmNode>('/nodes', true)
  return nodes.map((node) => ({
    ...nodeLabels(node),
    [`${PREFIX}node_engine_version`]: text(node.Description?.Engine?.EngineVersion),
    ...(node.ManagerStatus && {
      [`${PREFIX}node_manager_leader`]: String(node.ManagerStatus.Leader ?? false),
      [`${PREFIX}node_manager_reachability`]: text(node.ManagerStatus.Reachability),
      [`${PREFIX}node_manager_address`]: text(node.ManagerStatus.Addr),
    }),
    __address__: hostPort(text(node.Status?.Addr), port),
  }))
}

async function serviceTargets(api: DockerApi, port: number): Promise<MetaLabels[]> {
  const services = await api.list<SwarmService>('/services', true)
  const networks = await api.networkLabels(PREFIX)
  return services.flatMap((service) => {
    const container = service.Spec?.TaskTemplate?.ContainerSpec
    const common = {
      ...serviceLabels(service),
      [`${PREFIX}service_task_container_hostname`]: text(container?.Hostname),
      [`${PREFIX}service_task_container_image`]: text(container?.Image),
      [`${PREFIX}service_updating_status`]: text(service.UpdateStatus?.State),
    }
    return (service.Endpoint?.VirtualIPs ?? []).flatMap(({ Addr, NetworkID }) => {
      const ip = withoutMask(text(Addr))
      const labels = { ...common, ...networks.get(NetworkID) }
      const published = tcpPorts(service)
      if (published.length === 0) return [{ ...labels, __address__: hostPort(ip, port) }]
      return published.map((each) => ({
        ...labels,
        [`${PREFIX}service_endpoint_port_name`]: text(each.Name),
        [`${PREFIX}service_endpoint_port_publish_mode`]: text(each.PublishMode),
        __address__: hostPort(ip, each.PublishedPort ?? 0),
      }))
    })
  })
}

async function taskTargets(api: DockerApi, port: number): Promise<MetaLabels[]> {
  const tasks = await api.list<SwarmTask>('/tasks', true)
  const services = new Map((await api.list<SwarmService>('/services')).map((one) => [one.ID, one]))
  const nodes = new Map((await api.list<SwarmNode>('/nodes')).map((one) => [one.ID, one]))
  const networks = await api.networkLabels(PREFIX)
  return tasks.flatMap((task) => {
    const service = services.get(task.ServiceID ?? '')
    const node = nodes.get(task.NodeID ?? '')
    const common = {
      [`${PREFIX}task_id`]: task.ID,
      [`${PREFIX}task_desired_state`]: text(task.DesiredState),
      [`${PREFIX}task_state`]: text(task.Status?.State),
      [`${PREFIX}task_slot`]: String(task.Slot ?? 0),
      [`${PREFIX}task_container_id`]: text(task.Status?.ContainerStatus?.ContainerID),
      ...mappedLabels(`${PREFIX}container_label_`, task.Spec?.ContainerSpec?.Labels),
      ...(service && serviceLabels(service)),
      ...(node && nodeLabels(node)),
    }
    const onHost = (task.Status?.PortStatus?.Ports ?? []).filter(isTcp).map((each) => ({
      ...common,
      [`${PREFIX}task_port_publish_mode`]: text(each.PublishMode),
      __address__: hostPort(text(node?.Status?.Addr), each.PublishedPort ?? 0),
    }))
    const inNetworks = (task.NetworksAttachments ?? []).flatMap(({ Addresses, Network }) =>
      (Addresses ?? []).flatMap((address) => {
        const ip = withoutMask(address)
        const labels = { ...common, ...networks.get(text(Network?.ID)) }
        const published = service ? tcpPorts(service) : []
        if (published.length === 0) return [{ ...labels, __address__: hostPort(ip, port) }]
        return published.map((each) => ({
          ...labels,
          [`${PREFIX}task_port_publish_mode`]: text(each.PublishMode),
          __address__: hostPort(ip, each.PublishedPort ?? 0),
        }))
      }),
    )
    return [...onHost, ...inNetworks]
  })
}

const serviceLabels = (service: SwarmService): MetaLabels => ({
  [`${PREFIX}service_id`]: service.ID,
  [`${PREFIX}service_name`]: text(service.Spec?.Name),
  // The mode is the one key of the object.
  [`${PREFIX}service_mode`]: (Object.keys(service.Spec?.Mode ?? {})[0] ?? '').toLowerCase(),
  ...mappedLabels(`${PREFIX}service_label_`, service.Spec?.Labels),
})

const nodeLabels = (node: SwarmNode): MetaLabels => ({
  [`${PREFIX}node_id`]: node.ID,
  [`${PREFIX}node_role`]: text(node.Spec?.Role),
  [`${PREFIX}node_availability`]: text(node.Spec?.Availability),
  [`${PREFIX}node_hostname`]: text(node.Description?.Hostname),
  [`${PREFIX}node_platform_architecture`]: text(node.Description?.Platform?.Architecture),
  [`${PREFIX}node_platform_os`]: text(node.Description?.Platform?.OS),
  [`${PREFIX}node_status`]: text(node.Status?.State),
  [`${PREFIX}node_address`]: text(node.Status?.Addr),
  ...mappedLabels(`${PREFIX}node_label_`, node.Spec?.Labels),
})

const isTcp = (port: SwarmPort): boolean => port.Protocol === 'tcp'
const tcpPorts = (service: SwarmService): SwarmPort[] => (service.Endpoint?.Ports ?? []).filter(isTcp)
const withoutMask = (address: string): string => address.replace(/\/\d+$/, '')
