import type { StaticConfig } from './config.ts'
import { type Discovery, targetGroup } from './discovery.ts'

/** Targets as the configuration file lists them. */
export function staticDiscovery(configs: readonly StaticConfig[]): Discovery {
  return {
    run: (onUpdate) => onUpdate(configs.map((one, i) => targetGroup(String(i), one.targets, one.labels ?? {}))),
    stop: () => Promise.resolve(),
  }
}
