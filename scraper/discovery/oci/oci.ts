import { type Clock, errorMessage } from '../../../lib/index.ts'
import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery, type HttpPeer, listed } from '../http-kind.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'
import { askJson, type DiscoveryParts } from '../poll.ts'
import { askAnew, isUnauthorized } from '../unauthorized.ts'
import type { OciSdConfig } from './config.ts'
import { apiKeyIdentity, instanceIdentity, type OciIdentity, signedHeaders } from './oci-signer.ts'

const PREFIX = '__meta_oci_'
const API_VERSION = '20160918'
const PAGE_SIZE = 100
const PAGE_COUNT_MAX = 1000

interface Instance {
  readonly id: string
  readonly compartmentId: string
  readonly displayName?: string
  readonly lifecycleState?: string
  readonly shape?: string
  readonly availabilityDomain?: string
  readonly faultDomain?: string
  readonly region?: string
  readonly imageId?: string
  readonly freeformTags?: Readonly<Record<string, string>>
  readonly definedTags?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

interface Vnic {
  readonly id?: string
  readonly isPrimary?: boolean
  readonly privateIp?: string | null
  readonly publicIp?: string | null
  readonly hostnameLabel?: string | null
  readonly ipv6Addresses?: readonly string[] | null
}

/** The instances of compartments, by the private address of their primary network card. */
export function ociDiscovery(config: OciSdConfig, parts: DiscoveryParts): Discovery {
  let api: OciApi | undefined
  return httpKindDiscovery('oci', config, parts, async (_ask, peer) => {
    const held = (api ??= new OciApi(config, peer, parts.clock))
    const targets = await askAnew(
      () => instanceTargets(held, config, parts),
      () => held.forget(),
    )
    return [groupOf('OCI', targets)]
  })
}

async function instanceTargets(api: OciApi, config: OciSdConfig, parts: DiscoveryParts): Promise<MetaLabels[]> {
  const tenancy = await api.tenancy()
  const targets: MetaLabels[] = []
  for (const compartmentId of await compartmentsOf(api, config, tenancy, parts)) {
    for (const instance of await api.list<Instance>('iaas', 'instances', { compartmentId })) {
      try {
        const labels = instanceLabels(instance, await primaryVnic(api, instance), tenancy, config.port ?? 80)
        if (labels) targets.push(labels)
      } catch (error) {
        if (isUnauthorized(error)) throw error
        // Instances come and go between two questions.
        parts.logger.warn(
          { instance: instance.id, reason: errorMessage(error) },
          'the network of an instance cannot be read',
        )
      }
    }
  }
  return targets
}

/** Signed questions to the services of one region. */
class OciApi {
  readonly #config: OciSdConfig
  readonly #peer: HttpPeer
  readonly #clock: Clock
  #identity: OciIdentity | undefined

  constructor(config: OciSdConfig, peer: HttpPeer, clock: Clock) {
    this.#config = config
    this.#peer = peer
    this.#clock = clock
  }

  /** Drops who asks, so that the key is read anew; whether anybody had asked. */
  forget(): boolean {
    const isHeld = this.#identity !== undefined
    this.#identity = undefined
    return isHeld
  }

