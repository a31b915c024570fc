import type { Turns } from '../../../lib/index.ts'
import type { TargetGroup } from '../discovery.ts'
import type { Cluster, CollectionName } from './cluster.ts'
import type { KubernetesSdConfig } from './config.ts'
import type { KubernetesObject } from './kubernetes-objects.ts'
import { type Find, roleGroup } from './roles.ts'

/** Another object that was looked for, and what was found. */
interface Need {
  readonly collection: CollectionName
  readonly name: string
  readonly namespace: string | undefined
  readonly found: KubernetesObject | undefined
}

interface Made {
  readonly group: TargetGroup | undefined
  readonly needs: readonly Need[]
}

/**
 * The groups of all objects of a role. One is made anew only where something that went into it has changed, and is the same
 * object otherwise: of thousands of pods a few change at a time.
 */
export class GroupCache {
  readonly #config: KubernetesSdConfig
  readonly #made = new WeakMap<KubernetesObject, Made>()

  constructor(config: KubernetesSdConfig) {
    this.#config = config
  }

  /** As they are by and by: others get their turns. */
  async groups(cluster: Cluster, turns: Turns): Promise<TargetGroup[]> {
    const groups: TargetGroup[] = []
    for (const object of Array.from(cluster.all<KubernetesObject>(this.#config.role))) {
      if (turns.isOver) await turns.next()
      const { group } = this.#of(object, cluster)
      if (group) groups.push(group)
    }
    return groups
  }

  #of(object: KubernetesObject, cluster: Cluster): Made {
    const held = this.#made.get(object)
    if (held && isCurrent(held, cluster)) return held
    const needs: Need[] = []
    const find: Find = (collection, name, namespace) => {
      const found = cluster.get(collection, name, namespace)
      needs.push({ collection, name, namespace, found })
      return found
    }
    const made = { group: roleGroup(this.#config, object, find), needs }
    this.#made.set(object, made)
    return made
  }
}

const isCurrent = ({ needs }: Made, cluster: Cluster): boolean =>
  needs.every(({ collection, name, namespace, found }) => cluster.get(collection, name, namespace) === found)
