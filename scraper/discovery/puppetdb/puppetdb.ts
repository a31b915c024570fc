import { createHttpClient } from '../../../lib/undici-client.ts'
import type { Discovery } from '../discovery.ts'
import { listed } from '../http-kind.ts'
import { groupOf, hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import { askJson, type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { PuppetDbSdConfig } from './config.ts'

const PREFIX = '__meta_puppetdb_'
const REFRESH_DEFAULT_MS = 60_000

interface Resource {
  readonly certname: string
  readonly resource?: string
  readonly type?: string
  readonly title?: string
  readonly exported?: boolean
  readonly tags?: readonly string[]
  readonly file?: string
  readonly environment?: string
  readonly parameters?: Readonly<Record<string, unknown>> | null
}

/** A target per resource that a query finds. */
export function puppetDbDiscovery(config: PuppetDbSdConfig, parts: DiscoveryParts): Discovery {
  const refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
  const client = createHttpClient(config.http, { keepAliveMs: refreshIntervalMs + 10_000 })
  const url = `${config.url.replace(/\/+$/, '')}/pdb/query/v4`
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ query: config.query })
  return polledDiscovery(
    {
      mechanism: 'puppetdb',
      refreshIntervalMs,
      async refresh() {
        const request = { url, method: 'POST', headers, body, timeoutMs: refreshIntervalMs }
        const resources = (await askJson(client, request)).value as readonly Resource[]
        return [
          groupOf(
            `${url}?query=${config.query}`,
            resources.map((resource) => resourceLabels(resource, config)),
          ),
        ]
      },
      close: () => client.close(),
    },
    parts,
  )
}

function resourceLabels(resource: Resource, { query, port = 80, includeParameters }: PuppetDbSdConfig): MetaLabels {
  const labels: MetaLabels = {
    __address__: hostPort(resource.certname, port),
    [`${PREFIX}query`]: query,
    [`${PREFIX}certname`]: resource.certname,
    [`${PREFIX}resource`]: text(resource.resource),
    [`${PREFIX}type`]: text(resource.type),
    [`${PREFIX}title`]: text(resource.title),
    [`${PREFIX}exported`]: String(resource.exported ?? false),
    [`${PREFIX}file`]: text(resource.file),
    [`${PREFIX}environment`]: text(resource.environment),
  }
  if (resource.tags?.length) labels[`${PREFIX}tags`] = listed(resource.tags)
  if (includeParameters) addParameters(labels, `${PREFIX}parameter_`, resource.parameters ?? {})
  return labels
}

/** Objects are taken apart; lists are joined; what is neither text, number nor truth is left out. */
function addParameters(labels: MetaLabels, prefix: string, parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    const label = prefix + sanitizeName(name)
    const isScalar = (one: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof one)
    if (isScalar(value)) labels[label] = String(value)
    else if (Array.isArray(value)) {
      const texts = value.filter(isScalar).map(String)
      if (texts.length > 0) labels[label] = listed(texts)
    } else if (typeof value === 'object' && value !== null) {
      addParameters(labels, `${label}_`, value as Readonly<Record<string, unknown>>)
    }
  }
}
