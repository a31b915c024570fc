import type { Clock, Logger } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { DiscoveryConfig, FileSdConfig, HttpSdConfig, StaticConfig } from './config.ts'
import { createDiscovery } from './create.ts'
import type { Discovery, TargetGroup } from './discovery.ts'
import { fileDiscovery } from './file.ts'
import { httpDiscovery } from './http.ts'
import type { DiscoveryParts } from './poll.ts'
import { staticDiscovery } from './static.ts'

/** Everything that can list targets, as it stands in a scrape job or in a set of Alertmanagers. */
export interface TargetSources {
  readonly staticConfigs?: readonly StaticConfig[] | undefined
  readonly fileSdConfigs?: readonly FileSdConfig[] | undefined
  readonly httpSdConfigs?: readonly HttpSdConfig[] | undefined
  /** Every other kind of discovery. */
  readonly discoveries?: readonly DiscoveryConfig[] | undefined
}

export interface NamedDiscovery {
  /** Of its mechanism. */
  readonly name: string
  readonly discovery: Discovery
}

/** One discovery for each entry; all static ones together are one. */
export function createDiscoveries(
  { staticConfigs = [], fileSdConfigs = [], httpSdConfigs = [], discoveries = [] }: TargetSources,
  partsOf: (mechanism: string) => DiscoveryParts,
): NamedDiscovery[] {
  return [
    ...(staticConfigs.length > 0 ? [{ name: 'static', discovery: staticDiscovery(staticConfigs) }] : []),
    ...fileSdConfigs.map((file) => ({ name: 'file', discovery: fileDiscovery(file, partsOf('file')) })),
    ...httpSdConfigs.map((service) => ({ name: 'http', discovery: httpDiscovery(service, partsOf('http')) })),
    ...discoveries.map((one) => ({ name: one.kind, discovery: createDiscovery(one, partsOf(one.kind)) })),
  ]
}

/**
 * Tells all targets of all sources whenever one of them changes; static ones before it returns.
 *
 * @param onChange label sets with `__address__`, before any relabelling
 */
export function watchTargets(
  sources: TargetSources,
  parts: { readonly clock: Clock; readonly logger: Logger },
  onChange: (targets: readonly Labels[]) => void,
): { stop(): Promise<void> } {
  const running = createDiscoveries(sources, () => parts)
  const groups = new Map<Discovery, readonly TargetGroup[]>()
  let stopped = false
  for (const { discovery } of running) {
    discovery.run((found) => {
      groups.set(discovery, found)
      if (!stopped) onChange([...groups.values()].flat().flatMap((group) => group.targets))
    })
  }
  return {
    async stop() {
      stopped = true
      await Promise.all(running.map(({ discovery }) => discovery.stop()))
    },
  }
}
