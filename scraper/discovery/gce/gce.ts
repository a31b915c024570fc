import type { Discovery } from '../discovery.ts'
import { type Ask, httpKindDiscovery, listed } from '../http-kind.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import { askAnew } from '../unauthorized.ts'
import type { GceSdConfig } from './config.ts'
import { GoogleTokens } from './google-tokens.ts'

const ENDPOINT = 'https://compute.googleapis.com'
const SCOPE = 'https://www.googleapis.com/auth/compute.readonly'
const PREFIX = '__meta_gce_'
const PAGE_COUNT_MAX = 1000

interface Instance {
  readonly id: string
  readonly name?: string
  readonly zone?: string
  readonly status?: string
  readonly machineType?: string
  readonly tags?: { readonly items?: readonly string[] }
  readonly metadata?: { readonly items?: readonly { readonly key: string; readonly value?: string }[] }
  readonly labels?: Readonly<Record<string, string>>
  readonly networkInterfaces?: readonly {
    readonly name?: string
    readonly network?: string
    readonly subnetwork?: string
    readonly networkIP?: string
    readonly accessConfigs?: readonly { readonly type?: string; readonly natIP?: string }[]
  }[]
}

/** The instances of a project in one zone, by their private address. */
export function gceDiscovery(config: GceSdConfig, parts: DiscoveryParts): Discovery {
  let tokens: GoogleTokens | undefined
  const discovery = httpKindDiscovery('gce', config, parts, async (ask, { client }) => {
    const held = (tokens ??= new GoogleTokens(client, SCOPE))
    const targets = await askAnew(
      async () => instanceTargets(ask, await held.token(), config),
      () => held.forget(),
    )
    return [groupOf(`GCE_${config.project}_${config.zone}`, targets)]
  })
  return {
    run: (onUpdate) => discovery.run(onUpdate),
    stop: async () => {
      await discovery.stop()
      await tokens?.close()
    },
  }
}

async function instanceTargets(ask: Ask, token: string, config: GceSdConfig): Promise<MetaLabels[]> {
  const { project, zone, filter, endpoint = ENDPOINT } = config
  const path = `/compute/v1/projects/${encodeURIComponent(project)}/zones/${encodeURIComponent(zone)}/instances`
  const headers = { authorization: `Bearer ${token}` }
  const targets: MetaLabels[] = []
  let pageToken = ''
  for (let page = 0; page < PAGE_COUNT_MAX; page++) {
    const query = new URLSearchParams({ ...(filter && { filter }), ...(pageToken !== '' && { pageToken }) })
    const url = `${endpoint}${path}?${query.toString()}`
    const answer = await ask<{ items?: Instance[]; nextPageToken?: string }>(url, { headers })
    targets.push(...(answer.items ?? []).flatMap((instance) => instanceLabels(instance, config)))
    pageToken = answer.nextPageToken ?? ''
    if (pageToken === '') break
  }
  return targets
}

function instanceLabels(instance: Instance, config: GceSdConfig): MetaLabels[] {
  const { networkInterfaces: interfaces = [], metadata } = instance
  const first = interfaces[0]
  if (!first) return []
  const access = first.accessConfigs?.[0]
  const labels: MetaLabels = {
    __address__: hostPort(text(first.networkIP), config.port ?? 80),
    [`${PREFIX}project`]: config.project,
    [`${PREFIX}zone`]: text(instance.zone),
    [`${PREFIX}instance_id`]: instance.id,
    [`${PREFIX}instance_name`]: text(instance.name),
    [`${PREFIX}instance_status`]: text(instance.status),
    [`${PREFIX}machine_type`]: text(instance.machineType),
    [`${PREFIX}network`]: text(first.network),
    [`${PREFIX}subnetwork`]: text(first.subnetwork),
    [`${PREFIX}private_ip`]: text(first.networkIP),
    [`${PREFIX}tags`]: listed(instance.tags?.items ?? [], config.tagSeparator ?? ','),
    ...(access?.type === 'ONE_TO_ONE_NAT' && { [`${PREFIX}public_ip`]: text(access.natIP) }),
    ...mappedLabels(`${PREFIX}label_`, instance.labels),
  }
  for (const { name, networkIP } of interfaces) {
    labels[`${PREFIX}interface_ipv4_${sanitizeName(text(name))}`] = text(networkIP)
  }
  for (const { key, value } of metadata?.items ?? []) {
    if (value !== undefined) labels[`${PREFIX}metadata_${sanitizeName(key)}`] = value
  }
  return [labels]
}
