import type { TargetGroup } from '../discovery.ts'
import { groupOf, hostPort, type MetaLabels, text } from '../meta-labels.ts'
import type { CollectionName } from './cluster.ts'
import type { KubernetesSdConfig } from './config.ts'
import { type EndpointContext, endpointSliceTargets, endpointsTargets } from './endpoint-targets.ts'
import { ingressTargets } from './ingress-targets.ts'
import {
  attachedNodeLabels,
  controllerOf,
  namespaceLabel,
  nodeTarget,
  objectLabels,
  podLabels,
  podTargets,
  PREFIX,
  serviceLabels,
} from './kubernetes-labels.ts'
import type { IngressObject, KubernetesObject, NodeObject, PodObject, ServiceObject } from './kubernetes-objects.ts'

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'

/** What has to be copied from the cluster for this role. */
export function collectionsOf(config: KubernetesSdConfig): CollectionName[] {
  const names: CollectionName[] = [config.role]
  const hasPods = config.role === 'pod' || isEndpointRole(config)
  if (isEndpointRole(config)) names.push('service', 'pod')
  if (hasPods && needsNodes(config)) names.push('node')
  if (config.attachNamespace && config.role !== 'node') names.push('namespace')
  if (hasPods && config.attachDeployment) names.push('replicaset')
  if (hasPods && config.attachCronJob) names.push('job')
  return names
}

/** Finds other objects of the cluster. */
export type Find = (collection: CollectionName, name: string, namespace?: string) => KubernetesObject | undefined

/**
 * The targets of one object of the role; `undefined` where the configuration leaves it out.
 *
 * @param find sees everything that goes into the group besides the object
 */
export function roleGroup(config: KubernetesSdConfig, object: KubernetesObject, find: Find): TargetGroup | undefined {
  const context = new ClusterContext(config, find)
  switch (config.role) {
    case 'node':
      return nodeGroup(object)
    case 'service':
      return group('svc', object, serviceTargets(object), { ...serviceLabels(object), ...context.namespace(object) })
    case 'pod':
      return podGroup(config, object, context)
    case 'ingress':
      return ingressGroup(object, context)
    case 'endpoints':
      return group('endpoints', object, endpointsTargets(object, context), {
        ...context.service(object.metadata.name, object.metadata.namespace),
        ...namespaceLabel(object),
        ...objectLabels('endpoints', object),
        ...context.namespace(object),
      })
    case 'endpointslice':
      return group('endpointslice', object, endpointSliceTargets(object, context), {
        ...context.service(object.metadata.labels?.[SERVICE_NAME_LABEL], object.metadata.namespace),
        ...namespaceLabel(object),
        ...objectLabels('endpointslice', object),
        ...context.namespace(object),
      })
  }
}

const isEndpointRole = ({ role }: KubernetesSdConfig): boolean => role === 'endpoints' || role === 'endpointslice'

const needsNodes = ({ attachNode, selectors = [] }: KubernetesSdConfig): boolean =>
  attachNode === true || selectors.some(({ role }) => role === 'node')

const group = (kind: string, { metadata }: KubernetesObject, targets: readonly MetaLabels[], common: MetaLabels) =>
  groupOf(`${kind}/${metadata.namespace ?? ''}/${metadata.name}`, targets, common)

function nodeGroup(node: NodeObject): TargetGroup {
  const target = nodeTarget(node)
  const common = { ...objectLabels('node', node), [`${PREFIX}node_provider_id`]: text(node.spec?.providerID) }
  return group('node', node, target ? [target] : [], common)
}

function podGroup(config: KubernetesSdConfig, pod: PodObject, context: ClusterContext): TargetGroup | undefined {
  const byNodes = (config.selectors ?? []).some(({ role }) => role === 'node')
  if (byNodes && !context.hasNode(text(pod.spec?.nodeName))) return undefined
  return group('pod', pod, podTargets(pod), {
    ...podLabels(pod),
    ...context.node(pod.spec?.nodeName),
    ...context.controllers(pod),
    ...context.namespace(pod),
  })
}

function ingressGroup(ingress: IngressObject, context: ClusterContext): TargetGroup {
  return group('ingress', ingress, ingressTargets(ingress), {
    ...namespaceLabel(ingress),
    ...objectLabels('ingress', ingress),
    ...(ingress.spec?.ingressClassName && { [`${PREFIX}ingress_class_name`]: ingress.spec.ingressClassName }),
    ...context.namespace(ingress),
  })
}

function serviceTargets(service: ServiceObject): MetaLabels[] {
  const { metadata, spec } = service
  return (spec?.ports ?? []).map((port) => {
    const labels: MetaLabels = {
      __address__: hostPort(`${metadata.name}.${metadata.namespace ?? ''}.svc`, port.port),
      [`${PREFIX}service_port_name`]: text(port.name),
      [`${PREFIX}service_port_number`]: String(port.port),
      [`${PREFIX}service_port_protocol`]: port.protocol ?? 'TCP',
      [`${PREFIX}service_type`]: spec?.type ?? 'ClusterIP',
    }
    if (spec?.type === 'ExternalName') labels[`${PREFIX}service_external_name`] = text(spec.externalName)
    else labels[`${PREFIX}service_cluster_ip`] = text(spec?.clusterIP)
    if (spec?.type === 'LoadBalancer') labels[`${PREFIX}service_loadbalancer_ip`] = text(spec.loadBalancerIP)
    return labels
  })
}

/** Labels that an object gets from others it belongs to. */
class ClusterContext implements EndpointContext {
  readonly #config: KubernetesSdConfig
  readonly #find: Find

  constructor(config: KubernetesSdConfig, find: Find) {
    this.#config = config
    this.#find = find
  }

  pod(reference: { kind?: string; name?: string; namespace?: string } | undefined): PodObject | undefined {
    if (reference?.kind !== 'Pod') return undefined
    return this.#find('pod', text(reference.name), reference.namespace)
  }

  hasNode(name: string): boolean {
    return this.#find('node', name) !== undefined
  }

  node(name: string | undefined): MetaLabels {
    if (!this.#config.attachNode || !name) return {}
    const node = this.#find('node', name)
    return node ? attachedNodeLabels(node) : {}
  }

  namespace({ metadata }: KubernetesObject): MetaLabels {
    if (!this.#config.attachNamespace) return {}
    const namespace = this.#find('namespace', metadata.namespace ?? '')
    return namespace ? objectLabels('namespace', namespace, false) : {}
  }

  service(name: string | undefined, namespace: string | undefined): MetaLabels {
    const service = name === undefined ? undefined : this.#find('service', name, namespace)
    return service ? serviceLabels(service) : {}
  }

  controllers(pod: PodObject): MetaLabels {
    const { attachDeployment, attachJob, attachCronJob } = this.#config
    const controller = controllerOf(pod)
    const labels: MetaLabels = {}
    const ownerOf = (collection: CollectionName, kind: string): string | undefined => {
      const object = this.#find(collection, controller!.name, pod.metadata.namespace)
      const owner = object && controllerOf(object)
      return owner?.kind === kind ? owner.name : undefined
    }
    if (controller?.kind === 'ReplicaSet' && attachDeployment) {
      const name = ownerOf('replicaset', 'Deployment')
      if (name !== undefined) labels[`${PREFIX}pod_deployment_name`] = name
    }
    if (controller?.kind === 'Job') {
      if (attachJob) labels[`${PREFIX}pod_job_name`] = controller.name
      const name = attachCronJob ? ownerOf('job', 'CronJob') : undefined
      if (name !== undefined) labels[`${PREFIX}pod_cronjob_name`] = name
    }
    return labels
  }
}
