import type { StreamingHttpClient } from '../../../lib/index.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { KubernetesAccess } from './access.ts'
import type { KubernetesRole, KubernetesSdConfig } from './config.ts'
import { Informer } from './informer.ts'
import type { KubernetesObject } from './kubernetes-objects.ts'
import { pruned } from './pruned.ts'

/** Where each kind of object is listed. */
const COLLECTIONS = {
  node: { base: '/api/v1', name: 'nodes', namespaced: false },
  namespace: { base: '/api/v1', name: 'namespaces', namespaced: false },
  service: { base: '/api/v1', name: 'services', namespaced: true },
  pod: { base: '/api/v1', name: 'pods', namespaced: true },
  endpoints: { base: '/api/v1', name: 'endpoints', namespaced: true },
  endpointslice: { base: '/apis/discovery.k8s.io/v1', name: 'endpointslices', namespaced: true },
  ingress: { base: '/apis/networking.k8s.io/v1', name: 'ingresses', namespaced: true },
  replicaset: { base: '/apis/apps/v1', name: 'replicasets', namespaced: true },
  job: { base: '/apis/batch/v1', name: 'jobs', namespaced: true },
} as const
export type CollectionName = keyof typeof COLLECTIONS

export interface ClusterParts extends DiscoveryParts {
  readonly client: StreamingHttpClient
  readonly access: KubernetesAccess
  readonly onChange: () => void
}

/** Copies of the collections that a discovery needs, one informer per collection and namespace. */
export class Cluster {
  readonly #informers = new Map<CollectionName, Informer<KubernetesObject>[]>()

  constructor(config: KubernetesSdConfig, names: readonly CollectionName[], parts: ClusterParts) {
    const listed = config.namespaces ?? []
    const own = parts.access.ownNamespace
    const namespaces = own === undefined ? listed : [...new Set([...listed, own])]
    for (const name of names) {
      const { base, name: plural, namespaced } = COLLECTIONS[name]
      const paths =
        namespaced && namespaces.length > 0
          ? namespaces.map((namespace) => `${base}/namespaces/${namespace}/${plural}`)
          : [`${base}/${plural}`]
      const query = selectorQuery(config, name)
      this.#informers.set(
        name,
        paths.map(
          (path) => new Informer(parts.access.url + path, query, { ...parts, keep: (one) => pruned(name, one) }),
        ),
      )
    }
  }

  /** Every collection has been listed. */
  get isSynced(): boolean {
    return [...this.#informers.values()].flat().every((informer) => informer.isSynced)
  }

  start(): void {
    for (const informer of [...this.#informers.values()].flat()) informer.start()
  }

  stop(): void {
    for (const informer of [...this.#informers.values()].flat()) informer.stop()
  }

  *all<T extends KubernetesObject>(name: CollectionName): Iterable<T> {
    for (const informer of this.#informers.get(name) ?? []) yield* informer.objects.values() as Iterable<T>
  }

  get<T extends KubernetesObject>(name: CollectionName, objectName: string, namespace = ''): T | undefined {
    for (const informer of this.#informers.get(name) ?? []) {
      const found = informer.objects.get(`${namespace}/${objectName}`)
      if (found) return found as T
    }
    return undefined
  }
}

function selectorQuery({ selectors = [] }: KubernetesSdConfig, name: CollectionName): Record<string, string> {
  const selector = selectors.find(({ role }) => role === (name as KubernetesRole))
  return {
    ...(selector?.label && { labelSelector: selector.label }),
    ...(selector?.field && { fieldSelector: selector.field }),
  }
}
