import { Resolver } from 'node:dns/promises'
import { errorMessage } from '../../../lib/index.ts'
import type { Discovery, TargetGroup } from '../discovery.ts'
import { groupOf, hostPort, type MetaLabels } from '../meta-labels.ts'
import { type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { DnsRecordType, DnsSdConfig } from './config.ts'

const REFRESH_DEFAULT_MS = 30_000
const QUERY_TIMEOUT_MS = 5000
const TRIES = 2
// The name does not exist, or has no record of this type: a list without targets, not a failure.
const EMPTY_ANSWERS: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA'])

/** One target per record of each name. */
export function dnsDiscovery(config: DnsSdConfig, parts: DiscoveryParts): Discovery {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES })
  if (config.servers) resolver.setServers(config.servers)
  const held = new Map<string, TargetGroup>()
  const refreshOne = async (name: string): Promise<void> => {
    try {
      const targets = await lookUp(resolver, name, config.type ?? 'SRV', config.port ?? 0)
      held.set(name, groupOf(name, targets, { __meta_dns_name: name }))
    } catch (error) {
      parts.onFailure?.()
      parts.logger.error({ name, reason: errorMessage(error) }, 'a name does not resolve, its last targets stay in use')
    }
  }
  return polledDiscovery(
    {
      mechanism: 'dns',
      refreshIntervalMs: config.refreshIntervalMs ?? REFRESH_DEFAULT_MS,
      async refresh() {
        await Promise.all(config.names.map(refreshOne))
        return [...held.values()]
      },
      close() {
        resolver.cancel()
        return Promise.resolve()
      },
    },
    parts,
  )
}

async function lookUp(resolver: Resolver, name: string, type: DnsRecordType, port: number): Promise<MetaLabels[]> {
  try {
    switch (type) {
      case 'SRV':
        return (await resolver.resolveSrv(name)).map((record) => ({
          __address__: hostPort(record.name, record.port),
          __meta_dns_srv_record_target: `${record.name}.`,
          __meta_dns_srv_record_port: String(record.port),
        }))
      case 'MX':
        return (await resolver.resolveMx(name)).map(({ exchange }) => ({
          __address__: hostPort(exchange, port),
          __meta_dns_mx_record_target: `${exchange}.`,
        }))
      case 'NS':
        return (await resolver.resolveNs(name)).map((server) => ({
          __address__: hostPort(server, port),
          __meta_dns_ns_record_target: `${server}.`,
        }))
      case 'A':
        return (await resolver.resolve4(name)).map((address) => ({ __address__: hostPort(address, port) }))
      case 'AAAA':
        return (await resolver.resolve6(name)).map((address) => ({ __address__: hostPort(address, port) }))
    }
  } catch (error) {
    if (EMPTY_ANSWERS.has((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
