import { errorMessage, type Logger } from '../../../lib/index.ts'
import type { Discovery } from '../discovery.ts'
import { type Ask, httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import { DiscoveryError, type DiscoveryParts } from '../poll.ts'
import { askAnew, isUnauthorized } from '../unauthorized.ts'
import { azureCloud } from './azure-cloud.ts'
import { AzureTokens } from './azure-tokens.ts'
import type { AzureSdConfig } from './config.ts'

const PREFIX = '__meta_azure_'
const REFRESH_DEFAULT_MS = 300_000
const PAGE_COUNT_MAX = 1000
const COMPUTE_VERSION = '2024-07-01'
const NETWORK_VERSION = '2024-05-01'
// Network cards of scale sets are only known to this one.
const SCALE_SET_NETWORK_VERSION = '2018-10-01'

interface Machine {
  readonly id: string
  readonly name: string
  readonly type?: string
  readonly location?: string
  readonly tags?: Readonly<Record<string, string>> | null
  readonly sku?: { readonly name?: string }
  readonly properties?: {
    readonly hardwareProfile?: { readonly vmSize?: string }
    readonly storageProfile?: { readonly osDisk?: { readonly osType?: string } }
    readonly osProfile?: { readonly computerName?: string }
    readonly networkProfile?: { readonly networkInterfaces?: readonly { readonly id: string }[] }
  }
}

interface NetworkInterface {
  readonly properties?: {
    readonly primary?: boolean
    readonly ipConfigurations?: readonly {
      readonly properties?: {
        readonly primary?: boolean
        readonly privateIPAddress?: string
        readonly publicIPAddress?: { readonly properties?: { readonly ipAddress?: string } }
      }
    }[]
  }
}

interface Page<T> {
  readonly value?: readonly T[]
  readonly nextLink?: string
}

type Read = <T>(pathOrUrl: string) => Promise<T>

/** The machines of a subscription, those of scale sets too, by their private address. */
export function azureDiscovery(config: AzureSdConfig, parts: DiscoveryParts): Discovery {
  const cloud = azureCloud(config.environment ?? 'AzurePublicCloud')
  let tokens: AzureTokens | undefined
  const discovery = httpKindDiscovery(
    'azure',
    config,
    parts,
    async (ask) => {
      if (!cloud) throw new DiscoveryError(`there is no Azure cloud ${JSON.stringify(config.environment)}`)
      const held = (tokens ??= new AzureTokens(config, cloud))
      const targets = await askAnew(
        async () =>
          machineTargets(reader(ask, config.endpoint ?? cloud.resourceManager, await held.token()), config, parts),
        () => held.forget(),
      )
      return [groupOf('azure', targets)]
    },
    REFRESH_DEFAULT_MS,
  )
  return {
    run: (onUpdate) => discovery.run(onUpdate),
    stop: async () => {
      await discovery.stop()
      await tokens?.close()
    },
  }
}

const reader =
  (ask: Ask, base: string, token: string): Read =>
  (pathOrUrl) =>
    ask(pathOrUrl.startsWith('/') ? base + pathOrUrl : pathOrUrl, { headers: { authorization: `Bearer ${token}` } })

async function machineTargets(read: Read, config: AzureSdConfig, parts: DiscoveryParts): Promise<MetaLabels[]> {
  const targets: MetaLabels[] = []
  for (const { machine, scaleSet } of await machinesOf(read, config)) {
    const labels = await machineLabels(read, machine, scaleSet, config, parts)
    if (labels) targets.push(labels)
  }
  return targets
}

async function pages<T>(read: Read, path: string): Promise<T[]> {
  const found: T[] = []
  let next: string | undefined = path
  for (let page = 0; next && page < PAGE_COUNT_MAX; page++) {
    const answer: Page<T> = await read(next)
    found.push(...(answer.value ?? []))
    next = answer.nextLink
  }
  return found
}

async function machinesOf(read: Read, { subscriptionId, resourceGroup }: AzureSdConfig) {
  const group = resourceGroup ? `/resourceGroups/${encodeURIComponent(resourceGroup)}` : ''
  const base = `/subscriptions/${encodeURIComponent(subscriptionId)}${group}/providers/Microsoft.Compute`
  const version = `?api-version=${COMPUTE_VERSION}`
  const single = await pages<Machine>(read, `${base}/virtualMachines${version}`)
  const found = single.map((machine) => ({ machine, scaleSet: '' }))
  for (const set of await pages<Machine>(read, `${base}/virtualMachineScaleSets${version}`)) {
    const members = await pages<Machine>(read, `${set.id}/virtualMachines${version}`)
    found.push(...members.map((machine) => ({ machine, scaleSet: set.name })))
  }
  return found
}

async function machineLabels(
  read: Read,
  machine: Machine,
  scaleSet: string,
  config: AzureSdConfig,
  { logger }: DiscoveryParts,
): Promise<MetaLabels | undefined> {
  const { properties } = machine
  const labels: MetaLabels = {
    [`${PREFIX}subscription_id`]: config.subscriptionId,
    [`${PREFIX}tenant_id`]: config.tenantId ?? '',
    [`${PREFIX}machine_id`]: machine.id,
    [`${PREFIX}machine_name`]: machine.name,
    [`${PREFIX}machine_computer_name`]: text(properties?.osProfile?.computerName),
    [`${PREFIX}machine_os_type`]: text(properties?.storageProfile?.osDisk?.osType),
    [`${PREFIX}machine_location`]: text(machine.location),
    [`${PREFIX}machine_resource_group`]: /\/resourceGroups\/([^/]+)/i.exec(machine.id)?.[1] ?? '',
    [`${PREFIX}machine_size`]: text(properties?.hardwareProfile?.vmSize ?? machine.sku?.name),
    [`${PREFIX}machine_scale_set`]: scaleSet,
    ...mappedLabels(`${PREFIX}machine_tag_`, machine.tags),
  }
  for (const { id } of properties?.networkProfile?.networkInterfaces ?? []) {
    const addresses = await addressesOf(read, id, scaleSet !== '', logger)
    if (addresses === undefined) continue
    if (addresses.publicIp) labels[`${PREFIX}machine_public_ip`] = addresses.publicIp
    if (!addresses.privateIp) continue
    labels[`${PREFIX}machine_private_ip`] = addresses.privateIp
    return { __address__: hostPort(addresses.privateIp, config.port ?? 80), ...labels }
  }
  logger.debug({ machine: machine.name }, 'a machine has no private address')
  return undefined
}

interface Addresses {
  readonly privateIp: string | undefined
  readonly publicIp: string | undefined
}

/** `undefined` for a card that is not the machine's first, or gone. */
async function addressesOf(
  read: Read,
  id: string,
  inScaleSet: boolean,
  logger: Logger,
): Promise<Addresses | undefined> {
  const version = inScaleSet ? SCALE_SET_NETWORK_VERSION : NETWORK_VERSION
  let card: NetworkInterface
  try {
    card = await read(`${id}?api-version=${version}&$expand=ipConfigurations/publicIPAddress`)
  } catch (error) {
    if (isUnauthorized(error)) throw error
    // Machines come and go between two questions.
    logger.warn({ networkInterface: id, reason: errorMessage(error) }, 'a network interface cannot be read')
    return undefined
  }
  if (!card.properties?.primary) return undefined
  const configurations = (card.properties.ipConfigurations ?? []).map((one) => one.properties)
  return {
    privateIp: configurations.find((one) => one?.privateIPAddress)?.privateIPAddress,
    publicIp: configurations.map((one) => one?.publicIPAddress?.properties?.ipAddress).find((ip) => ip !== undefined),
  }
}