  async tenancy(): Promise<string> {
    return (await this.#whoAsks()).tenancy
  }

  async list<T>(service: string, path: string, query: Readonly<Record<string, string>>): Promise<T[]> {
    const found: T[] = []
    let next: string | undefined = ''
    for (let page = 0; next !== undefined && page < PAGE_COUNT_MAX; page++) {
      const params = new URLSearchParams({ ...query, limit: String(PAGE_SIZE), ...(next !== '' && { page: next }) })
      const { value, headers } = await this.#ask(service, `${path}?${params.toString()}`)
      found.push(...(value as T[]))
      next = headers['opc-next-page']
    }
    return found
  }

  async get<T>(service: string, path: string): Promise<T> {
    return (await this.#ask(service, path)).value as T
  }

  async #ask(service: string, path: string) {
    const url = `${this.#endpoint(service)}/${API_VERSION}/${path}`
    const headers = signedHeaders(await this.#whoAsks(), 'GET', url, this.#clock.nowMs())
    return askJson(this.#peer.client, { url, headers, timeoutMs: this.#peer.timeoutMs })
  }

  #endpoint(service: string): string {
    const { endpointOf, region } = this.#config
    return endpointOf?.(service) ?? `https://${service}.${region}.oraclecloud.com`
  }

  async #whoAsks(): Promise<OciIdentity> {
    const nowMs = this.#clock.nowMs()
    if (this.#identity && nowMs < this.#identity.endsAtMs) return this.#identity
    const { client, timeoutMs } = this.#peer
    this.#identity = undefined
    this.#identity =
      this.#config.auth === 'instance_principal'
        ? await instanceIdentity(client, this.#config, { authUrl: this.#endpoint('auth'), nowMs, timeoutMs })
        : await apiKeyIdentity(this.#config)
    return this.#identity
  }
}

/** Those that are named, or the tenancy and all active ones below it; what may not be listed is left out. */
async function compartmentsOf(
  api: OciApi,
  { compartments = [] }: OciSdConfig,
  tenancy: string,
  { logger }: DiscoveryParts,
): Promise<readonly string[]> {
  if (compartments.length > 0) return compartments
  const found = new Set([tenancy])
  // A set that grows is walked to its end.
  for (const compartmentId of found) {
    try {
      const query = { compartmentId, accessLevel: 'ACCESSIBLE', compartmentIdInSubtree: 'false' }
      const below = await api.list<{ id: string; lifecycleState?: string }>('identity', 'compartments', query)
      for (const { id, lifecycleState } of below) if (lifecycleState === 'ACTIVE') found.add(id)
    } catch (error) {
      if (isUnauthorized(error)) throw error
      logger.warn({ compartmentId, reason: errorMessage(error) }, 'a compartment cannot be listed')
    }
  }
  return [...found]
}

async function primaryVnic(api: OciApi, { id: instanceId, compartmentId }: Instance): Promise<Vnic | undefined> {
  const attachments = await api.list<{ vnicId?: string; lifecycleState?: string }>('iaas', 'vnicAttachments', {
    compartmentId,
    instanceId,
  })
  for (const { vnicId, lifecycleState } of attachments) {
    if (vnicId === undefined || lifecycleState !== 'ATTACHED') continue
    const vnic = await api.get<Vnic>('iaas', `vnics/${encodeURIComponent(vnicId)}`)
    if (vnic.isPrimary) return vnic
  }
  return undefined
}

function instanceLabels(instance: Instance, vnic: Vnic | undefined, tenancy: string, port: number) {
  const ipv6 = [...(vnic?.ipv6Addresses ?? [])].sort()
  const address = vnic?.privateIp || vnic?.publicIp || ipv6[0]
  if (!address) return undefined
  const labels: MetaLabels = {
    __address__: hostPort(address, port),
    [`${PREFIX}instance_id`]: instance.id,
    [`${PREFIX}instance_name`]: text(instance.displayName),
    [`${PREFIX}instance_state`]: text(instance.lifecycleState),
    [`${PREFIX}instance_shape`]: text(instance.shape),
    [`${PREFIX}availability_domain`]: text(instance.availabilityDomain),
    [`${PREFIX}fault_domain`]: text(instance.faultDomain),
    [`${PREFIX}region`]: text(instance.region),
    [`${PREFIX}tenancy_id`]: tenancy,
    [`${PREFIX}compartment_id`]: instance.compartmentId,
    [`${PREFIX}image_id`]: text(instance.imageId),
    [`${PREFIX}vnic_id`]: text(vnic?.id),
    [`${PREFIX}private_ip`]: text(vnic?.privateIp),
    [`${PREFIX}public_ip`]: text(vnic?.publicIp),
    [`${PREFIX}hostname_label`]: text(vnic?.hostnameLabel),
    [`${PREFIX}ipv6_addresses`]: listed(ipv6),
    ...mappedLabels(`${PREFIX}tag_`, instance.freeformTags),
  }
  for (const [namespace, tags] of Object.entries(instance.definedTags ?? {})) {
    for (const [key, value] of Object.entries(tags)) {
      if (value === null || typeof value === 'object') continue
      labels[`${PREFIX}defined_tag_${sanitizeName(namespace)}_${sanitizeName(key)}`] = text(value)
    }
  }
  return labels
}
