import type { HttpClient } from '../../../lib/index.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import { askJson } from '../poll.ts'
import type { DockerApiConfig } from './config.ts'

/** The questions that discovery asks a Docker daemon. */
export class DockerApi {
  readonly #client: HttpClient
  readonly #base: string
  readonly #timeoutMs: number
  readonly #filters: string

  constructor(config: DockerApiConfig, timeoutMs: number) {
    const socketPath = /^unix:\/\/(.+)$/.exec(config.host)?.[1]
    const scheme = config.http?.tls ? 'https' : 'http'
    this.#base =
      socketPath === undefined ? config.host.replace(/^tcp:/, `${scheme}:`).replace(/\/+$/, '') : 'http://docker'
    this.#client = createHttpClient(config.http, socketPath === undefined ? {} : { socketPath })
    this.#timeoutMs = timeoutMs
    const filters: Record<string, string[]> = {}
    for (const { name, values } of config.filters ?? []) filters[name] = [...(filters[name] ?? []), ...values]
    this.#filters = Object.keys(filters).length > 0 ? `?filters=${encodeURIComponent(JSON.stringify(filters))}` : ''
  }

  /** @param filtered applies the configured filters */
  async list<T>(path: string, filtered = false): Promise<T[]> {
    const url = `${this.#base}${path}${filtered ? this.#filters : ''}`
    const { value } = await askJson(this.#client, { url, timeoutMs: this.#timeoutMs })
    return Array.isArray(value) ? (value as T[]) : []
  }

  /** Labels of each network by its id. */
  async networkLabels(prefix: string): Promise<Map<string, MetaLabels>> {
    const networks = await this.list<DockerNetwork>('/networks')
    return new Map(
      networks.map((network) => [
        network.Id,
        {
          [`${prefix}network_id`]: network.Id,
          [`${prefix}network_name`]: text(network.Name),
          [`${prefix}network_scope`]: text(network.Scope),
          [`${prefix}network_internal`]: String(network.Internal ?? false),
          [`${prefix}network_ingress`]: String(network.Ingress ?? false),
          ...mappedLabels(`${prefix}network_label_`, network.Labels),
        },
      ]),
    )
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

interface DockerNetwork {
  readonly Id: string
  readonly Name?: string
  readonly Scope?: string
  readonly Internal?: boolean
  readonly Ingress?: boolean
  readonly Labels?: Record<string, string> | null
}
