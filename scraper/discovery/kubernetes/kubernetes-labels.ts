import { hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { ContainerObject, KubernetesObject, NodeObject, PodObject, ServiceObject } from './kubernetes-objects.ts'

export const PREFIX = '__meta_kubernetes_'

/** Name, labels and annotations of an object under its role's name. */
export function objectLabels(role: string, { metadata }: KubernetesObject, withName = true): MetaLabels {
  const labels: MetaLabels = withName ? { [`${PREFIX}${role}_name`]: metadata.name } : {}
  for (const [kind, map] of [
    ['label', metadata.labels],
    ['annotation', metadata.annotations],
  ] as const) {
    for (const [name, value] of Object.entries(map ?? {})) {
      const safe = sanitizeName(name)
      labels[`${PREFIX}${role}_${kind}_${safe}`] = value
      labels[`${PREFIX}${role}_${kind}present_${safe}`] = 'true'
    }
  }
  return labels
}

export const namespaceLabel = ({ metadata }: KubernetesObject): MetaLabels => ({
  [`${PREFIX}namespace`]: metadata.namespace ?? '',
})

/** What a service says of itself, for targets of other roles as well. */
export function serviceLabels(service: ServiceObject): MetaLabels {
  return { ...namespaceLabel(service), ...objectLabels('service', service) }
}

/** What a pod says of itself, without its containers. */
export function podLabels(pod: PodObject): MetaLabels {
  const { metadata, spec, status } = pod
  const controller = controllerOf(pod)
  const readiness = status?.conditions?.find(({ type }) => type === 'Ready')?.status.toLowerCase()
  return {
    ...namespaceLabel(pod),
    ...objectLabels('pod', pod),
    [`${PREFIX}pod_ip`]: text(status?.podIP),
    [`${PREFIX}pod_ready`]: readiness ?? 'unknown',
    [`${PREFIX}pod_phase`]: text(status?.phase),
    [`${PREFIX}pod_node_name`]: text(spec?.nodeName),
    [`${PREFIX}pod_host_ip`]: text(status?.hostIP),
    [`${PREFIX}pod_uid`]: text(metadata.uid),
    ...(controller && {
      [`${PREFIX}pod_controller_kind`]: controller.kind,
      [`${PREFIX}pod_controller_name`]: controller.name,
    }),
  }
}

export const controllerOf = ({ metadata }: KubernetesObject) =>
  metadata.ownerReferences?.find((owner) => owner.controller === true)

export interface PodContainer {
  readonly container: ContainerObject
  readonly isInit: boolean
}

/** Init containers that restart always are sidecars, and count as init containers still. */
export const containersOf = ({ spec }: PodObject): PodContainer[] => [
  ...(spec?.containers ?? []).map((container) => ({ container, isInit: false })),
  ...(spec?.initContainers ?? []).map((container) => ({ container, isInit: true })),
]

export function containerLabels(pod: PodObject, { container, isInit }: PodContainer): MetaLabels {
  const statuses = isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses
  return {
    [`${PREFIX}pod_container_name`]: container.name,
    [`${PREFIX}pod_container_id`]: text(statuses?.find(({ name }) => name === container.name)?.containerID),
    [`${PREFIX}pod_container_image`]: text(container.image),
    [`${PREFIX}pod_container_init`]: String(isInit),
  }
}

type ContainerPort = NonNullable<ContainerObject['ports']>[number]

export const containerPortLabels = (port: ContainerPort): MetaLabels => ({
  [`${PREFIX}pod_container_port_name`]: text(port.name),
  [`${PREFIX}pod_container_port_number`]: String(port.containerPort),
  [`${PREFIX}pod_container_port_protocol`]: port.protocol ?? 'TCP',
})

/** A target per port of each container; a container without ports is one without a port in its address. */
export function podTargets(pod: PodObject): MetaLabels[] {
  const ip = text(pod.status?.podIP)
  if (ip === '') return []
  return containersOf(pod).flatMap((each): MetaLabels[] => {
    const labels = containerLabels(pod, each)
    const ports = each.container.ports ?? []
    if (ports.length === 0) return [{ ...labels, __address__: ip.includes(':') ? `[${ip}]` : ip }]
    return ports.map((port) => ({
      ...labels,
      ...containerPortLabels(port),
      __address__: hostPort(ip, port.containerPort),
    }))
  })
}

const ADDRESS_ORDER = ['InternalIP', 'ExternalIP', 'LegacyHostIP', 'Hostname']

/** `undefined` for a node without an address. */
export function nodeTarget(node: NodeObject): MetaLabels | undefined {
  const addresses = node.status?.addresses ?? []
  const address = ADDRESS_ORDER.flatMap((type) => addresses.filter((each) => each.type === type))[0]?.address
  if (address === undefined) return undefined
  const labels: MetaLabels = {
    __address__: hostPort(address, node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0),
    instance: node.metadata.name,
  }
  for (const each of addresses) labels[`${PREFIX}node_address_${sanitizeName(each.type)}`] ??= each.address
  return labels
}

/** What a node gives to targets that run on it. */
export const attachedNodeLabels = (node: NodeObject): MetaLabels => objectLabels('node', node)
