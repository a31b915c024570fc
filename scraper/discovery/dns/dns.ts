import { Resolver } from 'node:dns/promises'
import { errorMessage } from '../../../lib/index.ts'
import type { Discovery, TargetGroup } from '../discovery.ts'
import { groupOf, hostPort, type MetaLabels } from '../meta-labels.ts'
import { type DiscoveryParts, polledDiscovery } from '../poll.ts'
import type { DnsRecordType, DnsSdConfig } from './config.ts'
import { readSearchList, type SearchList, searchNames } from './search-names.ts'

const REFRESH_DEFAULT_MS = 30_000
const QUERY_TIMEOUT_MS = 5000
const TRIES = 2

/** One target per record of each name. */
export function dnsDiscovery(config: DnsSdConfig, parts: DiscoveryParts): Discovery {
  // Made anew for each refresh: which servers there are may change.
  let resolver: Resolver | undefined
  let isClosed = false
  const held = new Map<string, TargetGroup>()
  const refreshOne = async (asked: Resolver, name: string, search: SearchList): Promise<void> => {
    try {
      const targets = await lookUpCompleted(asked, searchNames(name, search), config)
      held.set(name, groupOf(name, targets, { __meta_dns_name: name }))
    } catch (error) {
      if (isClosed) return
      parts.onFailure?.()
      parts.logger.error({ name, reason: errorMessage(error) }, 'a name does not resolve, its last targets stay in use')
    }
  }
  return polledDiscovery(
    {
      mechanism: 'dns',
      refreshIntervalMs: config.refreshIntervalMs ?? REFRESH_DEFAULT_MS,
      async refresh() {
        const search = await readSearchList(config.resolvConf)
        const asked = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES })
        if (config.servers) asked.setServers(config.servers)
        resolver = asked
        await Promise.all(config.names.map((name) => refreshOne(asked, name, search)))
        return [...held.values()]
      },
      close() {
        isClosed = true
        resolver?.cancel()
        return Promise.resolve()
      },
    },
    parts,
  )
}

/**
 * The records of the first name that exists; none of them existing is a list without targets, not a failure.
 *
 * @throws where a server failed and no other name exists
 */
async function lookUpCompleted(resolver: Resolver, names: readonly string[], config: DnsSdConfig) {
  let failure: { readonly why: unknown } | undefined
  for (const name of names) {
    try {
      return await lookUp(resolver, name, config.type ?? 'SRV', config.port ?? 0)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // The name is there, without a record of this type.
      if (code === 'ENODATA') return []
      if (code !== 'ENOTFOUND') failure ??= { why: error }
    }
  }
  if (failure) throw failure.why
  return []
}

async function lookUp(resolver: Resolver, name: string, type: DnsRecordType, port: number): Promise<MetaLabels[]> {
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
}
