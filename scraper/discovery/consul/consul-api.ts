import type { HttpClient } from '../../../lib/index.ts'
import { askJson } from '../poll.ts'
import type { ConsulSdConfig } from './config.ts'
import type { ConsulInstance } from './consul.ts'

// Consul holds a blocking query for this long, plus a sixteenth.
const WAIT_SECONDS = 120
const TIMEOUT_MS = (WAIT_SECONDS + 15) * 1000

export interface IndexedAnswer<T> {
  readonly index: string
  readonly value: T
}

/** The questions that discovery asks Consul. */
export class ConsulApi {
  readonly #config: ConsulSdConfig
  readonly #client: HttpClient
  #datacenter: string | undefined

  constructor(config: ConsulSdConfig, client: HttpClient) {
    this.#config = config
    this.#client = client
    this.#datacenter = config.datacenter
  }

  /** Tags by service name. @param index waits for something newer; '' = answer at once */
  services(index: string): Promise<IndexedAnswer<Readonly<Record<string, readonly string[]>>>> {
    const { nodeMeta = {}, filter } = this.#config
    const more = Object.entries(nodeMeta).map(([name, value]): [string, string] => ['node-meta', `${name}:${value}`])
    return this.#ask('/v1/catalog/services', [...more, ...this.#consistency(), ...given('filter', filter)], index)
  }

  async instances(service: string, index: string): Promise<IndexedAnswer<readonly ConsulInstance[]>> {
    const { tags = [], healthFilter } = this.#config
    const more = tags.map((tag): [string, string] => ['tag', tag])
    const query = [...more, ...this.#consistency(), ...given('filter', healthFilter)]
    return this.#ask(`/v1/health/service/${encodeURIComponent(service)}`, query, index)
  }

  /** That of the agent where the configuration names none. */
  async datacenter(): Promise<string> {
    if (this.#datacenter !== undefined) return this.#datacenter
    const { value } = await this.#ask<{ Config?: { Datacenter?: string } }>('/v1/agent/self', [], '')
    return (this.#datacenter = value.Config?.Datacenter ?? '')
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #consistency(): [string, string][] {
    return this.#config.allowStale === false ? [] : [['stale', '']]
  }

  async #ask<T>(path: string, query: readonly [string, string][], index: string): Promise<IndexedAnswer<T>> {
    const { scheme = 'http', server = 'localhost:8500', pathPrefix = '', token } = this.#config
    const { datacenter, namespace, partition } = this.#config
    const all = new URLSearchParams([
      ...query,
      ...given('dc', datacenter),
      ...given('ns', namespace),
      ...given('partition', partition),
      ...(index === '' ? [] : ([['index', index]] as [string, string][])),
      ...([['wait', `${WAIT_SECONDS}s`]] as [string, string][]),
    ])
    const prefix = pathPrefix.replace(/^\/?/, '/').replace(/\/$/, '')
    const url = `${scheme}://${server}${prefix}${path}?${all.toString()}`
    const headers = token === undefined ? {} : { 'x-consul-token': token }
    const answer = await askJson(this.#client, { url, headers, timeoutMs: TIMEOUT_MS })
    return { index: answer.headers['x-consul-index'] ?? '', value: answer.value as T }
  }
}

const given = (name: string, value: string | undefined): [string, string][] =>
  value === undefined || value === '' ? [] : [[name, value]]
