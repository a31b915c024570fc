import type { Discovery } from '../discovery.ts'
import { httpKindDiscovery } from '../http-kind.ts'
import { groupOf, type MetaLabels, text } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { UyuniSdConfig } from './config.ts'
import { xmlRpc } from './xml-rpc.ts'

const PREFIX = '__meta_uyuni_'
const SESSION_SECONDS = 600

interface System {
  readonly id: number
  readonly system_groups?: readonly { readonly name?: string }[]
}

interface Network {
  readonly system_id: number
  readonly hostname?: string
  readonly primary_fqdn?: string
}

interface Endpoint {
  readonly system_id: number
  readonly endpoint_name?: string
  readonly exporter_name?: string
  readonly port: number
  readonly path?: string
  readonly module?: string
  readonly tls_enabled?: boolean
}

/** The monitored endpoints of systems that a Uyuni server manages. */
export function uyuniDiscovery(config: UyuniSdConfig, parts: DiscoveryParts): Discovery {
  const url = `${config.server.replace(/\/+$/, '')}/rpc/api`
  const { username, password, entitlement = 'monitoring_entitled', separator = ',' } = config
  let token = ''
  let renewAtMs = 0
  return httpKindDiscovery('uyuni', config, parts, async (_ask, peer) => {
    if (parts.clock.nowMs() >= renewAtMs) {
      token = text(await xmlRpc(peer, url, 'auth.login', [username, password, SESSION_SECONDS]))
      renewAtMs = parts.clock.nowMs() + (SESSION_SECONDS * 1000) / 2
    }
    try {
      const call = <T>(method: string, argument: string | number[]) =>
        xmlRpc(peer, url, method, [token, argument]) as Promise<readonly T[]>
      const systems = await call<System>('system.listSystemGroupsForSystemsWithEntitlement', entitlement)
      const ids = systems.map(({ id }) => id)
      const endpoints = await call<Endpoint>('system.monitoring.listEndpoints', ids)
      const networks = await call<Network>('system.getNetworkForSystems', ids)
      return [
        groupOf(
          url,
          endpoints.map((endpoint) =>
            endpointLabels(
              endpoint,
              systems.find(({ id }) => id === endpoint.system_id),
              networks.find(({ system_id }) => system_id === endpoint.system_id),
              separator,
            ),
          ),
        ),
      ]
    } catch (error) {
      // The session may be at fault.
      renewAtMs = 0
      throw error
    }
  })
}

function endpointLabels(
  endpoint: Endpoint,
  system: System | undefined,
  network: Network | undefined,
  separator: string,
): MetaLabels {
  const hostName = text(network?.hostname)
  return {
    __address__: `${hostName}:${endpoint.port}`,
    [`${PREFIX}minion_hostname`]: hostName,
    [`${PREFIX}primary_fqdn`]: text(network?.primary_fqdn),
    [`${PREFIX}system_id`]: String(endpoint.system_id),
    [`${PREFIX}groups`]: (system?.system_groups ?? []).map(({ name }) => text(name)).join(separator),
    [`${PREFIX}endpoint_name`]: text(endpoint.endpoint_name),
    [`${PREFIX}exporter`]: text(endpoint.exporter_name),
    [`${PREFIX}proxy_module`]: text(endpoint.module),
    [`${PREFIX}metrics_path`]: text(endpoint.path),
    [`${PREFIX}scheme`]: endpoint.tls_enabled ? 'https' : 'http',
  }
}
