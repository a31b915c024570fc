import type { CollectionName } from './cluster.ts'
import type { ContainerObject, KubernetesObject, NodeObject, PodObject } from './kubernetes-objects.ts'

/**
 * An object without what discovery does not read. Volumes, environments, images of a node and who manages which field are
 * most of what the API server sends, and would be held for each of thousands of objects.
 */
export function pruned(collection: CollectionName, object: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, labels, annotations, ownerReferences } = object.metadata
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences && { ownerReferences }),
  }
  switch (collection) {
    case 'pod':
      return { metadata, ...prunedPod(object) } as PodObject
    case 'node':
      return { metadata, ...prunedNode(object) } as NodeObject
    case 'namespace':
    case 'replicaset':
    case 'job':
      return { metadata }
    default:
      return { ...object, metadata }
  }
}

function prunedPod({ spec, status }: PodObject): Omit<PodObject, 'metadata'> {
  return {
    ...(spec && {
      spec: {
        ...(spec.nodeName !== undefined && { nodeName: spec.nodeName }),
        ...(spec.containers && { containers: spec.containers.map(prunedContainer) }),
        ...(spec.initContainers && { initContainers: spec.initContainers.map(prunedContainer) }),
      },
    }),
    ...(status && {
      status: {
        ...(status.podIP !== undefined && { podIP: status.podIP }),
        ...(status.hostIP !== undefined && { hostIP: status.hostIP }),
        ...(status.phase !== undefined && { phase: status.phase }),
        ...(status.conditions && { conditions: status.conditions.filter(({ type }) => type === 'Ready') }),
        ...(status.containerStatuses && { containerStatuses: status.containerStatuses.map(prunedStatus) }),
        ...(status.initContainerStatuses && { initContainerStatuses: status.initContainerStatuses.map(prunedStatus) }),
      },
    }),
  }
}

const prunedContainer = ({ name, image, restartPolicy, ports }: ContainerObject): ContainerObject => ({
  name,
  ...(image !== undefined && { image }),
  ...(restartPolicy !== undefined && { restartPolicy }),
  ...(ports && { ports }),
})

type ContainerStatus = NonNullable<NonNullable<PodObject['status']>['containerStatuses']>[number]

const prunedStatus = ({ name, containerID }: ContainerStatus): ContainerStatus => ({
  name,
  ...(containerID !== undefined && { containerID }),
})

function prunedNode({ spec, status }: NodeObject): Omit<NodeObject, 'metadata'> {
  return {
    ...(spec?.providerID !== undefined && { spec: { providerID: spec.providerID } }),
    ...(status && {
      status: {
        ...(status.addresses && { addresses: status.addresses }),
        ...(status.daemonEndpoints && { daemonEndpoints: status.daemonEndpoints }),
      },
    }),
  }
}
