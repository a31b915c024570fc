import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, hostPort, mappedLabels, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import { secretText } from '../secret-file.ts'
import type { MarathonSdConfig } from './config.ts'

const PREFIX = '__meta_marathon_'
const REFRESH_DEFAULT_MS = 30_000

interface PortMapping {
  readonly labels?: Readonly<Record<string, string>>
  readonly containerPort?: number
  readonly hostPort?: number
}

interface App {
  readonly id: string
  readonly labels?: Readonly<Record<string, string>>
  readonly container?: {
    readonly docker?: { readonly image?: string; readonly portMappings?: readonly PortMapping[] | null } | null
    readonly portMappings?: readonly PortMapping[] | null
  } | null
  readonly portDefinitions?: readonly { readonly labels?: Readonly<Record<string, string>>; readonly port?: number }[]
  readonly networks?: readonly { readonly mode?: string }[]
  readonly requirePorts?: boolean
  readonly tasks?: readonly Task[]
}

interface Task {
  readonly id: string
  readonly host: string
  readonly ports?: readonly number[]
  readonly ipAddresses?: readonly { readonly ipAddress: string }[]
}

/** Where an app listens; port 0 = as Mesos has chosen for each task. */
interface AppPort {
  readonly port: number
  readonly labels: MetaLabels
}

/** The ports of every task of every app. */
export function marathonDiscovery(config: MarathonSdConfig, parts: DiscoveryParts): Discovery {
  return httpKindDiscovery(
    'marathon',
    config,
    parts,
    async (ask) => {
      const server = config.servers[Math.floor(Math.random() * config.servers.length)]!
      const url = `${server.replace(/\/+$/, '')}/v2/apps/?embed=apps.tasks`
      const { apps = [] } = await ask<{ apps?: App[] }>(url, { headers: await tokenHeader(config) })
      return apps.map((app) =>
        groupOf(app.id, appTargets(app), {
          [`${PREFIX}app`]: app.id,
          [`${PREFIX}image`]: text(app.container?.docker?.image),
          ...mappedLabels(`${PREFIX}app_label_`, app.labels),
        }),
      )
    },
    REFRESH_DEFAULT_MS,
  )
}

async function tokenHeader({ authToken, authTokenFile }: MarathonSdConfig): Promise<Record<string, string>> {
  if ((authToken ?? authTokenFile) === undefined) return {}
  return { authorization: `token=${await secretText(authToken, authTokenFile)}` }
}

function appTargets(app: App): MetaLabels[] {
  const inContainer = app.networks?.[0]?.mode === 'container'
  const declared = declaredPorts(app, inContainer)
  return (app.tasks ?? []).flatMap((task) => {
    const own = task.ports ?? []
    const ports = declared.length > 0 ? declared : own.map((port) => ({ port, labels: {} }))
    const host = (inContainer && task.ipAddresses?.[0]?.ipAddress) || task.host
    return ports.map(({ port, labels }, i) => ({
      __address__: hostPort(host, port === 0 && own.length === ports.length ? own[i]! : port),
      [`${PREFIX}task`]: task.id,
      [`${PREFIX}port_index`]: String(i),
      ...labels,
    }))
  })
}

function declaredPorts(app: App, inContainer: boolean): AppPort[] {
  const { portMappings, docker } = app.container ?? {}
  // Before Marathon 1.5 the mappings stood below `docker`.
  const mappings = portMappings?.length ? portMappings : (docker?.portMappings ?? [])
  if (mappings.length > 0) {
    return mappings.map(({ labels, containerPort = 0, hostPort: onHost = 0 }) => ({
      port: inContainer ? containerPort : onHost,
      labels: mappedLabels(`${PREFIX}port_mapping_label_`, labels),
    }))
  }
  return (app.portDefinitions ?? []).map(({ labels, port = 0 }) => ({
    // Otherwise it is the port of the service, not the one that a task listens on.
    port: app.requirePorts ? port : 0,
    labels: mappedLabels(`${PREFIX}port_definition_label_`, labels),
  }))
}
