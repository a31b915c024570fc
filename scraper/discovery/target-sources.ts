import { isDeepStrictEqual } from 'node:util'
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
  /** What it was made from. */
  readonly config: unknown
  readonly discovery: Discovery
}

/**
 * One discovery for each entry; all static ones together are one.
 *
 * @param running those whose entries are still there go on instead of new ones
 */
export function createDiscoveries(
  { staticConfigs = [], fileSdConfigs = [], httpSdConfigs = [], discoveries = [] }: TargetSources,
  partsOf: (mechanism: string) => DiscoveryParts,
  running: readonly NamedDiscovery[] = [],
): NamedDiscovery[] {
  const left = [...running]
  const named = <C>(
    name: string,
    config: C,
    create: (config: C, parts: DiscoveryParts) => Discovery,
  ): NamedDiscovery => {
    const at = left.findIndex((one) => one.name === name && isDeepStrictEqual(one.config, config))
    return at < 0 ? { name, config, discovery: create(config, partsOf(name)) } : left.splice(at, 1)[0]!
  }
  return [
    ...(staticConfigs.length > 0 ? [named('static', staticConfigs, staticDiscovery)] : []),
    ...fileSdConfigs.map((one) => named('file', one, fileDiscovery)),
    ...httpSdConfigs.map((one) => named('http', one, httpDiscovery)),
    ...discoveries.map((one) => named(one.kind, one, createDiscovery)),
  ]
}

/** Whether two settings are the same but for their sources, which may be the same too. */
export function sameButSources<T extends TargetSources>(a: T, b: T): boolean {
  const none = { staticConfigs: undefined, fileSdConfigs: undefined, httpSdConfigs: undefined, discoveries: undefined }
  return isDeepStrictEqual({ ...a, ...none }, { ...b, ...none })
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
