import { hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { EndpointPort, EndpointSliceObject, EndpointsObject, ObjectReference } from './kubernetes-objects.ts'
import type { PodObject } from './kubernetes-objects.ts'
import { containerLabels, containerPortLabels, containersOf, podLabels, PREFIX } from './kubernetes-labels.ts'

/** What else there is to know about an endpoint. */
export interface EndpointContext {
  pod(reference: ObjectReference | undefined): PodObject | undefined
  /** Labels of the node, where they are wanted. */
  node(name: string | undefined): MetaLabels
  /** Labels from the pod's controllers, where they are wanted. */
  controllers(pod: PodObject): MetaLabels
}

interface Endpoint {
  readonly address: string
  readonly port: EndpointPort
  readonly labels: MetaLabels
  readonly reference: ObjectReference | undefined
  readonly nodeName: string | undefined
}

/** A target per address and port, and one per further container port of the pods behind them. */
export function endpointsTargets(object: EndpointsObject, context: EndpointContext): MetaLabels[] {
  const endpoints: Endpoint[] = []
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of object.subsets ?? []) {
    const all = [
      ...addresses.map((each) => ({ each, ready: 'true' })),
      ...notReadyAddresses.map((each) => ({ each, ready: 'false' })),
    ]
    for (const port of ports) {
      for (const { each, ready } of all) {
        const labels: MetaLabels = {
          [`${PREFIX}endpoint_port_name`]: text(port.name),
          [`${PREFIX}endpoint_port_protocol`]: port.protocol ?? 'TCP',
          [`${PREFIX}endpoint_ready`]: ready,
        }
        if (each.targetRef) {
          labels[`${PREFIX}endpoint_address_target_kind`] = text(each.targetRef.kind)
          labels[`${PREFIX}endpoint_address_target_name`] = text(each.targetRef.name)
        }
        if (each.nodeName) labels[`${PREFIX}endpoint_node_name`] = each.nodeName
        if (each.hostname) labels[`${PREFIX}endpoint_hostname`] = each.hostname
        endpoints.push({ address: each.ip, port, labels, reference: each.targetRef, nodeName: each.nodeName })
      }
    }
  }
  return withPods(endpoints, context)
}

export function endpointSliceTargets(object: EndpointSliceObject, context: EndpointContext): MetaLabels[] {
  const endpoints: Endpoint[] = []
  for (const port of object.ports ?? []) {
    for (const each of object.endpoints ?? []) {
      const labels = { ...sliceLabels(object, port), ...sliceEndpointLabels(each) }
      for (const address of each.addresses ?? []) {
        endpoints.push({ address, port, labels, reference: each.targetRef, nodeName: each.nodeName })
      }
    }
  }
  return withPods(endpoints, context)
}

function sliceLabels(object: EndpointSliceObject, port: EndpointPort): MetaLabels {
  const labels: MetaLabels = { [`${PREFIX}endpointslice_address_type`]: text(object.addressType) }
  if (port.name !== undefined) labels[`${PREFIX}endpointslice_port_name`] = port.name
  if (port.protocol !== undefined) labels[`${PREFIX}endpointslice_port_protocol`] = port.protocol
  if (port.port !== undefined) labels[`${PREFIX}endpointslice_port`] = String(port.port)
  if (port.appProtocol !== undefined) labels[`${PREFIX}endpointslice_port_app_protocol`] = port.appProtocol
  return labels
}

function sliceEndpointLabels(each: NonNullable<EndpointSliceObject['endpoints']>[number]): MetaLabels {
  const endpoint = `${PREFIX}endpointslice_endpoint_`
  const labels: MetaLabels = {}
  for (const name of ['ready', 'serving', 'terminating'] as const) {
    const value = each.conditions?.[name]
    if (value !== undefined) labels[`${endpoint}conditions_${name}`] = String(value)
  }
  if (each.hostname !== undefined) labels[`${endpoint}hostname`] = each.hostname
  if (each.nodeName !== undefined) labels[`${endpoint}node_name`] = each.nodeName
  if (each.zone !== undefined) labels[`${endpoint}zone`] = each.zone
  if (each.targetRef) {
    labels[`${PREFIX}endpointslice_address_target_kind`] = text(each.targetRef.kind)
    labels[`${PREFIX}endpointslice_address_target_name`] = text(each.targetRef.name)
  }
  for (const [name, value] of Object.entries(each.deprecatedTopology ?? {})) {
    labels[`${endpoint}topology_${sanitizeName(name)}`] = value
    labels[`${endpoint}topology_present_${sanitizeName(name)}`] = 'true'
  }
  return labels
}

function withPods(endpoints: readonly Endpoint[], context: EndpointContext): MetaLabels[] {
  const targets: MetaLabels[] = []
  const seenPorts = new Map<PodObject, Set<number>>()
  const labelsOfPod = (pod: PodObject): MetaLabels => ({ ...podLabels(pod), ...context.controllers(pod) })
  for (const { address, port, labels, reference, nodeName } of endpoints) {
    const target: MetaLabels = {
      ...labels,
      __address__: port.port === undefined ? address : hostPort(address, port.port),
    }
    const pod = context.pod(reference)
    if (pod) {
      Object.assign(target, labelsOfPod(pod), context.node(pod.spec?.nodeName ?? nodeName))
      const ports = seenPorts.get(pod) ?? new Set()
      seenPorts.set(pod, ports.add(port.port ?? -1))
      // A port that a container declares says more about itself.
      for (const each of containersOf(pod)) {
        const declared = each.container.ports?.find(({ containerPort }) => containerPort === port.port)
        if (declared) Object.assign(target, containerLabels(pod, each), containerPortLabels(declared))
      }
    } else {
      Object.assign(target, context.node(reference?.kind === 'Node' ? reference.name : nodeName))
    }
    targets.push(target)
  }
  for (const [pod, ports] of seenPorts) {
    const ip = text(pod.status?.podIP)
    if (ip === '') continue
    for (const each of containersOf(pod)) {
      for (const port of each.container.ports ?? []) {
        if (ports.has(port.containerPort)) continue
        targets.push({
          ...labelsOfPod(pod),
          ...containerLabels(pod, each),
          ...containerPortLabels(port),
          ...context.node(pod.spec?.nodeName),
          __address__: hostPort(ip, port.containerPort),
        })
      }
    }
  }
  return targets
}
