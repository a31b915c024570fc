import type { HttpClientConfig } from '../../../lib/index.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import type { Discovery, TargetGroup } from '../discovery.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { ConsulSdConfig } from './config.ts'
import { ConsulApi } from './consul-api.ts'
import { ConsulWatch } from './consul-watch.ts'

const REFRESH_DEFAULT_MS = 30_000
const PREFIX = '__meta_consul_'

/** The services of a Consul catalogue, followed by blocking queries: one for the list, one for each service. */
export function consulDiscovery(config: ConsulSdConfig, parts: DiscoveryParts): Discovery {
  return new ConsulDiscovery(config, parts)
}

class ConsulDiscovery implements Discovery {
  readonly #config: ConsulSdConfig
  readonly #parts: DiscoveryParts
  readonly #api: ConsulApi
  readonly #watches = new Map<string, ConsulWatch>()
  readonly #groups = new Map<string, TargetGroup>()
  #catalogue: ConsulWatch | undefined
  #onUpdate: ((groups: readonly TargetGroup[]) => void) | undefined

  constructor(config: ConsulSdConfig, parts: DiscoveryParts) {
    this.#config = config
    this.#parts = parts
    const http: HttpClientConfig = config.http ?? {}
    this.#api = new ConsulApi(config, createHttpClient(http, { keepAliveMs: 300_000 }))
  }

  run(onUpdate: (groups: readonly TargetGroup[]) => void): void {
    this.#onUpdate = onUpdate
    const { services = [], tags = [], nodeMeta = {}, filter = '' } = this.#config
    // Named services need no catalogue, unless it has to say which of them qualify.
    const isNamed = services.length > 0 && tags.length === 0 && Object.keys(nodeMeta).length === 0 && filter === ''
    if (isNamed) this.#follow(services)
    else {
      this.#catalogue = this.#watch('catalogue', async (index) => {
        const { index: next, value } = await this.#api.services(index)
        if (next !== index) this.#follow(Object.keys(value).filter((name) => this.#isWanted(name, value[name] ?? [])))
        return next
      })
    }
  }

  async stop(): Promise<void> {
    this.#onUpdate = undefined
    this.#catalogue?.stop()
    for (const watch of this.#watches.values()) watch.stop()
    await this.#api.close()
  }

  #isWanted(name: string, tags: readonly string[]): boolean {
    const { services = [], tags: wanted = [] } = this.#config
    return (services.length === 0 || services.includes(name)) && wanted.every((tag) => tags.includes(tag))
  }

  #follow(names: readonly string[]): void {
    let isChanged = false
    for (const [name, watch] of this.#watches) {
      if (names.includes(name)) continue
      watch.stop()
      this.#watches.delete(name)
      isChanged = this.#groups.delete(name) || isChanged
    }
    for (const name of names) {
      if (this.#watches.has(name)) continue
      this.#watches.set(
        name,
        this.#watch(name, (index) => this.#refreshService(name, index)),
      )
    }
    if (isChanged || names.length === 0) this.#send()
  }

  async #refreshService(name: string, index: string): Promise<string> {
    const { index: next, value } = await this.#api.instances(name, index)
    if (next === index || !this.#watches.has(name)) return next
    const common = { [`${PREFIX}service`]: name, [`${PREFIX}dc`]: await this.#api.datacenter() }
    const separator = this.#config.tagSeparator ?? ','
    this.#groups.set(
      name,
      groupOf(
        name,
        value.map((instance) => instanceLabels(instance, separator)),
        common,
      ),
    )
    this.#send()
    return next
  }

  #send(): void {
    this.#onUpdate?.([...this.#groups.values()])
  }

  #watch(name: string, ask: (index: string) => Promise<string>): ConsulWatch {
    const pauseMs = this.#config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
    return new ConsulWatch({ name, pauseMs, ask, parts: this.#parts })
  }
}

/** What of an entry of `/v1/health/service/…` discovery reads. */
export interface ConsulInstance {
  readonly Node: {
    readonly Node?: string
    readonly Address?: string
    readonly Meta?: Record<string, string> | null
    readonly TaggedAddresses?: Record<string, string> | null
    readonly Partition?: string
  }
  readonly Service: {
    readonly ID?: string
    readonly Service?: string
    readonly Address?: string
    readonly Port?: number
    readonly Tags?: readonly string[] | null
    readonly Meta?: Record<string, string> | null
    readonly Namespace?: string
    readonly Partition?: string
  }
  readonly Checks?: readonly { readonly CheckID?: string; readonly Status?: string }[] | null
}

function instanceLabels({ Node: node, Service: service, Checks: checks }: ConsulInstance, separator: string) {
  const tags = service.Tags ?? []
  const labels: MetaLabels = {
    __address__: hostPort(service.Address || text(node.Address), service.Port ?? 0),
    [`${PREFIX}address`]: text(node.Address),
    [`${PREFIX}node`]: text(node.Node),
    [`${PREFIX}namespace`]: text(service.Namespace),
    [`${PREFIX}partition`]: text(service.Partition ?? node.Partition),
    // Separators around every tag, so that a regular expression can ask for a whole one.
    [`${PREFIX}tags`]: `${separator}${tags.join(separator)}${separator}`,
    [`${PREFIX}service_address`]: text(service.Address),
    [`${PREFIX}service_port`]: String(service.Port ?? 0),
    [`${PREFIX}service_id`]: text(service.ID),
    [`${PREFIX}health`]: healthOf(checks ?? []),
    ...mappedLabels(`${PREFIX}metadata_`, node.Meta),
    ...mappedLabels(`${PREFIX}service_metadata_`, service.Meta),
    ...mappedLabels(`${PREFIX}tagged_address_`, node.TaggedAddresses),
  }
  return labels
}

/** The worst of all checks; maintenance outranks them. */
function healthOf(checks: readonly { readonly CheckID?: string; readonly Status?: string }[]): string {
  const inMaintenance = checks.some(({ CheckID: id = '' }) => /^_(node_maintenance$|service_maintenance:)/.test(id))
  if (inMaintenance) return 'maintenance'
  return ['critical', 'warning'].find((status) => checks.some((check) => check.Status === status)) ?? 'passing'
}
