import { errorMessage, Turns } from '../../../lib/index.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import type { Discovery, TargetGroup } from '../discovery.ts'
import type { DiscoveryParts } from '../poll.ts'
import { kubernetesAccess } from './access.ts'
import { Cluster } from './cluster.ts'
import type { KubernetesSdConfig } from './config.ts'
import { GroupCache } from './group-cache.ts'
import { collectionsOf } from './roles.ts'

// Changes often come in bunches: a rollout touches pods and endpoints many times within a second.
const SETTLE_MS = 500
const RETRY_MS = 10_000

/** Targets of one role of a Kubernetes cluster, kept up to date by watches. */
export function kubernetesDiscovery(config: KubernetesSdConfig, parts: DiscoveryParts): Discovery {
  return new KubernetesDiscovery(config, parts)
}

class KubernetesDiscovery implements Discovery {
  readonly #config: KubernetesSdConfig
  readonly #parts: DiscoveryParts
  readonly #groups: GroupCache
  #onUpdate: ((groups: readonly TargetGroup[]) => void) | undefined
  #cluster: Cluster | undefined
  #closeClient: (() => Promise<void>) | undefined
  #cancelTimer: (() => void) | undefined
  #isDirty = false
  /** Counts the tellings: one that is overtaken is void. */
  #round = 0

  constructor(config: KubernetesSdConfig, parts: DiscoveryParts) {
    this.#config = config
    this.#parts = parts
    this.#groups = new GroupCache(config)
  }

  run(onUpdate: (groups: readonly TargetGroup[]) => void): void {
    this.#onUpdate = onUpdate
    void this.#start()
  }

  async stop(): Promise<void> {
    this.#onUpdate = undefined
    this.#cancelTimer?.()
    this.#cluster?.stop()
    await this.#closeClient?.()
  }

  async #start(): Promise<void> {
    const { clock, logger, onFailure } = this.#parts
    try {
      const access = await kubernetesAccess(this.#config)
      if (!this.#onUpdate) return
      const client = createHttpClient(access.http, { keepAliveMs: 60_000 })
      this.#closeClient = () => client.close()
      const names = collectionsOf(this.#config)
      this.#cluster = new Cluster(this.#config, names, {
        ...this.#parts,
        client,
        access,
        onChange: () => this.#changed(),
      })
      this.#cluster.start()
    } catch (error) {
      onFailure?.()
      logger.error({ reason: errorMessage(error) }, 'Kubernetes discovery cannot start, it tries again')
      if (this.#onUpdate) this.#cancelTimer = clock.schedule(RETRY_MS, () => void this.#start())
    }
  }

  #changed(): void {
    if (this.#isDirty || !this.#cluster?.isSynced) return
    this.#isDirty = true
    this.#cancelTimer = this.#parts.clock.schedule(SETTLE_MS, () => void this.#tell())
  }

  async #tell(): Promise<void> {
    // What changes from now on is for the next time.
    this.#isDirty = false
    const round = ++this.#round
    try {
      const groups = this.#cluster && (await this.#groups.groups(this.#cluster, new Turns()))
      if (groups && round === this.#round) this.#onUpdate?.(groups)
    } catch (error) {
      this.#parts.onFailure?.()
      this.#parts.logger.error(
        { err: error },
        'objects of the cluster are not as expected, the last targets stay in use',
      )
    }
  }
}
